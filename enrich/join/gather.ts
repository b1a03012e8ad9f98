import { parseMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { ProcessRef } from '../event/endpoint-event.ts';
import type { Fact, Store } from '../store/store.ts';
import { type Asked, factsAround, MAX_FACTS } from './around.ts';
import { CLOCK_SEARCH, type HostClock, type HostClocks } from './clock.ts';
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
  unexplainedFacts,
} from './facts.ts';
import {
  ADDRESS_WINDOW,
  type Candidate,
  hostAt,
  type JoinEvidence,
  type JoinMethod,
  type JoinResult,
  joinFlow,
} from './join-flow.ts';
import { lineage, type ProcessFacts, type ProcessInfo, resolve, shifted } from './lineage.ts';
import { tupleKey } from './tuple.ts';
import { NO_WEAK_EVIDENCE, type Unexplained, weakEvidence } from './weak-evidence.ts';

const DAY = 86_400_000_000;
/** Facts read of one process. */
const MAX_PROCESS_FACTS = 32;
/** Leases of an address read at once for the flows of some hours. */
const SHARED_LEASES = 10_000;
/** The low digits of a joined fact's version: how much evidence the join has seen, the upper half with an exact match. */
const EVIDENCE_STEPS = 1024;
const EXACT_FROM = EVIDENCE_STEPS / 2;

/** Methods that rest on no event of the very connection. */
const INEXACT: ReadonlySet<JoinMethod> = new Set(['none', 'clock', 'shared', 'translated']);

export interface Joining {
  readonly join: JoinResult;
  /** How much evidence was considered: more facts give a higher number, an exact match a higher one than none. */
  readonly seen: number;
  /** Hosts that claim the flow's address, or its connection. */
  readonly claimants: readonly string[];
}

/** Connection facts with the 5-tuple of each flow, as far from it as the clocks may differ. */
export function tuplesOf(store: Store, records: readonly FlowRecord[]): Promise<Fact[][]> {
  return store.query(
    records.map(({ network, source, destination, event }) => ({
      shard: ipShard(source.ip),
      kind: 'connection',
      key: tupleKey(network.transport, source, destination),
      from: (parseMicros(event.start) ?? 0) - CLOCK_SEARCH,
      to: (parseMicros(event.end) ?? 0) + CLOCK_SEARCH,
      limit: MAX_FACTS,
    })),
  );
}

/**
 * Joins flows with what the store knows now.
 * @param tuples of each flow, as `tuplesOf` gives them
 */
export async function joinFromStore(
  store: Store,
  clocks: HostClocks,
  records: readonly FlowRecord[],
  tuples: readonly (readonly Fact[])[],
): Promise<Joining[]> {
  const starts = records.map(startOf);
  const leases = await leasesOf(store, records, starts);
  const hostIds = records.map(
    (_, i) => hostAt(leases[i]!, starts[i]!)?.id ?? (tuples[i]![0]?.body as ConnectionBody | undefined)?.host.id,
  );
  const known = await clocks.ofAll(hostIds, starts);
  const joinings = records.map((record, i): Joining | undefined => {
    const evidence = { tuple: tuples[i]!, leases: leases[i]!, ...NO_WEAK_EVIDENCE };
    const join = joinFlow(record, evidence, known[i]!);
    return !INEXACT.has(join.method) ? joining(join, evidence, EXACT_FROM + evidenceCount(evidence, 0)) : undefined;
  });
  const unexplained = [...joinings.keys()].filter((i) => joinings[i] === undefined);
  const flows = unexplained.map((i): Unexplained => {
    return { record: records[i]!, hostId: hostIds[i], start: starts[i]!, offset: known[i]!.offset };
  });
  // Before anything else is read of them: what comes from now on must find them.
  await store.put(flows.flatMap(({ record, hostId }) => unexplainedFacts(record, hostId)));
  const found = await weakEvidence(store, flows);
  for (const [n, i] of unexplained.entries()) {
    const weak = found[n]!;
    const evidence = { tuple: tuples[i]!, leases: leases[i]!, ...weak.evidence };
    const join = joinFlow(records[i]!, evidence, known[i]!);
    joinings[i] = joining(join, evidence, evidenceCount(evidence, weak.considered));
  }
  return joinings.map((each) => each!);
}

const joining = (join: JoinResult, { tuple, leases, remote }: JoinEvidence, seen: number): Joining => ({
  join,
  seen,
  claimants: claimants(tuple, leases, remote),
});

/** An event of the very connection says who made the flow. */
export const isExplained = ({ seen }: Pick<Joining, 'seen'>): boolean => seen >= EXACT_FROM;

const evidenceCount = ({ tuple, leases }: JoinEvidence, weak: number): number =>
  Math.min(tuple.length + leases.length + weak, EXACT_FROM - 1);

const startOf = ({ event }: FlowRecord): number => parseMicros(event.start) ?? 0;

/** Leases of the source address of each flow, about its start. */
function leasesOf(store: Store, records: readonly FlowRecord[], starts: readonly number[]): Promise<Fact[][]> {
  const asked = records.map(({ source }, i): Asked => {
    const [from, to] = [starts[i]! - ADDRESS_WINDOW, starts[i]! + ADDRESS_WINDOW];
    return { shard: ipShard(source.ip), kind: 'lease', from, to };
  });
  return factsAround(store, asked, SHARED_LEASES);
}

function claimants(tuple: readonly Fact[], leases: readonly Fact[], remote: readonly Fact[]): string[] {
  const passed = remote.filter(({ body }) => (body as ConnectionBody).translated === true);
  const hosts = [...tuple, ...leases, ...passed].map((fact) => (fact.body as ConnectionBody | LeaseBody).host.id);
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
        ...(isExplained({ seen }) ? [] : weakKeys(join)),
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

/** By these, late starts and ends of processes find the flows whose join they may change. */
function weakKeys({ candidates }: JoinResult): string[] {
  return [
    ...candidates.map(({ process }) => indexKey('entity', process.entityId)),
    ...(candidates.length === 1 ? startedKeys(candidates[0]!) : []),
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

  /** Of each join the process and its ancestors, as `HostProcesses.chainOf` gives them; what many have is asked once. */
  async chainsOf(joins: readonly JoinResult[], times: readonly number[]): Promise<(ProcessInfo[] | undefined)[]> {
    const asked = new Map<string, Promise<ProcessInfo[] | undefined>>();
    const names = joins.map(({ host, process }, i) => {
      if (!host || !process) return undefined;
      const at = times[i]!;
      const time = process.entityKind === 'vendor' ? Math.floor(at / DAY) : at; // as far as time matters, with its clock
      const name = `${time} ${host.id} ${JSON.stringify(process)}`;
      if (!asked.has(name)) asked.set(name, this.of(host.id).chainOf({ process }, at));
      return name;
    });
    const chains = await Promise.all(asked.values());
    const known = new Map([...asked.keys()].map((name, i) => [name, chains[i]]));
    return names.map((name) => (name === undefined ? undefined : known.get(name)));
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
