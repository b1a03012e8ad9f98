import { MICROS_PER_SECOND } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { Fact, FactQuery, Store } from '../store/store.ts';
import { type HostClock, type HostClocks, MAX_MATCHES, matchFact } from './clock.ts';
import { drillsAmong } from './drill-mark.ts';
import { hostShard, ipShard, type JoinedBody, type UnexplainedBody } from './facts.ts';
import { HELLO_HOUR, type Hellos } from './hellos.ts';
import { JA4_WINDOW } from './join-flow.ts';
import { joinedId } from './joined-fact.ts';
import { type Openings, openingsOf } from './openings.ts';

const DAY = 86_400 * MICROS_PER_SECOND;
/** Flows of one host and day, or of one fingerprint, that are joined again because something was learned. */
const MAX_REJOINS = 10_000;
/** Each may find as many. */
const QUERIES_AT_ONCE = 200;

export interface FlowName {
  /** Shard of the flow: of its source address. */
  readonly ip: string;
  readonly id: string;
  /** Start, microseconds since 1970 UTC. */
  readonly at: number;
}

export interface HostDay {
  readonly host: string;
  readonly day: number;
}

/**
 * Stores what flows teach of their hosts, and says which flows must be joined again for it: those of a day for which the
 * clock is now judged otherwise, and those that only a fingerprint may explain.
 * @param hellos what this store was told before
 * @param tuples connection facts with the 5-tuple of each flow
 * @param again somebody may have stored what these flows teach, and joined no other flow for it
 */
export async function learnFrom(
  store: Store,
  { clocks, hellos }: { readonly clocks: HostClocks; readonly hellos: Hellos },
  records: readonly FlowRecord[],
  tuples: readonly (readonly Fact[])[],
  again: boolean,
): Promise<{ readonly flows: readonly FlowName[]; readonly days: readonly HostDay[] }> {
  const drills = await drillsAmong(store, records);
  // A drill teaches nothing.
  const opened = records.flatMap((record, i) => {
    const openings = drills.has(record) ? undefined : openingsOf(record, tuples[i]!);
    return openings === undefined ? [] : [{ record, openings }];
  });
  const days = distinctDays(opened.map(({ openings }) => openings));
  const before = await Promise.all(days.map(({ host, day }) => clocks.of(host, day * DAY)));
  const teaching = opened.filter(({ openings: { host, start } }) => clocks.mayTeach(host.id, start));
  if (again) hellos.forget();
  const facts = [
    ...firstOfDays(teaching.map(({ record, openings }) => matchFact(record, openings))),
    ...opened.flatMap(({ record, openings }) => hellos.news(record, openings)),
  ];
  const changed = await put(store, hellos, facts);
  const fresh = again ? facts : facts.filter((_, index) => changed[index]);
  for (const { kind, shard, at } of fresh) if (kind === 'match') clocks.forget(hostOf(shard), at);
  const after = await Promise.all(days.map(({ host, day }) => clocks.of(host, day * DAY)));
  const flows: FlowName[] = [];
  const moved: HostDay[] = [];
  for (const [i, day] of days.entries()) {
    const hasMoved = !sameClock(before[i]!, after[i]!);
    if (!hasMoved && !again) continue;
    const joined = await joinedOn(store, day);
    const stale = hasMoved ? joined : joined.filter((fact) => fact.id !== idBy(after[i]!, fact));
    if (stale.length === 0 && !hasMoved) continue;
    moved.push(day);
    // What has been joined by this clock since is no news.
    const ids = new Set(hasMoved ? [] : joined.map(({ id }) => id));
    flows.push(...stale.filter((fact) => !ids.has(idBy(after[i]!, fact))).map(nameOf));
  }
  const ofKeys = await unexplainedBy(
    store,
    fresh.filter(({ kind }) => kind === 'hello'),
  );
  for (let i = 0; i < ofKeys.length; i += QUERIES_AT_ONCE) {
    const found = await store.query(ofKeys.slice(i, i + QUERIES_AT_ONCE));
    flows.push(...found.flat().map(nameOfUnexplained));
  }
  return { flows, days: moved };
}

