import { formatMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { JoinedBody } from '../join/facts.ts';
import type { Store } from '../store/store.ts';

/** Hosts that are looked at; more are named as left out. */
export const MAX_HOSTS = 1_000;
/** Joined flows read in one look, all hosts together, and of one host at least and at most. */
export const MAX_FLOWS = 20_000;
const LEAST_OF_ONE = 20;
const MOST_OF_ONE = 2_000;
/** Destinations and fingerprints kept apart; hosts, programs and destinations counted for each of them. */
const MAX_GROUPS = 5_000;
const MAX_MEMBERS = 1_000;
/** How long a look is good for, milliseconds. */
const GOOD_MILLIS = 10_000;
const ALWAYS = Number.MAX_SAFE_INTEGER;

export interface SeenHost {
  readonly id: string;
  readonly name: string;
  readonly ips: readonly string[];
  readonly flows: number;
  readonly looked: number;
  readonly named: number;
  readonly processEvents: number;
  readonly staging: number;
  readonly gaps: number;
  /** Microseconds; undefined when there is none. */
  readonly lastFlow: number | undefined;
  readonly lastEvent: number | undefined;
}

/** Flows that have something in common. */
export interface Gathered {
  readonly hosts: Set<string>;
  readonly destinations: Set<string>;
  /** Flows by image of the process that opened them. */
  readonly programs: Map<string, number>;
  unnamed: number;
  flows: number;
  bytesOut: number;
  bytesIn: number;
  first: number;
  last: number;
}

export interface Traffic {
  readonly hosts: readonly SeenHost[];
  readonly destinations: ReadonlyMap<string, Gathered>;
  readonly fingerprints: ReadonlyMap<string, Gathered>;
  /** What was left out, when something was. */
  readonly capped: string | undefined;
}

/** Reads what hosts did from their joined flows, at most so often and so much. Requests at one time share a look. */
export class TrafficScan {
  private readonly store: Store;
  private readonly now: () => number;
  private look: Promise<Traffic> | undefined;
  private lookedAt = Number.NEGATIVE_INFINITY;

  /** @param now a clock that never goes back, milliseconds */
  constructor(store: Store, now: () => number) {
    this.store = store;
    this.now = now;
  }

  traffic(): Promise<Traffic> {
    if (this.look && this.now() - this.lookedAt < GOOD_MILLIS) return this.look;
    this.lookedAt = this.now();
    const look = scan(this.store);
    this.look = look;
    look.catch(() => {
      if (this.look === look) this.look = undefined;
    });
    return look;
  }
}

async function scan(store: Store): Promise<Traffic> {
  const { shards, more } = await hostShards(store);
  const each = Math.min(MOST_OF_ONE, Math.max(LEAST_OF_ONE, Math.floor(MAX_FLOWS / Math.max(1, shards.length))));
  const hosts: SeenHost[] = [];
  const destinations = new Map<string, Gathered>();
  const fingerprints = new Map<string, Gathered>();
  let hasLeftFlows = false;
  for (const shard of shards) {
    const facts = await store.between(shard, 'joined', 0, ALWAYS, each);
    const bodies = facts.map((fact) => ({ at: fact.at, ...(fact.body as JoinedBody) })).filter((b) => b.moved !== true);
    for (const { record, join, at } of bodies) {
      const member = { host: shard, at, record, image: join.process?.image ?? join.process?.originalName };
      const name = destinationName(record);
      gather(destinations, name, member);
      const ja4 = record.tls?.client?.ja4;
      if (ja4 !== undefined) gather(fingerprints, ja4, member);
    }
    const host = await seenHost(store, shard, bodies);
    hasLeftFlows ||= host.flows > facts.length;
    hosts.push(host);
  }
  const left = [
    ...(more ? [`The first ${MAX_HOSTS} hosts are shown.`] : []),
    ...(hasLeftFlows ? [`Of each host the newest ${each} flows were looked at.`] : []),
  ];
  return { hosts, destinations, fingerprints, capped: left.length > 0 ? left.join(' ') : undefined };
}

/** Hosts with joined flows or process events, in order, as far as the cap. */
export async function hostShards(store: Store): Promise<{ shards: string[]; more: boolean }> {
  const found = new Set<string>();
  for (const kind of ['joined', 'process'] as const) {
    for await (const shard of store.shards(kind)) {
      if (!shard.startsWith('host:') || found.has(shard)) continue;
      if (found.size >= MAX_HOSTS) return { shards: [...found].sort(), more: true };
      found.add(shard);
    }
  }
  return { shards: [...found].sort(), more: false };
}

async function seenHost(
  store: Store,
  shard: string,
  bodies: readonly (JoinedBody & { at: number })[],
): Promise<SeenHost> {
  const [flows, processEvents, staging, gaps, newest] = await Promise.all([
    store.count(shard, 'joined', 0, ALWAYS),
    store.count(shard, 'process', 0, ALWAYS),
    store.count(shard, 'staging', 0, ALWAYS),
    store.count(shard, 'gap', 0, ALWAYS),
    store.between(shard, 'process', 0, ALWAYS, 1),
  ]);
  const last = bodies.at(-1);
  const id = shard.slice('host:'.length);
  return {
    id,
    name: last?.join.host?.name ?? id,
    ips: [...new Set(bodies.map((b) => b.record.source.ip))].slice(0, 8),
    flows,
    looked: bodies.length,
    named: bodies.filter((b) => b.join.process !== undefined).length,
    processEvents,
    staging,
    gaps,
    lastFlow: last?.at,
    lastEvent: newest[0]?.at,
  };
}

interface Member {
  readonly host: string;
  readonly at: number;
  readonly record: FlowRecord;
  readonly image: string | undefined;
}

function gather(groups: Map<string, Gathered>, key: string, { host, at, record, image }: Member): void {
  let group = groups.get(key);
  if (!group) {
    if (groups.size >= MAX_GROUPS) return;
    group = newGroup();
    groups.set(key, group);
  }
  group.flows++;
  group.bytesOut += record.source.bytes;
  group.bytesIn += record.destination.bytes;
  group.first = Math.min(group.first, at);
  group.last = Math.max(group.last, at);
  addCapped(group.hosts, host);
  addCapped(group.destinations, destinationName(record));
  if (image === undefined) group.unnamed++;
  else if (group.programs.has(image) || group.programs.size < MAX_MEMBERS) {
    group.programs.set(image, (group.programs.get(image) ?? 0) + 1);
  }
}

function newGroup(): Gathered {
  const nothing = { unnamed: 0, flows: 0, bytesOut: 0, bytesIn: 0, first: ALWAYS, last: 0 };
  return { hosts: new Set(), destinations: new Set(), programs: new Map(), ...nothing };
}

function addCapped(set: Set<string>, value: string): void {
  if (set.size < MAX_MEMBERS) set.add(value);
}

const destinationName = (record: FlowRecord): string => record.destination.domain ?? record.destination.ip;

export const isoOf = (micros: number | undefined): string | undefined =>
  micros === undefined ? undefined : formatMicros(micros);
