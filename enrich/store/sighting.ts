import type { Familiarity } from './store.ts';

/** Days that a bitmap holds, the last one included. */
export const WINDOW_DAYS = 32;

/** Bytes of a packed entry. */
export const ENTRY_BYTES = 8;

/**
 * What one sighting does to the entry of its (scope, destination). Merging is a least upper bound: any order, any number
 * of times, the entry is a function of the set of sightings. So are the counts that follow from it:
 * `fresh` of a day = destinations whose firstDay it is; `seen` of a day = destinations whose bitmap has it.
 */
export interface Merged {
  readonly entry: Familiarity;
  readonly changed: boolean;
  /** `fresh` moves to `day`: from this day, or from none (undefined) when the destination is new. */
  readonly freshMoved: { readonly from: number | undefined } | undefined;
  /** The bitmap did not have `day` and now has it. */
  readonly seenAdded: boolean;
}

export function mergeSighting(known: Familiarity | undefined, day: number, tainted: boolean): Merged {
  if (known === undefined) {
    const entry = { firstDay: day, lastDay: day, days: 1, firstTainted: tainted };
    return { entry, changed: true, freshMoved: { from: undefined }, seenAdded: true };
  }
  const earlier = day < known.firstDay;
  const firstTainted = earlier ? tainted : known.firstTainted || (tainted && day === known.firstDay);
  const { lastDay, days } = withDay(known, day);
  return {
    entry: { firstDay: earlier ? day : known.firstDay, lastDay, days, firstTainted },
    changed: earlier || days !== known.days || lastDay !== known.lastDay || firstTainted !== known.firstTainted,
    freshMoved: earlier ? { from: known.firstDay } : undefined,
    seenAdded: lastDay !== known.lastDay || days !== known.days,
  };
}

function withDay(known: Familiarity, day: number): { lastDay: number; days: number } {
  const ahead = day - known.lastDay;
  if (ahead >= WINDOW_DAYS) return { lastDay: day, days: 1 };
  if (ahead > 0) return { lastDay: day, days: ((known.days << ahead) | 1) >>> 0 };
  if (-ahead >= WINDOW_DAYS) return { lastDay: known.lastDay, days: known.days };
  return { lastDay: known.lastDay, days: (known.days | (1 << -ahead)) >>> 0 };
}

/** What two entries say together: the entry of all their sightings, had they been of one destination. */
export function unionOf(a: Familiarity | undefined, b: Familiarity | undefined): Familiarity | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const lastDay = Math.max(a.lastDay, b.lastDay);
  const firstDay = Math.min(a.firstDay, b.firstDay);
  return {
    firstDay,
    lastDay,
    days: (daysBefore(a, lastDay) | daysBefore(b, lastDay)) >>> 0,
    firstTainted: [a, b].some((each) => each.firstDay === firstDay && each.firstTainted),
  };
}

/** The bitmap as it is when the last day is this one. */
const daysBefore = ({ lastDay, days }: Familiarity, last: number): number =>
  last - lastDay >= WINDOW_DAYS ? 0 : days << (last - lastDay);

/**
 * An entry in 8 bytes, big-endian: firstDay 2, lastDay 2, days 4. Bit 0 of `days` (seen on lastDay) is always set, so its
 * place holds firstTainted.
 */
export function packEntry(entry: Familiarity): Buffer {
  const bytes = Buffer.allocUnsafe(ENTRY_BYTES);
  bytes.writeUInt16BE(entry.firstDay, 0);
  bytes.writeUInt16BE(entry.lastDay, 2);
  bytes.writeUInt32BE((entry.days & ~1) >>> 0, 4);
  if (entry.firstTainted) bytes[7] = bytes[7]! | 1;
  return bytes;
}

export function unpackEntry(bytes: Buffer): Familiarity {
  const last = bytes.readUInt32BE(4);
  return {
    firstDay: bytes.readUInt16BE(0),
    lastDay: bytes.readUInt16BE(2),
    days: (last | 1) >>> 0,
    firstTainted: (last & 1) === 1,
  };
}

const DAY_MICROS = 86_400_000_000;

/** Day number of the first day not wholly before `at` (microseconds). */
export function dayOf(at: number): number {
  return Math.floor(at / DAY_MICROS);
}
