import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRedis } from '../../enrich/store/redis.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../build/redis-server.ts';
import { storeContract } from './contract.ts';
import { fact, unused } from './fixtures.ts';

describeWithRedis('with a redis-server', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.remove());

  storeContract('the Redis store', async () => {
    const store = await openRedis(server.url, { prefix: unused('waybill'), shape: { tags: 32, buckets: 2 } });
    return { store, remove: () => store.close() };
  });

  it('leaves no key of facts and entries behind when all was forgotten, and gives every one of them a TTL', async () => {
    const prefix = unused('waybill');
    const store = await openRedis(server.url, { prefix, shape: { tags: 4, buckets: 2 } });
    await store.put(['a', 'b', 'c'].map((name) => fact({ shard: name, keys: ['k'] })));
    await store.observe(['a', 'b', 'c'].map((scope) => ({ scope, destination: 'd', day: 5, tainted: false })));
    const keys = () => server.cli('--scan', '--pattern', `${prefix}:*`).split('\n');
    const kept = /:(layout|s|h)$/;
    for (const key of keys()) expect([key, server.cli('ttl', key) === '-1']).toEqual([key, kept.test(key)]);
    expect(await store.expire(Infinity)).toBe(6);
    expect(keys().filter((key) => !/:(layout|h|n:.*)$/.test(key))).toEqual([]);
    await store.close();
  });

  it('leaves of one batch what its facts leave one by one, evictions and answers included', async () => {
    const options = { shape: { tags: 4, buckets: 2 }, maxFactsPerSeries: 5 };
    const [whole, single] = [
      await openRedis(server.url, { prefix: unused('waybill'), ...options }),
      await openRedis(server.url, { prefix: unused('waybill'), ...options }),
    ];
    const anyFact = fc.record({
      shard: fc.constantFrom('s', 't'),
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      at: fc.nat(6),
      keys: fc.array(fc.constantFrom('k', 'l'), { maxLength: 2 }),
      version: fc.nat(2),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(anyFact, { maxLength: 8 }), { maxLength: 4 }), async (batches) => {
        const space = unused('space');
        for (const batch of batches) {
          const facts = batch.map((each) => fact({ ...each, shard: `${space}:${each.shard}` }));
          const answers: boolean[] = [];
          for (const each of facts) answers.push(...(await single.put([each])));
          expect(await whole.put(facts)).toEqual(answers);
        }
        for (const shard of ['s', 't'].map((each) => `${space}:${each}`)) {
          expect(await whole.between(shard, 'flow', 0, 9, 99)).toEqual(await single.between(shard, 'flow', 0, 9, 99));
          for (const key of ['k', 'l']) {
            expect(await whole.find(shard, 'flow', key, 99)).toEqual(await single.find(shard, 'flow', key, 99));
          }
        }
      }),
      { numRuns: 60 },
    );
    expect(whole.counters().evictedFacts).toBeGreaterThan(0);
    expect(whole.counters()).toEqual(single.counters());
    await whole.close();
    await single.close();
  });

  it('loads its scripts anew where they were forgotten', async () => {
    const store = await openRedis(server.url, { prefix: unused('waybill'), shape: { tags: 4, buckets: 2 } });
    await store.put([fact()]);
    server.cli('script', 'flush');
    expect(await store.put([fact(), fact({ id: 'f2' })])).toEqual([false, true]);
    await store.close();
  });
});
