import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archiveTypeOfFile, archiveTypeOfHeader } from '../../enrich/ingest/archive-magic.ts';
import {
  guidOf,
  hashesOf,
  integerOf,
  integrityOf,
  logonIdOf,
  textOf,
  userOf,
} from '../../enrich/ingest/field-values.ts';
import { canonicalIp } from '../../enrich/ingest/ip-text.ts';
import { hostRef, shortHostName } from '../../enrich/ingest/reading.ts';
import { readTime } from '../../enrich/ingest/time-text.ts';

describe('an address', () => {
  it('is written as RFC 5952 says, as the URL standard writes it', () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), fc.boolean(), (groups, pad) => {
        const text = groups.map((g) => g.toString(16).padStart(pad ? 4 : 1, '0')).join(':');
        const isMapped = groups.slice(0, 5).every((g) => g === 0) && groups[5] === 0xffff;
        fc.pre(!isMapped);
        expect(canonicalIp(text.toUpperCase())).toBe(new URL(`http://[${text}]`).hostname.slice(1, -1));
      }),
    );
  });

  it('is folded to IPv4 when it is mapped, however it is written', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ip) => {
        const [a, b, c, d] = ip.split('.').map(Number) as [number, number, number, number];
        const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        for (const text of [ip, `::ffff:${ip}`, `::FFFF:${hex}`, `0:0:0:0:0:ffff:${hex}`, `[::ffff:${ip}]`])
          expect(canonicalIp(text)).toBe(ip);
      }),
    );
  });

  it.each([
    ['1.2.3'],
    ['1.2.3.256'],
    ['localhost'],
    [':::1'],
    ['1:2:3:4:5:6:7'],
    ['-'],
    ['14.241.850.329'],
    ['fe80::1%'.repeat(20)],
  ])('is not %s', (text) => {
    expect(canonicalIp(text)).toBeUndefined();
  });

  it.each([
    ['fe80::1%eth0', 'fe80::1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::', '::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });
});

describe('a time', () => {
  const noon = 1_715_688_000_000_000;

  it.each<[unknown, number, boolean]>([
    ['2024-05-14T12:00:00.1234567Z', noon + 123_456, true],
    ['2024-05-14 12:00:00.123', noon + 123_000, false],
    ['2024-05-14 12:00:00', noon, false],
    ['2024-05-14 12:00:00,5 UTC', noon + 500_000, true],
    ['2024-05-14T14:00:00+02:00', noon, true],
    ['2024-05-14 08:00:00.159814200-0400', noon + 159_814, true],
    ['05/14/2024 12:00:00 PM', noon, false],
    ['5/14/2024, 12:00:00.123 PM UTC', noon + 123_000, true],
    ['05/14/2024 12:00:00 AM', noon - 43_200_000_000, false],
    ['5/14/2024, 12:00:00\u202fPM', noon, false],
    ['May 14, 2024 12:00:00 PM', noon, false],
    ['May 14, 2024, 12:00:00.123\u202fPM UTC', noon + 123_000, true],
    ['May 14, 2024 @ 12:00:00.123', noon + 123_000, false],
    ['Tuesday, May 14, 2024 12:00:00 PM', noon, false],
    ['14.05.2024 12:00:00', noon, false],
    ['2024/05/14 12:00:00.123', noon + 123_000, false],
    ['2024-05-14 14:00:00.123456 +0200 CEST', noon + 123_456, true],
    ['2024-05-14 12:00:00 +0000 UTC', noon, true],
    ['Tue May 14 12:00:00 2024', noon, false],
    ['Tue May 14 12:00:00 2024 UTC', noon, true],
    ['2024 May 14 12:00:00', noon, false],
    ['/Date(1715688000123)/', noon + 123_000, true],
    [1_715_688_000, noon, true],
    ['1715688000.123', noon + 123_000, true],
    ['1715688000123', noon + 123_000, true],
    [1_715_688_000_123_456, noon + 123_456, true],
    ['1715688000123456789', noon + 123_456, true],
    ['133601616001234567', noon + 123_456, true],
  ])('is read from %s', (text, micros, zoned) => {
    const stamp = readTime(text);
    expect(stamp?.zoned).toBe(zoned);
    // Counts beyond 2^53 lose their last digits before they get here.
    expect(Math.abs((stamp?.micros ?? 0) - micros)).toBeLessThanOrEqual(
      typeof text === 'string' && /^\d{17,}$/.test(text) ? 16 : 0,
    );
  });

  it.each([
    ['18:32:29.466'],
    ['2024-13-01T00:00:00Z'],
    ['2024-05-14'],
    ['Foo 14, 2024 12:00:00 PM'],
    ['14.13.2024 12:00:00'],
    ['now'],
    [''],
    [null],
    [{}],
    [-5],
    [Number.NaN],
    ['9'.repeat(30)],
    ['1601-01-01T00:00:00Z'],
  ])('is not %s', (value) => {
    expect(readTime(value)).toBeUndefined();
  });

  it('survives being written and read again', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4_000_000_000_000 }),
        fc.integer({ min: -56, max: 56 }),
        (millis, quarters) => {
          const sign = quarters < 0 ? '-' : '+';
          const minutes = Math.abs(quarters) * 15;
          const zone = `${sign}${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
          const local = new Date(millis + quarters * 900_000);
          fc.pre(local.getTime() > 0);
          expect(readTime(local.toISOString().replace('Z', zone))?.micros).toBe(millis * 1000);
        },
      ),
    );
  });
});

describe('a value', () => {
  it.each([[''], ['-'], [' - '], ['N/A'], [null], [undefined], ['NULL SID'], [{}], [[]]])('%j is unknown', (value) => {
    expect(textOf(value)).toBeUndefined();
  });

  it.each([
    ['0x1c30', 7216],
    ['0x0000000000001c30', 7216],
    ['7216', 7216],
    [7216, 7216],
    ['7216.0', 7216],
    ['-1', undefined],
    ['1e3', undefined],
    ['0xffffffffffffffff', undefined],
    ['12 34', undefined],
  ])('%j is the whole number %s', (value, number) => {
    expect(integerOf(value)).toBe(number);
  });

  it('of a GUID has no braces and no case, and is none when it is all zeros', () => {
    expect(guidOf('{A837DB8D-01B5-5F25-0000-0010D6B80000}')).toBe('a837db8d-01b5-5f25-0000-0010d6b80000');
    expect(guidOf('{00000000-0000-0000-0000-000000000000}')).toBeUndefined();
  });

  it('of a hash is kept only when it is one', () => {
    expect(hashesOf(`MD5=${'A'.repeat(32)},SHA1=${'0'.repeat(40)},SHA256=AABB...,IMPHASH=${'b'.repeat(32)}`)).toEqual({
      md5: 'a'.repeat(32),
      imphash: 'b'.repeat(32),
    });
  });

  it.each([
    ['S-1-16-12288', 'High'],
    ['Mandatory Label\\System Mandatory Level', 'System'],
    ['8192', 'Medium'],
    ['MEDIUM', 'Medium'],
  ])('%s is integrity %s', (value, word) => {
    expect(integrityOf(value)).toBe(word);
  });

  it('of a logon id is the same in hexadecimal and decimal', () => {
    expect(logonIdOf('0x00000000000779c2')).toBe(logonIdOf('489922'));
    expect(logonIdOf('0x0')).toBeUndefined();
  });

  it('of a user comes apart at the backslash, and a SID is an id', () => {
    expect(userOf('AUTORITE NT\\Système')).toEqual({ domain: 'AUTORITE NT', name: 'Système' });
    expect(userOf('S-1-5-18')).toEqual({ id: 'S-1-5-18' });
    expect(userOf('ann')).toEqual({ name: 'ann' });
  });
});

describe('a host', () => {
  it('is the same by short name and by full name, and an address stays whole', () => {
    expect(hostRef('PC1.corp.example').id).toBe(hostRef('pc1').id);
    expect(shortHostName('10.1.2.3')).toBe('10.1.2.3');
    expect(hostRef('PC1', 'AGENT-9')).toMatchObject({ id: 'agent-9', name: 'PC1' });
  });
});

describe('the first bytes of a file', () => {
  it.each([
    ['504B0304', 'application/zip'],
    ['37 7a bc af 27 1c', 'application/x-7z-compressed'],
    ['526172211a0700cf', 'application/vnd.rar'],
    ['4d534346', 'application/vnd.ms-cab-compressed'],
    ['1f8b08', 'application/gzip'],
    ['21002d6c68352d', 'application/x-lzh-compressed'],
    ['000000000000002a2a4143452a2a', 'application/x-ace-compressed'],
    ['4d5a', undefined],
    ['xyz', undefined],
    ['', undefined],
  ])('%s are of %s', (hex, type) => {
    expect(archiveTypeOfHeader(hex)).toBe(type);
  });

  it('of a zip are of no archive in a document made of a zip', () => {
    expect(archiveTypeOfFile('504b0304', 'C:\\a.xlsx')).toBeUndefined();
    expect(archiveTypeOfFile('504b0304', 'C:\\a.jpg')).toBe('application/zip');
    expect(archiveTypeOfFile('377abcaf271c', 'C:\\a.xlsx')).toBe('application/x-7z-compressed');
  });
});
