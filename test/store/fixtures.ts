import fc from 'fast-check';
import type { Fact, Store } from '../../enrich/store/store.ts';
import { StoreError, type StoreErrorCode } from '../../enrich/store/store-error.ts';

export interface Opened {
  readonly store: Store;
  /** Closes the store and removes what it left. */
  readonly remove: () => Promise<void>;
}

let serial = 0;

/** A name that no other test has used. */
export function unused(prefix: string): string {
  serial++;
  return `${prefix}:${serial}`;
}

export function fact(changes: Partial<Fact> = {}): Fact {
  return {
    shard: 'host:a',
    kind: 'flow',
    id: 'f1',
    at: 1_700_000_000_000_000,
    keys: [],
    version: 1,
    body: {},
    ...changes,
  };
}

/** Says which code a call rejects with. */
export async function codeOf(call: Promise<unknown>): Promise<StoreErrorCode | 'none' | 'not a StoreError'> {
  try {
    await call;
    return 'none';
  } catch (error) {
    return error instanceof StoreError ? error.code : 'not a StoreError';
  }
}

/** The same things in another order, some of them twice, cut into batches. */
export function retold<T>(things: readonly T[]): fc.Arbitrary<T[][]> {
  const again = fc.shuffledSubarray([...things]);
  const shuffled = fc.shuffledSubarray([...things], { minLength: things.length });
  return fc.tuple(shuffled, again, fc.integer({ min: 1, max: 7 })).map(([all, twice, size]) => {
    const told = [...all, ...twice];
    return Array.from({ length: Math.ceil(told.length / size) }, (_, i) => told.slice(i * size, (i + 1) * size));
  });
}
