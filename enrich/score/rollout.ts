import type { ProcessRef } from '../event/endpoint-event.ts';
import { hashId } from '../evidence/staging-fact.ts';
import type { Tables } from '../evidence/tables.ts';
import { isSignedAgent } from '../evidence/uploader.ts';
import type { Fact, FamiliarityKey, Store } from '../store/store.ts';

/** Hosts on one day from which a new destination of one program is a rollout, and their share of all hosts. */
const MIN_HOSTS = 3;
const MIN_SHARE = 0.05;
const DAY = 86_400_000_000;
const HISTORY_DAYS = 30;
/** Episodes of one rollout that are looked at again when another host joins it. */
const MAX_EPISODES = 1_000;
/** Scope of all hosts by day. */
const HOSTS = 'hosts';

/** How many hosts met a destination with one program on one day, of how many. */
export interface Rollout {
  readonly hosts: number;
  readonly of: number;
  readonly spread: boolean;
}

/**
 * Scope in which the hosts of a rollout are counted; undefined for programs that can have none. Signed tools that carry
 * whatever they are told to (LOLBins, upload tools, renamed ones) never do: a theft from many hosts is no rollout.
 */
export function rolloutScope(
  process: ProcessRef,
  identity: string,
  destination: string,
  tables: Tables,
): string | undefined {
  if (!isSignedAgent(process, tables)) return undefined;
  return `rollout:${hashId([identity, destination])}`;
}

export function rolloutKeys(scope: string | undefined, hostId: string): FamiliarityKey[] {
  const destination = `host:${hostId}`;
  return [{ scope: HOSTS, destination }, ...(scope === undefined ? [] : [{ scope, destination }])];
}

/** Counts the hosts of one day; the whole day counts, so that the first host is judged like the last. */
export async function rolloutOn(store: Store, scope: string | undefined, day: number): Promise<Rollout | undefined> {
  if (scope === undefined) return undefined;
  const [met] = await store.novelty(scope, day, day);
  const hosts = met?.seen ?? 0;
  if (hosts < MIN_HOSTS) return undefined;
  const days = await store.novelty(HOSTS, day - HISTORY_DAYS, day);
  const of = days.reduce((most, each) => Math.max(most, each.seen), 0);
  return { hosts, of, spread: hosts >= Math.max(MIN_HOSTS, MIN_SHARE * of) };
}

/** That a host has an episode which a rollout may explain. */
export const rolloutFact = (scope: string, host: string, episodeId: string, at: number): Fact => ({
  shard: scope,
  kind: 'episode',
  id: episodeId,
  at,
  keys: [],
  version: 0,
  body: { host },
});

/** Hosts whose episodes must be looked at again because another host joined the rollout. */
export async function episodesIn(
  store: Store,
  scope: string,
  day: number,
): Promise<{ readonly host: string; readonly at: number }[]> {
  const facts = await store.between(scope, 'episode', day * DAY, (day + 1) * DAY - 1, MAX_EPISODES);
  return facts.map((fact) => ({ host: (fact.body as { host: string }).host, at: fact.at }));
}
