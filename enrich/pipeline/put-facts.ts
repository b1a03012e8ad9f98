import { setImmediate } from 'node:timers/promises';
import type { Touched } from '../score/touched.ts';
import type { Fact, Store } from '../store/store.ts';

/** Facts handed to the store at once. */
const BATCH = 500;
/** Batches under way at a time. */
const MAX_PUTS = 8;

/** Which facts are noted: those that changed the store, all, or none. */
export type Noted = 'changed' | 'all' | 'none';

/** Stores facts, and notes what they touch. */
export async function putFacts(
  store: Store,
  touched: Touched,
  facts: readonly Fact[],
  noted: Noted = 'changed',
): Promise<void> {
  const puts: Promise<void>[] = [];
  const ordered = byShard(facts);
  for (let i = 0; i < ordered.length; i += BATCH) {
    const put = putBatch(store, touched, ordered.slice(i, i + BATCH), noted);
    put.catch(() => undefined); // told below, where all of them are waited for
    puts.push(put);
    // The store works on one batch while the next is made ready.
    if (puts.length === MAX_PUTS) await Promise.all(puts.splice(0));
    else await setImmediate();
  }
  await Promise.all(puts);
}

async function putBatch(store: Store, touched: Touched, facts: readonly Fact[], noted: Noted): Promise<void> {
  const changed = await store.put(facts);
  if (noted === 'none') return;
  // Side by side: what is touched is a set, and each look into the store is a journey to it.
  const looks: Promise<void>[] = [];
  for (const [k, fact] of facts.entries()) {
    const look = changed[k] || noted === 'all' ? touched.fact(fact, changed[k]!) : undefined;
    if (look) looks.push(look);
  }
  await Promise.all(looks);
}

/** Facts of one shard together, each shard's in the order given: a store writes those of a series as one. */
function byShard(facts: readonly Fact[]): Fact[] {
  const shards = new Map<string, Fact[]>();
  for (const fact of facts) {
    const shard = shards.get(fact.shard);
    if (shard) shard.push(fact);
    else shards.set(fact.shard, [fact]);
  }
  return [...shards.values()].flat();
}
