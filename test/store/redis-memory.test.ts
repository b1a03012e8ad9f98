/** The promise of store.ts: a familiarity entry takes at most 40 bytes in Redis at 1,000 destinations a scope. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRedis } from '../../enrich/store/redis.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../build/redis-server.ts';

const HOSTS = 20;
const DESTINATIONS = 1_000;
/** Entries in a hash when 10,000 hosts know 1,000 destinations each, with the default 1,024 × 256 hashes. */
const PER_HASH = (10_000 * 1_000) / (1_024 * 256);

describeWithRedis('familiarity in a Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.remove());

  it('takes at most 40 bytes an entry, its keys, their TTLs and the hash table they are in included', async () => {
    const shape = { tags: 4, buckets: Math.round((HOSTS * DESTINATIONS) / PER_HASH / 4) };
    const store = await openRedis(server.url, { shape });
    const empty = memory(server);
    for (let host = 0; host < HOSTS; host++) {
      const seen = Array.from({ length: DESTINATIONS }, (_, i) => ({
        scope: `host:${host}`,
        destination: `domain:${i}.example`,
        day: 20_000 + (i % 30),
        tainted: false,
      }));
      await store.observe(seen);
    }
    const bytes = (memory(server) - empty) / (HOSTS * DESTINATIONS);
    await store.close();
    expect(bytes).toBeGreaterThan(18); // less would mean that nothing was stored
    expect(bytes).toBeLessThanOrEqual(40);
  });
});

/** Bytes of all keys with what Redis spends on having them. */
function memory(server: RedisServer): number {
  return Number(
    server.cli('memory', 'stats').split('\n')[1 + server.cli('memory', 'stats').split('\n').indexOf('dataset.bytes')],
  );
}
