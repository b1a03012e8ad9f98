import { afterAll, beforeAll } from 'vitest';
import { openRedis } from '../../enrich/store/redis.ts';
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
});
