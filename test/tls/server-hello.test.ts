import { describe, expect, it } from 'vitest';
import { parseServerHello, type ServerHello } from '../../sensor/tls/server-hello.ts';
import {
  ascii,
  extension,
  RETRY_REQUEST_RANDOM,
  type ServerHelloParts,
  serverHelloBody,
  vector16,
} from '../build/hellos.ts';

function parse(parts: ServerHelloParts): ServerHello {
  const body = serverHelloBody(parts);
  const outcome = parseServerHello(body, 0, body.length);
  if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}

describe('a ServerHello', () => {
  it('gives what a TLS 1.2 server chose', () => {
    const hello = parse({
      sessionId: [7, 8],
      suite: 0xc02f,
      extensions: [extension.of(0xff01, [0]), extension.alpn('http/1.1'), extension.of(35)],
    });
    expect(hello).toEqual({
      legacyVersion: 0x0303,
      version: 0x0303,
      sessionId: '\x07\x08',
      cipherSuite: 0xc02f,
      extensionTypes: [0xff01, 16, 35],
      alpn: 'http/1.1',
      acceptsPsk: false,
      isRetryRequest: false,
    });
  });

  it('takes the TLS 1.3 version from supported_versions', () => {
    const hello = parse({ extensions: [extension.selectedVersion(0x0304), extension.of(41, [0, 0])] });
    expect([hello.legacyVersion, hello.version, hello.acceptsPsk]).toEqual([0x0303, 0x0304, true]);
  });

  it('tells a HelloRetryRequest by its random', () => {
    expect(parse({ random: RETRY_REQUEST_RANDOM }).isRetryRequest).toBe(true);
    expect(parse({ random: [...RETRY_REQUEST_RANDOM.slice(0, 31), 0] }).isRetryRequest).toBe(false);
  });

  it.each([0x0304, 0x7f0e, 0x7f12, 0x7f15])('reads the short form of draft version %i', (version) => {
    const hello = parse({ version, suite: 0x1301, shortForm: true, extensions: [extension.of(40, [0, 29])] });
    expect([hello.version, hello.cipherSuite, hello.extensionTypes]).toEqual([version, 0x1301, [40]]);
  });

  it('reads a hello that has the number of TLS 1.3 in the wrong field and is otherwise as usual', () => {
    const hello = parse({ version: 0x0304, sessionId: [1, 2, 3], suite: 0x1302, extensions: [extension.of(51, [0])] });
    expect([hello.cipherSuite, hello.sessionId, hello.extensionTypes]).toEqual([0x1302, '\x01\x02\x03', [51]]);
  });

  it('reads draft 22 and later in the usual form', () => {
    const hello = parse({ sessionId: [1], extensions: [extension.selectedVersion(0x7f17)] });
    expect([hello.legacyVersion, hello.version]).toEqual([0x0303, 0x7f17]);
  });

  it('may have no extensions', () => {
    expect(parse({ extensions: null }).extensionTypes).toEqual([]);
  });

  it('selects no protocol from a list of two or a list that does not fit', () => {
    expect(parse({ extensions: [extension.alpn('h2', 'http/1.1')] }).alpn).toBeUndefined();
    expect(parse({ extensions: [extension.of(16, vector16([9, ...ascii('h2')]))] }).alpn).toBeUndefined();
  });

  it('is refused for every proper prefix, but for the one that ends where extensions may', () => {
    const body = serverHelloBody({
      sessionId: [1, 2],
      extensions: [extension.of(23), extension.selectedVersion(0x0304)],
    });
    const withoutExtensions = serverHelloBody({ sessionId: [1, 2], extensions: null }).length;
    for (let length = 0; length < body.length; length++) {
      const kind = parseServerHello(body, 0, length).kind;
      expect([length, kind]).toEqual([length, length === withoutExtensions ? 'ok' : 'bad']);
    }
    expect(parseServerHello(Uint8Array.from([...body, 0]), 0, body.length + 1)).toMatchObject({
      why: 'trailing-bytes',
    });
  });
});
