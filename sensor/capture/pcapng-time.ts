/**
 * pcapng timestamps: a 64-bit count of ticks in two 32-bit halves, a tick length per interface (if_tsresol), and an
 * offset in seconds (if_tsoffset). draft-ietf-opsawg-pcapng §4.2, §4.3.
 *
 * Everything is done on doubles without BigInt. Splitting at the halves keeps it exact, floor included, for every
 * decimal resolution down to a picosecond and every binary one down to 2^-32.
 */
const HALF = 4_294_967_296;
const MICROS = 1_000_000;
/** Finest decimal resolution whose divisor leaves an exact remainder: 10^-12, divisor 10^6, below 2^21. */
const EXACT_DIVISOR = 1_000_000;

/** How an interface counts time. `divisor` ticks are `multiplier` µs, or, for binary resolutions, `bits` is set. */
export interface TickUnit {
  /** log2 of ticks per second for binary resolutions, else -1. */
  readonly bits: number;
  /** Decimal: ticks per µs (1 when a tick is longer). */
  readonly divisor: number;
  /** Decimal: µs per tick (1 when a tick is shorter). */
  readonly multiplier: number;
}

export const MICROSECOND: TickUnit = { bits: -1, divisor: 1, multiplier: 1 };

/** if_tsresol: the top bit chooses 2^-n over 10^-n. */
export function tickUnit(resolution: number): TickUnit {
  const exponent = resolution & 0x7f;
  if ((resolution & 0x80) !== 0) return { bits: exponent, divisor: 1, multiplier: 1 };
  if (exponent >= 6) return { bits: -1, divisor: 10 ** (exponent - 6), multiplier: 1 };
  return { bits: -1, divisor: 1, multiplier: 10 ** (6 - exponent) };
}

/** Whole microseconds since 1970 of `high . low` ticks plus an offset; clamped to what a double holds exactly. */
export function ticksToMicros(high: number, low: number, unit: TickUnit, offsetSeconds: number): number {
  const micros = unit.bits < 0 ? decimal(high, low, unit) : binary(high, low, unit.bits);
  const shifted = micros + offsetSeconds * MICROS;
  return shifted >= 0 ? Math.min(shifted, Number.MAX_SAFE_INTEGER) : 0;
}

function decimal(high: number, low: number, unit: TickUnit): number {
  const divisor = unit.divisor;
  if (divisor === 1) return (high * HALF + low) * unit.multiplier;
  if (divisor > EXACT_DIVISOR) return Math.floor((high * HALF + low) / divisor);
  const quotient = Math.floor(high / divisor);
  const rest = (high - quotient * divisor) * HALF + low;
  return quotient * HALF + Math.floor(rest / divisor);
}

function binary(high: number, low: number, bits: number): number {
  if (bits <= 32) {
    const perSecond = 2 ** bits;
    const lowSeconds = Math.floor(low / perSecond);
    const fraction = low - lowSeconds * perSecond;
    return (high * 2 ** (32 - bits) + lowSeconds) * MICROS + Math.floor((fraction * MICROS) / perSecond);
  }
  const perSecondHigh = 2 ** (bits - 32);
  const seconds = Math.floor(high / perSecondHigh);
  const fraction = (high - seconds * perSecondHigh + low / HALF) / perSecondHigh;
  return seconds * MICROS + Math.floor(fraction * MICROS);
}
