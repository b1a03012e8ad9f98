import type { FileEvent } from '../event/endpoint-event.ts';
import { burstsFrom } from '../evidence/burst.ts';
import type { StagingFact } from '../evidence/staging.ts';
import type { HostClocks } from '../join/clock.ts';
import { hostShard } from '../join/facts.ts';
import type { Store } from '../store/store.ts';

const DAY = 86_400_000_000;
/** File events of one host and day that are looked at; the newest. */
const MAX_FILES = 5_000;
/** Fewer make no burst and no series. */
const MIN_FILES = 3;
/** A file event is worth a look when so many are near it. */
const NEAR = 60_000_000;

/**
 * Heaps of files on a host, by the sensor's clock. Each UTC day is read by itself, so that the same heap is found
 * whatever span was asked for; one that goes over midnight is told as two.
 */
export async function burstsOfHost(
  store: Store,
  clocks: HostClocks,
  hostId: string,
  from: number,
  to: number,
): Promise<StagingFact[]> {
  const shard = hostShard(hostId);
  const bursts: StagingFact[] = [];
  const [firstDay, lastDay] = [Math.floor(from / DAY), Math.floor(to / DAY)];
  if ((await store.count(shard, 'file', firstDay * DAY, (lastDay + 1) * DAY - 1)) < MIN_FILES) return bursts;
  for (let day = firstDay; day <= lastDay; day++) {
    const [first, last] = [day * DAY, (day + 1) * DAY - 1];
    if ((await store.count(shard, 'file', first, last)) < MIN_FILES) continue;
    const facts = await store.between(shard, 'file', first, last, MAX_FILES);
    const { offset } = await clocks.of(hostId, first);
    for (const burst of burstsFrom(facts.map((fact) => fact.body as FileEvent))) {
      bursts.push({ ...burst, at: burst.at - offset });
    }
  }
  return bursts;
}

/** Whether a new file event can have made a burst. */
export async function isAmongMany(store: Store, shard: string, at: number): Promise<boolean> {
  return (await store.count(shard, 'file', at - NEAR, at + NEAR)) >= MIN_FILES;
}
