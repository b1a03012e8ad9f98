import type { Fact, FactKind, FactQuery, Store } from '../store/store.ts';

/** What is asked of so many microseconds at once is read once for all that ask. */
const SPAN = 4 * 3_600_000_000;
/** Facts given to one that asks: the newest of its time. */
export const MAX_FACTS = 64;

/** Facts of a shard and kind, with an index key where one is given, that one flow may rest on. Microseconds, both included. */
export interface Asked {
  readonly shard: string;
  readonly kind: FactKind;
  readonly key?: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Answers many questions for facts about the times of flows, in the order asked. Those of neighbouring flows overlap: they
 * are answered from one read, up to `shared` facts of it; where there are more, each has its own.
 */
export async function factsAround(store: Store, asked: readonly Asked[], shared: number): Promise<Fact[][]> {
  const reads = new Map<string, { readonly query: FactQuery; facts: readonly Fact[] }>();
  const names = asked.map((one) => {
    const from = Math.floor(one.from / SPAN) * SPAN;
    const to = (Math.floor(one.to / SPAN) + 1) * SPAN - 1;
    const name = `${from} ${to} ${one.kind} ${one.shard.length} ${one.shard} ${one.key ?? ''}`;
    if (!reads.has(name)) reads.set(name, { query: queryOf({ ...one, from, to }, shared), facts: [] });
    return name;
  });
  const all = [...reads.values()];
  const answers = await store.query(all.map(({ query }) => query));
  for (const [i, read] of all.entries()) read.facts = answers[i]!;
  const own = [...asked.keys()].filter((i) => reads.get(names[i]!)!.facts.length >= shared);
  const answersOfOwn = await store.query(own.map((i) => queryOf(asked[i]!, MAX_FACTS)));
  const known = new Map(own.map((i, n) => [i, answersOfOwn[n]!]));
  return asked.map(({ from, to }, i) => {
    const facts = known.get(i) ?? reads.get(names[i]!)!.facts;
    return facts.filter(({ at }) => at >= from && at <= to).slice(-MAX_FACTS);
  });
}

const queryOf = ({ key, ...span }: Asked, limit: number): FactQuery =>
  key === undefined ? { ...span, limit } : { ...span, key, limit };
