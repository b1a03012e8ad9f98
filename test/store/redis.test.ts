import { afterAll, beforeAll } from 'vitest';
import { openRedis } from '../../enrich/store/redis.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../build/redis-server.ts';
import { storeContract } from './contract.ts';
import { unused } from './fixtures.ts';

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
});
