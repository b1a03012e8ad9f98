import { describe, expect, it } from 'vitest';
import { type ClientHello, type HelloFraming, parseClientHello } from '../../sensor/tls/client-hello.ts';
import { ascii, clientHelloBody, extension, type HelloParts, u16, vector16 } from '../build/hellos.ts';

function parse(parts: HelloParts, framing: HelloFraming = 'tls'): ClientHello {
  const body = clientHelloBody(parts);
  const outcome = parseClientHello(body, 0, body.length, framing);
  if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}

function fault(body: Uint8Array): string {
  const outcome = parseClientHello(body, 0, body.length);
  return outcome.kind === 'bad' ? outcome.why : outcome.kind;
}

const full: HelloParts = {
  version: 0x0303,
  sessionId: [1, 2, 3],
  suites: [0x3a3a, 0x1301, 0xc02b],
  compression: [1, 0],
  extensions: [
    extension.of(0x4a4a),
    extension.serverName('files.example'),
    extension.groups(0x5a5a, 0x11ec, 29),
    extension.pointFormats(0, 1),
    extension.signatureAlgorithms(0x0403, 0x0804),
    extension.alpn('h2', 'http/1.1'),
    extension.sessionTicket(),
    extension.supportedVersions(0x6a6a, 0x0304, 0x0303),
    extension.of(42),
    extension.preSharedKey(),
  ],
};

describe('a ClientHello', () => {
  it('gives every list in wire order, GREASE included', () => {
    expect(parse(full)).toEqual({
      legacyVersion: 0x0303,
      sessionId: '\x01\x02\x03',
      cookieLength: 0,
      cipherSuites: [0x3a3a, 0x1301, 0xc02b],
      compressionMethods: [1, 0],
      extensionTypes: [0x4a4a, 0, 10, 11, 13, 16, 35, 43, 42, 41],
      serverName: 'files.example',
      serverNameCount: 1,
      groups: [0x5a5a, 0x11ec, 29],
      pointFormats: [0, 1],
      signatureAlgorithms: [0x0403, 0x0804],
      supportedVersions: [0x6a6a, 0x0304, 0x0303],
      alpn: ['h2', 'http/1.1'],
      ech: undefined,
      offersPsk: true,
      offersEarlyData: true,
      offersTicket: false,
    });
  });

  it('is read where it lies in a larger buffer', () => {
    const body = clientHelloBody(full);
    const framed = Uint8Array.from([9, 9, 9, ...body, 8, 8]);
    expect(parseClientHello(framed, 3, 3 + body.length)).toEqual(parseClientHello(body, 0, body.length));
  });

  it('may have no extensions, no suites, and an empty list anywhere', () => {
    expect(parse({ extensions: null }).extensionTypes).toEqual([]);
    expect(parse({ extensions: [] }).extensionTypes).toEqual([]);
    expect(parse({ suites: [] }).cipherSuites).toEqual([]);
    const empty = parse({ extensions: [extension.groups(), extension.pointFormats(), extension.alpn()] });
    expect([empty.groups, empty.pointFormats, empty.alpn]).toEqual([[], [], []]);
  });

  it('names an empty server name, a list without names, and several', () => {
    expect(parse({ extensions: [] }).serverName).toBeUndefined();
    expect(parse({ extensions: [extension.of(0)] }).serverName).toBe('');
    expect(parse({ extensions: [extension.serverName()] }).serverName).toBe('');
    expect(parse({ extensions: [extension.serverName('')] }).serverName).toBe('');
    const two = parse({ extensions: [extension.serverName('a.example', 'b.example')] });
    expect([two.serverName, two.serverNameCount]).toEqual(['a.example', 2]);
  });

  it('keeps a server name as sent: addresses, odd bytes, 65,000 of them', () => {
    expect(parse({ extensions: [extension.serverName('192.0.2.1')] }).serverName).toBe('192.0.2.1');
    expect(parse({ extensions: [extension.serverName('\x1b\0\n\xff')] }).serverName).toBe('\x1b\0\n\xff');
    const long = 'a'.repeat(65_000);
    expect(parse({ extensions: [extension.serverName(long)] }).serverName).toBe(long);
  });

  it('takes the first of an extension sent twice and lists both', () => {
    const twice = parse({
      extensions: [extension.groups(1), extension.groups(2), extension.serverName('a'), extension.serverName('b')],
    });
    expect(twice.extensionTypes).toEqual([10, 10, 0, 0]);
    expect([twice.groups, twice.serverName]).toEqual([[1], 'a']);
  });

  it('tells ECH that may hide a hello from bytes that cannot, and from the older ESNI', () => {
    expect(parse({ extensions: [extension.encryptedClientHello(176)] }).ech).toBe('outer');
    expect(parse({ extensions: [extension.encryptedClientHello(8)] }).ech).toBe('grease');
    expect(parse({ extensions: [extension.of(0xfe0d, [0, 1])] }).ech).toBe('grease');
    expect(parse({ extensions: [extension.of(0xffce, [1, 2])] }).ech).toBe('esni');
  });

  it('tells a ticket from the wish for one', () => {
    expect(parse({ extensions: [extension.sessionTicket(0)] }).offersTicket).toBe(false);
    expect(parse({ extensions: [extension.sessionTicket(160)] }).offersTicket).toBe(true);
  });

  it('has a cookie in DTLS only', () => {
    const parts: HelloParts = { version: 0xfefd, cookie: [1, 2, 3, 4], suites: [0x2f] };
    const hello = parse(parts, 'dtls');
    expect([hello.cookieLength, hello.cipherSuites]).toEqual([4, [0x2f]]);
  });

  it('allows up to three zero bytes after the last extension, and nothing else', () => {
    const block = [...u16(23, 0), ...u16(0xff01), ...vector16([0])];
    const withTail = (tail: number[]): Uint8Array =>
      Uint8Array.from([...clientHelloBody({ extensions: null }), ...vector16([...block, ...tail])]);
    expect(fault(withTail([]))).toBe('ok');
    expect(fault(withTail([0]))).toBe('ok');
    expect(fault(withTail([0, 0, 0]))).toBe('ok');
    expect(fault(withTail([1]))).toBe('truncated');
    expect(fault(withTail([0, 0, 1]))).toBe('truncated');
  });
});

