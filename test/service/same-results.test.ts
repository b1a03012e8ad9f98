/**
 * One suite over every way of running: replay, the embedded service, Redis with one worker and with four. The same through a
 * Redis Cluster is in test/slow/cluster-workers.test.ts.
 */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { openRedis } from '../../enrich/store/redis.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../build/redis-server.ts';
import { piecesOf, send } from './sender.ts';
import { serviceHere } from './service-here.ts';
import { alertsIn, type StoryInput, storyInput } from './stories.ts';
import { enrichProcess, eventually, metric, type RunningService, temporary } from './waybill-process.ts';

let input: StoryInput;
beforeAll(async () => {
  input = await storyInput();
  expect(input.expected.length).toBeGreaterThanOrEqual(2);
}, 60_000);

describe('the embedded service', () => {
  it('tells the alerts that replay tells, for input in any order and partly twice', async () => {
    const here = await serviceHere();
    await send([here.url], piecesOf(input, 7));
    await eventually(async () => (await metric(here.url, 'waiting_batches')) === 0, 40_000);
    await here.stop();
    const store = await openEmbedded(`${here.data}/store`);
    expect(await alertsIn(store)).toEqual(input.expected);
    await store.close();
    await here.remove();
  }, 60_000);
});

describeWithRedis('workers on one Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());

  it('one of them tells the alerts that replay tells', async () => {
    const here = await serviceHere({}, { store: redis.url });
    await send([here.url], piecesOf(input, 11));
    await settled([here.url]);
    expect(await alertsIn(here.store)).toEqual(input.expected);
    await here.remove();
  }, 60_000);

  it('four of them, in processes of their own, tell the alerts that replay tells', async () => {
    redis.cli('flushall');
    const data = temporary();
    const config = `${data.path}/settings.yaml`;
    writeFileSync(config, 'service: { requests_per_second: 10000 }\n');
    const workers: RunningService[] = await Promise.all(
      [0, 1, 2, 3].map((i) => enrichProcess(['--store', redis.url, '--data', `${data.path}/${i}`, '--config', config])),
    );
    const urls = workers.map(({ url }) => url);
    await send(urls, piecesOf(input, 12));
    await settled(urls);
    for (const worker of workers) worker.kill('SIGTERM');
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([0, 0, 0, 0]);
    const store = await openRedis(redis.url);
    expect(await alertsIn(store)).toEqual(input.expected);
    await store.close();
    data.remove();
  }, 120_000);

  /** Everything accepted has been settled and acknowledged. */
  async function settled(urls: readonly string[]): Promise<void> {
    for (const kind of ['events', 'flows']) {
      await eventually(() => redis.cli('xpending', `{wb:0}:${kind}`, 'enrich').startsWith('0'), 40_000);
    }
    await eventually(async () =>
      (await Promise.all(urls.map((url) => metric(url, 'waiting_batches')))).every((n) => n === 0),
    );
  }
});
