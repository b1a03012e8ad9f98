import { maturity } from '../evidence/novelty.ts';
import { hashId } from '../evidence/staging-fact.ts';
import type { NoveltyWeights } from '../evidence/weights.ts';
import { unionOf } from '../store/sighting.ts';
import type { Familiarity, FamiliarityKey, NoveltyDay, Store } from '../store/store.ts';
import { type Identities, namesOf } from './identities.ts';

/**
 * Peers are counted by cells: a host falls into one by its id, and a cell that met something is one host at least. So a
 * destination has at most so many entries for a group and program, no host counts twice, and two in one cell count as one,
 * which is the safe side (linear counting, Whang and others 1990).
 */
const CELLS = 16;
/** One of so many destinations of a host counts for the rate of novelty, which is a share: a group may be the whole organisation. */
const SAMPLE = 4;
const HISTORY_DAYS = 30;

/** What the peer group of a host can judge by, at the beginning of a day. */
export interface Peers {
  readonly group: string;
  /** Most hosts of the group seen on one day. */
  readonly hosts: number;
  /** Days since so many were seen that they can judge, at most 30. */
  readonly days: number;
  /** Destinations that its hosts met on each of 30 days, summed over hosts, and how many were new to that host: of a sample. */
  readonly novelty: readonly NoveltyDay[];
  /** Familiarity of the destination from the program by cell of peers, the host's own cell left out. */
  readonly cells: readonly (Familiarity | undefined)[];
}

interface Seen {
  readonly hostId: string;
  readonly identities: Identities;
  /** Name of the destination entity. */
  readonly destination: string;
}

const hostsScope = (group: string): string => `peer-hosts:${group}`;
const groupScope = (group: string): string => `peers:${group}`;
/** By cell, so that what is known of a much used program is spread over the store. */
const programScope = (group: string, cell: number, identity: string): string =>
  `peer-identity:${group}|${cell}|${identity}`;

const numberOf = (hash: string): number => Number.parseInt(hash.slice(0, 8), 16);
const cellOf = (host: string): number => numberOf(host) % CELLS;

/** What one flow of a host teaches of its group. */
export function peerKeys(group: string | undefined, { hostId, identities, destination }: Seen): FamiliarityKey[] {
  if (group === undefined) return [];
  const [host, pair] = [hashId([hostId]), hashId([hostId, destination])];
  return [
    { scope: hostsScope(group), destination: host },
    ...(numberOf(pair) % SAMPLE === 0 ? [{ scope: groupScope(group), destination: pair }] : []),
    ...namesOf(identities).map((identity) => ({ scope: programScope(group, cellOf(host), identity), destination })),
  ];
}

/** The group of a scope that `peerKeys` made. */
export const groupOfScope = (scope: string): string | undefined =>
  /^peer(?:s|-hosts|-identity):([^|]*)/.exec(scope)?.[1];

/** Reads what the group of a host knows; undefined when it is too small or too young to judge. */
export async function peersOf(
  store: Store,
  group: string,
  { hostId, identities, destination }: Seen,
  day: number,
  weights: NoveltyWeights,
): Promise<Peers | undefined> {
  const seen = await store.novelty(hostsScope(group), day - HISTORY_DAYS, day - 1);
  const first = seen.find((each) => each.seen >= weights.peerHosts);
  const days = first === undefined ? 0 : day - first.day;
  if (maturity(days, weights) < weights.peerMaturity) return undefined;
  const own = cellOf(hashId([hostId]));
  const others = Array.from({ length: CELLS }, (_, cell) => cell).filter((cell) => cell !== own);
  const cells = await Promise.all(
    namesOf(identities).map((identity) =>
      store.familiarity(others.map((cell) => ({ scope: programScope(group, cell, identity), destination }))),
    ),
  );
  return {
    group,
    hosts: seen.reduce((most, each) => Math.max(most, each.seen), 0),
    days,
    novelty: await store.novelty(groupScope(group), day - HISTORY_DAYS, day - 1),
    cells: cells.reduce((one, other) => others.map((_, i) => unionOf(one[i], other[i])), []),
  };
}
