import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Fact, Store } from '../../enrich/store/store.ts';
import { fact, retold, unused } from './fixtures.ts';
import { Model } from './model.ts';

const ids = fc.constantFrom('a', 'b', 'c', 'aa', 'ü');
const anyFact = fc.record({
  shard: fc.constantFrom('s', 't'),
  kind: fc.constantFrom('flow' as const, 'staging' as const),
  id: ids,
  at: fc.oneof(fc.integer({ min: -3, max: 6 }), fc.constantFrom(0.5, 1.7e15, 1.7e15 + 1)),
  keys: fc.array(fc.constantFrom('k', 'l', 'kk'), { maxLength: 3 }),
  version: fc.integer({ min: 0, max: 2 }),
  body: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('x', 'é', null), fc.record({ n: fc.nat(2) })),
});

const story = fc.array(anyFact, { maxLength: 25 }).chain((facts) => fc.tuple(fc.constant(facts), retold(facts)));

export function orderContract(the: () => Store, effort: number): void {
  it('answers the same for any order, repetition and batching of the same facts', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ([facts, batches]) => {
        const model = new Model();
        model.put(facts);
        const space = unused('space');
        const inSpace = (f: Fact): Fact => ({ ...f, shard: `${space}:${f.shard}` });
        for (const batch of batches) await the().put(batch.map(inSpace));
        await expectAnswers(the(), model, inSpace);
      }),
      { numRuns: 60 * effort },
    );
  });

  it('answers the same when the batches are put at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ([facts, batches]) => {
        const model = new Model();
        model.put(facts);
        const space = unused('space');
        const inSpace = (f: Fact): Fact => ({ ...f, shard: `${space}:${f.shard}` });
        await Promise.all(batches.map((batch) => the().put(batch.map(inSpace))));
        await expectAnswers(the(), model, inSpace);
      }),
      { numRuns: 40 * effort },
    );
  });

  it('says what changed as the model does', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ([, batches]) => {
        const model = new Model();
        const space = unused('space');
        for (const batch of batches) {
          expect(await the().put(batch.map((f) => ({ ...f, shard: `${space}:${f.shard}` })))).toEqual(model.put(batch));
        }
      }),
      { numRuns: 30 * effort },
    );
  });
}

async function expectAnswers(store: Store, model: Model, inSpace: (fact: Fact) => Fact): Promise<void> {
  const spaced = (facts: Fact[]) => facts.map(inSpace);
  for (const shard of ['s', 't']) {
    const at = inSpace(fact({ shard })).shard;
    for (const kind of ['flow', 'staging'] as const) {
      for (const id of ['a', 'b', 'ü']) {
        const known = model.get(shard, kind, id);
        expect(await store.get(at, kind, id)).toEqual(known === undefined ? undefined : inSpace(known));
      }
      for (const [key, limit] of [
        ['k', 50],
        ['l', 2],
        ['kk', 1],
      ] as const) {
        expect(await store.find(at, kind, key, limit)).toEqual(spaced(model.find(shard, kind, key, limit)));
      }
      for (const [from, to, limit] of [
        [-9, 2e15, 50],
        [0, 3, 2],
        [1, 1, 50],
        [0.25, 0.75, 9],
      ] as const) {
        expect(await store.between(at, kind, from, to, limit)).toEqual(
          spaced(model.between(shard, kind, from, to, limit)),
        );
        expect(await store.count(at, kind, from, to)).toBe(model.between(shard, kind, from, to, Infinity).length);
      }
    }
  }
}
