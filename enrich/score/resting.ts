import { MICROS_PER_SECOND } from '../../sensor/base/timestamp.ts';
import { hashId } from '../evidence/staging-fact.ts';
import type { Fact, FamiliarityKey, Observation, Store } from '../store/store.ts';
import type { Episode } from './episode.ts';
import { namesOf } from './identities.ts';
import { groupOfScope } from './peers.ts';
import type { Verdict } from './verdict.ts';

const DAY = 86_400 * MICROS_PER_SECOND;
/** A sighting is part of the baseline of this many days after it. */
const REACH_DAYS = 31;
/** Episodes looked at again because of one late sighting, for each thing that they rest on. */
const MAX_EPISODES = 1_000;
/** Days with candidates. */
const DAYS = 'rest:days';

/**
 * What the baseline of an episode rests on: by these names a sighting of an earlier day that comes late finds the
 * episodes that it may change.
 */
function restsOn({ host, identity, installed, process, destination, baseline }: Episode): string[] {
  const { name, registrable, asn } = destination.ladder;
  const user = process?.user?.id ?? process?.user?.name;
  const destinations = [name, registrable, asn].filter((each) => each !== undefined);
  return [
    'rest:org',
    restsOnHost(host.id),
    ...destinations.map((each) => `rest:destination:${hashId([each])}`),
    ...namesOf({ identity, installed }).map((each) => `rest:program:${hashId([each])}`),
    ...(user === undefined ? [] : [`rest:user:${hashId([user.toLowerCase()])}`]),
    ...(baseline.peerGroup === undefined ? [] : [restsOnPeers(baseline.peerGroup)]),
  ];
}

const restsOnHost = (hostId: string): string => `rest:host:${hashId([hostId])}`;
const restsOnPeers = (group: string): string => `rest:peers:${hashId([group])}`;

/**
 * Facts by which a candidate is found again. None of what the gate closes for good: what peers make established they may,
 * when one of them turns out to have been robbed, make no more.
 */
export function restingFacts(episode: Episode, { gate }: Verdict): Fact[] {
  if (!gate.passed && gate.learning !== true && episode.baseline.peers === undefined) return [];
  const at = episode.flows[0]!.start;
  const base = { kind: 'episode', at, keys: [], version: 0 } as const;
  const day = Math.floor(at / DAY);
  return [
    ...restsOn(episode).map((shard): Fact => ({ ...base, shard, id: episode.id, body: { host: episode.host.id } })),
    { ...base, shard: DAYS, id: String(day), at: day * DAY, body: {} },
  ];
}

export interface HostMoment {
  readonly host: string;
  /** Microseconds. */
  readonly at: number;
}

/** Candidates of later days whose baseline these sightings may change. Asked after they were stored. */
export async function restingOn(
  store: Store,
  observations: readonly Observation[],
  isNewDay: (day: number) => boolean,
): Promise<HostMoment[]> {
  const first = observations.reduce((least, { day }) => Math.min(least, day), Number.POSITIVE_INFINITY);
  // Asked before any name is made: of a stream that keeps up nothing rests on what is new.
  if (observations.length === 0 || !(await hasLater(store, first))) return [];
  const earliest = new Map<string, number>();
  for (const seen of observations) {
    const shard = shardOf(seen, isNewDay(seen.day));
    if (shard === undefined) continue;
    const known = earliest.get(shard);
    if (known === undefined || seen.day < known) earliest.set(shard, seen.day);
  }
  const found: HostMoment[] = [];
  for (const [shard, day] of earliest) found.push(...(await laterIn(store, shard, day)));
  return found;
}

/** Whether candidates are known of days after this one. Of a stream that keeps up there are none. */
const hasLater = async (store: Store, day: number): Promise<boolean> =>
  (await store.count(DAYS, 'episode', (day + 1) * DAY, Number.MAX_SAFE_INTEGER)) > 0;

/** Candidates of one host on the days after this moment: its habit of packing is counted over a month. */
export const restingOnHost = (store: Store, hostId: string, at: number): Promise<HostMoment[]> =>
  laterIn(store, restsOnHost(hostId), Math.floor(at / DAY) - 1);

async function laterIn(store: Store, shard: string, day: number): Promise<HostMoment[]> {
  const [from, to] = [(day + 1) * DAY, (day + 1 + REACH_DAYS) * DAY];
  const facts = await store.between(shard, 'episode', from, to, MAX_EPISODES);
  return facts.map(({ at, body }) => ({ host: (body as { readonly host: string }).host, at }));
}

/** What rests on a sighting. The organisation as a whole only where it was not known to be watched on that day. */
function shardOf({ scope, destination }: FamiliarityKey, isNewDay: boolean): string | undefined {
  if (scope === 'org') return isNewDay ? 'rest:org' : `rest:destination:${hashId([destination])}`;
  if (scope === 'programs') return `rest:program:${hashId([destination])}`;
  const [kind, rest] = [scope.slice(0, scope.indexOf(':')), scope.slice(scope.indexOf(':') + 1)];
  const group = groupOfScope(scope);
  if (group !== undefined) return restsOnPeers(group);
  switch (kind) {
    case 'host':
      return restsOnHost(rest);
    case 'user':
      return `rest:user:${hashId([rest])}`;
    default:
      return undefined;
  }
}
