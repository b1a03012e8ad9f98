/** p08: JA4 as its text has it (FoxIO, JA4.md), at every edge of the lists that it is made of. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClientHello, parseClientHello } from '../../sensor/tls/client-hello.ts';
import { type Ja4Transport, ja4, ja4Alpn, offeredVersion } from '../../sensor/tls/ja4.ts';
import { clientHelloBody, type Extension, extension, type HelloParts } from '../build/hellos.ts';

const GREASE = Array.from({ length: 16 }, (_, i) => 0x0a0a + i * 0x1010);
const NOTHING = '000000000000';

function hello(parts: HelloParts): ClientHello {
  const body = clientHelloBody(parts);
  const outcome = parseClientHello(body, 0, body.length);
  if (outcome.kind !== 'ok') throw new Error(outcome.kind);
  return outcome.value;
}

const fingerprint = (parts: HelloParts, transport: Ja4Transport = 't'): string => ja4(hello(parts), transport).ja4;
const part = (parts: HelloParts, index: number): string | undefined => fingerprint(parts).split('_')[index];

const numbers = (hex: string): number[] => hex.split(',').map((digits) => Number.parseInt(digits, 16));
const bareExtensions = (types: readonly number[], algorithms: readonly number[] = []): Extension[] =>
  types.map((type) => {
    if (type === 10) return extension.groups(29);
    if (type === 11) return extension.pointFormats(0);
    if (type === 13) return extension.signatureAlgorithms(...algorithms);
    if (type === 16) return extension.alpn('h2');
    if (type === 43) return extension.supportedVersions(0x0304);
    return extension.of(type);
  });

// The worked example of JA4.md (FoxIO-LLC/ja4, technical_details/JA4.md).
const SUITES = numbers('1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035');
const EXTENSIONS = numbers('001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015');
const ALGORITHMS = numbers('0403,0804,0401,0503,0805,0501,0806,0601');

describe('JA4 of the specification’s example', () => {
  const example = { suites: SUITES, extensions: bareExtensions(EXTENSIONS, ALGORITHMS) };

  it('is t13d1516h2_8daaf6152771_e5627efa2ab1', () => {
    expect(fingerprint(example)).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1');
  });

  it('shows what it hashed in JA4_r', () => {
    expect(ja4(hello(example), 't').raw).toBe(
      't13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9' +
        '_0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01' +
        '_0403,0804,0401,0503,0805,0501,0806,0601',
    );
  });

  it('has no underscore without signature algorithms', () => {
    const extensions = bareExtensions(EXTENSIONS, []);
    expect(part({ suites: SUITES, extensions }, 2)).toBe('6d807ffa2a79');
  });

  it('does not change with the order of suites and extensions, but with that of the algorithms', () => {
    const reversed = { suites: [...SUITES].reverse(), extensions: [...example.extensions].reverse() };
    expect(fingerprint(reversed)).toBe(fingerprint(example));
    const algorithms = [...ALGORITHMS].reverse();
    expect(part({ suites: SUITES, extensions: bareExtensions(EXTENSIONS, algorithms) }, 2)).not.toBe('e5627efa2ab1');
  });

  it('does not change with GREASE anywhere, the signature algorithms included', () => {
    for (const grease of GREASE) {
      const extensions = [
        extension.of(grease),
        ...EXTENSIONS.map((type): Extension => {
          if (type === 13) return extension.signatureAlgorithms(grease, ...ALGORITHMS);
          if (type === 43) return extension.supportedVersions(grease, 0x0304);
          return bareExtensions([type])[0] ?? extension.of(type);
        }),
      ];
      expect(fingerprint({ suites: [grease, ...SUITES], extensions })).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1');
    }
  });

  it('does not look into signature_algorithms_cert or delegated_credential', () => {
    const others = [34, 50].map((type) => extension.of(type, [0, 2, 4, 3]));
    const twins = [34, 50].map((type) => extension.of(type, [0, 2, 8, 4]));
    expect(fingerprint({ extensions: others })).toBe(fingerprint({ extensions: twins }));
  });
});

describe('the first part of JA4', () => {
  const first = (parts: HelloParts, transport: Ja4Transport = 't'): string =>
    fingerprint(parts, transport).split('_')[0] ?? '';

  it('begins with what carried the hello, whatever its extensions say', () => {
    const extensions = [extension.of(57)];
    expect((['t', 'q', 'd'] as const).map((transport) => first({ extensions }, transport)[0])).toEqual(['t', 'q', 'd']);
  });

  it.each([
    [0x0303, [0x0a0a, 0x0304, 0x0303], '13'],
    [0x0303, [0x0303, 0x0304], '13'],
    [0x0303, [0x0302, 0x0301], '11'],
    [0x0303, [], '12'],
    [0x0304, [], '13'],
    [0x0302, [], '11'],
    [0x0301, [], '10'],
    [0x0300, [], 's3'],
    [0x0002, [], 's2'],
    [0xfeff, [], 'd1'],
    [0xfefd, [], 'd2'],
    [0xfefd, [0xfefc, 0xfefd], 'd3'],
    [0xfefd, [0xfefd, 0xfefc], 'd3'],
    [0x0100, [], '00'],
    [0x0303, [0x7f1c, 0x0304], '00'],
    [0x0303, [0xfb1a, 0x0304], '00'],
    [0x0303, [0x7f12], '00'],
    [0x0303, [0x2a2a], '12'],
  ])('gives version %i offering %j as %s', (version, versions, code) => {
    const extensions = versions.length > 0 ? [extension.supportedVersions(...versions)] : [];
    expect(first({ version, extensions }).slice(1, 3)).toBe(code);
    expect(offeredVersion(hello({ version, extensions }))).toBeGreaterThan(0);
  });

  it('says d when SNI is there, even empty or an address, else i', () => {
    expect(first({ extensions: [extension.serverName('192.0.2.1')] })[3]).toBe('d');
    expect(first({ extensions: [extension.of(0)] })[3]).toBe('d');
    expect(first({ extensions: [] })[3]).toBe('i');
  });

  it('counts without GREASE, with SNI and ALPN, up to 99', () => {
    expect(
      first({
        suites: [...GREASE, 1, 2],
        extensions: [extension.of(0x3a3a), extension.serverName('a'), extension.alpn('h2')],
      }),
    ).toBe('t12d0202h2');
    const many = Array.from({ length: 150 }, (_, i) => 0x100 + i);
    expect(first({ suites: many, extensions: many.map((type) => extension.of(type)) })).toBe('t12i999900');
    expect(first({ suites: many.slice(0, 99), extensions: null })).toBe('t12i990000');
    expect(first({ suites: [], extensions: null })).toBe('t12i000000');
  });

  // JA4.md, the rule of August 2024; bytes in hexadecimal.
  it.each([
    ['6832', 'h2'],
    ['687474702f312e31', 'h1'],
    ['4832', 'H2'],
    ['71', 'qq'],
    ['', '00'],
    ['ab', 'ab'],
    ['20', '20'],
    ['abcd', 'ad'],
    ['2061', '21'],
    ['30ab', '3b'],
    ['6120', '60'],
    ['3031abcd', '3d'],
    ['30abcd31', '01'],
    ['baad', 'bd'],
    ['0a0a', '0a'],
  ])('gives ALPN %s as %s', (hex, characters) => {
    expect(ja4Alpn(Buffer.from(hex, 'hex').toString('latin1'))).toBe(characters);
  });

  it('takes the first ALPN only, and 00 for no extension and no entry', () => {
    expect(first({ extensions: [extension.alpn('http/1.1', 'h2')] }).slice(8)).toBe('h1');
    expect(first({ extensions: [extension.alpn('', 'h2')] }).slice(8)).toBe('00');
    expect(first({ extensions: [extension.alpn()] }).slice(8)).toBe('00');
    expect(first({ extensions: [] }).slice(8)).toBe('00');
  });
});

describe('the hashed parts of JA4', () => {
  it('are twelve zeros for nothing, not the hash of nothing', () => {
    expect(fingerprint({ suites: [], extensions: null })).toBe(`t12i000000_${NOTHING}_${NOTHING}`);
    expect(fingerprint({ suites: GREASE, extensions: [] })).toBe(`t12i000000_${NOTHING}_${NOTHING}`);
    expect(part({ extensions: [extension.serverName('a'), extension.alpn('h2')] }, 2)).toBe(NOTHING);
  });

  it('are 36 characters in all, and equal to a plain reading of the rules for any hello', () => {
    const u16 = fc.nat(0xffff);
    const hash12 = (text: string): string =>
      text === '' ? NOTHING : createHash('sha256').update(text).digest('hex').slice(0, 12);
    const hex = (values: readonly number[]): string =>
      values.map((value) => value.toString(16).padStart(4, '0')).join(',');
    const real = (value: number): boolean => !GREASE.includes(value);
    const ascending = (a: number, b: number): number => a - b;
    const bare = fc.nat(0xffff).filter((type) => ![0, 10, 11, 13, 16, 43].includes(type));
    const list = fc.array(fc.oneof(u16, fc.constantFrom(...GREASE)), { maxLength: 130 });
    const types = fc.array(fc.oneof(bare, fc.constantFrom(...GREASE)), { maxLength: 130 });
    fc.assert(
      fc.property(list, types, list, (suites, others, algorithms) => {
        const extensions = [...others.map((type) => extension.of(type)), extension.signatureAlgorithms(...algorithms)];
        const hashed = hex([...others, 13].filter(real).sort(ascending));
        const sig = hex(algorithms.filter(real));
        const value = fingerprint({ suites, extensions });
        expect(value).toHaveLength(36);
        expect(value.slice(11)).toBe(
          `${hash12(hex(suites.filter(real).sort(ascending)))}_${hash12(sig === '' ? hashed : `${hashed}_${sig}`)}`,
        );
      }),
      { numRuns: 300 },
    );
  });
});
