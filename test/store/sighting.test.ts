import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeSighting, packEntry, unionOf, unpackEntry } from '../../enrich/store/sighting.ts';
import type { Familiarity } from '../../enrich/store/store.ts';
import { Model } from './model.ts';

const day = fc.oneof(fc.integer({ min: 98, max: 101 }), fc.integer({ min: 129, max: 134 }), fc.constantFrom(0, 65_535));
const sightings = fc.array(fc.record({ day, tainted: fc.boolean() }), { minLength: 1, maxLength: 6 });

describe('the entry of a destination', () => {
  it('is a function of the set of its sightings', () => {
    fc.assert(
      fc.property(sightings, (seen) => {
        const where = { scope: 's', destination: 'd' };
        const model = new Model();
        model.observe(seen.map((each) => ({ ...where, ...each })));
        let entry: Familiarity | undefined;
        for (const each of seen) entry = mergeSighting(entry, each.day, each.tainted).entry;
        expect(entry).toEqual(model.familiarity(where));
      }),
      { numRuns: 3_000 },
    );
  });

  it('is that of two destinations together when it is united with another', () => {
    const entryOf = (seen: readonly { readonly day: number; readonly tainted: boolean }[]): Familiarity | undefined => {
      let entry: Familiarity | undefined;
      for (const each of seen) entry = mergeSighting(entry, each.day, each.tainted).entry;
      return entry;
    };
    fc.assert(
      fc.property(sightings, sightings, (some, others) => {
        expect(unionOf(entryOf(some), entryOf(others))).toEqual(entryOf([...some, ...others]));
        expect(unionOf(entryOf(some), undefined)).toEqual(entryOf(some));
        expect(unionOf(undefined, entryOf(some))).toEqual(entryOf(some));
      }),
      { numRuns: 3_000 },
    );
  });

  it('says that it changed exactly when it did', () => {
    fc.assert(
      fc.property(sightings, ([last, ...seen]) => {
        let entry: Familiarity | undefined;
        for (const each of seen) entry = mergeSighting(entry, each.day, each.tainted).entry;
        const merged = mergeSighting(entry, last!.day, last!.tainted);
        expect(merged.changed).toBe(JSON.stringify(merged.entry) !== JSON.stringify(entry));
      }),
      { numRuns: 2_000 },
    );
  });

  it('fits 8 bytes and comes back from them', () => {
    fc.assert(
      fc.property(sightings, (seen) => {
        let entry: Familiarity | undefined;
        for (const each of seen) entry = mergeSighting(entry, each.day, each.tainted).entry;
        const bytes = packEntry(entry!);
        expect(bytes).toHaveLength(8);
        expect(unpackEntry(bytes)).toEqual(entry);
      }),
    );
  });
});
