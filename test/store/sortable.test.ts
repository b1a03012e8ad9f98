import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterPrefix, readSortable, sortable } from '../../enrich/store/sortable.ts';

const number = fc.oneof(fc.double({ noNaN: true }), fc.integer(), fc.constantFrom(0, -0, 1.7e15, Infinity, -Infinity));

describe('a sortable number', () => {
  it('is ordered by its bytes as by its value, minus zero being zero', () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(Math.sign(sortable(a).compare(sortable(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is read back as it was', () => {
    fc.assert(
      fc.property(number, (value) => {
        expect(readSortable(sortable(value), 0)).toBe(value + 0);
      }),
    );
  });
});

describe('the first key after a prefix', () => {
  const bytes = fc.uint8Array({ maxLength: 5 }).map((array) => Buffer.from(array));
  const high = fc.array(fc.constantFrom(0, 254, 255), { maxLength: 4 }).map((array) => Buffer.from(array));

  it('is above all that starts with it and not above anything else', () => {
    fc.assert(
      fc.property(fc.oneof(bytes, high), fc.oneof(bytes, high), (prefix, key) => {
        const after = afterPrefix(prefix);
        const startsWith = key.subarray(0, prefix.length).equals(prefix);
        const below = key.compare(prefix) >= 0 && (after === undefined || key.compare(after) < 0);
        expect(below).toBe(startsWith);
      }),
      { numRuns: 2_000 },
    );
  });
});
