import { MICROS_PER_SECOND, parseMicros } from '../../sensor/base/timestamp.ts';
import type { UserRef } from '../event/endpoint-event.ts';
import type { DestinationEntity } from '../evidence/destination.ts';
import { knownBy, knownByPeers, maturity } from '../evidence/novelty.ts';
import { peerGroupOf } from '../evidence/peer-group.ts';
import { processIdentity } from '../evidence/process-identity.ts';
import type { NoveltyWeights } from '../evidence/weights.ts';
import { destinationOf } from '../join/destination-of.ts';
import type { JoinedBody } from '../join/facts.ts';
import type { ProcessInfo } from '../join/lineage.ts';
import type { Settings } from '../settings.ts';
import type { Familiarity, FamiliarityKey, NoveltyDay, Observation, Store } from '../store/store.ts';
import { fingerprintKeys } from './fingerprint.ts';
import { hoursKeys } from './hours.ts';
import { type Peers, peerKeys, peersOf } from './peers.ts';
import { rolloutKeys, rolloutScope } from './rollout.ts';

const DAY = 86_400 * MICROS_PER_SECOND;
/** Days of the novelty rate. */
const NOVELTY_DAYS = 30;

export const dayOf = (micros: number): number => Math.floor(micros / DAY);

/** What the past says about one destination, as known at the beginning of the episode's day. */
export interface Baseline {
  readonly day: number;
  readonly org: Familiarity | undefined;
  /** Of the registrable domain, in the organisation. */
  readonly orgRegistrable: Familiarity | undefined;
  readonly identity: Familiarity | undefined;
  readonly host: Familiarity | undefined;
  readonly user: Familiarity | undefined;
  readonly hostIdentity: Familiarity | undefined;
  /** Of the network operator, in the organisation. */
  readonly orgAsn: Familiarity | undefined;
  /** Of the program, in the organisation, wherever it sent. */
  readonly program: Familiarity | undefined;
  /** Days for which this host has been observed before the episode. */
  readonly days: number;
  /** Destinations met by this host on each of the last 30 days, and how many of them were new to it. */
  readonly novelty: readonly NoveltyDay[];
  /** Days for which the organisation has been observed, at most 30. */
  readonly orgDays: number;
  /** The peer group of a host whose own history is too short to judge by. */
  readonly peerGroup?: string;
  /** What that group knows, when it can judge. */
  readonly peers?: Peers;
}

/**
 * This host, or its user, met the destination on an earlier day, with whatever program, or it is work of the peers by which
 * the host is judged: there is a reason besides theft.
 */
export const metBefore = ({ host, user, hostIdentity, peers, day }: Baseline, weights: NoveltyWeights): boolean =>
  [host, user, hostIdentity].some((familiarity) => knownBy(familiarity, day - 1, weights).met) ||
  knownByPeers(peers?.cells ?? [], day - 1, weights).met;

interface Subject {
  readonly hostId: string;
  /** Of the host, as the feed wrote it. */
  readonly hostName?: string;
  readonly identity: string;
  readonly destination: DestinationEntity;
  readonly at: number;
  readonly user?: UserRef;
}

const userScope = (user: UserRef | undefined): string | undefined => {
  const key = user?.id ?? user?.name;
  return key === undefined || key === '' ? undefined : `user:${key.toLowerCase()}`;
};

/** The (scope, destination) pairs that one flow is a sighting of; undefined where the scope is not known. */
function keysOf(subject: Subject): (FamiliarityKey | undefined)[] {
  const { hostId, identity, destination } = subject;
  const user = userScope(subject.user);
  const known = identity !== 'unknown';
  const entity = destination.ladder.name;
  const registrable = destination.ladder.registrable;
  return [
    { scope: 'org', destination: entity },
    registrable === undefined ? undefined : { scope: 'org', destination: registrable },
    known ? { scope: `identity:${identity}`, destination: entity } : undefined,
    { scope: `host:${hostId}`, destination: entity },
    user === undefined ? undefined : { scope: user, destination: entity },
    known ? { scope: `host-identity:${hostId}|${identity}`, destination: entity } : undefined,
    destination.ladder.asn === undefined ? undefined : { scope: 'org', destination: destination.ladder.asn },
    known ? { scope: 'programs', destination: identity } : undefined,
  ];
}

/**
 * What one joined flow of a process adds to the baseline. `tainted`: it belongs to an episode that is suspected, so that a theft does
 * not make its own destination familiar (a first sighting that is tainted counts only after a probation).
 */
export function observationsOf(
  process: ProcessInfo | undefined,
  { record, join }: JoinedBody,
  tainted: boolean,
  { knowledge: tables, peer_groups }: Pick<Settings, 'knowledge' | 'peer_groups'>,
): Observation[] {
  const host = join.host;
  if (!host) return [];
  const at = parseMicros(record.event.start) ?? 0;
  const destination = destinationOf(record, tables);
  const identity = process ? processIdentity(process) : 'unknown';
  const subject: Subject = {
    hostId: host.id,
    identity,
    destination,
    at,
    ...(process?.user ? { user: process.user } : {}),
  };
  const day = dayOf(at);
  const keys = [
    ...keysOf(subject).filter((key) => key !== undefined),
    ...(join.method === 'tuple' ? fingerprintKeys(identity, record, tables) : []),
    ...rolloutKeys(process ? rolloutScope(process, identity, destination.ladder.name, tables) : undefined, host.id),
    ...hoursKeys(host.id, process?.user, at),
    ...peerKeys(peerGroupOf(peer_groups, host, process?.user), {
      ...{ hostId: host.id, identity, destination: destination.ladder.name },
    }),
  ];
  return keys.map((key) => ({ ...key, day, tainted }));
}

/** Reads the baseline of an episode. Sightings on its own day do not count: they may be its own. */
export async function baselineOf(
  store: Store,
  subject: Subject,
  { model, peer_groups }: Pick<Settings, 'model' | 'peer_groups'>,
): Promise<Baseline> {
  const keys = keysOf(subject);
  const asked = keys.filter((key) => key !== undefined);
  const answers = await store.familiarity(asked);
  const of = (index: number): Familiarity | undefined => {
    const key = keys[index];
    return key ? answers[asked.indexOf(key)] : undefined;
  };
  const day = dayOf(subject.at);
  const host = await store.novelty(`host:${subject.hostId}`, day - NOVELTY_DAYS, day - 1);
  const org = await store.novelty('org', day - NOVELTY_DAYS, day - 1);
  const days = span(host, day);
  const isNew = maturity(days, model.novelty) < model.novelty.backOffBelow;
  const group = isNew ? peerGroupOf(peer_groups, { name: subject.hostName }, subject.user) : undefined;
  const seen = { ...subject, destination: subject.destination.ladder.name };
  const peers = group === undefined ? undefined : await peersOf(store, group, seen, day, model.novelty);
  return {
    day,
    org: of(0),
    orgRegistrable: of(1),
    identity: of(2),
    host: of(3),
    user: of(4),
    hostIdentity: of(5),
    orgAsn: of(6),
    program: of(7),
    days,
    novelty: host,
    orgDays: span(org, day),
    ...(group === undefined ? {} : { peerGroup: group }),
    ...(peers === undefined ? {} : { peers }),
  };
}

/** Days from the first sighting in the window to `day`. */
const span = (days: readonly NoveltyDay[], day: number): number => (days[0] === undefined ? 0 : day - days[0].day);
