import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { looksLikeSsh, SshStream } from '../../sensor/tls/ssh.ts';
import { ascii, concat, u16 } from '../build/hellos.ts';

const u32 = (value: number): number[] => u16(value >>> 16, value & 0xffff);
const NAMES = [
  'curve25519-sha256,ext-info-c',
  'ssh-ed25519',
  'aes256-ctr,aes128-ctr',
  'aes128-gcm',
  'hmac-sha2-256',
  'hmac-sha1',
  'none,zlib',
  'none',
  '',
  '',
];

function kexInit(names: readonly string[] = NAMES, message = 20): Uint8Array {
  const body = [
    message,
    ...new Array<number>(16).fill(7),
    ...names.flatMap((list) => [...u32(list.length), ...ascii(list)]),
    0,
    0,
    0,
    0,
    0,
  ];
  return Uint8Array.from([...u32(body.length + 5), 4, ...body, 0, 0, 0, 0]);
}
const line = (text: string): Uint8Array => Uint8Array.from(ascii(text));
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

function read(side: 'client' | 'server', bytes: Uint8Array, step = bytes.length): SshStream {
  const stream = new SshStream(side);
  for (let at = 0; at < bytes.length; at += step) stream.push(bytes, at, Math.min(at + step, bytes.length));
  return stream;
}

describe('an SSH connection', () => {
  const opening = concat([line('SSH-2.0-OpenSSH_9.6p1 Ubuntu-3\r\n'), kexInit(), new Uint8Array(50)]);

  it('gives version and HASSH of each side, each with the lists of its own direction', () => {
    expect(read('client', opening)).toMatchObject({
      protocol: '2.0',
      software: 'OpenSSH_9.6p1 Ubuntu-3',
      hasshString: 'curve25519-sha256,ext-info-c;aes256-ctr,aes128-ctr;hmac-sha2-256;none,zlib',
      hassh: md5('curve25519-sha256,ext-info-c;aes256-ctr,aes128-ctr;hmac-sha2-256;none,zlib'),
      done: true,
      heldBytes: 0,
    });
    expect(read('server', opening).hassh).toBe(md5('curve25519-sha256,ext-info-c;aes128-gcm;hmac-sha1;none'));
  });

  it('is the same however it is cut into segments', () => {
    const { hassh, software } = read('client', opening);
    for (const step of [1, 2, 3, 7, 32, 100]) expect(read('client', opening, step)).toMatchObject({ hassh, software });
  });

  it('may greet before its version line, and end lines with LF alone', () => {
    const banner = concat([line('hello\r\nmore\n\n'), line('SSH-1.99-dropbear\n'), kexInit()]);
    expect(read('server', banner, 5)).toMatchObject({ protocol: '1.99', software: 'dropbear', done: true });
  });

  it('writes its version safely', () => {
    expect(read('client', line('SSH-2.0-evil\x1b[2J\0\r\n')).software).toBe('evil\\x1b[2J\\x00');
  });

  it('has no HASSH in SSH 1, after another message, or with lists that do not fit', () => {
    const version = line('SSH-2.0-x\r\n');
    expect(read('client', concat([line('SSH-1.5-old\r\n'), kexInit()]))).toMatchObject({
      software: 'old',
      hassh: undefined,
      done: true,
    });
    expect(read('client', concat([version, kexInit(NAMES, 21)]))).toMatchObject({ hassh: undefined, done: true });
    const broken = kexInit();
    broken[22] = 0xff;
    expect(read('client', concat([version, broken]))).toMatchObject({ hassh: undefined, done: true });
  });

  it('waits for a KEXINIT that is not complete, and gives up on one over the cap', () => {
    const version = line('SSH-2.0-x\r\n');
    expect(read('client', concat([version, kexInit().subarray(0, 60)]))).toMatchObject({
      hassh: undefined,
      done: false,
    });
    expect(read('client', concat([version, Uint8Array.from(u32(35_001))])).done).toBe(true);
  });

  it('gives up on lines without end, and holds no more than the longest opening', () => {
    expect(read('client', line(`SSH-2.0-${'a'.repeat(300)}`)).done).toBe(true);
    expect(read('server', line('a'.repeat(9_000)), 100).done).toBe(true);
    expect(read('server', line('a\n'.repeat(5_000)), 100).done).toBe(true);
    const waiting = read(
      'client',
      concat([line('SSH-2.0-x\r\n'), Uint8Array.from(u32(35_000)), new Uint8Array(34_000)]),
      1_000,
    );
    expect(waiting.heldBytes).toBeLessThanOrEqual(44_000);
  });
});

describe('the SSH probe', () => {
  it('says more until it can tell', () => {
    const bytes = line('SSH-2.0-x');
    expect([0, 1, 2, 3, 4, 9].map((length) => looksLikeSsh(bytes, 0, length))).toEqual([
      'more',
      'more',
      'more',
      'more',
      'yes',
      'yes',
    ]);
    expect(looksLikeSsh(line('SSX'), 0, 3)).toBe('no');
    expect(looksLikeSsh(line('GET /'), 0, 5)).toBe('no');
  });
});
