import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ticksToMicros, tickUnit } from '../../sensor/capture/pcapng-time.ts';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });

/** The definition, in exact arithmetic. */
function exactly(high: number, low: number, resolution: number): bigint {
  const ticks = (BigInt(high) << 32n) | BigInt(low);
  const exponent = BigInt(resolution & 0x7f);
  return (ticks * 1_000_000n) / (resolution & 0x80 ? 2n : 10n) ** exponent;
}

describe('ticksToMicros', () => {
  it('is exact for every resolution down to a picosecond and to 2^-32', () => {
    const decimal = fc.integer({ min: 0, max: 12 });
    const binary = fc.integer({ min: 0, max: 32 }).map((bits) => 0x80 | bits);
    fc.assert(
      fc.property(uint32, uint32, fc.oneof(decimal, binary), (high, low, resolution) => {
        const exact = exactly(high, low, resolution);
        fc.pre(exact <= BigInt(Number.MAX_SAFE_INTEGER));
        expect(ticksToMicros(high, low, tickUnit(resolution), 0)).toBe(Number(exact));
      }),
      { numRuns: 3000 },
    );
  });

  it('is within a microsecond for finer ones', () => {
    fc.assert(
      fc.property(uint32, uint32, fc.integer({ min: 0, max: 255 }), (high, low, resolution) => {
        const exact = exactly(high, low, resolution);
        fc.pre(exact <= BigInt(Number.MAX_SAFE_INTEGER));
        const micros = ticksToMicros(high, low, tickUnit(resolution), 0);
        expect(Number.isSafeInteger(micros)).toBe(true);
        expect(Math.abs(micros - Number(exact))).toBeLessThanOrEqual(1);
      }),
      { numRuns: 2000 },
    );
  });

  it('stays a whole number that a double holds exactly, whatever the offset', () => {
    const offset = fc.oneof(fc.constantFrom(0, 1, -1, 2 ** 63, -(2 ** 63)), fc.maxSafeInteger());
    fc.assert(
      fc.property(uint32, uint32, fc.integer({ min: 0, max: 255 }), offset, (high, low, resolution, offsetSeconds) => {
        const micros = ticksToMicros(high, low, tickUnit(resolution), offsetSeconds);
        expect(Number.isSafeInteger(micros) && micros >= 0).toBe(true);
      }),
    );
  });
});
