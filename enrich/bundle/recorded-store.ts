import { openMemory } from '../store/memory.ts';
import type { FactKind, Store } from '../store/store.ts';
import { type Recording, refusing } from './recording-store.ts';

/**
 * A store that answers from a recording: the questions that were recorded as they were answered then, others as if nothing
 * more were known. Rejects with StoreError when a fact breaks a limit of the store.
 */
export async function recordedStore({ facts, baseline }: Recording): Promise<Store> {
  const memory = openMemory();
  await memory.put(facts);
  const familiarity = new Map(baseline.familiarity.map((each) => [name(each.scope, each.destination), each.known]));
  const novelty = new Map(baseline.novelty.map(({ scope, from, to, days }) => [name(scope, from, to), days]));
  const counts = new Map(baseline.counts.map((each) => [name(each.shard, each.kind, each.from, each.to), each.count]));
  const kinds = new Map(baseline.kinds.map((each) => [each.shard, each.kinds]));
  return {
    ...refusing,
    get: (...asked) => memory.get(...asked),
    find: (...asked) => memory.find(...asked),
    between: (...asked) => memory.between(...asked),
    query: (queries) => memory.query(queries),
    shards: (kind) => memory.shards(kind),
    count: async (...asked) => counts.get(name(...asked)) ?? memory.count(...asked),
    kinds: async (shards) => shards.map((shard) => new Set<FactKind>(kinds.get(shard))),
    familiarity: async (queries) => queries.map(({ scope, destination }) => familiarity.get(name(scope, destination))),
    novelty: async (...asked) => [...(novelty.get(name(...asked)) ?? [])],
    getAlert: async () => undefined,
    listAlerts: async () => [],
    losses: () => memory.losses(),
    counters: () => memory.counters(),
    close: () => memory.close(),
  };
}

const name = (...parts: readonly (string | number)[]): string => JSON.stringify(parts);
