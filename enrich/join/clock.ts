import { MICROS_PER_SECOND, parseMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { ProcessRef } from '../event/endpoint-event.ts';
import type { Fact, Store } from '../store/store.ts';
import { type ConnectionBody, hostShard, indexKey } from './facts.ts';

const SECOND = MICROS_PER_SECOND;
const DAY = 86_400 * SECOND;
/** Matched flows from which an offset is learned. */
export const CLOCK_MIN_MATCHES = 20;
/** Matches looked at for one host and day; the newest. */
const MAX_MATCHES = 256;
/** Offsets are applied in these steps: feeds are late by as much, and a finer one would move with every match. */
export const CLOCK_STEP = 5 * SECOND;
/** A clock wrong by more than this is not corrected: a wrong zone or date says nothing of what came when. */
export const CLOCK_LIMIT = 900 * SECOND;
/** A connection event further from its flow than this is another use of the port, whatever the clock. */
export const CLOCK_SEARCH = 6 * 3600 * SECOND;
/** Middle half of the offsets at most this wide; wider ones come from no steady clock. */
const MAX_SPREAD = 60 * SECOND;
/** Events of one tuple this close together tell of one connection: two feeds, or two ends of a retry. */
const ONE_CONNECTION = 10 * SECOND;

/** An exact match of a flow with the only connection event of its 5-tuple. */
export interface MatchBody {
  /** Raw event; absent when the tuple turned out to be used twice. */
  readonly event?: string;
  /** Event time minus flow start, microseconds, clock error and lateness of the feed together. */
  readonly offset?: number;
  readonly process?: ProcessRef;
}

/** What is known of a host's clock on one day. */
export interface HostClock {
  /**
   * `unknown`: too few matches, or too far apart. `learned`: `offset` is to be taken off the host's times. `beyond`: it
   * is wrong by more than the limit, so that no time of this host can be compared.
   */
  readonly state: 'unknown' | 'learned' | 'beyond';
  /** Host clock minus sensor clock, microseconds, in steps; 0 unless learned. */
  readonly offset: number;
  /** Median as measured, microseconds. */
  readonly median?: number;
  readonly matches: number;
}

export const UNKNOWN_CLOCK: HostClock = { state: 'unknown', offset: 0, matches: 0 };

/**
 * What one flow teaches of its host's clock and programs. Depends on the facts alone, not on what was learned before;
 * a second use of the tuple takes it back.
 * @param tuple connection facts with the flow's 5-tuple
 */
export function matchFact(record: FlowRecord, tuple: readonly Fact[]): Fact | undefined {
  const start = parseMicros(record.event.start) ?? 0;
  const near = tuple
    .filter((fact) => isOpening(fact) && Math.abs(fact.at - start) <= CLOCK_SEARCH)
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const [first, last] = [near[0], near.at(-1)];
  if (!first || !last) return undefined;
  const { host, process } = first.body as ConnectionBody;
  const single =
    last.at - first.at <= ONE_CONNECTION && near.every((fact) => (fact.body as ConnectionBody).host.id === host.id);
  const ja4 = record.tls?.client?.ja4;
  return {
    shard: hostShard(host.id),
    kind: 'match',
    id: record.waybill.flow_id,
    at: start,
    keys: ja4 === undefined ? [] : [indexKey('ja4', ja4)],
    version: near.length,
    body: (single ? { event: first.id, offset: first.at - start, process } : {}) satisfies MatchBody,
  };
}

/** Says when a connection was opened, by the clock of its own host. */
function isOpening(fact: Fact): boolean {
  const body = fact.body as ConnectionBody;
  return body.until === undefined && body.moment === undefined;
}

/** Median of the offsets of unique matches, robust against single wrong ones. */
export function learnClock(matches: readonly Fact[]): HostClock {
  const byEvent = new Map<string, number | undefined>();
  for (const fact of matches) {
    const { event, offset } = fact.body as MatchBody;
    if (event === undefined || offset === undefined) continue;
    // One event cannot have opened two flows: which of them it was is not known.
    byEvent.set(event, byEvent.has(event) ? undefined : offset);
  }
  const offsets = [...byEvent.values()].filter((offset) => offset !== undefined).sort((a, b) => a - b);
  const count = offsets.length;
  if (count < CLOCK_MIN_MATCHES) return { ...UNKNOWN_CLOCK, matches: count };
  const at = (share: number): number => offsets[Math.floor((count - 1) * share)]!;
  const median = at(0.5);
  if (at(0.75) - at(0.25) > MAX_SPREAD) return { state: 'unknown', offset: 0, median, matches: count };
  if (Math.abs(median) > CLOCK_LIMIT) return { state: 'beyond', offset: 0, median, matches: count };
  const steps = Math.round(median / CLOCK_STEP);
  return { state: 'learned', offset: steps === 0 ? 0 : steps * CLOCK_STEP, median, matches: count };
}

/** Clocks of hosts by UTC day, each learned once from that day's matches and those of the day before. */
export class HostClocks {
  private readonly store: Store;
  private readonly known = new Map<string, Promise<HostClock>>();

  constructor(store: Store) {
    this.store = store;
  }

  of(hostId: string, at: number): Promise<HostClock> {
    const day = Math.floor(at / DAY);
    const key = `${day}|${hostId}`;
    let clock = this.known.get(key);
    if (!clock) {
      clock = this.learn(hostId, day);
      this.known.set(key, clock);
    }
    return clock;
  }

  /** Forgets what was learned, because there are new matches; `of` reads again. */
  forget(hostId: string, at: number): void {
    const day = Math.floor(at / DAY);
    for (const touched of [day, day + 1]) this.known.delete(`${touched}|${hostId}`);
  }

  private async learn(hostId: string, day: number): Promise<HostClock> {
    const shard = hostShard(hostId);
    return learnClock(await this.store.between(shard, 'match', (day - 1) * DAY, (day + 1) * DAY - 1, MAX_MATCHES));
  }
}
