import { parseMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { Fact, Store } from '../store/store.ts';
import { type Asked, factsAround, MAX_FACTS } from './around.ts';
import { CLOCK_SEARCH, type HostClocks } from './clock.ts';
import { type ConnectionBody, ipShard, type LeaseBody, unexplainedFacts } from './facts.ts';
import { ADDRESS_WINDOW, hostAt, type JoinEvidence, type JoinMethod, type JoinResult, joinFlow } from './join-flow.ts';
import { EXACT_FROM } from './joined-fact.ts';
import { tupleKey } from './tuple.ts';
import { NO_WEAK_EVIDENCE, type Unexplained, weakEvidence } from './weak-evidence.ts';

/** Leases of an address read at once for the flows of some hours. */
const SHARED_LEASES = 10_000;

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
