import { MICROS_PER_SECOND } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { Fact, Store } from '../store/store.ts';
import { hostShard } from './facts.ts';
import type { Openings } from './openings.ts';

const SECOND = MICROS_PER_SECOND;
const DAY = 86_400 * SECOND;
/** Matched flows from which an offset is learned. */
export const CLOCK_MIN_MATCHES = 20;
/** Matches looked at for one host and day; the first of the day, so that later ones change nothing any more. */
export const MAX_MATCHES = 64;
/** Clocks remembered, in a round and from one to the next; all are forgotten when there are more. About 300 bytes each. */
const MAX_REMEMBERED = 50_000;
/** Offsets are applied in these steps: feeds are late by as much, and a finer one would move with every match. */
export const CLOCK_STEP = 5 * SECOND;
/** A clock wrong by more than this is not corrected: a wrong zone or date says nothing of what came when. */
export const CLOCK_LIMIT = 900 * SECOND;
/** A connection event further from its flow than this is another use of the port, whatever the clock. */
export const CLOCK_SEARCH = 6 * 3600 * SECOND;
/** Middle half of the offsets at most this wide; wider ones come from no steady clock. */
const MAX_SPREAD = 60 * SECOND;

/** An exact match of a flow with the only connection event of its 5-tuple. */
export interface MatchBody {
  /** Raw event; absent when the tuple turned out to be used twice. */
  readonly event?: string;
  /** Event time minus flow start, microseconds, clock error and lateness of the feed together. */
  readonly offset?: number;
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
 * What one flow teaches of the clock of the host that opened it. A further event of its tuple takes it back, with a fact of its
 * own (`currentMatches`): facts that are only ever added can be told unchanged by their number.
 */
export function matchFact(record: FlowRecord, { start, events, first, host, isOne }: Openings): Fact {
  return {
    shard: hostShard(host.id),
    kind: 'match',
    id: `${record.waybill.flow_id}#${events.length}`,
    at: start,
    keys: [],
    version: events.length,
    body: (isOne ? { event: first.id, offset: first.at - start } : {}) satisfies MatchBody,
  };
}

/** The matches that no later one of the same flow takes back. */
export function currentMatches(matches: readonly Fact[]): Fact[] {
  const byFlow = new Map<string, Fact>();
  for (const match of matches) {
    const flow = match.id.slice(0, match.id.lastIndexOf('#') + 1) || match.id;
    const known = byFlow.get(flow);
    if (known === undefined || known.version < match.version) byFlow.set(flow, match);
  }
  return [...byFlow.values()];
}

/** Median of the offsets of unique matches, robust against single wrong ones. */
export function learnClock(matches: readonly Fact[]): HostClock {
  const byEvent = new Map<string, number | undefined>();
  for (const fact of currentMatches(matches)) {
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

/** How many matches a span had. */
interface Counted {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

interface Remembered {
  readonly clock: HostClock;
  readonly restsOn: readonly Counted[];
}

/**
 * Clocks of hosts by UTC day, each learned from the first matches of its day or, while these are too few, of the day before
 * as well. What was learned is remembered, and holds as long as as many matches are there as it was learned from: other
 * workers add to them, and none is ever changed.
 */
export class HostClocks {
  private readonly store: Store;
  /** Learned or found to hold in this round. */
  private readonly known = new Map<string, Promise<HostClock>>();
  private readonly remembered = new Map<string, Remembered>();

  constructor(store: Store) {
    this.store = store;
  }

  of(hostId: string, at: number): Promise<HostClock> {
    const day = Math.floor(at / DAY);
    const key = `${day}|${hostId}`;
    let clock = this.known.get(key);
    if (!clock) {
      clock = this.recall(key, hostId, day);
      if (this.known.size >= MAX_REMEMBERED) this.known.clear();
      this.known.set(key, clock);
    }
    return clock;
  }

  /** The clock of each host at each time; unknown where no host is given. */
  async ofAll(hostIds: readonly (string | undefined)[], times: readonly number[]): Promise<HostClock[]> {
    const asked = new Map<string, Promise<HostClock>>();
    const names = hostIds.map((hostId, i) => {
      if (hostId === undefined) return undefined;
      const name = `${Math.floor(times[i]! / DAY)}|${hostId}`;
      if (!asked.has(name)) asked.set(name, this.of(hostId, times[i]!));
      return name;
    });
    const clocks = await Promise.all(asked.values());
    const known = new Map([...asked.keys()].map((name, i) => [name, clocks[i]!]));
    return names.map((name) => (name === undefined ? UNKNOWN_CLOCK : known.get(name)!));
  }

  /** A new round: others may have added matches. */
  doubt(): void {
    this.known.clear();
  }

  /** False when as many matches as are looked at are known to be before this time of its day. */
  mayTeach(hostId: string, at: number): boolean {
    const day = Math.floor(at / DAY);
    const today = this.remembered.get(`${day}|${hostId}`)?.restsOn.find(({ from }) => from === day * DAY);
    return today === undefined || at <= today.to;
  }

  /** There is a new match at this time; `of` looks again where that may matter. */
  forget(hostId: string, at: number): void {
    const day = Math.floor(at / DAY);
    for (const touched of [day, day + 1]) {
      const key = `${touched}|${hostId}`;
      const concerned = this.remembered.get(key)?.restsOn.some(({ from, to }) => from <= at && at <= to);
      if (concerned === false) continue;
      this.remembered.delete(key);
      this.known.delete(key);
    }
  }

  private async recall(key: string, hostId: string, day: number): Promise<HostClock> {
    const remembered = this.remembered.get(key);
    if (remembered && (await this.holds(hostId, remembered))) return remembered.clock;
    const learned = await this.learn(hostId, day);
    if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
    this.remembered.set(key, learned);
    return learned.clock;
  }

  private async holds(hostId: string, { restsOn }: Remembered): Promise<boolean> {
    const counts = await Promise.all(
      restsOn.map(({ from, to }) => this.store.count(hostShard(hostId), 'match', from, to)),
    );
    return restsOn.every(({ count }, index) => counts[index] === count);
  }

  private async learn(hostId: string, day: number): Promise<Remembered> {
    const today = await this.firstOf(hostId, day);
    if (today.matches.length >= CLOCK_MIN_MATCHES)
      return { clock: learnClock(today.matches), restsOn: [today.counted] };
    const before = await this.firstOf(hostId, day - 1);
    return {
      clock: learnClock([...before.matches, ...today.matches]),
      restsOn: [before.counted, today.counted],
    };
  }

  private async firstOf(hostId: string, day: number): Promise<{ matches: Fact[]; counted: Counted }> {
    const [from, end] = [day * DAY, (day + 1) * DAY - 1];
    const question = {
      shard: hostShard(hostId),
      kind: 'match',
      from,
      to: end,
      limit: MAX_MATCHES,
      oldest: true,
    } as const;
    const [matches = []] = await this.store.query([question]);
    const to = matches.length < MAX_MATCHES ? end : matches.at(-1)!.at;
    return { matches, counted: { from, to, count: matches.length } };
  }
}
