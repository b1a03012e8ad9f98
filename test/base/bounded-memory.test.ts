import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GenerationCache } from '../../sensor/base/generation-cache.ts';
import { GrowingBuffer } from '../../sensor/base/growing-buffer.ts';
import { OffsetBuffer } from '../../sensor/base/offset-buffer.ts';

describe('a generation cache', () => {
  it('never holds more than two generations', () => {
    const cache = new GenerationCache<number>(10);
    for (let i = 0; i < 1_000; i++) cache.set(`key ${i}`, i);
    expect(cache.size).toBeLessThanOrEqual(20);
    expect(cache.get('key 999')).toBe(999);
    expect(cache.get('key 0')).toBeUndefined();
  });

  it('keeps what is asked for through a flood of other keys', () => {
    const cache = new GenerationCache<string>(10);
    cache.set('browser', 'known');
    for (let i = 0; i < 1_000; i++) {
      cache.set(`flood ${i}`, '');
      if (i % 5 === 0) expect(cache.get('browser')).toBe('known');
    }
  });
});

describe('a growing buffer', () => {
  it('holds the pieces in order up to its cap', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 100 }),
        (pieces, cap) => {
          const buffer = new GrowingBuffer(cap, 4);
          let taken = 0;
          for (const piece of pieces) taken += buffer.append(piece, 0, piece.length);
          const all = pieces.flatMap((piece) => [...piece]).slice(0, cap);
          expect(taken).toBe(all.length);
          expect([...buffer.bytes.subarray(0, buffer.length)]).toEqual(all);
        },
      ),
    );
  });
});

describe('an offset buffer', () => {
  const CAP = 60;
  const WINDOW = 25;
  const piece = fc.record({ offset: fc.nat(70), bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }) });

  /** The same thing, slowly: one cell per byte. */
  class Model {
    cells: (number | undefined)[] = new Array(CAP).fill(undefined);
    get whole(): number {
      const hole = this.cells.indexOf(undefined);
      return hole < 0 ? CAP : hole;
    }
    add(offset: number, bytes: Uint8Array): boolean {
      const end = offset + bytes.length;
      if (end <= this.whole) return true;
      if (end > CAP || end > this.whole + WINDOW) return false;
      bytes.forEach((byte, i) => {
        this.cells[offset + i] ??= byte;
      });
      return true;
    }
  }

  it('agrees with the model for any pieces in any order: first copy counts, caps refuse', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const real = new OffsetBuffer(CAP, WINDOW);
        const model = new Model();
        for (const { offset, bytes } of pieces) {
          const framed = Uint8Array.from([0xee, ...bytes, 0xee]);
          expect(real.add(offset, framed, 1, 1 + bytes.length)).toBe(model.add(offset, bytes));
          expect(real.whole).toBe(model.whole);
          expect([...real.bytes.subarray(0, real.whole)]).toEqual(model.cells.slice(0, model.whole));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('allocates no further than a piece within the window reaches', () => {
    const buffer = new OffsetBuffer(1_000_000, 1_000);
    expect(buffer.add(900_000, Uint8Array.of(1), 0, 1)).toBe(false);
    expect(buffer.add(900, Uint8Array.of(1), 0, 1)).toBe(true);
    expect(buffer.bytes.length).toBeLessThanOrEqual(1_000);
  });

  it('refuses more islands than it keeps track of, and still takes what closes the first hole', () => {
    const buffer = new OffsetBuffer(10_000, 10_000);
    const refused = Array.from({ length: 200 }, (_, i) => buffer.add(2 * i + 1, Uint8Array.of(7), 0, 1)).indexOf(false);
    expect(refused).toBeGreaterThan(10);
    expect(buffer.add(0, Uint8Array.of(8), 0, 1)).toBe(true);
    expect(buffer.whole).toBe(2);
  });
});
