import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Observation, Store } from '../../enrich/store/store.ts';
import { type Opened, retold, unused } from './fixtures.ts';
import { Model } from './model.ts';

const SCOPES = ['host', 'user', 'identity'];
const anyObservation: fc.Arbitrary<Observation> = fc.record({
  // Mostly one destination of one scope: what can go wrong goes wrong among its sightings.
  scope: fc.oneof({ weight: 3, arbitrary: fc.constant('host') }, fc.constantFrom(...SCOPES)),
  destination: fc.oneof(
    { weight: 2, arbitrary: fc.constant('domain:a.example') },
    fc.constantFrom('domain:b.example', 'tenant:c', 'domain:d'),
  ),
  // Next to each other and just about a window of 32 days apart, so that bitmaps and windows slide by every amount.
  day: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 98, max: 101 }) },
    { weight: 4, arbitrary: fc.integer({ min: 129, max: 134 }) },
    { weight: 2, arbitrary: fc.integer({ min: 60, max: 170 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 65_535) },
  ),
  tainted: fc.boolean(),
});

const sightings = fc.array(anyObservation, { maxLength: 20 }).chain((all) => fc.tuple(fc.constant(all), retold(all)));

export function familiarityContract(the: () => Store, effort: number): void {
  it('knows the days of a destination and nothing of another', async () => {
    const scope = unused('host');
    await the().observe([
      { scope, destination: 'domain:a', day: 20_000, tainted: true },
      { scope, destination: 'domain:a', day: 20_003, tainted: false },
    ]);
    const known = { firstDay: 20_000, lastDay: 20_003, days: 0b1001, firstTainted: true };
    const asked = [
      { scope, destination: 'domain:b' },
      { scope, destination: 'domain:a' },
      { scope: unused('host'), destination: 'domain:a' },
    ];
    expect(await the().familiarity(asked)).toEqual([undefined, known, undefined]);
    expect(await the().familiarity([])).toEqual([]);
  });

  it('keeps all 32 days, unsigned', async () => {
    const scope = unused('host');
    const days = Array.from({ length: 40 }, (_, i) => ({ scope, destination: 'd', day: 500 + i, tainted: false }));
    await the().observe(days);
    expect(await the().familiarity([{ scope, destination: 'd' }])).toEqual([
      { firstDay: 500, lastDay: 539, days: 0xffffffff, firstTainted: false },
    ]);
  });

  it('moves what was new to a day when an earlier sighting arrives late', async () => {
    const scope = unused('host');
    const seen = (destination: string, day: number) => the().observe([{ scope, destination, day, tainted: false }]);
    await seen('a', 110);
    await seen('b', 110);
    await seen('a', 105);
    expect(await the().novelty(scope, 0, 65_535)).toEqual([
      { day: 105, seen: 1, fresh: 1 },
      { day: 110, seen: 2, fresh: 1 },
    ]);
    expect(await the().novelty(scope, 106, 109)).toEqual([]);
    expect(await the().novelty(scope, 110, 110)).toHaveLength(1);
    expect(await the().novelty(scope, 999, 0)).toEqual([]);
    expect(await the().novelty(unused('host'), 0, 65_535)).toEqual([]);
  });

  it('makes familiarity and novelty a function of the set of sightings', async () => {
    await fc.assert(
      fc.asyncProperty(sightings, async ([all, batches]) => {
        const space = unused('space');
        const model = new Model();
        const inSpace = (o: Observation) => ({ ...o, scope: `${o.scope}:${space}` });
        model.observe(all.map(inSpace));
        for (const batch of batches) await the().observe(batch.map(inSpace));
        for (const scope of SCOPES.map((each) => `${each}:${space}`)) {
          expect(await the().novelty(scope, 0, 65_535)).toEqual(model.novelty(scope, 0, 65_535));
          const asked = ['domain:a.example', 'domain:b.example', 'tenant:c', 'x'].map((destination) => ({
            scope,
            destination,
          }));
          expect(await the().familiarity(asked)).toEqual(asked.map((query) => model.familiarity(query)));
        }
      }),
      { numRuns: 100 * effort },
    );
  });
}

/** Scopes that gather many hosts, and may be spread over a store. */
const WIDE = ['org', 'peers:finance'];

export function wideContract(open: () => Promise<Opened>, effort: number): void {
  it.each(WIDE)('makes familiarity and novelty of %s a function of the set of sightings', async (scope) => {
    await fc.assert(
      fc.asyncProperty(sightings, async ([all, batches]) => {
        const { store, remove } = await open();
        const model = new Model();
        const inScope = (o: Observation) => ({ ...o, scope });
        model.observe(all.map(inScope));
        for (const batch of batches) await store.observe(batch.map(inScope));
        expect(await store.novelty(scope, 0, 65_535)).toEqual(model.novelty(scope, 0, 65_535));
        const asked = ['domain:a.example', 'tenant:c', 'x'].map((destination) => ({ scope, destination }));
        expect(await store.familiarity(asked)).toEqual(asked.map((query) => model.familiarity(query)));
        await remove();
      }),
      { numRuns: 20 * effort },
    );
  });
}
