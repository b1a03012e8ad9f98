import { HostClocks } from '../join/clock.ts';
import type { Settings } from '../settings.ts';
import type { Store } from '../store/store.ts';
import { hostsIn, spanOf } from './coverage.ts';
import { type Episode, episodesOfHost } from './episode.ts';
import { scoreEpisode } from './score.ts';
import type { Verdict } from './verdict.ts';

export interface Rescored {
  readonly episode: Episode;
  readonly verdict: Verdict;
}

/** Every candidate episode that the stored facts make under these settings, by id. Reads only. */
export async function rescore(store: Store, settings: Settings): Promise<Map<string, Rescored>> {
  const found = new Map<string, Rescored>();
  const span = await spanOf(store);
  if (!span) return found;
  const clocks = new HostClocks(store);
  for (const host of await hostsIn(store)) {
    // One horizon at a time: a look at more would read more facts than one read gives.
    for (let from = span.from; from <= span.to; from += settings.horizonMicros) {
      const to = from + settings.horizonMicros - 1;
      for (const episode of await episodesOfHost(store, clocks, host, from, to, settings)) {
        if (!found.has(episode.id)) found.set(episode.id, { episode, verdict: scoreEpisode(episode, settings) });
      }
    }
  }
  return found;
}

export interface Difference {
  readonly id: string;
  readonly change: 'appeared' | 'vanished' | 'tier' | 'score';
  readonly before?: Rescored;
  readonly after?: Rescored;
}

const alerts = (each: Rescored | undefined): boolean =>
  each?.verdict.tier === 'high' || each?.verdict.tier === 'medium';

/** What changes between two scorings of the same facts, among episodes that are an alert in one of them; by id. */
export function differences(
  before: ReadonlyMap<string, Rescored>,
  after: ReadonlyMap<string, Rescored>,
): readonly Difference[] {
  const found: Difference[] = [];
  for (const id of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, now] = [before.get(id), after.get(id)];
    const [was, is] = [alerts(old), alerts(now)];
    if (!was && !is) continue;
    const both = { id, ...(old ? { before: old } : {}), ...(now ? { after: now } : {}) };
    if (!was) found.push({ ...both, change: 'appeared' });
    else if (!is) found.push({ ...both, change: 'vanished' });
    else if (old?.verdict.tier !== now?.verdict.tier) found.push({ ...both, change: 'tier' });
    else if (old?.verdict.db !== now?.verdict.db) found.push({ ...both, change: 'score' });
  }
  return found;
}
