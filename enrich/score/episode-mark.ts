import { hostShard } from '../join/facts.ts';
import type { Fact, Store } from '../store/store.ts';
import type { Episode } from './episode.ts';

/** Marks read of one host. */
const MAX_MARKS = 10_000;

/** That an episode of a host was raised once: by its marks an alert is found again whose episode exists no more. */
export function episodeMark(episode: Episode): Fact {
  return {
    shard: hostShard(episode.host.id),
    kind: 'episode',
    id: episode.id,
    at: episode.windowStart,
    keys: [],
    version: 0,
    body: {},
  };
}

/** Ids of raised episodes whose window touches [from, to]: those that a look at this span must have found again. */
export async function marksWithin(
  store: Store,
  hostId: string,
  from: number,
  to: number,
  horizon: number,
): Promise<string[]> {
  const marks = await store.between(hostShard(hostId), 'episode', from - horizon, to, MAX_MARKS);
  return marks.map((mark) => mark.id);
}
