import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteCursor } from '../../sensor/base/cursor.ts';

/** The same promises kept the slow way: an array that is cut from the front. */
class Model {
  rest: number[];
  short = false;

  constructor(bytes: readonly number[]) {
    this.rest = [...bytes];
  }
  private claim(count: number): number[] | undefined {
    if (this.short || Number.isNaN(count) || count < 0 || count > this.rest.length) {
      this.short = true;
      this.rest = [];
      return undefined;
    }
    return this.rest.splice(0, count);
  }
  uint(size: number): number {
    return (this.claim(size) ?? []).reduce((value, byte) => value * 256 + byte, 0);
  }
  varint(): number {
    const first = this.claim(1)?.[0];
    if (first === undefined) return 0;
    const more = this.claim(2 ** (first >> 6) - 1);
    if (!more) return 0;
    const value = more.reduce((sum, byte) => sum * 256n + BigInt(byte), BigInt(first & 63));
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(value);
  }
  take(count: number): number[] {
    return this.claim(count) ?? [];
  }
  window(count: number): Model {
    const taken = this.claim(count);
    const child = new Model(taken ?? []);
    child.short = taken === undefined;
    return child;
  }
}

const OPERATIONS = [
  'u8',
  'u16',
  'u24',
  'u32',
  'varint',
  'skip',
  'take',
  'window',
  'vector8',
  'vector16',
  'vector24',
  'leave',
] as const;
const step = fc.record({
  op: fc.constantFrom(...OPERATIONS),
  n: fc.oneof({ weight: 6, arbitrary: fc.nat(9) }, fc.constantFrom(-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32)),
});
/** Small values, so that lengths often fit, and sometimes just do not. */
const smallBytes = fc.array(fc.oneof({ weight: 4, arbitrary: fc.nat(4) }, fc.nat(255)), { maxLength: 40 });

type Cursor = Pick<
  ByteCursor,
  'u8' | 'u16' | 'u24' | 'u32' | 'varint' | 'skip' | 'take' | 'left' | 'short' | 'at' | 'end'
> & { window(n: number): Cursor; vector8(): Cursor; vector16(): Cursor; vector24(): Cursor };
type MakeCursor = (bytes: Uint8Array, start: number, end: number) => Cursor;

/**
 * Runs any sequence of reads on a cursor and on the model. Reads happen on the innermost window; all enclosing ones are
 * compared after each, so that a child cannot disturb its parents.
 */
function agreesWithModel(make: MakeCursor) {
  return fc.property(smallBytes, fc.nat(3), fc.array(step, { maxLength: 30 }), (bytes, margin, steps) => {
    // Bytes around the window that no read may reach.
    const around = Uint8Array.from([...new Array(margin).fill(0xee), ...bytes, ...new Array(margin).fill(0xdd)]);
    const stack = [{ real: make(around, margin, margin + bytes.length), model: new Model(bytes) }];
    for (const { op, n } of steps) {
      const top = stack.at(-1)!;
      const { real, model } = top;
      if (op === 'leave') {
        if (stack.length > 1) stack.pop();
      } else if (op === 'window') stack.push({ real: real.window(n), model: model.window(n) });
      else if (op === 'vector8') stack.push({ real: real.vector8(), model: model.window(model.uint(1)) });
      else if (op === 'vector16') stack.push({ real: real.vector16(), model: model.window(model.uint(2)) });
      else if (op === 'vector24') stack.push({ real: real.vector24(), model: model.window(model.uint(3)) });
      else if (op === 'take') expect([...real.take(n)]).toEqual(model.take(n));
      else if (op === 'skip') {
        real.skip(n);
        model.take(n);
      } else if (op === 'varint') expect(real.varint()).toBe(model.varint());
      else expect(real[op]()).toBe(model.uint(Number(op.slice(1)) / 8));
      for (const level of stack) {
        expect(level.real.left).toBe(level.model.rest.length);
        expect(level.real.short).toBe(level.model.short);
      }
    }
  });
}

