import { describe, expect, it } from 'vitest';
import { ascii, concat, u16 } from '../build/hellos.ts';
import { observe, observeOne } from '../build/observe.ts';
import { frames, TcpConnection } from '../build/tcp-connection.ts';
import { bytesFrom, type Turn } from '../build/tls-flights.ts';

const u32 = (value: number): number[] => u16(value >>> 16, value & 0xffff);

/** A key exchange of one side (RFC 4253 §7.1) with `cipher` among its ten lists. */
function kexInit(cipher: string): Uint8Array {
  const lists = [
    'curve25519-sha256',
    'ssh-ed25519',
    cipher,
    cipher,
    'hmac-sha2-256',
    'hmac-sha2-256',
    'none',
    'none',
    '',
    '',
  ];
  const body = [
    20,
    ...new Array<number>(16).fill(7),
    ...lists.flatMap((l) => [...u32(l.length), ...ascii(l)]),
    0,
    0,
    0,
    0,
    0,
  ];
  return Uint8Array.from([...u32(body.length + 5), 4, ...body, 0, 0, 0, 0]);
}
const line = (text: string): Uint8Array => Uint8Array.from(ascii(text));
const noise = new Uint8Array(900).fill(0x9c);

const clientSays = concat([line('SSH-2.0-PuTTY_Release_0.81\r\n'), kexInit('aes256-gcm@openssh.com'), noise]);
const serverSays = concat([line('SSH-2.0-OpenSSH_9.6\r\n'), kexInit('aes128-ctr'), noise]);
const talk: Turn[] = [
  ['server', serverSays],
  ['client', clientSays],
  ['client', noise],
  ['server', noise],
];

describe('an SSH connection', () => {
  const whole = observeOne(frames(new TcpConnection().open().say(talk).close().packets, { serverPort: 22 }));

  it('is recorded with software, HASSH and payload bytes of both sides, and has no TLS', () => {
    expect(whole).toMatchObject({
      network: { transport: 'tcp', protocol: 'ssh' },
      source: { ip: '192.0.2.10', bytes: bytesFrom('client', talk) },
      destination: { port: 22, bytes: bytesFrom('server', talk) },
      ssh: { client: 'PuTTY_Release_0.81', server: 'OpenSSH_9.6' },
    });
    expect(whole.ssh?.hassh).toMatch(/^[0-9a-f]{32}$/);
    expect(whole.ssh?.hassh_server).not.toBe(whole.ssh?.hassh);
    expect(whole.tls).toBeUndefined();
    expect(whole.waybill.anomalies).toBeUndefined();
  });

  it('is the same whoever speaks first, on any port, in segments of any size', () => {
    for (const mss of [7, 100, 1_400]) {
      const turns = [talk[1]!, talk[0]!, ...talk.slice(2)];
      const record = observeOne(
        frames(new TcpConnection({ mss }).open().say(turns).close().packets, { serverPort: 2_222 }),
      );
      expect(record.ssh).toEqual(whole.ssh);
      expect(record.source.bytes).toBe(whole.source.bytes);
    }
  });

  it('has the right client when the capture begins behind its SYNs', () => {
    const c = new TcpConnection().open().say(talk).close();
    const record = observeOne(frames(c.packets.slice(3), { serverPort: 22 }));
    expect(record.source.ip).toBe('192.0.2.10');
    expect(record.ssh).toEqual(whole.ssh);
  });

  it('of the server alone is told, and who its client is', () => {
    const c = new TcpConnection().open().say(talk).close();
    const record = observeOne(
      frames(
        c.packets.filter(({ who }) => who === 'server'),
        { serverPort: 22 },
      ),
    );
    expect(record).toMatchObject({ source: { ip: '192.0.2.10' }, ssh: { server: 'OpenSSH_9.6' } });
    expect(record.ssh).not.toHaveProperty('client');
  });

  it('keeps hostile software names as safe text', () => {
    const evil: Turn = ['client', concat([line('SSH-2.0-\x1b[2Jevil\r\n'), kexInit('none'), noise])];
    const record = observeOne(frames(new TcpConnection().open().say([talk[0]!, evil]).close().packets));
    expect(record.ssh?.client).toBe('\\x1b[2Jevil');
  });

  it('is not seen where a page only mentions SSH', () => {
    const page: Turn[] = [
      ['client', line('GET /SSH-2.0-x HTTP/1.1\r\n\r\n')],
      ['server', line('HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x\r\n')],
    ];
    expect(observe(frames(new TcpConnection().open().say(page).close().packets)).records).toEqual([]);
  });
});
