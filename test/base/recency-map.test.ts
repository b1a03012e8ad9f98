import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecencyMap } from '../../sensor/base/recency-map.ts';

const key = fc.nat(12).map(String);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('renew' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ask' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete-oldest' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renew-often' as const), key }) },
);

describe('a RecencyMap', () => {
  it('agrees with a Map that is asked for its first entry, whatever is done in which order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const real = new RecencyMap<number>();
        const model = new Map<string, number>();
        const first = (): string | undefined => model.keys().next().value;
        for (const [i, { do: what, key }] of steps.entries()) {
          // Often enough for the walk to begin anew.
          for (let times = what === 'renew-often' ? 700 : what === 'renew' ? 1 : 0; times > 0; times--) {
            real.renew(key, i);
            model.delete(key);
            model.set(key, i);
          }
          const gone = what === 'delete' ? key : what === 'delete-oldest' ? first() : undefined;
          if (gone !== undefined) {
            real.delete(gone);
            model.delete(gone);
          }
          if (what === 'ask' || what === 'delete-oldest') expect(real.oldest()).toBe(first());
          expect([real.size, real.get(key), real.has(key)]).toEqual([model.size, model.get(key), model.has(key)]);
        }
        for (let oldest = real.oldest(); oldest !== undefined; oldest = real.oldest()) {
          expect(oldest).toBe(first());
          real.delete(oldest);
          model.delete(oldest);
        }
        expect(model.size).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});