/** Flows of a host and day as they are joined by now. */
function joinedOn(store: Store, { host, day }: HostDay): Promise<Fact[]> {
  return store.between(hostShard(host), 'joined', day * DAY, (day + 1) * DAY - 1, MAX_REJOINS);
}

const idBy = (clock: HostClock, { body }: Fact): string => joinedId((body as JoinedBody).record, clock);

async function put(store: Store, hellos: Hellos, facts: readonly Fact[]): Promise<boolean[]> {
  try {
    return await store.put(facts);
  } catch (error) {
    hellos.forget();
    throw error;
  }
}

/** Of each host and day as many as are looked at, the first ones. */
function firstOfDays(matches: readonly Fact[]): Fact[] {
  const byDay = new Map<string, Fact[]>();
  for (const match of matches) {
    const name = `${Math.floor(match.at / DAY)}|${match.shard}`;
    const known = byDay.get(name);
    if (known === undefined) byDay.set(name, [match]);
    else known.push(match);
  }
  return [...byDay.values()].flatMap((all) =>
    all.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).slice(0, MAX_MATCHES),
  );
}

const hostOf = (shard: string): string => shard.slice('host:'.length);

/** A match counts for its own day and the next. */
function distinctDays(opened: readonly Openings[]): HostDay[] {
  const days = new Map<string, HostDay>();
  for (const { host, start } of opened) {
    const first = Math.floor(start / DAY);
    for (const day of [first, first + 1]) days.set(`${day}|${host.id}`, { host: host.id, day });
  }
  return [...days.values()];
}

/** Questions for flows of the same host and hello, about the same time, that no event of their own explains. */
async function unexplainedBy(store: Store, hellos: readonly Fact[]): Promise<FactQuery[]> {
  const hosts = [...new Set(hellos.map(({ shard }) => shard))];
  // The marks are put before it is read what may explain their flows: who is not marked yet reads these hellos.
  const kinds = await store.kinds(hosts);
  const marked = new Set(hosts.filter((_, i) => kinds[i]!.has('unexplained')));
  const asked = new Map<string, FactQuery & { readonly from: number; readonly to: number }>();
  for (const { shard, keys, at } of hellos) {
    if (!marked.has(shard)) continue;
    for (const key of keys) {
      const name = `${shard.length} ${shard} ${key}`;
      const [from, to] = [at - JA4_WINDOW - HELLO_HOUR, at + JA4_WINDOW + HELLO_HOUR];
      const known = asked.get(name);
      const span = { from: Math.min(known?.from ?? from, from), to: Math.max(known?.to ?? to, to) };
      asked.set(name, { shard, kind: 'unexplained', key, ...span, limit: MAX_REJOINS });
    }
  }
  return [...asked.values()];
}

const sameClock = (a: HostClock, b: HostClock): boolean =>
  a.offset === b.offset && (a.state === 'beyond') === (b.state === 'beyond');

export const flowName = ({ shard, id, at }: Fact): FlowName => ({ ip: shard, id, at });

/** The flow behind a joined fact. */
export function nameOf(joined: Fact): FlowName {
  const { record } = joined.body as JoinedBody;
  return { ip: ipShard(record.source.ip), id: record.waybill.flow_id, at: joined.at };
}

/** The flow behind the mark at a host that it is unexplained. */
export const nameOfUnexplained = ({ id, at, body }: Fact): FlowName => ({ ip: (body as UnexplainedBody).ip, id, at });

/** The joined facts that hold: of the host still, and for the clock as it is judged now. */
export async function currentJoins(clocks: HostClocks, hostId: string, joined: readonly Fact[]): Promise<Fact[]> {
  const current: Fact[] = [];
  for (const fact of joined) {
    const { record, moved } = fact.body as JoinedBody;
    if (moved !== true && fact.id === joinedId(record, await clocks.of(hostId, fact.at))) current.push(fact);
  }
  return current;
}
