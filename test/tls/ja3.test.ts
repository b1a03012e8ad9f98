import { describe, expect, it } from 'vitest';
import { type ClientHello, parseClientHello } from '../../sensor/tls/client-hello.ts';
import { isGrease } from '../../sensor/tls/grease.ts';
import { ja3, ja3Digest, ja3String, ja3s, ja3sString } from '../../sensor/tls/ja3.ts';
import { parseServerHello } from '../../sensor/tls/server-hello.ts';
import {
  clientHelloBody,
  extension,
  type HelloParts,
  type ServerHelloParts,
  serverHelloBody,
} from '../build/hellos.ts';

const GREASE = Array.from({ length: 16 }, (_, i) => 0x0a0a + i * 0x1010);

function hello(parts: HelloParts): ClientHello {
  const body = clientHelloBody(parts);
  const outcome = parseClientHello(body, 0, body.length, parts.cookie === undefined ? 'tls' : 'dtls');
  if (outcome.kind !== 'ok') throw new Error(outcome.kind);
  return outcome.value;
}

function serverString(parts: ServerHelloParts): string {
  const body = serverHelloBody(parts);
  const outcome = parseServerHello(body, 0, body.length);
  if (outcome.kind !== 'ok') throw new Error(outcome.kind);
  expect(ja3s(outcome.value)).toBe(ja3Digest(ja3sString(outcome.value)));
  return ja3sString(outcome.value);
}

describe('GREASE', () => {
  it('is the sixteen values of RFC 8701 and no other', () => {
    expect(Array.from({ length: 0x10000 }, (_, value) => value).filter(isGrease)).toEqual(GREASE);
    expect([0xeeee, 0xefef, 0xeded].filter(isGrease)).toEqual([]);
  });
});

describe('JA3', () => {
  // The two examples of the method's README (salesforce/ja3).
  it.each([
    [
      'ada70206e40642a3e4461f35503241d5',
      hello({
        version: 769,
        suites: [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
        extensions: [extension.serverName('a'), extension.groups(23, 24, 25), extension.pointFormats(0)],
      }),
      '769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0',
    ],
    [
      'de350869b8c85de67a350c8d186f11e6',
      hello({ version: 769, suites: [4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], extensions: null }),
      '769,4-5-10-9-100-98-3-6-19-18-99,,,',
    ],
  ])('is %s as the README has it', (digest, client, text) => {
    expect(ja3String(client)).toBe(text);
    expect(ja3(client)).toBe(digest);
  });

  it('takes the hello’s own version, not the best one offered', () => {
    expect(ja3String(hello({ version: 0x0303, extensions: [extension.supportedVersions(0x0304)] }))).toMatch(/^771,/);
    expect(ja3String(hello({ version: 0x0304 }))).toMatch(/^772,/);
  });

  it('leaves GREASE out of suites, extensions and groups', () => {
    const plain = [extension.serverName('a'), extension.groups(29, 23), extension.pointFormats(0)];
    const greased = [
      extension.of(0x1a1a),
      extension.serverName('a'),
      extension.groups(...GREASE, 29, 23),
      extension.pointFormats(0),
      extension.of(0xfafa),
    ];
    expect(ja3String(hello({ suites: [...GREASE, 0x1301, 0x5600], extensions: greased }))).toBe(
      ja3String(hello({ suites: [0x1301, 0x5600], extensions: plain })),
    );
  });

  it('keeps everything else: SCSVs, padding, PSK, ECH, unknown and look-alike values, repeats', () => {
    const extensions = [21, 0xfe0d, 0xeeee, 21, 41].map((type) => extension.of(type));
    expect(ja3String(hello({ suites: [0xff, 0x5600, 0xefef, 0xff], extensions }))).toBe(
      '771,255-22016-61423-255,21-65037-61166-21-41,,',
    );
  });

  it('has four commas with nothing between them', () => {
    expect(ja3String(hello({ suites: [], extensions: null }))).toBe('771,,,,');
    expect(ja3String(hello({ suites: [], extensions: [] }))).toBe('771,,,,');
    expect(ja3String(hello({ suites: GREASE, extensions: [extension.groups(...GREASE)] }))).toBe('771,,10,,');
  });

  it('writes numbers of one to five digits', () => {
    expect(ja3String(hello({ suites: [0, 9, 10, 99, 100, 999, 1_000, 9_999, 10_000, 65_535], extensions: null }))).toBe(
      '771,0-9-10-99-100-999-1000-9999-10000-65535,,,',
    );
  });

  it('is the formula over the DTLS hello without its cookie', () => {
    expect(ja3String(hello({ version: 0xfefd, cookie: [1, 2], suites: [47], extensions: null }))).toBe('65277,47,,,');
  });

  it('is right for the longest hello there can be, and for the next one', () => {
    const suites = Array.from({ length: 30_000 }, (_, i) => 0x8000 + (i & 0xff));
    expect(ja3String(hello({ suites, extensions: null }))).toBe(`771,${suites.join('-')},,,`);
    expect(ja3String(hello({ suites: [1], extensions: null }))).toBe('771,1,,,');
  });
});

describe('JA3S', () => {
  it('is version, suite and extensions as sent', () => {
    expect(
      serverString({
        suite: 0xc02f,
        extensions: [extension.of(0xff01, [0]), extension.of(0), extension.of(11, [1, 0])],
      }),
    ).toBe('771,49199,65281-0-11');
    expect(
      serverString({ suite: 0x1301, extensions: [extension.of(51, [0]), extension.selectedVersion(0x0304)] }),
    ).toBe('771,4865,51-43');
  });

  it('keeps the last comma without extensions, and GREASE', () => {
    expect(serverString({ suite: 156, extensions: null })).toBe('771,156,');
    expect(serverString({ suite: 156, extensions: [extension.of(0x2a2a)] })).toBe('771,156,10794');
  });
});
