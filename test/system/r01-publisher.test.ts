/** RELIABILITY r01, r02, r03 from the sensor's side: Redis killed, stopped and full while records are published. */
import { afterEach, expect, it } from 'vitest';
import { entryList } from '../../enrich/service/stream-entries.ts';
import { connectRedis } from '../../enrich/store/redis-connect.ts';
import { Spool } from '../../sensor/publish/spool.ts';
import { RedisPublisher } from '../../sensor/publish/to-redis.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../build/redis-server.ts';
import { eventually, temporary } from '../service/waybill-process.ts';

const STREAM = '{wb:0}:flows';
let clean: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of clean.reverse()) await step();
  clean = [];
});

interface Bench {
  readonly redis: RedisServer;
  readonly publisher: RedisPublisher;
  readonly spool: Spool;
  readonly states: string[];
  /** Publishes `count` more records, a few every millisecond, as live capture does. */
  publish(count: number): Promise<void>;
  /** Ids of all records that were published, and of those that Redis has. */
  readonly sent: () => number;
  readonly arrived: () => Promise<number[]>;
}

async function bench(args: readonly string[] = []): Promise<Bench> {
  const redis = await startRedis({ args });
  const directory = temporary();
  const spool = await Spool.open(directory.path, 64 << 20);
  const states: string[] = [];
  const publisher = new RedisPublisher({
    spool,
    connect: () => connectRedis(redis.url, { timeoutMs: 500 }),
    onState: (up, why) => states.push(up ? 'up' : why),
  });
  const { stream } = publisher;
  clean.push(
    () => redis.remove(),
    () => directory.remove(),
    () => publisher.finish(100),
  );
  let sent = 0;
  const publish = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 20) {
      const lines = Array.from({ length: 20 }, () => `{"i":${sent++},"pad":"${'x'.repeat(600)}"}\n`);
      await new Promise((resolve) => stream.write(lines.join(''), resolve));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  return { redis, publisher, spool, states, publish, sent: () => sent, arrived: () => idsIn(redis) };
}

async function idsIn(redis: RedisServer): Promise<number[]> {
  const link = await connectRedis(redis.url);
  const entries = entryList(await link.send(STREAM, ['XRANGE', STREAM, '-', '+']));
  await link.close();
  const texts = entries.map(({ fields }) => String(fields.get('b')));
  return texts.flatMap((text) => [...text.matchAll(/"i":(\d+),/g)].map((match) => Number(match[1])));
}

/** Ledger: every record that was published is in Redis at least once; none is lost, none is invented. */
async function expectAll({ arrived, sent, spool }: Bench): Promise<void> {
  await eventually(async () => new Set(await arrived()).size === sent(), 20_000);
  expect(Math.max(...(await arrived()))).toBe(sent() - 1);
  expect(spool.lostRecords).toBe(0);
}

describeWithRedis('a sensor that publishes to Redis', () => {
  it('r01: loses nothing when Redis is killed under load and comes back', async () => {
    const b = await bench(['--appendonly', 'yes', '--appendfsync', 'everysec']);
    await b.publish(2_000);
    await b.redis.kill();
    await b.publish(4_000);
    expect(b.publisher.up).toBe(false);
    expect(b.spool.bytes).toBeGreaterThan(0);
    await b.redis.start();
    await b.publish(1_000);
    await expectAll(b);
    await eventually(() => b.spool.bytes === 0);
    // Redis says once that it is away and once that it is back.
    expect(b.states.filter((state) => state === 'up')).toHaveLength(2);
  }, 60_000);

  it('r02: goes on while Redis is stopped, holds no queue without bound, and catches up', async () => {
    const b = await bench();
    await b.publish(500);
    b.redis.signal('SIGSTOP');
    await b.publish(6_000);
    await eventually(() => !b.publisher.up, 5_000);
    expect(b.publisher.waitingBytes).toBeLessThan(17 << 20);
    b.redis.signal('SIGCONT');
    await expectAll(b);
  }, 60_000);

  it('r03: keeps on the disk what a full Redis does not take, says so once, and drains when there is room', async () => {
    const b = await bench();
    await b.publish(500);
    b.redis.cli('config', 'set', 'maxmemory', '1mb');
    await b.publish(3_000);
    await eventually(() => b.spool.bytes > 0);
    expect(b.states.filter((state) => state.includes('takes no more'))).toHaveLength(1);
    b.redis.cli('config', 'set', 'maxmemory', '0');
    await expectAll(b);
  }, 60_000);

  it('leaves on the disk what it could not hand over, and hands it over at the next start', async () => {
    const redis = await startRedis();
    const directory = temporary();
    clean.push(
      () => redis.remove(),
      () => directory.remove(),
    );
    await redis.kill();
    const connect = () => connectRedis(redis.url, { timeoutMs: 500 });
    const first = new RedisPublisher({ spool: await Spool.open(directory.path, 1 << 24), connect, onState: () => {} });
    await new Promise((resolve) => first.stream.write('{"i":0,"a":1}\n{"i":1,"a":1}\n', resolve));
    await first.finish(200);
    await redis.start();
    const second = new RedisPublisher({ spool: await Spool.open(directory.path, 1 << 24), connect, onState: () => {} });
    await eventually(async () => (await idsIn(redis)).length === 2);
    await second.finish(1_000);
    expect(await idsIn(redis)).toEqual([0, 1]);
  }, 30_000);
});
