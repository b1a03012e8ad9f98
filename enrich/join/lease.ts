import { MICROS_PER_SECOND } from '../../sensor/base/timestamp.ts';
import type { ProcessRef } from '../event/endpoint-event.ts';
import { imageIdentity } from '../evidence/process-identity.ts';
import type { Fact } from '../store/store.ts';
import type { ConnectionBody, DnsBody, ProcessBody } from './facts.ts';
import type { HelloBody } from './hellos.ts';
import type { Candidate } from './join-flow.ts';

const SECOND = MICROS_PER_SECOND;
/** How long a process that opened a remote port is taken to own it, when the feed caps or aggregates connections. */
export const LEASE_WINDOW = 3600 * SECOND;
/** An aggregated row may begin and end this far from the connections it stands for. */
const AGGREGATE_SLACK = 60 * SECOND;
/** Another program of the host that talked to the same remote port this near to the flow may be its maker as well. */
export const RIVAL_WINDOW = 24 * 3600 * SECOND;
/** An event this far from the opening of its flow still tells who said hello. */
const GREETING_SLACK = 60 * SECOND;
/** An aggregated row speaks for the flows inside its own window; a single event for those that follow it. */
const ROW_PROBABILITY = 0.85;
const AFTER_PROBABILITY = 0.7;

export interface LeaseEvidence {
  /** Connection facts from the flow's address to its remote port. */
  readonly remote: readonly Fact[];
  /** Hellos of the host that were the flow's, to the flow's name. */
  readonly greeted: readonly Fact[];
  /** Starts on that host, of processes that still ran, of the programs that may own the remote port. */
  readonly started: readonly Fact[];
  /** Look-ups that may explain the flow. */
  readonly dns: readonly Fact[];
}

export interface Lease {
  /** Who may own the remote port, likeliest first. */
  readonly owners: readonly Candidate[];
  /** The first owner is borne out by something besides its earlier connection, and nobody else is. */
  readonly borneOut: boolean;
}

/**
 * A process is known to have opened this remote port before, and the feed reports a connection once (a cap) or many as one
 * row (an aggregate). That alone says who may have made the flow. Feeds lose events, so the process is named only when
 * it is the only one that was seen to greet this name with this very hello, or to look it up, and no other process of the
 * same program ran, whose own event may be the lost one. What is left is another program of the same TLS library that
 * sends to the same name and of which the feed lost every trace.
 */
export function leaseOf(evidence: LeaseEvidence, start: number, skew: number): Lease {
  const owners = ownersOf(evidence.remote, start, skew);
  const [owner] = owners;
  if (!owner) return { owners, borneOut: false };
  const entity = owner.process.entityId;
  const greeters = evidence.greeted.flatMap((fact) => greeterOf(fact, skew)?.entityId ?? []);
  const askers = evidence.dns.map((fact) => (fact.body as DnsBody).process.entityId);
  const others = [...greeters, ...askers].filter((each) => each !== entity);
  const twin = evidence.started.some((fact) => isTwin(fact, owner));
  return { owners, borneOut: greeters.length + askers.length > 0 && others.length === 0 && !twin };
}

function ownersOf(facts: readonly Fact[], start: number, skew: number): Candidate[] {
  const owners = facts
    .filter((fact) => (fact.body as ConnectionBody).translated !== true)
    .flatMap((fact) => {
      const at = fact.at - skew;
      const until = (fact.body as ConnectionBody).until;
      const end = until === undefined ? at : until - skew;
      if (start < at - AGGREGATE_SLACK || start > end + LEASE_WINDOW) return [];
      const inside = until !== undefined && start <= end + AGGREGATE_SLACK;
      return [leaseholder(fact, at - start, inside ? ROW_PROBABILITY : AFTER_PROBABILITY)];
    })
    .sort((a, b) => b.probability - a.probability || nearest(a, b));
  const [owner] = owners;
  if (!owner || owners.some((c) => c.probability === ROW_PROBABILITY)) return owners;
  return [...owners, ...facts.flatMap((fact) => rival(owner, fact, start, skew))].sort(nearest);
}

/** The maker of a connection to the same remote at another hour, when it is another program of the owner's host. */
function rival(owner: Candidate, fact: Fact, start: number, skew: number): Candidate[] {
  const other = leaseholder(fact, fact.at - skew - start, 0.3);
  const isNear = Math.abs(other.offset) <= RIVAL_WINDOW;
  const isRival = isNear && other.host.id === owner.host.id && other.process.entityKind !== 'none';
  return isRival && programOf(other.process) !== programOf(owner.process) ? [other] : [];
}

const isTwin = (fact: Fact, owner: Candidate): boolean => {
  const { process } = fact.body as ProcessBody;
  return process.entityId !== owner.process.entityId && programOf(process) === programOf(owner.process);
};

/** Who showed the hello, unless its event is of another use of the port. */
function greeterOf(fact: Fact, skew: number): ProcessRef | undefined {
  const { process, offset = Number.POSITIVE_INFINITY } = fact.body as HelloBody;
  return Math.abs(offset - skew) <= GREETING_SLACK ? process : undefined;
}

/** By its path alone: one event of a process knows its signer, another does not. */
export const programOf = ({ image }: Pick<ProcessRef, 'image'>): string =>
  image === undefined ? 'unknown' : imageIdentity(image);

function leaseholder(fact: Fact, offset: number, probability: number): Candidate {
  const { process, host } = fact.body as ConnectionBody;
  return { process, host, probability, method: 'lease', event: fact.id, offset };
}

/** A vendor's own process id says more than a pid. */
export const rank = (p: ProcessRef): number => (p.entityKind === 'vendor' ? 2 : p.entityKind === 'pid-start' ? 1 : 0);

export const nearest = (a: Candidate, b: Candidate): number =>
  Math.abs(a.offset) - Math.abs(b.offset) ||
  rank(b.process) - rank(a.process) ||
  (a.event < b.event ? -1 : a.event > b.event ? 1 : 0);
