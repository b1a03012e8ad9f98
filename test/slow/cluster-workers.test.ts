/** The story set through a Redis Cluster of three masters with a replica each, with one worker and with four. */
import { writeFileSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openRedis } from '../../enrich/store/redis.ts';
import { connectRedis } from '../../enrich/store/redis-connect.ts';
import { describeWithRedis, type RedisCluster, startCluster } from '../build/redis-server.ts';
import { type Piece, piecesOf, send } from '../service/sender.ts';
import { alertsIn, type StoryInput, storyInput } from '../service/stories.ts';
import { enrichProcess, eventually, metric, type RunningService, temporary } from '../service/waybill-process.ts';

const STREAMS = ['{wb:0}:events', '{wb:0}:flows'];
/** What was acknowledged this long before a master died is sent again: README names the window of replication. */
const RESENT_MILLIS = 3_000;

let input: StoryInput;
beforeAll(async () => {
  input = await storyInput();
}, 120_000);

describeWithRedis('workers on a Redis Cluster', () => {
  let cluster: RedisCluster;
  let data: ReturnType<typeof temporary>;
  let workers: RunningService[] = [];
  beforeEach(async () => {
    cluster = await startCluster(1);
    data = temporary();
  }, 60_000);
  afterEach(async () => {
    for (const worker of workers) worker.kill('SIGKILL');
    workers = [];
    await cluster.remove();
    data.remove();
  });

  for (const [count, seed] of [
    [1, 21],
    [4, 22],
    [4, 23],
  ] as const) {
    it(`${count} of them tell the alerts that replay tells, for order ${seed}`, { timeout: 180_000 }, async () => {
      const urls = await start(count);
      await send(urls, piecesOf(input, seed));
      await settled(urls);
      expect(await stopped()).toEqual(workers.map(() => 0));
      expect(await alerts()).toEqual(input.expected);
    });
  }

  it('tell them too when the master of the streams is killed under load', { timeout: 240_000 }, async () => {
    const urls = await start(2);
    const pieces = piecesOf(input, 24);
    const accepted: { piece: Piece; at: number }[] = [];
    let killedAt: number | undefined;
    await send(urls, pieces, async (piece) => {
      accepted.push({ piece, at: performance.now() });
      if (killedAt !== undefined || accepted.length < pieces.length / 2) return;
      killedAt = performance.now();
      await cluster.masterOf(STREAMS[0]!).kill();
    });
    expect(killedAt).toBeDefined();
    const doubtful = accepted.filter(({ at }) => at > killedAt! - RESENT_MILLIS && at <= killedAt! + 100);
    expect(doubtful.length).toBeLessThan(accepted.length);
    await send(
      urls,
      doubtful.map(({ piece }) => piece),
    );
    await settled(urls);
    expect(await stopped()).toEqual([0, 0]);
    expect(await alerts()).toEqual(input.expected);
  });

  async function start(count: number): Promise<string[]> {
    const config = `${data.path}/settings.yaml`;
    writeFileSync(config, 'service: { requests_per_second: 10000, claim_seconds: 2 }\n');
    const args = ['--store', cluster.url, '--config', config];
    workers = await Promise.all(
      Array.from({ length: count }, (_, i) => enrichProcess([...args, '--data', `${data.path}/${i}`])),
    );
    return workers.map(({ url }) => url);
  }

  /** Everything accepted has been settled and acknowledged. */
  async function settled(urls: readonly string[]): Promise<void> {
    const link = await connectRedis(cluster.url);
    for (const key of STREAMS) {
      await eventually(async () => {
        const groups = (await link.send(key, ['XINFO', 'GROUPS', key])) as unknown[][];
        const fields = groups[0]!.map(String);
        return ['lag', 'pending'].every((name) => fields[fields.indexOf(name) + 1] === '0');
      }, 60_000);
    }
    await link.close();
    await eventually(async () =>
      (await Promise.all(urls.map((url) => metric(url, 'waiting_batches')))).every((n) => n === 0),
    );
  }

  function stopped(): Promise<(number | string)[]> {
    for (const worker of workers) worker.kill('SIGTERM');
    return Promise.all(workers.map(({ ended }) => ended));
  }

  async function alerts(): Promise<string[]> {
    const store = await openRedis(cluster.url);
    const found = await alertsIn(store);
    await store.close();
    return found;
  }
});
