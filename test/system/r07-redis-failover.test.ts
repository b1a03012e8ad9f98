/** RELIABILITY r07: a replica is promoted by its sentinel, a slot moves in the cluster; no call meets CROSSSLOT. */
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { openRedis, type RedisStore } from '../../enrich/store/redis.ts';
import type { Fact } from '../../enrich/store/store.ts';
import { describeWithRedis, type RedisServer, startCluster, startRedis } from '../build/redis-server.ts';

const shape = { tags: 64, buckets: 1 };
const remove: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const each of remove.splice(0).reverse()) await each();
});

async function started(options: Parameters<typeof startRedis>[0]): Promise<RedisServer> {
  const server = await startRedis(options);
  remove.push(() => server.remove());
  return server;
}

async function opened(url: string): Promise<RedisStore> {
  const store = await openRedis(url, { shape, timeoutMs: 1_000 });
  remove.push(() => store.close());
  return store;
}

const fact = (n: number): Fact => ({
  shard: `host:${n}`,
  kind: 'flow',
  id: `${n}`,
  at: n,
  keys: [],
  version: 1,
  body: n,
});

/** Puts until it is acknowledged; gives up after 15 s. */
async function putInTheEnd(store: RedisStore, facts: readonly Fact[]): Promise<void> {
  const giveUp = performance.now() + 15_000;
  for (;;) {
    try {
      await store.put(facts);
      return;
    } catch (error) {
      expect(error).toMatchObject({ code: 'unavailable' });
      if (performance.now() > giveUp) throw error;
      await setTimeout(50);
    }
  }
}

describeWithRedis('a Redis that moves', () => {
  it('to another server by a sentinel is followed there', { timeout: 30_000 }, async () => {
    const master = await started({ args: ['--repl-diskless-sync-delay', '0'] });
    const replica = await started({ args: ['--replicaof', '127.0.0.1', String(master.port)] });
    const sentinel = await started({ sentinel: true });
    sentinel.cli('sentinel', 'monitor', 'main', '127.0.0.1', String(master.port), '1');
    sentinel.cli('sentinel', 'set', 'main', 'down-after-milliseconds', '500');
    sentinel.cli('sentinel', 'set', 'main', 'failover-timeout', '2000');
    const store = await opened(`redis+sentinel://127.0.0.1:${sentinel.port}/main`);
    await store.put([fact(1)]);
    await until(() => replica.cli('dbsize') === master.cli('dbsize'));
    await until(() => sentinel.cli('sentinel', 'replicas', 'main').includes(`127.0.0.1:${replica.port}`));

    await master.kill();
    await putInTheEnd(store, [fact(2)]);
    expect(replica.cli('role')).toContain('master');
    expect(await store.get('host:1', 'flow', '1')).toEqual(fact(1));
    expect(await store.get('host:2', 'flow', '2')).toEqual(fact(2));
  });

  it('in part, slot by slot, to another node of the cluster is followed there', { timeout: 30_000 }, async () => {
    const cluster = await startCluster();
    remove.push(() => cluster.remove());
    const store = await opened(cluster.url);
    const facts = Array.from({ length: 200 }, (_, n) => fact(n));
    await store.put(facts);
    const ids = cluster.nodes.map((node) => node.cli('cluster', 'myid'));
    const [from, to] = cluster.nodes;
    const rebalance = [
      '--cluster',
      'reshard',
      `127.0.0.1:${from!.port}`,
      '--cluster-from',
      ids[0]!,
      '--cluster-to',
      ids[1]!,
    ];
    to!.cli(...rebalance, '--cluster-slots', '600', '--cluster-yes');
    await putInTheEnd(
      store,
      facts.map((each) => ({ ...each, version: 2 })),
    );
    for (const each of facts) expect(await store.get(each.shard, 'flow', each.id)).toMatchObject({ version: 2 });
  });
});

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries > 500) throw new Error('it does not come');
    await setTimeout(20);
  }
}
