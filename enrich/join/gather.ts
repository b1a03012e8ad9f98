import { parseMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { Fact, Store } from '../store/store.ts';
import { type DnsBody, flowVersion, hostShard, indexKey, ipShard, type JoinedBody } from './facts.ts';
import { ADDRESS_WINDOW, DNS_WINDOW, hostAt, type JoinResult, joinFlow } from './join-flow.ts';
import { lineage, type ProcessFacts, type ProcessInfo, resolve } from './lineage.ts';
import { remoteKey, tupleKey } from './tuple.ts';

/** Facts read for one rung of the ladder. */
const MAX_FACTS = 64;
/** Facts read of one process. */
const MAX_PROCESS_FACTS = 32;
/** The low digits of a joined fact's version: how much evidence the join has seen. */
const EVIDENCE_STEPS = 1024;

/** Joins a flow with what the store knows now. `seen` counts the facts considered: it only grows. */
export async function joinFromStore(store: Store, record: FlowRecord): Promise<{ join: JoinResult; seen: number }> {
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
  let remote: Fact[] = [];
  let dns: Fact[] = [];
  let join = joinFlow(record, { tuple, remote, leases, dns });
  if (join.method === 'none') {
    remote = await store.find(shard, 'connection', remoteKey(transport, record.destination), MAX_FACTS);
    const host = hostAt(leases, start);
    if (host) dns = await lookUps(store, host.id, record, start);
    join = joinFlow(record, { tuple, remote, leases, dns });
  }
  return { join, seen: tuple.length + leases.length + remote.length + dns.length };
}

/** Look-ups of the flow's name on its host; of its address only when the flow has no name. */
async function lookUps(store: Store, hostId: string, record: FlowRecord, start: number): Promise<Fact[]> {
  const name = record.destination.domain;
  const key = name === undefined ? indexKey('ip', record.destination.ip) : indexKey('name', name);
  const facts = await store.find(hostShard(hostId), 'dns', key, MAX_FACTS);
  return facts.filter((f) => f.at > start - DNS_WINDOW * 2 && f.at < start + DNS_WINDOW && !isResolver(f));
}

/** The DNS client service asks for everybody: its look-ups name no process. */
function isResolver(fact: Fact): boolean {
  return /[\\/](svchost|dnscache)\.exe$/i.test((fact.body as DnsBody).process.image ?? '');
}

/** The joined flow as a fact of its host; undefined while no host is known. */
export function joinedFact(record: FlowRecord, join: JoinResult, seen: number): Fact | undefined {
  if (!join.host) return undefined;
  return {
    shard: hostShard(join.host.id),
    kind: 'joined',
    id: record.waybill.flow_id,
    at: parseMicros(record.event.start) ?? 0,
    keys: [],
    version: flowVersion(record) * EVIDENCE_STEPS + Math.min(seen, EVIDENCE_STEPS - 1),
    body: { record, join } satisfies JoinedBody,
  };
}

/** Process look-ups on one host, each asked once. */
export class HostProcesses implements ProcessFacts {
  private readonly store: Store;
  private readonly shard: string;
  private readonly cache = new Map<string, Promise<readonly Fact[]>>();

  constructor(store: Store, hostId: string) {
    this.store = store;
    this.shard = hostShard(hostId);
  }

  byEntity(entityId: string): Promise<readonly Fact[]> {
    return this.find(indexKey('entity', entityId));
  }

  byPid(pid: number): Promise<readonly Fact[]> {
    return this.find(`pid:${pid}`);
  }

  /** The process of a flow and its ancestors, nearest first; undefined when the join names none. */
  async chainOf(join: JoinResult, at: number): Promise<ProcessInfo[] | undefined> {
    if (!join.process) return undefined;
    return lineage(await resolve(join.process, at, this), this);
  }

  private find(key: string): Promise<readonly Fact[]> {
    let found = this.cache.get(key);
    if (!found) {
      found = this.store.find(this.shard, 'process', key, MAX_PROCESS_FACTS);
      this.cache.set(key, found);
    }
    return found;
  }
}
