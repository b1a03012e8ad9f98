/** RELIABILITY h06: what cannot be stored is not said to be stored, and comes again. */
import { afterEach, describe, expect, it } from 'vitest';
import { Journal } from '../../enrich/service/journal.ts';
import { describeWithRedis, startRedis } from '../build/redis-server.ts';
import { type ServiceHere, serviceHere } from '../service/service-here.ts';
import { eventually, linesOf, metric, post, STORY, temporary } from '../service/waybill-process.ts';

const body = linesOf(`${STORY}.endpoint.jsonl`).join('\n');
let here: ServiceHere | undefined;
afterEach(() => here?.remove());

describeWithRedis('h06: with Redis away', () => {
  it('asks senders to come again, and has each batch once when they do', async () => {
    const redis = await startRedis({ args: ['--appendonly', 'yes'] });
    here = await serviceHere({}, { store: redis.url });
    const { url, store } = here;
    expect((await post(`${url}/v1/events`, body)).status).toBe(202);
    await eventually(async () => (await metric(url, 'events_total')) > 0);
    const host = await hostOf(store);
    const before = await store.count(host, 'process', 0, 1e17);
    await redis.kill();
    const refused = await post(`${url}/v1/events`, body);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    await redis.start();
    await eventually(async () => (await post(`${url}/v1/events`, body)).status === 202, 20_000);
    await eventually(async () => (await fetch(`${url}/readyz`)).status === 200, 20_000);
    // The connection of this test comes back by itself, perhaps after those of the service.
    const counted = () => store.count(host, 'process', 0, 1e17);
    await eventually(
      () =>
        counted().then(
          () => true,
          () => false,
        ),
      20_000,
    );
    expect(await counted()).toBe(before);
    await here.remove();
    here = undefined;
    await redis.remove();
  }, 60_000);

  async function hostOf(store: ServiceHere['store']): Promise<string> {
    for await (const shard of store.shards('process')) return shard;
    throw new Error('no host is known');
  }
});

describe('h06: with the journal full', () => {
  it('refuses what it has no room for, and keeps what it accepted', async () => {
    const data = temporary();
    const journal = await Journal.open(data.path, 100_000);
    const batch = { kind: 'events' as const, count: 1, lines: Buffer.alloc(30_000, 'x') };
    let accepted = 0;
    for (let i = 0; i < 10; i++) {
      await journal.append(batch).then(
        () => accepted++,
        (error: { code: string }) => expect(error.code).toBe('full'),
      );
    }
    expect(accepted).toBe(3);
    const deliveries = await journal.take(100, 0);
    expect(deliveries).toHaveLength(3);
    await journal.ack(deliveries);
    await journal.append(batch);
    await journal.close();
    const again = await Journal.open(data.path, 100_000);
    expect((await again.take(100, 0)).map(({ attempt }) => attempt)).toEqual([2]);
    await again.close();
    data.remove();
  });
});
