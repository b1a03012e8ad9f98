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

  it('loads its scripts anew where they were forgotten', async () => {
    const store = await openRedis(server.url, { prefix: unused('waybill'), shape: { tags: 4, buckets: 2 } });
    await store.put([fact()]);
    server.cli('script', 'flush');
    expect(await store.put([fact(), fact({ id: 'f2' })])).toEqual([false, true]);
    await store.close();
  });
});
