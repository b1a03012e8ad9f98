import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteString, escapeUnsafeUnicode, isHostname, isIpLiteral, safeText } from '../../sensor/base/text.ts';

const bytes = fc.uint8Array({ maxLength: 64 });

describe('bytes from the wire as text', () => {
  it('keeps one character per byte, whatever the length', () => {
    fc.assert(
      fc.property(bytes, fc.nat(8), fc.nat(8), (data, before, after) => {
        const framed = Uint8Array.from([...new Array(before).fill(1), ...data, ...new Array(after).fill(2)]);
        const text = byteString(framed, before, before + data.length);
        expect([...text].map((character) => character.charCodeAt(0))).toEqual([...data]);
      }),
    );
  });

  it.each([
    ['files.example', 'files.example', false],
    ['a b~!', 'a b~!', false],
    ['\x1b[31mred', '\\x1b[31mred', true],
    ['line\nbreak\r', 'line\\x0abreak\\x0d', true],
    ['nul\0byte', 'nul\\x00byte', true],
    ['\xe2\x80\xaegnp.exe', '\\xe2\\x80\\xaegnp.exe', true],
    ['caf\xe9', 'caf\\xe9', true],
    ['\x7f', '\\x7f', true],
    ['C:\\x41', 'C:\\x5cx41', true],
    ['', '', false],
  ])('writes %j as %j', (raw, text, escaped) => {
    expect(safeText(raw, 255)).toEqual({ text, escaped, cut: false });
  });

  it('cuts at the cap and marks the cut', () => {
    expect(safeText('abcdef', 4)).toEqual({ text: 'abcd…', escaped: false, cut: true });
    expect(safeText('ab\ndef', 4)).toEqual({ text: 'ab\\x0ad…', escaped: true, cut: true });
  });

  it('gives printable ASCII only, and can be read back', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        const { text } = safeText(byteString(data, 0, data.length), 64);
        expect(text).toMatch(/^[ -~]*$/);
        const back = text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        );
        expect(back).toBe(byteString(data, 0, data.length));
      }),
    );
  });

  it('keeps Unicode letters and escapes what hides or moves text', () => {
    const inBrackets = (byte: number): string => `<${byte.toString(16)}>`;
    expect(escapeUnsafeUnicode('Société 東京 №1 ✓', inBrackets)).toBe('Société 東京 №1 ✓');
    expect(escapeUnsafeUnicode('a\u202eb', inBrackets)).toBe('a<e2><80><ae>b');
    expect(escapeUnsafeUnicode('a\u00a0b\u2028c\0', inBrackets)).toBe('a<c2><a0>b<e2><80><a8>c<0>');
    expect(escapeUnsafeUnicode('a\ud800b', inBrackets)).toBe('a<ef><bf><bd>b');
  });
});

describe('a host name', () => {
  it.each([
    'example.com',
    'example.com.',
    'localhost',
    'a-b.c_d.xn--bcher-kva.example',
    '_dmarc.example',
    '1and1.com',
    `${'a'.repeat(63)}.example`,
  ])('is %s', (name) => expect(isHostname(name)).toBe(true));

  it.each([
    '',
    '.',
    'a..b',
    '.a',
    '-a.example',
    'a-.example',
    'a b.example',
    'a\\x00.example',
    'exa*mple.com',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(128)}`,
    '192.0.2.1',
    '2001:db8::1',
    '[::1]',
  ])('is not %s', (name) => expect(isHostname(name)).toBe(false));

  it('tells address literals', () => {
    expect(['192.0.2.1', '2001:db8::1', '[2001:db8::1]', '::ffff:192.0.2.1'].map(isIpLiteral)).not.toContain(false);
    expect(['192.0.2', '192.0.2.256', 'fe80', '', '1'.repeat(100)].map(isIpLiteral)).not.toContain(true);
  });
});
