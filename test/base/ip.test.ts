import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalIp, type IpWords, ipText, isPrivate, parseIp } from '../../sensor/base/ip.ts';

const words = (text: string): IpWords => {
  const parsed = parseIp(text);
  if (!parsed) throw new Error(`not an address: ${text}`);
  return parsed;
};
const int32 = fc.oneof(fc.constantFrom(0, -1, 0xffff, 1), fc.integer());

describe('ipText', () => {
  // RFC 5952 §4 and §5 say which of the many forms is the one.
  it.each([
    ['2001:0db8:0000:0000:0000:0000:0002:0001', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::A', '2001:db8::a'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['255.255.255.255', '255.255.255.255'],
    ['0.0.0.0', '0.0.0.0'],
  ])('writes %s as %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  it('is read back to the same words, for any address', () => {
    fc.assert(
      fc.property(int32, int32, int32, int32, (a, b, c, d) => {
        const text = ipText(a, b, c, d);
        expect(words(text)).toEqual([a, b, c, d]);
      }),
    );
  });

  it('names IPv6 addresses as the URL parser of Node does', () => {
    fc.assert(
      fc.property(int32, int32, int32, int32, (a, b, c, d) => {
        fc.pre(!(a === 0 && b === 0 && c === 0xffff));
        const text = ipText(a, b, c, d);
        expect(isIPv6(text)).toBe(true);
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      }),
    );
  });
});

describe('parseIp', () => {
  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1..2.3',
    '1.2.3.',
    '.1.2.3',
    '1.2.3.4 ',
    '0x1.2.3.4',
    '-1.2.3.4',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '1::2::3',
    '12345::',
    'g::',
    '::1.2.3',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '[::1',
    'example.org',
    '::ffff:1.2.3.4.5',
    `${'0'.repeat(200)}::1`,
  ])('refuses %j', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  it('never throws, whatever the text', () => {
    const alphabet = fc.constantFrom(...'0123456789abcf:.%[]x ');
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 60 }), (text) => {
        const parsed = parseIp(text);
        if (parsed) expect(canonicalIp(ipText(...parsed))).toBe(ipText(...parsed));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('isPrivate', () => {
  it.each([
    ['10.0.0.0', true],
    ['10.255.255.255', true],
    ['9.255.255.255', false],
    ['11.0.0.0', false],
    ['172.15.255.255', false],
    ['172.16.0.0', true],
    ['172.31.255.255', true],
    ['172.32.0.0', false],
    ['192.167.255.255', false],
    ['192.168.0.1', true],
    ['192.169.0.0', false],
    ['100.63.255.255', false],
    ['100.64.0.0', true],
    ['100.127.255.255', true],
    ['100.128.0.0', false],
    ['127.0.0.1', true],
    ['169.254.1.1', true],
    ['0.0.0.0', true],
    ['198.18.0.1', true],
    ['198.20.0.0', false],
    ['203.0.113.9', false], // documentation: recordings use it for the internet
    ['224.0.0.251', true],
    ['255.255.255.255', true],
    ['8.8.8.8', false],
    ['::', true],
    ['::1', true],
    ['::2', false],
    ['fe80::1', true],
    ['fdff::1', true],
    ['fbff::1', false],
    ['ff02::1', true],
    ['fe00::1', false],
    ['2001:db8::1', false], // documentation: recordings use it for the internet
    ['2606:4700::1111', false],
    ['64:ff9b::10.0.0.1', true],
    ['64:ff9b::8.8.8.8', false],
    ['100::1', true],
    ['3fff:fff::1', false], // documentation: recordings use it for the internet
  ])('says of %s: %s', (text, expected) => {
    expect(isPrivate(...words(text))).toBe(expected);
  });
});
