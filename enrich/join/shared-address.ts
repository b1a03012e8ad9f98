/** Flows whose source address is not of one host: a gateway that translates, or an address that several hosts claim. */
import { MICROS_PER_SECOND } from '../../sensor/base/timestamp.ts';
import type { HostRef } from '../event/endpoint-event.ts';
import type { Fact } from '../store/store.ts';
import type { ConnectionBody, LeaseBody } from './facts.ts';
import type { Candidate } from './join-flow.ts';
import { LEASE_WINDOW, nearest } from './lease.ts';

/** A connection event this near to the opening of a flow may be of it: feeds tell late, and clocks differ. */
const NEAR = 60 * MICROS_PER_SECOND;
/** What a connection told earlier counts beside one told now: a feed that caps connections tells of the first only. */
const EARLIER = 0.25;
/** Probability that the maker is among those whose feeds tell of the remote end; hosts without a feed tell of nothing. */
const TOLD = 0.8;
/** Hosts listed that may have made one flow. */
export const MAX_SHARED_HOSTS = 5;

/** A host that may have made a flow. */
export interface HostChance {
  readonly host: HostRef;
  readonly probability: number;
}

/**
 * Who told of a connection to the same remote end when the flow began, through the gateway that it came from: uniform among
 * those who did, a quarter for those who did within the hour before. Nobody of them is named: hosts inside that have no feed
 * may have made it as well.
 */
export function throughTranslator(remote: readonly Fact[], start: number): Candidate[] {
  const chances = new Map<string, { readonly candidate: Candidate; readonly chance: number }>();
  for (const fact of remote) {
    const { translated, until = fact.at, process, host, moment } = fact.body as ConnectionBody;
    if (translated !== true || moment === 'end') continue;
    const chance = start >= fact.at - NEAR && start <= until + NEAR ? 1 : start - until <= LEASE_WINDOW ? EARLIER : 0;
    if (start < fact.at - NEAR || chance === 0) continue;
    const candidate: Candidate = {
      ...{ process, host, probability: 0, method: 'translated', event: fact.id, offset: fact.at - start },
    };
    const key = JSON.stringify([host.id, process.entityId]);
    const known = chances.get(key);
    const better =
      !known || chance > known.chance || (chance === known.chance && nearest(candidate, known.candidate) < 0);
    if (better) chances.set(key, { candidate, chance });
  }
  const sum = [...chances.values()].reduce((total, { chance }) => total + chance, 0);
  return [...chances.values()]
    .map(({ candidate, chance }) => ({ ...candidate, probability: (TOLD * chance) / sum }))
    .sort((a, b) => b.probability - a.probability || nearest(a, b));
}

/** The hosts of candidates with the sum of their chances, likeliest first. */
export function hostsOf(candidates: readonly Candidate[]): HostChance[] {
  const hosts = new Map<string, HostChance>();
  for (const { host, probability } of candidates) {
    const known = hosts.get(host.id);
    hosts.set(host.id, known ? { ...known, probability: known.probability + probability } : { host, probability });
  }
  return [...hosts.values()]
    .sort((a, b) => b.probability - a.probability || (a.host.id < b.host.id ? -1 : 1))
    .slice(0, MAX_SHARED_HOSTS);
}

/**
 * The hosts that claim an address in the same hour, when there are several; none when one does. Two feeds may know one
 * machine by two ids: only hosts of different names are different.
 * @param claims leases that hold equally well
 */
export function rivalHosts(claims: readonly Fact[]): HostChance[] {
  const byName = new Map<string, HostRef>();
  for (const { body } of claims) {
    const { host } = body as LeaseBody;
    if (host.name === undefined) return [];
    const name = host.name.toLowerCase().split('.')[0]!;
    const known = byName.get(name);
    if (!known || host.id < known.id) byName.set(name, host);
  }
  if (byName.size < 2) return [];
  const hosts = [...byName.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return hosts.map((host) => ({ host, probability: 1 / hosts.length })).slice(0, MAX_SHARED_HOSTS);
}
