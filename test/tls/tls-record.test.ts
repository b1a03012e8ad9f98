import { describe, expect, it } from 'vitest';
import { parseSslV2Hello } from '../../sensor/tls/sslv2-hello.ts';
import { looksLikeTls } from '../../sensor/tls/tls-record.ts';
import {
  ascii,
  clientHelloBody,
  handshake,
  handshakeRecords,
  record,
  serverHelloBody,
  sslV2Hello,
} from '../build/hellos.ts';

const probe = (bytes: Uint8Array): string => looksLikeTls(bytes, 0, bytes.length);
const hello = handshake(1, clientHelloBody());

describe('the TLS probe', () => {
  it('says more until it can tell, and yes from then on', () => {
    const bytes = record(22, hello);
    const answers = Array.from({ length: 40 }, (_, length) => looksLikeTls(bytes, 0, length));
    expect(answers.indexOf('yes')).toBe(11);
    expect(new Set(answers.slice(0, 11))).toEqual(new Set(['more']));
    expect(new Set(answers.slice(11))).toEqual(new Set(['yes']));
  });

  it('says yes for every record version from 3.0 to 3.4, and for a server’s hello', () => {
    for (const version of [0x0300, 0x0301, 0x0302, 0x0303, 0x0304])
      expect(probe(record(22, hello, version))).toBe('yes');
    expect(probe(record(22, handshake(2, serverHelloBody())))).toBe('yes');
    expect(probe(record(22, handshake(2, serverHelloBody({ version: 0x7f12, shortForm: true }))))).toBe('yes');
  });

  it('says yes for a hello whose first record holds a single byte of it', () => {
    expect(probe(handshakeRecords(hello, [1]))).toBe('yes');
    expect(probe(handshakeRecords(hello, [4, 5]))).toBe('yes');
  });

  it.each([
    ['an HTTP request', Uint8Array.from(ascii('GET / HTTP/1.1\r\n'))],
    ['an SSH banner', Uint8Array.from(ascii('SSH-2.0-OpenSSH_9.6\r\n'))],
    ['an SMTP greeting', Uint8Array.from(ascii('220 mail.example ESMTP\r\n'))],
    ['a handshake record of another message', record(22, handshake(14, []))],
    ['version 3.5', record(22, hello, 0x0305)],
    ['version 2.1', record(22, hello, 0x0201)],
    ['an empty record', record(22, [])],
    ['an overlong record', Uint8Array.from([22, 3, 1, 0xff, 0xff, 1, 0, 0, 60, 3, 3])],
    ['a hello of 16 MB', Uint8Array.from([22, 3, 1, 0x20, 0, 1, 0xff, 0, 60, 3, 3])],
    ['RDP', Uint8Array.from([3, 0, 0, 0x2a, 0x25, 0xe0, 0, 0, 0, 0, 0, 0x43])],
    ['SOCKS 5', Uint8Array.from([5, 1, 0])],
    ['zeros', new Uint8Array(64)],
    ['ones', new Uint8Array(64).fill(0xff)],
    ['DTLS', Uint8Array.from([22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1])],
  ])('says no to %s', (_, bytes) => expect(probe(bytes)).toBe('no'));

  it('says yes to an SSLv2-format hello with a header of two bytes or three', () => {
    expect(probe(sslV2Hello(0x0301, [5, 10]))).toBe('yes');
    expect(probe(sslV2Hello(0x0002, [0x010080], 0))).toBe('yes');
  });
});

describe('an SSLv2-format hello', () => {
  it('gives version, suites and the bytes it took', () => {
    const bytes = sslV2Hello(0x0301, [0x04, 0x010080]);
    expect(parseSslV2Hello(Uint8Array.from([...bytes, 1, 2, 3]), 0, bytes.length + 3)).toEqual({
      kind: 'ok',
      value: { version: 0x0301, cipherSpecs: [0x04, 0x010080], size: bytes.length },
    });
  });

  it('asks for more for every proper prefix', () => {
    for (const bytes of [sslV2Hello(0x0300, [5]), sslV2Hello(0x0300, [5], 3)]) {
      for (let length = 0; length < bytes.length; length++) {
        expect(parseSslV2Hello(bytes, 0, length).kind).toBe('more');
      }
    }
  });

  it.each([
    [0, 0xc0, 'bad-type'], // security escape bit
    [2, 4, 'bad-type'],
    [3, 4, 'bad-version'],
    [6, 4, 'odd-length'],
    [8, 1, 'length-mismatch'],
    [10, 99, 'length-mismatch'],
    [1, 99, 'length-mismatch'],
  ])('is refused when byte %i is %i', (at, value, why) => {
    const bytes = sslV2Hello(0x0301, [5], at === 0 ? 0 : undefined);
    bytes[at] = at === 0 ? 0x40 : value;
    expect(parseSslV2Hello(bytes, 0, bytes.length)).toMatchObject({ kind: 'bad', why });
  });
});
