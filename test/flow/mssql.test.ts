import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat } from '../build/frames.ts';
import { observe, observeOne } from '../build/observe.ts';
import { frames, TcpConnection } from '../build/tcp-connection.ts';
import { inTds, preloginOptions, Tds, tdsPacket } from '../build/tds.ts';
import { applicationData, bytesFrom, type Turn, tls12, tls13 } from '../build/tls-flights.ts';

const HANDSHAKE = tls12();
const data: readonly Turn[] = [
  ['client', applicationData(700)],
  ['server', applicationData(900)],
];
const record = (turns: readonly Turn[]) =>
  observeOne(frames(new TcpConnection().open().say(turns).close().packets, { serverPort: 1_433 }));
const plain = record([...HANDSHAKE, ...data]);

describe('TLS inside the packets of SQL Server (MS-TDS)', () => {
  it('is read, and the records behind the handshake that have no packets around them', () => {
    const turns = [...inTds(HANDSHAKE), ...data];
    const { tls, waybill, source } = record(turns);
    expect(tls).toEqual(plain.tls);
    expect(waybill).toMatchObject({ via: 'mssql', bytes_exact: true });
    expect(waybill.anomalies).toBeUndefined();
    expect(source.bytes).toBe(bytesFrom('client', turns));
  });

  it('is read when packets end anywhere and segments too', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 700 }), fc.array(fc.nat(900), { maxLength: 8 }), (size, cuts) => {
        const c = new TcpConnection().open();
        for (const [who, bytes] of inTds(tls12(), 4, Math.max(size, 60))) c.sendCut(who, bytes, cuts);
        const { tls, waybill } = observeOne(frames(c.say(data).close().packets));
        expect(tls).toEqual(plain.tls);
        expect(waybill.via).toBe('mssql');
      }),
      { numRuns: 50 },
    );
  }, 30_000);

  it('is read when only the login is encrypted, and packets without it follow', () => {
    const login: Turn = ['client', applicationData(400)];
    const answer: Turn = ['server', tdsPacket(Tds.answer, new Uint8Array(600).fill(0xe3))];
    const { tls, waybill } = record([...inTds(HANDSHAKE), login, answer, ['client', tdsPacket(1, new Uint8Array(90))]]);
    expect(tls?.client).toEqual(plain.tls?.client);
    expect(tls?.server).toEqual(plain.tls?.server);
    expect(waybill.via).toBe('mssql');
  });

  it('is plain TLS when the client begins with it (TDS 8.0)', () => {
    expect(record(tls13()).waybill.via).toBeUndefined();
  });

  it('makes no record when the server has no encryption', () => {
    const turns: Turn[] = [
      ['client', tdsPacket(Tds.prelogin, preloginOptions(2))],
      ['server', tdsPacket(Tds.answer, preloginOptions(2))],
      ['client', tdsPacket(Tds.login, new Uint8Array(300).fill(0x16))],
      ...Array.from({ length: 80 }, (_, i): Turn => [i % 2 ? 'client' : 'server', tdsPacket(4, new Uint8Array(50))]),
    ];
    expect(observe(frames(new TcpConnection().open().say(turns).packets)).records).toEqual([]);
  });

  it('is not looked for behind anything but a whole PRELOGIN message', () => {
    const [prelogin, ...rest] = inTds(HANDSHAKE) as [Turn, ...Turn[]];
    // Type, last packet, length, window, first token, offset of its value.
    for (const at of [0, 1, 3, 7, 8, 10]) {
      const changed: Turn = ['client', prelogin[1].map((byte, i) => (i === at ? byte ^ 0x55 : byte))];
      const { records } = observe(frames(new TcpConnection().open().say([changed, ...rest]).packets));
      for (const { waybill } of records) expect(waybill.via).not.toBe('mssql');
    }
  });

  it('of any bytes in its packets makes no fuss', () => {
    const who = fc.constantFrom('client' as const, 'server' as const);
    const hostile = fc.array(fc.tuple(who, fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.boolean()), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(hostile, (said) => {
        const turns = said.map(([from, bytes, wrap]): Turn => [from, wrap ? tdsPacket(18, bytes) : concat(bytes)]);
        expect(() => observe(frames(new TcpConnection().open().say([...inTds([]), ...turns]).packets))).not.toThrow();
      }),
      { numRuns: 60 },
    );
  });
});
