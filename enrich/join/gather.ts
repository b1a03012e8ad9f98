import { parseMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { ProcessRef } from '../event/endpoint-event.ts';
import type { Fact, Store } from '../store/store.ts';
import { greetingKey, type HostClock, type HostClocks, matchFact, UNKNOWN_CLOCK } from './clock.ts';
import {
  type ConnectionBody,
  flowVersion,
  hostShard,
  indexKey,
  ipShard,
  type JoinedBody,
  type LeaseBody,
  programKey,
  startedKey,
} from './facts.ts';
import { ADDRESS_WINDOW, type Candidate, hostAt, type JoinEvidence, type JoinResult, joinFlow } from './join-flow.ts';
import { lineage, type ProcessFacts, type ProcessInfo, resolve, shifted } from './lineage.ts';
import { tupleKey } from './tuple.ts';
import { lookUpKey, NO_WEAK_EVIDENCE, weakEvidence } from './weak-evidence.ts';

const DAY = 86_400_000_000;
/** Facts read for one rung of the ladder. */
const MAX_FACTS = 64;
/** Facts read of one process. */
const MAX_PROCESS_FACTS = 32;
/** The low digits of a joined fact's version: how much evidence the join has seen, the upper half with an exact match. */
const EVIDENCE_STEPS = 1024;
const EXACT_FROM = EVIDENCE_STEPS / 2;

export interface Joining {
  readonly join: JoinResult;
  /** How much evidence was considered: more facts give a higher number, an exact match a higher one than none. */
  readonly seen: number;
  /** What the flow teaches of its host. */
  readonly match: Fact | undefined;
  /** Hosts that claim the flow's address, or its connection. */
  readonly claimants: readonly string[];
}

/** Joins a flow with what the store knows now. */
export async function joinFromStore(store: Store, clocks: HostClocks, record: FlowRecord): Promise<Joining> {
  const start = parseMicros(record.event.start) ?? 0;
  const shard = ipShard(record.source.ip);
  const transport = record.network.transport;
  const tuple = await store.find(
    shard,
    'connection',
    tupleKey(transport, record.source, record.destination),
    MAX_FACTS,
  );
  const leases = await store.between(shard, 'lease', start - ADDRESS_WINDOW, start + ADDRESS_WINDOW, MAX_FACTS);
  const hostId = hostAt(leases, start)?.id ?? (tuple[0]?.body as ConnectionBody | undefined)?.host.id;
  const clock = hostId === undefined ? UNKNOWN_CLOCK : await clocks.of(hostId, start);
  let evidence: JoinEvidence = { tuple, leases, ...NO_WEAK_EVIDENCE };
  let join = joinFlow(record, evidence, clock);
  let considered = tuple.length + leases.length;
  const exact = join.method !== 'none' && join.method !== 'clock';
  if (!exact) {
    const weak = await weakEvidence(store, record, hostId, start, clock.offset);
    considered += weak.considered;
    evidence = { ...evidence, ...weak.evidence };
    join = joinFlow(record, evidence, clock);
  }
  return {
    join,
    seen: (exact ? EXACT_FROM : 0) + Math.min(considered, EXACT_FROM - 1),
    match: matchFact(record, tuple),
    claimants: claimants(tuple, leases),
  };
}

function claimants(tuple: readonly Fact[], leases: readonly Fact[]): string[] {
  const hosts = [...tuple, ...leases].map((fact) => (fact.body as ConnectionBody | LeaseBody).host.id);
  return [...new Set(hosts)].sort();
}

/**
 * The joined flow as a fact of its host; undefined while no host is known.
 * @param clock of that host
 * @param drill id of the drill it is part of; its bytes are nobody's usual volume, so that no program is named in its keys
 */
export function joinedFact(
  record: FlowRecord,
  { join, seen }: Pick<Joining, 'join' | 'seen'>,
  clock: HostClock,
  drill?: string,
): Fact | undefined {
  if (!join.host) return undefined;
  return {
    shard: hostShard(join.host.id),
    kind: 'joined',
    id: joinedId(record, clock),
    at: parseMicros(record.event.start) ?? 0,
    keys: [
      ...new Set([
        ...(seen >= EXACT_FROM ? [] : weakKeys(record, join)),
        ...(drill === undefined ? programKeys(record, join) : []),
      ]),
    ],
    version: flowVersion(record) * EVIDENCE_STEPS + seen,
    body: { record, join, ...(drill === undefined ? {} : { drill }) } satisfies JoinedBody,
  };
}

/** By these, what a program sent on the days before is found again, and the flows of a process that is told of late. */
function programKeys(record: FlowRecord, { process }: JoinResult): string[] {
  const day = Math.floor((parseMicros(record.event.start) ?? 0) / DAY);
  if (process === undefined) return [];
  const own = process.entityKind === 'vendor' || process.pid === undefined;
  return [
    own ? indexKey('entity', process.entityId) : `pid:${process.pid}`,
    ...(process.image === undefined ? [] : [programKey(process.image, day)]),
  ];
}

/** By these, late look-ups, matches and ends of processes find the flows whose join they may change. */
function weakKeys(record: FlowRecord, join: JoinResult): string[] {
  const ja4 = record.tls?.client?.ja4;
  return [
    lookUpKey(record),
    ...(ja4 === undefined ? [] : [indexKey('ja4', ja4), greetingKey(record, ja4)]),
    ...join.candidates.map((candidate) => indexKey('entity', candidate.process.entityId)),
    ...(join.candidates.length === 1 ? startedKeys(join.candidates[0]!) : []),
  ];
}

const startedKeys = ({ process: { image } }: Candidate): string[] => (image === undefined ? [] : [startedKey(image)]);

/** One fact for each offset that the clock was thought to have: readers take the one that holds now. */
export function joinedId(record: FlowRecord, clock: HostClock): string {
  const flow = record.waybill.flow_id;
  if (clock.state === 'beyond') return `${flow}@beyond`;
  return clock.offset === 0 ? flow : `${flow}@${clock.offset}`;
}

/** Takes a joined flow away from a host that does not have it any more. */
export function movedFact(joined: Fact, hostId: string): Fact {
  return { ...joined, shard: hostShard(hostId), body: { ...(joined.body as JoinedBody), moved: true } };
}

/** Hosts whose processes are remembered at a time. */
const MAX_HOSTS = 2_000;

/** The processes of the hosts whose flows are at hand. */
export class HostViews {
  private readonly store: Store;
  private readonly clocks: HostClocks;
  private readonly hosts = new Map<string, HostProcesses>();

  constructor(store: Store, clocks: HostClocks) {
    this.store = store;
    this.clocks = clocks;
  }

  of(hostId: string): HostProcesses {
    let processes = this.hosts.get(hostId);
    if (!processes) {
      processes = new HostProcesses(this.store, this.clocks, hostId);
      if (this.hosts.size >= MAX_HOSTS) this.hosts.clear();
      this.hosts.set(hostId, processes);
    }
    return processes;
  }

  /** A new round: there may be new events. */
  doubt(): void {
    this.hosts.clear();
  }
}

/** Process look-ups on one host, each asked once. Times asked and given are the sensor's. */
export class HostProcesses implements ProcessFacts {
  private readonly store: Store;
  private readonly clocks: HostClocks;
  private readonly hostId: string;
  private readonly cache = new Map<string, Promise<readonly Fact[]>>();
  private readonly chains = new Map<string, Promise<ProcessInfo[]>>();

  constructor(store: Store, clocks: HostClocks, hostId: string) {
    this.store = store;
    this.clocks = clocks;
    this.hostId = hostId;
  }

  byEntity(entityId: string): Promise<readonly Fact[]> {
    return this.find(indexKey('entity', entityId));
  }

  byPid(pid: number): Promise<readonly Fact[]> {
    return this.find(`pid:${pid}`);
  }

  /** Process facts with an index key of facts.ts. */
  byKey(key: string): Promise<readonly Fact[]> {
    return this.find(key);
  }

  /** The process of a flow and its ancestors, nearest first; undefined when the join names none. */
  async chainOf({ process }: Pick<JoinResult, 'process'>, at: number): Promise<ProcessInfo[] | undefined> {
    if (!process) return undefined;
    const { offset } = await this.clocks.of(this.hostId, at);
    if (process.entityKind !== 'vendor') return this.chainAt(process, at, offset);
    // An entity stands for one process whatever the time.
    const key = `${offset} ${JSON.stringify(process)}`;
    let chain = this.chains.get(key);
    if (!chain) {
      chain = this.chainAt(process, at, offset);
      this.chains.set(key, chain);
    }
    return chain;
  }

  private async chainAt(process: ProcessRef, at: number, offset: number): Promise<ProcessInfo[]> {
    const chain = await lineage(await resolve(process, at + offset, this), this);
    return chain.map((info) => shifted(info, offset));
  }

  private find(key: string): Promise<readonly Fact[]> {
    let found = this.cache.get(key);
    if (!found) {
      found = this.store.find(hostShard(this.hostId), 'process', key, MAX_PROCESS_FACTS);
      this.cache.set(key, found);
    }
    return found;
  }
}
