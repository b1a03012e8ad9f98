import { MICROS_PER_SECOND, parseMicros } from '../../sensor/base/timestamp.ts';
import type { UserRef } from '../event/endpoint-event.ts';
import type { DestinationEntity } from '../evidence/destination.ts';
import { knownBy, knownByPeers, maturity } from '../evidence/novelty.ts';
import { peerGroupOf } from '../evidence/peer-group.ts';
import type { NoveltyWeights } from '../evidence/weights.ts';
import { destinationOf } from '../join/destination-of.ts';
import type { JoinedBody } from '../join/facts.ts';
import type { ProcessInfo } from '../join/lineage.ts';
import type { Settings } from '../settings.ts';
import { unionOf } from '../store/sighting.ts';
import type { Familiarity, FamiliarityKey, NoveltyDay, Observation, Store } from '../store/store.ts';
import { fingerprintKeys } from './fingerprint.ts';
import { hoursKeys } from './hours.ts';
import { type Identities, identitiesOf, namesOf } from './identities.ts';
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
  readonly identities: Identities;
  readonly destination: DestinationEntity;
  readonly at: number;
  readonly user?: UserRef;
}

const userScope = (user: UserRef | undefined): string | undefined => {
  const key = user?.id ?? user?.name;
  return key === undefined || key === '' ? undefined : `user:${key.toLowerCase()}`;
};

interface ProgramKeys {
  readonly identity: FamiliarityKey;
  readonly hostIdentity: FamiliarityKey;
  readonly program: FamiliarityKey;
}

/** The (scope, destination) pairs that one flow is a sighting of; undefined where the scope is not known. */
interface Keys {
  readonly org: FamiliarityKey;
  readonly orgRegistrable: FamiliarityKey | undefined;
  readonly orgAsn: FamiliarityKey | undefined;
  readonly host: FamiliarityKey;
  readonly user: FamiliarityKey | undefined;
  /** For each name of the program. */
  readonly programs: readonly ProgramKeys[];
}

function keysOf({ hostId, identities, destination: { ladder }, user }: Subject): Keys {
  const destination = ladder.name;
  const scope = userScope(user);
  return {
    org: { scope: 'org', destination },
    orgRegistrable: ladder.registrable === undefined ? undefined : { scope: 'org', destination: ladder.registrable },
    orgAsn: ladder.asn === undefined ? undefined : { scope: 'org', destination: ladder.asn },
    host: { scope: `host:${hostId}`, destination },
    user: scope === undefined ? undefined : { scope, destination },
    programs: namesOf(identities).map((name) => ({
      identity: { scope: `identity:${name}`, destination },
      hostIdentity: { scope: `host-identity:${hostId}|${name}`, destination },
      program: { scope: 'programs', destination: name },
    })),
  };
}

const listOf = ({ programs, ...others }: Keys): FamiliarityKey[] =>
  [...Object.values(others), ...programs.flatMap((keys) => Object.values(keys))].filter((key) => key !== undefined);

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
  const identities = identitiesOf(process);
  const { identity } = identities;
  const subject: Subject = {
    hostId: host.id,
    identities,
    destination,
    at,
    ...(process?.user ? { user: process.user } : {}),
  };
  const day = dayOf(at);
  const keys = [
    ...listOf(keysOf(subject)),
    ...(join.method === 'tuple' ? fingerprintKeys(identity, record, tables) : []),
    ...rolloutKeys(process ? rolloutScope(process, identity, destination.ladder.name, tables) : undefined, host.id),
    ...hoursKeys(host.id, process?.user, at),
    ...peerKeys(peerGroupOf(peer_groups, host, process?.user), {
      ...{ hostId: host.id, identities, destination: destination.ladder.name },
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
  const asked = listOf(keys);
  const answers = await store.familiarity(asked);
  const known = new Map(asked.map((key, i) => [key, answers[i]]));
  const of = (key: FamiliarityKey | undefined): Familiarity | undefined => key && known.get(key);
  const ofProgram = (which: keyof ProgramKeys): Familiarity | undefined =>
    keys.programs.map((each) => of(each[which])).reduce(unionOf, undefined);
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
    org: of(keys.org),
    orgRegistrable: of(keys.orgRegistrable),
    identity: ofProgram('identity'),
    host: of(keys.host),
    user: of(keys.user),
    hostIdentity: ofProgram('hostIdentity'),
    orgAsn: of(keys.orgAsn),
    program: ofProgram('program'),
    days,
    novelty: host,
    orgDays: span(org, day),
    ...(group === undefined ? {} : { peerGroup: group }),
    ...(peers === undefined ? {} : { peers }),
  };
}

/** Days from the first sighting in the window to `day`. */
const span = (days: readonly NoveltyDay[], day: number): number => (days[0] === undefined ? 0 : day - days[0].day);
