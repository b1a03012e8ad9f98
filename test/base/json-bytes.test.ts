import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ipText } from '../../sensor/base/ip.ts';
import { JsonBytes } from '../../sensor/base/json-bytes.ts';
import { formatMicros } from '../../sensor/base/timestamp.ts';

const written = (write: (out: JsonBytes) => void): string => {
  const out = new JsonBytes();
  out.begin();
  write(out);
  return Buffer.from(out.take()).toString('utf8');
};

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('', '"', '\\', '\u2028', '\ud800', '\udc00x', 'a\nb', '\u007f', `${'x'.repeat(5_000)}é`),
);
const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe('JsonBytes', () => {
  it('escapes strings as JSON.stringify does', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(written((out) => out.string(text))).toBe(JSON.stringify(text));
      }),
    );
  });

  it('writes numbers as JSON.stringify does', () => {
    const edges = [0, -0, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, 999_999_999, 1_000_000_000, 2 ** 53, 1e21, -7, 0.5];
    const numbers = fc.oneof(
      fc.constantFrom(...edges),
      fc.nat(),
      fc.maxSafeNat(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(numbers, (value) => {
        expect(written((out) => out.number(value))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('writes times as formatMicros does', () => {
    const times = fc.oneof(fc.maxSafeNat(), fc.constantFrom(-1, Number.NaN, 1e18, 0.5, 1_795_420_800_000_001));
    fc.assert(
      fc.property(times, (micros) => {
        expect(written((out) => out.time(micros))).toBe(formatMicros(micros));
      }),
    );
  });

  it('writes numbers of base 36 as toString does', () => {
    const edges = [
      0,
      35,
      36,
      36 ** 5 - 1,
      36 ** 5,
      36 ** 6,
      36 ** 10 - 1,
      36 ** 10,
      1_795_420_800_000_001,
      -7,
      2 ** 60,
    ];
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeNat(), fc.nat(), fc.constantFrom(...edges)), (value) => {
        expect(written((out) => out.base36(value))).toBe(value.toString(36));
      }),
    );
  });

  it('writes parts of base64 for URLs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 30, maxLength: 30 }), fc.nat(20), fc.nat(20), (bytes, from, length) => {
        const buffer = Buffer.from(bytes);
        const expected = buffer.toString('base64url').slice(from, from + length);
        expect(written((out) => out.urlSafe(buffer.toString('base64'), from, from + length))).toBe(expected);
      }),
    );
  });

  it('writes addresses as ipText does', () => {
    fc.assert(
      fc.property(fc.boolean(), word, word, word, word, (v4, a, b, c, d) => {
        const words = v4 ? ([0, 0, 0xffff, d] as const) : ([a, b, c, d] as const);
        expect(written((out) => out.ip(...words))).toBe(ipText(...words));
      }),
    );
  });

  it('keeps what was written before when it grows, and begins anew', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), anyText), { maxLength: 30 }), (steps) => {
        const out = new JsonBytes();
        out.begin();
        out.ascii('gone');
        out.begin();
        let expected = '';
        for (const [how, text] of steps) {
          if (how === 0) out.raw(Buffer.from(text));
          else if (how === 1) out.utf8(text);
          else if (how === 2) out.string(text);
          else out.number(text.length);
          expected += how < 2 ? Buffer.from(text).toString() : how === 2 ? JSON.stringify(text) : text.length;
        }
        expect(Buffer.from(out.take()).toString('utf8')).toBe(expected);
      }),
    );
  });
});
