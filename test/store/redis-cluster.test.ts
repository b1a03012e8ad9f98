import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRedis } from '../../enrich/store/redis.ts';
import { connectRedis } from '../../enrich/store/redis-connect.ts';
import { describeWithRedis, startCluster } from '../build/redis-server.ts';
import { storeContract } from './contract.ts';
import { unused } from './fixtures.ts';

describeWithRedis('with a cluster of three', () => {
  let cluster: Awaited<ReturnType<typeof startCluster>>;
  beforeAll(async () => {
    cluster = await startCluster();
  }, 30_000);
  afterAll(() => cluster.remove());

  storeContract(
    'the Redis store',
    async () => {
      const store = await openRedis(cluster.url, { prefix: unused('waybill'), shape: { tags: 32, buckets: 2 } });
      return { store, remove: () => store.close() };
    },
    0.3,
  );

  it('a link sends each key to its node, and what is for every master to every one', async () => {
    const link = await connectRedis(cluster.url);
    await link.eachMaster(['FLUSHALL']);
    for (let i = 0; i < 50; i++) expect(await link.send(`key${i}`, ['SET', `key${i}`, String(i)])).toBe('OK');
    const sizes = (await link.eachMaster(['DBSIZE'])).map(Number);
    expect(sizes).toHaveLength(3);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(50);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    await link.close();
  });
});
