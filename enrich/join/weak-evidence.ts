/** What the rungs of the ladder below the exact match rest on. */
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { ProcessRef } from '../event/endpoint-event.ts';
import type { Fact, FactKind, Store } from '../store/store.ts';
import { type Asked, factsAround, MAX_FACTS } from './around.ts';
import { CLOCK_LIMIT } from './clock.ts';
import {
  type ConnectionBody,
  type DnsBody,
  greetingKey,
  hostShard,
  indexKey,
  ipShard,
  lookUpKey,
  type ProcessBody,
  startedKey,
} from './facts.ts';
import { firstOfHour, HELLO_HOUR, type HelloBody } from './hellos.ts';
import { JA4_WINDOW, type JoinEvidence, LOOK_UP_WINDOW, REMOTE_WINDOW } from './join-flow.ts';
import { remoteKey } from './tuple.ts';

const DAY = 86_400_000_000;
/** Facts read at once for the flows of some hours that ask the same. */
const SHARED_FACTS = 256;
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

/** A flow that no event of its very connection explains. */
export interface Unexplained {
  readonly record: FlowRecord;
  /** Who had its address. */
  readonly hostId: string | undefined;
  /** Microseconds since 1970 UTC, by the sensor's clock. */
  readonly start: number;
  /** What the host's clock is ahead of the sensor's, microseconds. */
  readonly offset: number;
}

/** What the rungs below the exact match rest on, for each flow; processes that had ended by then are left out. */
export async function weakEvidence(store: Store, flows: readonly Unexplained[]): Promise<WeakEvidence[]> {
  const asked = flows.map(questionsOf);
  const answers = await factsAround(store, asked.flat(), SHARED_FACTS);
  let last = 0;
  return Promise.all(
    flows.map((flow, i) => {
      const first = last;
      last += asked[i]!.length;
      return evidenceOf(store, flow, answers.slice(first, last));
    }),
  );
}

/**
 * Connections to the same remote end, before and after: of many those next before the flow say most. And of a known host the
 * look-ups, and the hellos that are the same, and those of them to the same name.
 */
function questionsOf({ record, hostId, start }: Unexplained): Asked[] {
  const about = (shard: string, kind: FactKind, key: string, window: number): Asked => {
    return { shard, kind, key, from: start - window, to: start + window };
  };
  const remote = remoteKey(record.network.transport, record.destination);
  const all = about(ipShard(record.source.ip), 'connection', remote, REMOTE_WINDOW);
  const now = start + CLOCK_LIMIT;
  const connections = [
    { ...all, to: now },
    { ...all, from: now + 1 },
  ];
  if (hostId === undefined) return connections;
  const shard = hostShard(hostId);
  const ja4 = record.tls?.client?.ja4;
  const hellos = ja4 === undefined ? [] : [indexKey('ja4', ja4), greetingKey(record, ja4)];
  return [
    ...connections,
    about(shard, 'dns', lookUpKey(record), LOOK_UP_WINDOW),
    ...hellos.map((key): Asked => ({ shard, kind: 'hello', key, ...hoursAbout(start) })),
  ];
}

/** Whole hours: what is the first of one does not depend on who asks. */
function hoursAbout(start: number): { readonly from: number; readonly to: number } {
  const [from, to] = [start - JA4_WINDOW, start + JA4_WINDOW].map((at) => Math.floor(at / HELLO_HOUR) * HELLO_HOUR);
  return { from: from!, to: to! + HELLO_HOUR - 1 };
}

async function evidenceOf(
  store: Store,
  { hostId, start, offset }: Unexplained,
  [before = [], after = [], lookUps = [], ja4 = [], greeted = []]: readonly Fact[][],
): Promise<WeakEvidence> {
  const remote = [...before, ...after];
  if (hostId === undefined) return { evidence: { ...NO_WEAK_EVIDENCE, remote }, considered: remote.length };
  const dns = lookUps.filter((fact) => !isResolver(fact));
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
      ja4: firstOfHour(alive(ja4)),
      greeted: firstOfHour(alive(greeted)),
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
  const span = { shard: hostShard(hostId), kind: 'process', from: at - DAY, to: at + START_SLACK } as const;
  const keys = [...images].sort().slice(0, MAX_OWNERS).map(startedKey);
  const found = await store.query(keys.map((key) => ({ ...span, key, limit: MAX_FACTS })));
  return found.flat().filter((fact) => !owners.has(processOf(fact)!.entityId));
}

const processOf = (fact: Fact): ProcessRef | undefined => (fact.body as ConnectionBody | DnsBody | HelloBody).process;

/** Pids are used again within a minute, and so are names: a process that had ended did not open the flow. */
async function hasEnded(store: Store, hostId: string, process: ProcessRef | undefined, at: number): Promise<boolean> {
  if (process === undefined || process.entityKind === 'none' || process.entityKind === 'pid-only') return false;
  const facts = await store.find(hostShard(hostId), 'process', indexKey('entity', process.entityId), MAX_PROCESS_FACTS);
  return facts.some((fact) => (fact.body as ProcessBody).kind === 'end' && fact.at + END_SLACK < at);
}

/** The DNS client service asks for everybody: its look-ups name no process. */
function isResolver(fact: Fact): boolean {
  return /[\\/](svchost|dnscache)\.exe$/i.test((fact.body as DnsBody).process.image ?? '');
}
