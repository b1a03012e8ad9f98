import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SettleCache } from '../../enrich/service/settle-cache.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { Fact, Observation, Store } from '../../enrich/store/store.ts';

const KINDS = ['lease', 'process', 'connection', 'flow'] as const;
const anyFact: fc.Arbitrary<Fact> = fc.record({
  shard: fc.constantFrom('host:a', 'ip:10.0.0.1'),
  kind: fc.constantFrom(...KINDS),
  id: fc.constantFrom('x', 'y'),
  at: fc.integer({ min: 1, max: 3 }),
  keys: fc.constant([]),
  version: fc.integer({ min: -2, max: 2 }),
  body: fc.record({ n: fc.integer({ min: 0, max: 1 }) }),
});
const anySighting: fc.Arbitrary<Observation> = fc.record({
  scope: fc.constantFrom('org', 'host:a'),
  destination: fc.constantFrom('d', 'e'),
  day: fc.integer({ min: 5, max: 7 }),
  tainted: fc.boolean(),
});
const steps = fc.array(
  fc.oneof(
    fc.array(anyFact, { maxLength: 4 }).map((facts) => ({ facts, seen: [] as Observation[] })),
    fc.array(anySighting, { maxLength: 4 }).map((seen) => ({ facts: [] as Fact[], seen })),
  ),
  { maxLength: 12 },
);

async function contents(store: Store): Promise<unknown> {
  const spans = ['host:a', 'ip:10.0.0.1'].flatMap((shard) =>
    KINDS.map((kind) => ({ shard, kind, from: 0, to: 9, limit: 99 })),
  );
  const asked = ['org', 'host:a'].flatMap((scope) => ['d', 'e'].map((destination) => ({ scope, destination })));
  return [await store.query(spans), await store.familiarity(asked), await store.novelty('org', 0, 9)];
}

describe('what the worker remembers of the store', () => {
  it('changes nothing in it and nothing in what a put answers', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const [plain, inner] = [openMemory(), openMemory()];
        const { store } = new SettleCache(inner);
        for (const { facts, seen } of all) {
          // Index keys follow from the body, as those of every fact of ours.
          const keyed = facts.map((fact) => ({ ...fact, keys: [`k${(fact.body as { n: number }).n}`] }));
          expect(await store.put(keyed)).toEqual(await plain.put(keyed));
          await Promise.all([store.observe(seen), plain.observe(seen)]);
        }
        expect(await contents(inner)).toEqual(await contents(plain));
      }),
      { numRuns: 300 },
    );
  });

  it('is forgotten when the store may have lost something', async () => {
    let losses = 0;
    let inner = openMemory();
    const lossy: Store = {
      ...inner,
      put: (facts) => inner.put(facts),
      observe: (seen) => inner.observe(seen),
      losses: () => losses,
    };
    const { store } = new SettleCache(lossy);
    const lease: Fact = { shard: 'ip:1', kind: 'lease', id: 'h|0', at: 0, keys: [], version: 0, body: { host: 'h' } };
    const seen: Observation = { scope: 'org', destination: 'd', day: 5, tainted: false };
    await store.put([lease]);
    await store.observe([seen]);
    inner = openMemory();
    losses++;
    expect(await store.put([lease])).toEqual([true]);
    await store.observe([seen]);
    expect(await inner.familiarity([seen])).toEqual([{ firstDay: 5, lastDay: 5, days: 1, firstTainted: false }]);
  });
});
