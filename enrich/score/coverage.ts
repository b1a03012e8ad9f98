import type { ProcessRef } from '../event/endpoint-event.ts';
import type { StagingFact } from '../evidence/staging.ts';
import { type HostClock, HostClocks } from '../join/clock.ts';
import { type ConnectionBody, hostShard, ipShard, type JoinedBody, type ProcessBody } from '../join/facts.ts';
import { currentJoins } from '../join/learner.ts';
import type { Fact, FactKind, Store } from '../store/store.ts';

const HOUR = 3_600_000_000;
const DAY = 24 * HOUR;
/** Facts read for one host and day, of each kind. */
const MAX_FACTS = 10_000;
/** Addresses of one host on one day whose connections are counted. */
const MAX_ADDRESSES = 16;

/** What one host showed in one hour, and so what could not have been seen in it. */
export interface HostHour {
  readonly host: string;
  /** As a feed wrote it. */
  name?: string;
  /** Start, microseconds since 1970 UTC, by each source's own clock. */
  readonly hour: number;
  /** Facts of processes, look-ups and staging. */
  events: number;
  connections: number;
  lookUps: number;
  archives: number;
  archivesSized: number;
  processes: number;
  /** Processes whose signature the feed knows. */
  processesSigned: number;
  flows: number;
  flowsWithoutProcess: number;
  flowsWithoutName: number;
  flowsWithEch: number;
  /** Bytes acknowledged on the wire that the sensor did not capture. */
  missedBytes: number;
  /** The feed said that it lost events. */
  gaps: number;
  readonly clock: HostClock;
}

/** The coverage ledger of these hosts, or of every host, by host and hour, one host at a time. Hours without any fact have no line. */
export async function* coverageOf(
  store: Store,
  from: number,
  to: number,
  hosts?: readonly string[],
): AsyncGenerator<readonly HostHour[]> {
  const clocks = new HostClocks(store);
  for (const host of hosts ?? (await hostsIn(store))) {
    const days: HostHour[] = [];
    for (let day = Math.floor(from / DAY) * DAY; day <= to; day += DAY) {
      const hours = await hostDay(store, clocks, host, Math.max(from, day), Math.min(to, day + DAY - 1));
      days.push(...hours);
    }
    yield days;
  }
}

/** First and last time that any host has a fact of; undefined when there is none. */
export async function spanOf(store: Store): Promise<{ readonly from: number; readonly to: number } | undefined> {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const host of await hostsIn(store)) {
    for (const kind of ['process', 'joined'] as const) {
      const facts = await store.between(hostShard(host), kind, 0, Number.MAX_SAFE_INTEGER, MAX_FACTS);
      for (const { at } of facts) [from, to] = [Math.min(from, at), Math.max(to, at)];
    }
  }
  return from <= to ? { from, to } : undefined;
}

export async function hostsIn(store: Store): Promise<string[]> {
  const hosts = new Set<string>();
  for (const kind of ['process', 'joined'] as const) {
    for await (const shard of store.shards(kind)) if (shard.startsWith('host:')) hosts.add(shard.slice(5));
  }
  return [...hosts].sort();
}

async function hostDay(store: Store, clocks: HostClocks, host: string, from: number, to: number): Promise<HostHour[]> {
  const clock = await clocks.of(host, from);
  const hours = new Map<number, HostHour>();
  const at = (fact: Fact): HostHour => {
    const hour = Math.floor(fact.at / HOUR) * HOUR;
    const known = hours.get(hour) ?? emptyHour(host, hour, clock);
    hours.set(hour, known);
    return known;
  };
  const read = (kind: FactKind): Promise<Fact[]> => store.between(hostShard(host), kind, from, to, MAX_FACTS);
  for (const fact of await read('process')) addProcess(at(fact), (fact.body as ProcessBody).process);
  for (const fact of await read('dns')) {
    at(fact).lookUps++;
    at(fact).events++;
  }
  for (const fact of await read('staging')) addStaging(at(fact), fact.body as StagingFact);
  for (const fact of await read('gap')) at(fact).gaps++;
  const joined = await currentJoins(clocks, host, await read('joined'));
  for (const fact of joined) addFlow(at(fact), fact.body as JoinedBody);
  const addresses = new Set(joined.map((fact) => (fact.body as JoinedBody).record.source.ip));
  for (const ip of [...addresses].slice(0, MAX_ADDRESSES)) {
    for (const fact of await store.between(ipShard(ip), 'connection', from, to, MAX_FACTS)) {
      if ((fact.body as ConnectionBody).host.id === host) at(fact).connections++;
    }
  }
  return [...hours.values()].sort((a, b) => a.hour - b.hour);
}

const emptyHour = (host: string, hour: number, clock: HostClock): HostHour => ({
  host,
  hour,
  events: 0,
  connections: 0,
  lookUps: 0,
  archives: 0,
  archivesSized: 0,
  processes: 0,
  processesSigned: 0,
  flows: 0,
  flowsWithoutProcess: 0,
  flowsWithoutName: 0,
  flowsWithEch: 0,
  missedBytes: 0,
  gaps: 0,
  clock,
});

function addProcess(hour: HostHour, { signatureStatus }: ProcessRef): void {
  hour.events++;
  hour.processes++;
  if (signatureStatus !== undefined && signatureStatus !== 'unknown') hour.processesSigned++;
}

function addStaging(hour: HostHour, { kind, archive }: StagingFact): void {
  hour.events++;
  if (kind !== 'archive-write') return;
  hour.archives++;
  if (archive?.size !== undefined) hour.archivesSized++;
}

function addFlow(hour: HostHour, { record, join }: JoinedBody): void {
  hour.flows++;
  if (join.host?.name !== undefined) hour.name = join.host.name;
  if (!join.process) hour.flowsWithoutProcess++;
  if (record.destination.domain === undefined) hour.flowsWithoutName++;
  if (record.tls?.client?.ech === 'outer') hour.flowsWithEch++;
  hour.missedBytes += record.waybill.missed_bytes ?? 0;
}

/** What could not have been seen in this hour, one sentence each; none when nothing was missing. */
export function blindSpots(hour: HostHour): string[] {
  const spots: string[] = [];
  if (hour.events + hour.connections === 0) spots.push('no endpoint events');
  else {
    if (hour.connections === 0) spots.push('no connection events');
    if (hour.lookUps === 0) spots.push('no look-ups');
    if (hour.archives > hour.archivesSized) spots.push(`${hour.archives - hour.archivesSized} archives without size`);
    if (hour.processes > 0 && hour.processesSigned === 0) spots.push('no signatures');
  }
  if (hour.flows === 0) spots.push('no flows');
  if (hour.flowsWithoutProcess > 0) spots.push(`${hour.flowsWithoutProcess} flows without process`);
  if (hour.flowsWithoutName > 0) spots.push(`${hour.flowsWithoutName} flows without name`);
  if (hour.flowsWithEch > 0) spots.push(`${hour.flowsWithEch} flows with ECH`);
  if (hour.missedBytes > 0) spots.push(`${hour.missedBytes} bytes not captured`);
  if (hour.gaps > 0) spots.push(`the feed lost events (${hour.gaps} times)`);
  if (hour.clock.state === 'beyond') spots.push('clock wrong beyond correction');
  return spots;
}
