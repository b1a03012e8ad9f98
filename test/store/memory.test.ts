import { describe, expect, it } from 'vitest';
import { openMemory } from '../../enrich/store/memory.ts';
import { storeContract } from './contract.ts';
import { codeOf, fact } from './fixtures.ts';

storeContract('the store in memory', async () => {
  const store = openMemory();
  return { store, remove: () => store.close() };
});

describe('the room of a store in memory', () => {
  it('ends at the facts of one shard and kind: the oldest goes', async () => {
    const store = openMemory({ maxFactsPerSeries: 2 });
    const at = (n: number) => fact({ id: `${n}`, at: n, keys: ['k'] });
    expect(await store.put([at(3), at(4), at(5), at(1)])).toEqual([true, true, true, false]);
    expect((await store.find('host:a', 'flow', 'k', 9)).map((f) => f.at)).toEqual([4, 5]);
    expect(store.counters().evictedFacts).toBe(2);
  });

  it('ends at the byte cap with a named error, and comes back with expire', async () => {
    const store = openMemory({ maxBytes: 10_000 });
    const large = (n: number) => fact({ id: `${n}`, at: n, body: 'x'.repeat(3_000) });
    await store.put([large(1), large(2), large(3)]);
    expect(await codeOf(store.put([large(4)]))).toBe('full');
    await store.expire(3);
    expect(await codeOf(store.put([large(4)]))).toBe('none');
  });

  it('ends at the alerts: the oldest goes', async () => {
    const store = openMemory({ maxAlerts: 2 });
    for (const id of ['c', 'b', 'a']) await store.putAlert({ id, at: id.charCodeAt(0), revision: 1, body: null });
    expect((await store.listAlerts({ limit: 9 })).map((alert) => alert.id)).toEqual(['c', 'b']);
    expect(store.counters().evictedAlerts).toBe(1);
  });
});
