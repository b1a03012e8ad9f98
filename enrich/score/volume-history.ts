import type { ProcessRef } from '../event/endpoint-event.ts';
import type { Tables } from '../evidence/tables.ts';
import type { HostClocks } from '../join/clock.ts';
import { destinationOf } from '../join/destination-of.ts';
import { hostShard, type JoinedBody, programKey } from '../join/facts.ts';
import { currentJoins } from '../join/learner.ts';
import type { Store } from '../store/store.ts';

/** Days before an episode whose volumes are its yardstick. */
const HISTORY_DAYS = 14;
/** Flows of one program and day that are summed. */
const MAX_FLOWS = 500;

/** Bytes that a program of one host sent on the days before. */
export interface EarlierVolumes {
  /** To each destination on each day. */
  readonly sums: readonly number[];
  /** To one destination, by day; days without any are left out. */
  readonly here: readonly number[];
}

/**
 * Bytes that a program of this host sent to each destination on each of the days before: what is usual for it. Days are
 * read one by one, so that flows after the episode cannot push out those before it.
 */
export async function earlierVolumes(
  store: Store,
  clocks: HostClocks,
  hostId: string,
  process: ProcessRef | undefined,
  day: number,
  destination: string,
  tables: Tables,
): Promise<EarlierVolumes> {
  const sums: number[] = [];
  const here: number[] = [];
  if (process?.image === undefined) return { sums, here };
  for (let earlier = day - HISTORY_DAYS; earlier < day; earlier++) {
    const key = programKey(process.image, earlier);
    const joined = await currentJoins(clocks, hostId, await store.find(hostShard(hostId), 'joined', key, MAX_FLOWS));
    const byDestination = new Map<string, number>();
    for (const fact of joined) {
      const { record } = fact.body as JoinedBody;
      const { entity } = destinationOf(record, tables);
      byDestination.set(entity, (byDestination.get(entity) ?? 0) + record.source.bytes);
    }
    sums.push(...byDestination.values());
    const own = byDestination.get(destination);
    if (own !== undefined) here.push(own);
  }
  return { sums, here };
}
