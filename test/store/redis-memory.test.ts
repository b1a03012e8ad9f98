/** The promise of store.ts: a familiarity entry takes at most 40 bytes in Redis at 1,000 destinations a scope. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { peerKeys } from '../../enrich/score/peers.ts';
import { openRedis } from '../../enrich/store/redis.ts';
import type { FamiliarityKey } from '../../enrich/store/store.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../build/redis-server.ts';

const HOSTS = 20;
const DESTINATIONS = 1_000;
/** Entries in a hash when 10,000 hosts know 1,000 destinations each, with the default 1,024 × 256 hashes. */
const PER_HASH = (10_000 * 1_000) / (1_024 * 256);

type Met = (hostId: string, destination: string) => readonly FamiliarityKey[];
const ofHost: Met = (hostId, destination) => [{ scope: `host:${hostId}`, destination }];
const identities = { identity: 'signed:a|b|c', installed: 'installed:c|\\\\program files\\\\b' };
const ofPeers: Met = (hostId, destination) => peerKeys('finance', { hostId, identities, destination });

describeWithRedis('familiarity in a Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.remove());

  it.each([
    ['of hosts', ofHost],
    ['of the hosts of a peer group', ofPeers],
  ])(
    '%s takes at most 40 bytes an entry, its keys, their TTLs and the hash table they are in included',
    async (_, met) => {
      server.cli('flushall');
      const entries = new Set<string>();
      const hosts = Array.from({ length: HOSTS }, (_, host) =>
        Array.from({ length: DESTINATIONS }, (_, i) =>
          met(`${host}`, `domain:${i}.example`).map((key) => ({ ...key, day: 20_000 + (i % 30), tainted: false })),
        ).flat(),
      );
      for (const { scope, destination } of hosts.flat()) entries.add(`${scope} ${destination}`);
      const shape = { tags: 4, buckets: Math.round(entries.size / PER_HASH / 4) };
      const store = await openRedis(server.url, { shape });
      const empty = memory(server);
      for (const seen of hosts) await store.observe(seen);
      const bytes = (memory(server) - empty) / entries.size;
      await store.close();
      expect(bytes).toBeGreaterThan(18); // less would mean that nothing was stored
      expect(bytes).toBeLessThanOrEqual(40);
    },
  );
});

/** Bytes of all keys with what Redis spends on having them. */
function memory(server: RedisServer): number {
  return Number(
    server.cli('memory', 'stats').split('\n')[1 + server.cli('memory', 'stats').split('\n').indexOf('dataset.bytes')],
  );
}
