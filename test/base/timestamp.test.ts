import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMicros, parseMicros } from '../../sensor/base/timestamp.ts';

/** Times of one capture lie close together; those of several may share a place in the cache of seconds. */
const micros = fc.oneof(
  fc.integer({ min: 0, max: 9e15 }),
  fc.integer({ min: 0, max: 300 }).map((second) => 1_795_420_800_000_000 + second * 1_000_000 + 7),
);

describe('formatMicros', () => {
  it('writes the second as Date does and the microseconds behind it, in any order of times', () => {
    fc.assert(
      fc.property(fc.array(micros, { maxLength: 40 }), (times) => {
        for (const time of times) {
          const second = new Date(Math.floor(time / 1e6) * 1000).toISOString().slice(0, 19);
          expect(formatMicros(time)).toBe(`${second}.${String(time % 1e6).padStart(6, '0')}Z`);
        }
      }),
    );
  });

  it('is read back by parseMicros', () => {
    fc.assert(
      fc.property(micros, (time) => {
        expect(parseMicros(formatMicros(time))).toBe(time);
      }),
    );
  });

  it('clamps what is no time', () => {
    for (const wrong of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e18]) {
      expect(formatMicros(wrong)).toBe('1970-01-01T00:00:00.000000Z');
    }
  });
});