describe('a damaged ClientHello', () => {
  it('is refused for every proper prefix, but for the one that ends where extensions may', () => {
    const body = clientHelloBody(full);
    const withoutExtensions = clientHelloBody({ ...full, extensions: null }).length;
    for (let length = 0; length < body.length; length++) {
      expect([length, fault(body.subarray(0, length))]).toEqual([
        length,
        length === withoutExtensions ? 'ok' : 'truncated',
      ]);
    }
  });

  it('is refused with bytes behind it', () => {
    expect(fault(Uint8Array.from([...clientHelloBody(full), 0]))).toBe('trailing-bytes');
  });

  it('is refused with half a cipher suite', () => {
    const body = clientHelloBody({ suites: [1, 2], extensions: null });
    const lengthAt = 2 + 32 + 1;
    body[lengthAt + 1] = 3;
    expect(fault(body)).toBe('odd-length');
  });

  it('is refused with a session id of more than 32 bytes', () => {
    expect(fault(clientHelloBody({ sessionId: new Array(33).fill(1) }))).toBe('length-mismatch');
  });

  it.each([
    ['groups of odd length', extension.of(10, vector16([0, 29, 0])), 'odd-length'],
    ['groups longer than their extension', extension.of(10, [0, 8, 0, 29]), 'truncated'],
    ['groups shorter than their extension', extension.of(10, [...vector16([0, 29]), 0]), 'length-mismatch'],
    ['point formats longer than their extension', extension.of(11, [2, 0]), 'truncated'],
    ['point formats shorter than their extension', extension.of(11, [1, 0, 1]), 'length-mismatch'],
    ['signature algorithms of odd length', extension.of(13, vector16([4])), 'odd-length'],
    ['an empty groups extension', extension.of(10), 'truncated'],
    ['versions of odd length', extension.of(43, [3, 3, 4, 3]), 'odd-length'],
    ['a protocol name longer than its list', extension.of(16, vector16([9, ...ascii('h2')])), 'truncated'],
    [
      'a protocol list shorter than its extension',
      extension.of(16, [...vector16([2, ...ascii('h2')]), 0]),
      'length-mismatch',
    ],
    ['a server name longer than its list', extension.of(0, vector16([0, 0, 9, ...ascii('a')])), 'truncated'],
    [
      'a server name list shorter than its extension',
      extension.of(0, [...vector16([0, 0, 1, 97]), 7]),
      'length-mismatch',
    ],
    ['half a server name entry', extension.of(0, vector16([0, 0])), 'truncated'],
  ])('is refused with %s', (_, broken, why) => {
    expect(fault(clientHelloBody({ extensions: [extension.of(23), broken, extension.of(22)] }))).toBe(why);
  });
});
