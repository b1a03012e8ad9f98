import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { be16, concat } from '../build/frames.ts';
import { observe, observeOne } from '../build/observe.ts';
import { inOpenVpn, type OpenVpnOptions, openVpnData } from '../build/openvpn.ts';
import { frames, TcpConnection } from '../build/tcp-connection.ts';
import { bytesFrom, SERVER_NAME, type Turn, tls12, tls13 } from '../build/tls-flights.ts';

const data: Turn[] = [
  ['client', openVpnData(1_300)],
  ['server', openVpnData(900)],
];
const record = (turns: readonly Turn[]) =>
  observeOne(frames(new TcpConnection().open().say(turns).close().packets, { serverPort: 1_194 }));
const plain = observeOne(frames(new TcpConnection().open().say(tls12()).close().packets));

describe('TLS inside OpenVPN over TCP', () => {
  it.each([0, 16, 20, 28, 32, 48, 64])('is read with %i bytes of tls-auth', (hmac) => {
    const turns = [...inOpenVpn(tls12(), { hmac }), ...data];
    const { tls, waybill, source } = record(turns);
    expect(tls).toEqual(plain.tls);
    expect(waybill.via).toBe('openvpn');
    expect(source).toMatchObject({ ip: '192.0.2.10', bytes: bytesFrom('client', turns) });
  });

  it('is read from packets of any size, sent again, and cut anywhere behind the first', () => {
    const options = fc.record({
      hmac: fc.constantFrom(0, 20, 64),
      size: fc.integer({ min: 20, max: 600 }),
      twice: fc.boolean(),
    });
    fc.assert(
      fc.property(options, fc.array(fc.nat(400), { maxLength: 6 }), (o: OpenVpnOptions, cuts) => {
        const [first, ...rest] = inOpenVpn(tls13(), o) as [Turn, ...Turn[]];
        const c = new TcpConnection().open().say([first]);
        for (const [who, bytes] of rest) c.sendCut(who, bytes, cuts);
        const { tls, waybill } = observeOne(frames(c.close().packets));
        expect(tls?.client?.server_name).toBe(SERVER_NAME);
        expect(tls?.version).toBe('1.3');
        expect(waybill.via).toBe('openvpn');
      }),
      { numRuns: 50 },
    );
  }, 30_000);

  it('is not looked for behind anything but a client’s first packet', () => {
    const [reset, ...rest] = inOpenVpn(tls12(), { hmac: 20 }) as [Turn, ...Turn[]];
    const changed = (at: number): Turn => ['client', reset[1].map((byte, i) => (i === at ? byte ^ 1 : byte))];
    // Length, opcode, key id, replay counter, acknowledgements, message number.
    for (const at of [1, 2, 31 + 3, reset[1].length - 5, reset[1].length - 1]) {
      expect(observe(frames(new TcpConnection().open().say([changed(at), ...rest]).packets)).records).toEqual([]);
    }
  });

  it('cannot be read with tls-crypt, and is not guessed', () => {
    const encrypted = (bytes: number, opcode: number): Uint8Array =>
      concat(
        be16(bytes),
        [opcode << 3],
        Uint8Array.from({ length: bytes - 1 }, (_, i) => (i * 91 + opcode) & 0xff),
      );
    const turns: Turn[] = [
      ['client', encrypted(54, 7)],
      ['server', encrypted(66, 8)],
      ...Array.from({ length: 20 }, (_, i): Turn => [i % 2 ? 'server' : 'client', encrypted(300 + i, 4)]),
    ];
    expect(observe(frames(new TcpConnection().open().say(turns).close().packets)).records).toEqual([]);
  });

  it('without TLS in it makes no record', () => {
    const noise: Turn[] = [
      ['client', new Uint8Array(300).fill(0x55)],
      ['server', new Uint8Array(300).fill(0x56)],
    ];
    expect(observe(frames(new TcpConnection().open().say(inOpenVpn(noise)).close().packets)).records).toEqual([]);
  });

  it('of any bytes in its packets makes no fuss', () => {
    const who = fc.constantFrom('client' as const, 'server' as const);
    const hostile = fc.array(fc.tuple(who, fc.uint8Array({ minLength: 1, maxLength: 90 })), { maxLength: 12 });
    const [first, second] = inOpenVpn([]) as [Turn, Turn];
    fc.assert(
      fc.property(hostile, (turns) => {
        expect(observe(frames(new TcpConnection().open().say([first, second, ...turns]).packets)).records).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
