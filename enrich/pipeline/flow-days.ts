import { MICROS_PER_SECOND } from '../../sensor/base/timestamp.ts';
import { MAX_FOUND } from '../store/limits.ts';
import type { Fact, FactQuery, Store } from '../store/store.ts';

const DAY = 86_400 * MICROS_PER_SECOND;
/** Addresses whose next flow is asked for at once. */
const ADDRESSES_AT_ONCE = 1_000;

/** Flows of one UTC day. */
export interface DayPart {
  /** Microseconds since 1970 UTC, exclusive. */
  readonly end: number;
  readonly flows: readonly Fact[];
  /** No more flows of this day come. */
  readonly isLast: boolean;
}

/**
 * All flows of a store by UTC day, earliest day first, in parts of at most MAX_FOUND: nobody holds more of them than one.
 * Flows that are put meanwhile may be missed.
 */
export async function* flowDays(store: Store): AsyncGenerator<DayPart> {
  const addresses: string[] = [];
  for await (const shard of store.shards('flow')) addresses.push(shard);
  const next = await firstFrom(store, addresses, Number.NEGATIVE_INFINITY);
  while (next.size > 0) {
    const earliest = [...next.values()].reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
    const end = (Math.floor(earliest / DAY) + 1) * DAY;
    const today = [...next.keys()].filter((shard) => next.get(shard)! < end);
    let part: Fact[] = [];
    for (const shard of today) {
      for await (const flows of pages(store, shard, next.get(shard)!, end - 1)) {
        if (part.length + flows.length > MAX_FOUND) {
          yield { end, flows: part, isLast: false };
          part = [];
        }
        part.push(...flows);
      }
      next.delete(shard);
    }
    for (const [shard, at] of await firstFrom(store, today, end)) next.set(shard, at);
    yield { end, flows: part, isLast: true };
  }
}

/** When each address has its first flow from a time on; those that have none are left out. */
async function firstFrom(store: Store, shards: readonly string[], from: number): Promise<Map<string, number>> {
  const first = new Map<string, number>();
  for (let i = 0; i < shards.length; i += ADDRESSES_AT_ONCE) {
    const some = shards.slice(i, i + ADDRESSES_AT_ONCE);
    const span = { kind: 'flow', from, to: Number.POSITIVE_INFINITY, limit: 1, oldest: true } as const;
    const found = await store.query(some.map((shard): FactQuery => ({ shard, ...span })));
    for (const [n, [flow]] of found.entries()) if (flow) first.set(some[n]!, flow.at);
  }
  return first;
}

/** Flows of one address by time. Of more than MAX_FOUND in one microsecond the rest is left out. */
async function* pages(store: Store, shard: string, from: number, to: number): AsyncGenerator<readonly Fact[]> {
  for (let begin = from; begin <= to; ) {
    const span = { shard, kind: 'flow', from: begin, to, limit: MAX_FOUND, oldest: true } as const;
    const [flows = []] = await store.query([span]);
    const [first, last] = [flows[0], flows.at(-1)];
    if (!first || !last || flows.length < MAX_FOUND) {
      yield flows;
      return;
    }
    // Those of the last moment come again, with the rest of it.
    const isOneMoment = first.at === last.at;
    yield isOneMoment ? flows : flows.filter(({ at }) => at < last.at);
    begin = isOneMoment ? last.at + 1 : last.at;
  }
}
