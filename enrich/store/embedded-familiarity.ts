import { DIGEST_BYTES, type Digester } from './digest.ts';
import { keyRange, META, prefixRange, type Tables } from './embedded-tables.ts';
import { MAX_DAY, maxFreshADay } from './limits.ts';
import { type Merged, mergeSighting, packEntry, unpackEntry, WINDOW_DAYS } from './sighting.ts';
import type { Familiarity, FamiliarityKey, NoveltyDay, Observation } from './store.ts';

interface DayCount {
  seen: number;
  fresh: number;
}

/** Familiarity and novelty in the embedded store. Writing methods must run inside a write transaction. */
export class EmbeddedFamiliarity {
  dropped = 0;
  private readonly tables: Tables;
  private readonly digester: Digester;

  constructor(tables: Tables, digester: Digester) {
    this.tables = tables;
    this.digester = digester;
  }

  observe(observations: readonly Observation[]): void {
    for (const observation of observations) this.observeOne(observation);
  }

  familiarity(query: FamiliarityKey): Familiarity | undefined {
    const bytes = this.tables.familiarity.get(this.entryKey(query));
    return bytes === undefined ? undefined : unpackEntry(bytes);
  }

  novelty(scope: string, fromDay: number, toDay: number): NoveltyDay[] {
    const prefix = this.digester.of(scope);
    const newest = this.newestDay(prefix);
    if (newest === undefined) return [];
    const first = Math.max(Math.ceil(fromDay), newest - WINDOW_DAYS + 1, 0);
    const last = Math.min(Math.floor(toDay), newest);
    if (!(first <= last)) return [];
    const range = keyRange(dayKey(prefix, first), Buffer.concat([dayKey(prefix, last), Buffer.of(0)]), false);
    return [...this.tables.novelty.getRange(range)].map(({ key, value }) => ({
      day: key.readUInt16BE(DIGEST_BYTES),
      ...readCount(value),
    }));
  }

  /** Entry keys after `last` whose last day is before `day`, looking at `most` entries; `next` goes on from there. */
  staleAfter(last: Buffer | undefined, day: number, most: number): { stale: Buffer[]; next: Buffer | undefined } {
    const start = last === undefined ? Buffer.of(0) : Buffer.concat([last, Buffer.of(0)]);
    const page = [...this.tables.familiarity.getRange({ start, limit: most })];
    const stale = page.filter(({ value }) => unpackEntry(value).lastDay < day).map(({ key }) => key);
    return { stale, next: page.length < most ? undefined : page.at(-1)!.key };
  }

  /** Removes those of the entries that are still stale; returns how many. */
  forget(keys: readonly Buffer[], day: number): number {
    let gone = 0;
    for (const key of keys) {
      const value = this.tables.familiarity.get(key);
      if (value === undefined || unpackEntry(value).lastDay >= day) continue;
      this.tables.familiarity.remove(key);
      gone++;
    }
    return gone;
  }

  /** From now on novelty of days before `day` is neither kept nor counted. */
  raiseHorizon(day: number): void {
    const horizon = Math.min(Math.max(day, this.horizon()), MAX_DAY);
    const bytes = Buffer.allocUnsafe(2);
    bytes.writeUInt16BE(horizon, 0);
    this.tables.meta.put(META.horizon, bytes);
  }

  /** Of `most` novelty days after `last`, those before the horizon; `next` goes on from there. */
  staleNoveltyAfter(last: Buffer | undefined, most: number): { stale: Buffer[]; next: Buffer | undefined } {
    const start = last === undefined ? Buffer.of(0) : Buffer.concat([last, Buffer.of(0)]);
    const horizon = this.horizon();
    const page: Buffer[] = [...this.tables.novelty.getKeys({ start, limit: most })];
    const stale = page.filter((key) => key.readUInt16BE(DIGEST_BYTES) < horizon);
    return { stale, next: page.length < most ? undefined : page.at(-1) };
  }

  forgetNovelty(keys: readonly Buffer[]): void {
    for (const key of keys) this.tables.novelty.remove(key);
  }

  private observeOne({ scope, destination, day, tainted }: Observation): void {
    const key = this.entryKey({ scope, destination });
    const bytes = this.tables.familiarity.get(key);
    const merged = mergeSighting(bytes === undefined ? undefined : unpackEntry(bytes), day, tainted);
    if (!merged.changed) return;

    const prefix = this.digester.of(scope);
    const count = this.dayCount(prefix, day);
    if (bytes === undefined && count.fresh >= maxFreshADay(scope)) {
      this.dropped++;
      return;
    }
    this.tables.familiarity.put(key, packEntry(merged.entry));
    if (merged.seenAdded || merged.freshMoved !== undefined) this.countDay(prefix, day, count, merged);
  }

  /** Keeps the day counts of a scope the same function of its sightings whatever their order. */
  private countDay(prefix: Buffer, day: number, count: DayCount, merged: Merged): void {
    const newest = this.newestDay(prefix) ?? 0;
    const oldest = Math.max(this.horizon(), Math.max(newest, day) - WINDOW_DAYS + 1);
    if (day >= oldest) {
      if (merged.seenAdded) count.seen++;
      if (merged.freshMoved !== undefined) count.fresh++;
      this.tables.novelty.put(dayKey(prefix, day), writeCount(count));
    }
    const from = merged.freshMoved?.from;
    if (from !== undefined && from >= oldest) this.lessFresh(prefix, from);
    if (day > newest) this.trimScope(prefix, oldest);
  }

  private lessFresh(prefix: Buffer, day: number): void {
    const count = this.dayCount(prefix, day);
    count.fresh--;
    this.tables.novelty.put(dayKey(prefix, day), writeCount(count));
  }

  /** Takes out days before `oldest`: at most WINDOW_DAYS of them. */
  private trimScope(prefix: Buffer, oldest: number): void {
    if (oldest <= 0) return;
    const old = [...this.tables.novelty.getKeys(keyRange(dayKey(prefix, 0), dayKey(prefix, oldest), false))];
    for (const key of old) this.tables.novelty.remove(key);
  }

  private newestDay(prefix: Buffer): number | undefined {
    const [key] = [...this.tables.novelty.getKeys({ ...prefixRange(prefix, true), limit: 1 })];
    return key?.readUInt16BE(DIGEST_BYTES);
  }

  private dayCount(prefix: Buffer, day: number): DayCount {
    const bytes = this.tables.novelty.get(dayKey(prefix, day));
    return bytes === undefined ? { seen: 0, fresh: 0 } : readCount(bytes);
  }

  private horizon(): number {
    return this.tables.meta.get(META.horizon)?.readUInt16BE(0) ?? 0;
  }

  private entryKey({ scope, destination }: FamiliarityKey): Buffer {
    const pair = this.digester.ofPair(scope, destination);
    return Buffer.concat([this.digester.of(scope), pair.subarray(0, DIGEST_BYTES)]);
  }
}

function dayKey(prefix: Buffer, day: number): Buffer {
  const key = Buffer.allocUnsafe(DIGEST_BYTES + 2);
  prefix.copy(key);
  key.writeUInt16BE(Math.min(Math.max(day, 0), MAX_DAY), DIGEST_BYTES);
  return key;
}

function readCount(bytes: Buffer): DayCount {
  return { seen: bytes.readUInt32BE(0), fresh: bytes.readUInt32BE(4) };
}

function writeCount({ seen, fresh }: DayCount): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeUInt32BE(seen, 0);
  bytes.writeUInt32BE(Math.max(0, fresh), 4);
  return bytes;
}
