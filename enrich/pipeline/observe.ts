import { restingOn } from '../score/resting.ts';
import type { Touched } from '../score/touched.ts';
import type { Observation, Store } from '../store/store.ts';

/** Stores sightings, and has candidates of later days judged again whose baseline they are part of. */
export async function observe(store: Store, touched: Touched, observations: readonly Observation[]): Promise<void> {
  const days = [...new Set(observations.map(({ day }) => day))];
  const watched = await Promise.all(days.map((day) => store.novelty('org', day, day)));
  const known = new Set(days.filter((_, index) => watched[index]!.length > 0));
  await store.observe(observations);
  for (const { host, at } of await restingOn(store, observations, (day) => !known.has(day))) {
    touched.host(host, at, at);
  }
}