describe('ByteCursor', () => {
  it('agrees with the model for any bytes and any sequence of reads, nested windows included', () => {
    fc.assert(
      agreesWithModel((bytes, start, end) => new ByteCursor(bytes, start, end)),
      { numRuns: 3000 },
    );
  });

  // RFC 9000 appendix A.1.
  it.each([
    ['c2197c5eff14e88c', Number.POSITIVE_INFINITY], // 151,288,809,941,952,652 is above 2^53
    ['9d7f3e7d', 494_878_333],
    ['7bbd', 15_293],
    ['25', 37],
    ['4025', 37],
    ['c01fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['c020000000000000', Number.POSITIVE_INFINITY],
  ])('reads the varint %s', (text, value) => {
    const cursor = new ByteCursor(Buffer.from(text, 'hex'));
    expect(cursor.varint()).toBe(value);
    expect(cursor.left).toBe(0);
  });

  it('keeps its window inside the bytes, whatever start and end are given', () => {
    fc.assert(
      fc.property(
        smallBytes,
        fc.integer({ min: -50, max: 90 }),
        fc.integer({ min: -50, max: 90 }),
        (bytes, start, end) => {
          const cursor = new ByteCursor(Uint8Array.from(bytes), start, end);
          expect(cursor.at).toBeGreaterThanOrEqual(0);
          expect(cursor.at).toBeLessThanOrEqual(cursor.end);
          expect(cursor.end).toBeLessThanOrEqual(bytes.length);
        },
      ),
    );
  });
});

/** Each is one mistake that such a reader is known to have. The property above must notice every one. */
const SEEDED_BUGS: readonly (readonly [string, MakeCursor])[] = [
  [
    'the last byte is out of reach',
    (b, s, e) =>
      new (class extends ByteCursor {
        override u8(): number {
          if (this.left === 1) this.skip(2);
          return super.u8();
        }
      })(b, s, e),
  ],
  [
    'a byte past the end is read',
    (b, s, e) =>
      new (class extends ByteCursor {
        override u8(): number {
          return this.left === 0 && !this.short ? (this.bytes[this.at] ?? 0) : super.u8();
        }
      })(b, s, e),
  ],
  [
    'u16 is little-endian',
    (b, s, e) =>
      new (class extends ByteCursor {
        override u16(): number {
          const value = super.u16();
          return ((value & 255) << 8) | (value >> 8);
        }
      })(b, s, e),
  ],
  [
    'u32 is signed',
    (b, s, e) =>
      new (class extends ByteCursor {
        override u32(): number {
          return super.u32() | 0;
        }
      })(b, s, e),
  ],
  [
    'short is forgotten by the next read',
    (b, s, e) =>
      new (class extends ByteCursor {
        override u8(): number {
          const value = super.u8();
          if (this.left === 0) this.short = false;
          return value;
        }
      })(b, s, e),
  ],
  [
    'a failed read leaves the rest readable',
    (b, s, e) =>
      new (class extends ByteCursor {
        override skip(count: number): void {
          const at = this.at;
          super.skip(count);
          if (this.short) this.at = at;
        }
      })(b, s, e),
  ],
  [
    'a child window ignores its end',
    (b, s, e) =>
      new (class extends ByteCursor {
        override window(count: number): ByteCursor {
          const at = this.at;
          super.window(count);
          return new ByteCursor(this.bytes, at, this.end);
        }
      })(b, s, e),
  ],
  [
    'the window of a failed claim is not short',
    (b, s, e) =>
      new (class extends ByteCursor {
        override window(count: number): ByteCursor {
          const child = super.window(count);
          child.short = false;
          return child;
        }
      })(b, s, e),
  ],
  [
    'a parent does not move past its child',
    (b, s, e) =>
      new (class extends ByteCursor {
        override window(count: number): ByteCursor {
          const at = this.at;
          const child = super.window(count);
          if (!this.short) this.at = at;
          return child;
        }
      })(b, s, e),
  ],
  [
    'take gives what is there instead of nothing',
    (b, s, e) =>
      new (class extends ByteCursor {
        override take(count: number): Uint8Array {
          const rest = this.short ? new Uint8Array(0) : this.bytes.subarray(this.at, this.end);
          const taken = super.take(count);
          return this.short ? rest : taken;
        }
      })(b, s, e),
  ],
  [
    'a negative count moves back',
    (b, s, e) =>
      new (class extends ByteCursor {
        override skip(count: number): void {
          if (count < 0 && !this.short) this.at += count;
          else super.skip(count);
        }
      })(b, s, e),
  ],
  [
    'a varint keeps its length bits',
    (b, s, e) =>
      new (class extends ByteCursor {
        override varint(): number {
          const first = this.bytes[this.at] ?? 0;
          const value = super.varint();
          return first >> 6 === 1 && !this.short ? value + 0x4000 : value;
        }
      })(b, s, e),
  ],
  [
    'a cut varint gives its first bytes',
    (b, s, e) =>
      new (class extends ByteCursor {
        override varint(): number {
          const first = this.left > 0 && !this.short ? this.bytes[this.at]! & 63 : 0;
          const value = super.varint();
          return this.short ? first : value;
        }
      })(b, s, e),
  ],
  [
    'vector24 reads two length bytes',
    (b, s, e) =>
      new (class extends ByteCursor {
        override vector24(): ByteCursor {
          return this.vector16();
        }
      })(b, s, e),
  ],
];

describe('the model property', () => {
  it.each(SEEDED_BUGS)('fails when %s', (_bug, make) => {
    expect(fc.check(agreesWithModel(make), { numRuns: 3000 }).failed).toBe(true);
  });
});
