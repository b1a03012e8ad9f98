import { MICROS_PER_SECOND, parseMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { HostRef, ProcessRef } from '../event/endpoint-event.ts';
import type { Fact } from '../store/store.ts';
import { CLOCK_LIMIT, CLOCK_SEARCH, type HostClock, UNKNOWN_CLOCK } from './clock.ts';
import type { ConnectionBody, DnsBody, LeaseBody } from './facts.ts';
import type { HelloBody } from './hellos.ts';
import { LEASE_WINDOW, leaseOf, nearest, RIVAL_WINDOW, rank } from './lease.ts';
import { type HostChance, hostsOf, rivalHosts, throughTranslator } from './shared-address.ts';

const SECOND = MICROS_PER_SECOND;
/** A connection event of the same 5-tuple further than this from the flow is another use of the port, or a wrong clock. */
export const TUPLE_TOLERANCE = 600 * SECOND;
/** A program seen with a fingerprint is taken to be the one that shows it again for this long. */
export const JA4_WINDOW = 24 * 3600 * SECOND;
/** A look-up this long before the flow may explain it. */
const DNS_WINDOW = 300 * SECOND;
/** No look-up further than this from a flow explains it, whatever the host's clock. */
export const LOOK_UP_WINDOW = DNS_WINDOW + CLOCK_LIMIT;
/** No other connection further than this from a flow says who may have made it, whatever the host's clock. */
export const REMOTE_WINDOW = RIVAL_WINDOW + CLOCK_LIMIT;
/**
 * How long a sighting of an address at a host holds when nobody else claims it. A machine that runs is seen hourly; the
 * address of one that was away overnight may be anybody's, an unmanaged machine's too, which never claims it.
 */
export const ADDRESS_WINDOW = 8 * 3600 * SECOND;
/** Two candidates closer together than this cannot be told apart by time. */
const INDISTINCT = 5 * SECOND;
/** Candidates listed on a record. */
const MAX_CANDIDATES = 5;

/**
 * `clock`: an event of this 5-tuple exists, but so far from the flow in time that the host's clock or another use of the
 * port explains it; the candidate is listed, no process is named.
 * `translated`: a gateway's address; those behind it that talked to the same remote end are listed. `shared`: several hosts
 * claim the address. Neither names a process or a host.
 */
export type JoinMethod = 'tuple' | 'lease' | 'dns' | 'ja4' | 'ambiguous' | 'clock' | 'translated' | 'shared' | 'none';

export interface Candidate {
  readonly process: ProcessRef;
  readonly host: HostRef;
  readonly probability: number;
  readonly method: JoinMethod;
  /** Raw event that names the process. */
  readonly event: string;
  /** Event time minus flow start, the learned clock offset taken off, microseconds. */
  readonly offset: number;
}

export interface JoinResult {
  readonly host?: HostRef;
  /** Set only when one candidate is supported. */
  readonly process?: ProcessRef;
  readonly method: JoinMethod;
  /** Probability that `process` made the flow; 0 without one. */
  readonly probability: number;
  readonly candidates: readonly Candidate[];
  /** Where the address is not of one host: those that may have made the flow. */
  readonly hosts?: readonly HostChance[];
  /** Raw events the join rests on. */
  readonly events: readonly string[];
  /** Learned offset of the host's clock that was taken off its times, microseconds; absent when none was. */
  readonly clockOffset?: number;
}

/** A flow with what is known of its maker: one line of `replay --all`. */
export interface WaybillLine {
  readonly record: FlowRecord;
  readonly join: JoinResult;
  /** Id of the announced drill that it is part of. */
  readonly drill?: string;
}

export interface JoinEvidence {
  /** Connection facts with the flow's 5-tuple. */
  readonly tuple: readonly Fact[];
  /** Connection facts from the same address to the same remote port. */
  readonly remote: readonly Fact[];
  /** Leases of the flow's source address. */
  readonly leases: readonly Fact[];
  /** Look-ups of the flow's name or address on the leased host. */
  readonly dns: readonly Fact[];
  /** Hellos of the leased host with the same JA4. */
  readonly ja4: readonly Fact[];
  /** Those of them that greeted the same name. */
  readonly greeted: readonly Fact[];
  /** Starts on the leased host of programs that talked to the same remote port. */
  readonly started: readonly Fact[];
}

/** Who had the source address when the flow began: the last claim before it, else the first one after. */
export function hostAt(leases: readonly Fact[], at: number): HostRef | undefined {
  let best: Fact | undefined;
  let bestDistance = ADDRESS_WINDOW;
  for (const lease of leases) {
    const distance = distanceOf(lease, at);
    if (distance < bestDistance || (distance === bestDistance && best && lease.id < best.id)) {
      best = lease;
      bestDistance = distance;
    }
  }
  return best ? (best.body as LeaseBody).host : undefined;
}

/** An hourly bucket claims its whole hour. */
const distanceOf = (lease: Fact, at: number): number =>
  at < lease.at ? (lease.at - at) * 2 : Math.max(0, at - lease.at - LEASE_WINDOW);

/** Several hosts whose claims on the source address hold equally well; none when one's does. */
export function rivalsAt(leases: readonly Fact[], at: number): HostChance[] {
  const nearestClaim = Math.min(ADDRESS_WINDOW, ...leases.map((lease) => distanceOf(lease, at)));
  return rivalHosts(leases.filter((lease) => distanceOf(lease, at) === nearestClaim));
}

/**
 * Joins one flow with the process that made it (DESIGN §5): a ladder of ever weaker matches, none of which guesses
 * between two candidates.
 */
export function joinFlow(flow: FlowRecord, evidence: JoinEvidence, clock: HostClock = UNKNOWN_CLOCK): JoinResult {
  const start = parseMicros(flow.event.start) ?? 0;
  const span = { start, end: Math.max(start, parseMicros(flow.event.end) ?? start) };
  const leased = hostAt(evidence.leases, start);
  const skew = clock.offset;
  const learned = skew === 0 ? {} : { clockOffset: skew };
  // With a clock that is wrong by more than can be corrected, nothing about time can be compared.
  const lease = clock.state === 'beyond' ? undefined : leaseOf(evidence, start, skew);
  // Of an address that is not of one host, only an event of this very connection says more than who may have made it.
  const shared = sharedBy(evidence, start, lease?.owners ?? []);
  const weaker: (() => readonly Candidate[])[] = [
    () => lease?.owners ?? [],
    () => (leased ? byDns(evidence.dns, leased, start, skew) : []),
    () => (leased ? byJa4(evidence.ja4, leased, start) : []),
  ];
  const rungs: (() => readonly Candidate[])[] =
    clock.state === 'beyond' ? [] : [() => byTuple(evidence.tuple, span, skew), ...(shared ? [] : weaker)];
  for (const rung of rungs) {
    const candidates = distinct(rung()).slice(0, MAX_CANDIDATES);
    const [first, second] = candidates;
    if (!first) continue;
    const host = first.host;
    const clear = !second || (first.method === 'tuple' && apart(first, second));
    if (!clear) {
      return {
        ...(candidates.every((c) => c.host.id === host.id)
          ? { host }
          : shared
            ? { hosts: shared.hosts }
            : leased
              ? { host: leased }
              : {}),
        method: 'ambiguous',
        probability: 0,
        candidates,
        events: candidates.map((c) => c.event),
        ...learned,
      };
    }
    // A fingerprint hints at a program, and so does an earlier connection: named as the maker, it could lend a browser's
    // innocence to another program.
    const supported = first.method === 'lease' ? lease?.borneOut === true : first.method !== 'ja4';
    return {
      host,
      ...(supported ? { process: first.process } : {}),
      method: first.method,
      probability: supported ? first.probability : 0,
      candidates,
      events: [first.event],
      ...learned,
    };
  }
  if (shared) return { ...shared, ...learned };
  const far = distinct(farTuples(evidence.tuple, span)).slice(0, MAX_CANDIDATES);
  const host = leased ?? far[0]?.host;
  return {
    ...(host ? { host } : {}),
    method: far.length > 0 ? 'clock' : 'none',
    probability: 0,
    candidates: far,
    events: far.map((c) => c.event),
    ...learned,
  };
}

/** Who may have made a flow from an address that is not of one host; undefined for an address that is. */
function sharedBy(
  { remote, leases }: Pick<JoinEvidence, 'remote' | 'leases'>,
  start: number,
  owners: readonly Candidate[],
): (JoinResult & { readonly hosts: readonly HostChance[] }) | undefined {
  const passed = throughTranslator(remote, start);
  const hosts = passed.length > 0 ? hostsOf(passed) : rivalsAt(leases, start);
  if (hosts.length === 0) return undefined;
  const candidates = (passed.length > 0 ? passed : distinct(owners)).slice(0, MAX_CANDIDATES);
  return {
    method: passed.length > 0 ? 'translated' : 'shared',
    probability: 0,
    candidates,
    hosts,
    events: candidates.map((c) => c.event),
  };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function byTuple(facts: readonly Fact[], span: Span, skew: number): Candidate[] {
  return facts
    .map((fact) => candidate(fact, 'tuple', tupleOffset(fact, span) - skew, 0))
    .filter((c) => Math.abs(c.offset) <= TUPLE_TOLERANCE)
    .map((c) => ({ ...c, probability: tupleProbability(Math.abs(c.offset)) }))
    .sort(nearest);
}

/** Events of the tuple outside the tolerance, and inside a time in which a port is seldom used twice. */
function farTuples(facts: readonly Fact[], span: Span): Candidate[] {
  return facts
    .map((fact): Candidate => ({ ...candidate(fact, 'tuple', tupleOffset(fact, span), 0), method: 'clock' }))
    .filter((c) => Math.abs(c.offset) <= CLOCK_SEARCH)
    .sort(nearest);
}

/** A closing is compared with the flow's end, everything else with its start. */
const tupleOffset = (fact: Fact, { start, end }: Span): number =>
  fact.at - ((fact.body as ConnectionBody).moment === 'end' ? end : start);

/** Feeds log a connection up to some seconds late (Sysmon 3: median 1.2 s, p95 4.5 s after the SYN). */
function tupleProbability(distance: number): number {
  if (distance <= 10 * SECOND) return 0.99;
  return distance <= 120 * SECOND ? 0.97 : 0.9;
}

function byDns(facts: readonly Fact[], host: HostRef, start: number, skew: number): Candidate[] {
  return facts
    .filter((fact) => fact.at - skew <= start + 2 * SECOND && fact.at - skew >= start - DNS_WINDOW)
    .map((fact) => ({
      process: (fact.body as DnsBody).process,
      host,
      probability: 0.5,
      method: 'dns' as const,
      event: fact.id,
      offset: fact.at - start - skew,
    }))
    .filter((c) => c.process.entityKind !== 'none')
    .sort(nearest);
}

/**
 * The only program that this host has been seen to make such a hello with. A handshake is a library's, not a program's,
 * so this stays a hint: the candidate is listed, no process is named.
 */
function byJa4(facts: readonly Fact[], host: HostRef, start: number): Candidate[] {
  return facts
    .flatMap((fact) => {
      const { process, event } = fact.body as HelloBody;
      if (event === undefined || Math.abs(fact.at - start) > JA4_WINDOW) return [];
      return [{ process, host, probability: 0.3, method: 'ja4' as const, event, offset: fact.at - start }];
    })
    .filter((c) => c.process.entityKind !== 'none')
    .sort(nearest);
}

function candidate(fact: Fact, method: JoinMethod, offset: number, probability: number): Candidate {
  const body = fact.body as ConnectionBody;
  return { process: body.process, host: body.host, probability, method, event: fact.id, offset };
}

/** One candidate a process: two feeds may name the same one, by entity or by pid on the same host. */
function distinct(candidates: readonly Candidate[]): Candidate[] {
  const kept: Candidate[] = [];
  for (const c of candidates) {
    const index = kept.findIndex((k) => sameProcess(k, c));
    if (index < 0) kept.push(c);
    else if (rank(c.process) > rank(kept[index]!.process))
      kept[index] = { ...c, offset: kept[index]!.offset, probability: kept[index]!.probability };
  }
  return kept.filter((c) => c.process.entityKind !== 'none' || c.process.pid !== undefined);
}

function sameProcess(a: Candidate, b: Candidate): boolean {
  if (a.host.id !== b.host.id) return false;
  if (a.process.entityId === b.process.entityId) return true;
  return (
    a.process.pid !== undefined &&
    a.process.pid === b.process.pid &&
    (rank(a.process) < 2 || rank(b.process) < 2) &&
    Math.abs(a.offset - b.offset) < 60 * SECOND
  );
}

/** Time decides between two uses of one 5-tuple only when it does so clearly. */
function apart(first: Candidate, second: Candidate): boolean {
  return Math.abs(second.offset) - Math.abs(first.offset) > INDISTINCT && Math.abs(first.offset) <= 4 * INDISTINCT;
}
