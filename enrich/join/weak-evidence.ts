/** What the rungs of the ladder below the exact match rest on. */
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { ProcessRef } from '../event/endpoint-event.ts';
import type { Fact, FactQuery, Store } from '../store/store.ts';
import { CLOCK_LIMIT, currentMatches, greetingKey, type MatchBody } from './clock.ts';
import {
  type ConnectionBody,
  type DnsBody,
  hostShard,
  indexKey,
  ipShard,
  type ProcessBody,
  startedKey,
} from './facts.ts';
import { DNS_WINDOW, type JoinEvidence } from './join-flow.ts';
import { remoteKey } from './tuple.ts';

const DAY = 86_400_000_000;
/** Facts read for one rung of the ladder. */
const MAX_FACTS = 64;
/** Programs of one remote port whose starts are looked at. */
const MAX_OWNERS = 8;
/** A process may be told of this much after its first connection. Microseconds. */
const START_SLACK = 2_000_000;
/** Facts read of one process. */
const MAX_PROCESS_FACTS = 32;
/** A process may outlive its end record, or its event may come late, by this much. Microseconds. */
const END_SLACK = 5_000_000;

export const NO_WEAK_EVIDENCE = { remote: [], dns: [], ja4: [], greeted: [], started: [] } as const;

export interface WeakEvidence {
  readonly evidence: Omit<JoinEvidence, 'tuple' | 'leases'>;
  /** Facts looked at, and again those that an end record rules out: a number that only grows. */
  readonly considered: number;
}

/** Connection facts from the address of each flow to its remote end; flows of one program have both in common. */
export async function remotesOf(store: Store, records: readonly FlowRecord[]): Promise<Fact[][]> {
  const asked = new Map<string, FactQuery>();
  const names = records.map(({ network, source, destination }) => {
    const [shard, key] = [ipShard(source.ip), remoteKey(network.transport, destination)];
    const name = `${shard} ${key}`;
    if (!asked.has(name)) asked.set(name, { shard, kind: 'connection', key, limit: MAX_FACTS });
    return name;
  });
  const answers = await store.query([...asked.values()]);
  const found = new Map([...asked.keys()].map((name, i) => [name, answers[i]!]));
  return names.map((name) => found.get(name)!);
}

/**
 * What the rungs below the exact match rest on; processes that had ended by then are left out.
 * @param remote of the flow, as `remotesOf` gives them
 * @param start of the flow, and what the host's clock is ahead of the sensor's: microseconds
 */
export async function weakEvidence(
  store: Store,
  record: FlowRecord,
  remote: readonly Fact[],
  { hostId, start, offset }: { readonly hostId: string | undefined; readonly start: number; readonly offset: number },
): Promise<WeakEvidence> {
  if (hostId === undefined) return { evidence: { ...NO_WEAK_EVIDENCE, remote }, considered: remote.length };
  const shard = hostShard(hostId);
  const fingerprint = record.tls?.client?.ja4;
  const dns = await lookUps(store, hostId, record, start);
  const matches = (key: string) => store.find(shard, 'match', key, MAX_FACTS);
  const ja4 = fingerprint === undefined ? [] : await matches(indexKey('ja4', fingerprint));
  const greeted = fingerprint === undefined ? [] : await matches(greetingKey(record, fingerprint));
  // Whether there are others of its kind matters only where something besides the remote port speaks for an owner.
  const hinted = remote.length > 0 && dns.length + greeted.length > 0;
  const started = hinted ? await startsOf(store, hostId, remote, start + offset) : [];
  const ended = new Set<Fact>();
  await Promise.all(
    [...remote, ...dns, ...ja4, ...greeted, ...started].map(async (fact) => {
      if (await hasEnded(store, hostId, processOf(fact), start + offset)) ended.add(fact);
    }),
  );
  const alive = (facts: readonly Fact[]): Fact[] => facts.filter((fact) => !ended.has(fact));
  return {
    evidence: {
      remote: alive(remote),
      dns: alive(dns),
      ja4: currentMatches(alive(ja4)),
      greeted: currentMatches(alive(greeted)),
      started: alive(started),
    },
    considered: remote.length + dns.length + ja4.length + greeted.length + started.length + ended.size,
  };
}

/**
 * Starts in the day before of the programs that own a remote port, the owners' own left out.
 * @param at by the host's clock
 */
async function startsOf(store: Store, hostId: string, remote: readonly Fact[], at: number): Promise<Fact[]> {
  const images = new Set(remote.flatMap((fact) => processOf(fact)?.image ?? []));
  const owners = new Set(remote.flatMap((fact) => processOf(fact)?.entityId ?? []));
  const found = await Promise.all(
    [...images]
      .sort()
      .slice(0, MAX_OWNERS)
      .map((image) => store.find(hostShard(hostId), 'process', startedKey(image), MAX_FACTS)),
  );
  return found
    .flat()
    .filter((fact) => fact.at <= at + START_SLACK && fact.at >= at - DAY && !owners.has(processOf(fact)!.entityId));
}

const processOf = (fact: Fact): ProcessRef | undefined => (fact.body as ConnectionBody | DnsBody | MatchBody).process;

/** Pids are used again within a minute, and so are names: a process that had ended did not open the flow. */
async function hasEnded(store: Store, hostId: string, process: ProcessRef | undefined, at: number): Promise<boolean> {
  if (process === undefined || process.entityKind === 'none' || process.entityKind === 'pid-only') return false;
  const facts = await store.find(hostShard(hostId), 'process', indexKey('entity', process.entityId), MAX_PROCESS_FACTS);
  return facts.some((fact) => (fact.body as ProcessBody).kind === 'end' && fact.at + END_SLACK < at);
}

/** Look-ups of the flow's name on its host; of its address only when the flow has no name. */
async function lookUps(store: Store, hostId: string, record: FlowRecord, start: number): Promise<Fact[]> {
  const facts = await store.find(hostShard(hostId), 'dns', lookUpKey(record), MAX_FACTS);
  const slack = DNS_WINDOW + CLOCK_LIMIT;
  return facts.filter((f) => f.at > start - slack && f.at < start + slack && !isResolver(f));
}

/** Key of the look-ups that may explain a flow. */
export function lookUpKey(record: FlowRecord): string {
  const name = record.destination.domain;
  return name === undefined ? indexKey('ip', record.destination.ip) : indexKey('name', name);
}

/** The DNS client service asks for everybody: its look-ups name no process. */
function isResolver(fact: Fact): boolean {
  return /[\\/](svchost|dnscache)\.exe$/i.test((fact.body as DnsBody).process.image ?? '');
}
