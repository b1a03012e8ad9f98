/** RELIABILITY r01, r02, r03 for the store: Redis killed, stopped, full. */
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { openRedis, type RedisStore } from '../../enrich/store/redis.ts';
import type { Fact } from '../../enrich/store/store.ts';
import { StoreError } from '../../enrich/store/store-error.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../build/redis-server.ts';

const TIMEOUT_MS = 500;
const shape = { tags: 16, buckets: 1 };

let server: RedisServer | undefined;
let store: RedisStore | undefined;

async function start(args: readonly string[] = []): Promise<{ server: RedisServer; store: RedisStore }> {
  server = await startRedis({ args });
  store = await openRedis(server.url, { timeoutMs: TIMEOUT_MS, shape });
  return { server, store };
}

const facts = (batch: number): Fact[] =>
  Array.from({ length: 20 }, (_, i) => ({
    shard: `host:${i}`,
    kind: 'flow',
    id: `${batch}-${i}`,
    at: batch,
    keys: ['k'],
    version: 1,
    body: 'x'.repeat(500),
  }));

/** Writes until told to stop, each batch again until it is acknowledged; gives the batches and the errors met. */
function writer(to: RedisStore) {
  const acknowledged: number[] = [];
  const errors: unknown[] = [];
  let on = true;
  const done = (async () => {
    for (let batch = 0; on; batch++) {
      for (;;) {
        try {
          await to.put(facts(batch));
          acknowledged.push(batch);
          break;
        } catch (error) {
          errors.push(error);
          await setTimeout(20);
        }
      }
    }
  })();
  return {
    acknowledged,
    errors,
    stop: async () => {
      on = false;
      await done;
    },
  };
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries > 1_500) throw new Error('it does not come');
    await setTimeout(10);
  }
}

async function stored(from: RedisStore, batch: number): Promise<number> {
  const counts = await Promise.all(facts(batch).map(({ shard }) => from.count(shard, 'flow', batch, batch)));
  return counts.reduce((sum, count) => sum + count, 0);
}

describeWithRedis('a Redis that fails under the store', () => {
  afterEach(async () => {
    await store?.close();
    await server?.remove();
  });

  it('and was killed under load has, after its restart, all that was acknowledged, and takes the rest again', {
    timeout: 20_000,
  }, async () => {
    const { server, store } = await start(['--appendonly', 'yes', '--appendfsync', 'everysec']);
    const writing = writer(store);
    await until(() => writing.acknowledged.length > 20);
    await server.kill();
    await until(() => writing.errors.length > 3);
    await server.start();
    const before = writing.acknowledged.length;
    await until(() => writing.acknowledged.length > before + 20);
    await writing.stop();

    expect(writing.errors.every((error) => error instanceof StoreError && error.code === 'unavailable')).toBe(true);
    for (const batch of writing.acknowledged) expect(await stored(store, batch)).toBe(20);
  });

  it('and stands still makes calls reject in time, and takes them again once it goes on', {
    timeout: 20_000,
  }, async () => {
    const { server, store } = await start();
    const [fact] = facts(0);
    await store.put(facts(0));
    server.signal('SIGSTOP');
    const stopped = performance.now();
    await expect(store.put(facts(1))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.get(fact!.shard, 'flow', fact!.id)).rejects.toMatchObject({ code: 'unavailable' });
    expect(performance.now() - stopped).toBeLessThan(6 * TIMEOUT_MS);
    await setTimeout(5_000 - (performance.now() - stopped));
    server.signal('SIGCONT');

    const writing = writer(store);
    await until(() => writing.acknowledged.length > 0);
    await writing.stop();
    expect(await store.get(fact!.shard, 'flow', fact!.id)).toEqual(fact);
  });

  it('and is full says so by name, keeps what it has, and takes more when it has room', async () => {
    const { server, store } = await start();
    await store.put(facts(0));
    const used = Number(/used_memory:(\d+)/.exec(server.cli('info', 'memory'))?.[1]);
    server.cli('config', 'set', 'maxmemory', String(used + 1_000_000));
    const full = async () => {
      for (let batch = 1; batch < 1_000; batch++) await store.put(facts(batch));
    };
    await expect(full()).rejects.toMatchObject({
      code: 'full',
      message: expect.stringMatching(/^[^\n]*takes no more[^\n]*$/),
    });
    server.cli('config', 'set', 'maxmemory', '1');
    await expect(store.observe([{ scope: 's', destination: 'd', day: 1, tainted: false }])).rejects.toMatchObject({
      code: 'full',
    });
    expect(await stored(store, 0)).toBe(20);
    expect(await store.expire(1)).toBe(20);
    server.cli('config', 'set', 'maxmemory', '0');
    expect(await store.put(facts(0))).toEqual(facts(0).map(() => true));
  });
});
