/** `waybill sensor --to redis://…`: records go to the streams of a Redis, and to a spool on disk while it takes none. */
import { chownSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { type Log, openLog } from '../../sensor/base/log.ts';
import type { MetricSpec } from '../../sensor/base/metrics.ts';
import { readLiveSettings } from '../../sensor/cli/live-settings.ts';
import type { Parsed } from '../../sensor/cli/options.ts';
import { sensorCommand } from '../../sensor/cli/sensor.ts';
import { Spool } from '../../sensor/publish/spool.ts';
import { RedisPublisher } from '../../sensor/publish/to-redis.ts';
import { connectRedis } from '../store/redis-connect.ts';
import { parseRedisUrl } from '../store/redis-url.ts';
import { StoreError } from '../store/store-error.ts';
import { redisSecrets } from './open-backend.ts';

/** Longest wait for a reply of Redis, and for the last records at the end, milliseconds. */
const REDIS_TIMEOUT_MS = 2_000;
const LAST_RECORDS_MILLIS = 3_000;

/** Runs the sensor of this command line with the Redis at `url` as its output. */
export async function publishingSensor(args: string[], options: Parsed, url: string): Promise<number> {
  checkUrl(url);
  const directory = options.text('spool') ?? '';
  const spool = await openSpool(directory, options.integer('spool-mib', 1, 1_048_576)! * (1 << 20));
  if (options.text('interface') !== undefined) {
    giveSpool(directory, options);
    await import('redis'); // as another user we may be unable to read our own files
  }
  const log = openLog({
    name: 'sensor',
    level: options.on('quiet') ? 'warn' : 'info',
    terminal: process.stderr.isTTY === true,
  });
  const publisher = new RedisPublisher({
    spool,
    connect: () => connectRedis(url, { ...redisSecrets(), timeoutMs: REDIS_TIMEOUT_MS, clientName: 'waybill-sensor' }),
    onState: (up, why) => tellState(log, up, why),
  });
  const stream = publisher.stream;
  try {
    return await sensorCommand(args, {
      stream,
      metrics: metricsOf(publisher, spool),
      complaints: () => complaintsOf(publisher, spool),
    });
  } finally {
    await publisher.finish(LAST_RECORDS_MILLIS);
    log.info(
      { published: publisher.published, spooled: publisher.spooled, lost: spool.lostRecords, spool_bytes: spool.bytes },
      'records handed over',
    );
  }
}

function checkUrl(url: string): void {
  try {
    parseRedisUrl(url);
  } catch (error) {
    if (error instanceof StoreError) throw new UserError(`--to: ${error.message}`, Exit.usage);
    throw error;
  }
}

async function openSpool(directory: string, maxBytes: number): Promise<Spool> {
  try {
    mkdirSync(directory, { recursive: true });
    return await Spool.open(directory, maxBytes);
  } catch (error) {
    throw new UserError(`--spool ${directory}: ${(error as Error).message}`);
  }
}

/** The live sensor gives its privilege up: the spool then belongs to whom it becomes. */
function giveSpool(directory: string, options: Parsed): void {
  const { user } = readLiveSettings(options).capture;
  if (!user) return;
  for (const path of [directory, ...readdirSync(directory).map((name) => join(directory, name))]) {
    chownSync(path, user.uid, user.gid);
  }
}

function tellState(log: Log, up: boolean, why: string): void {
  if (up) log.info({}, 'Redis takes records');
  else log.warn({ why }, 'Redis takes no records; they go to the spool');
}

function metricsOf(publisher: RedisPublisher, spool: Spool): MetricSpec[] {
  const counter = (name: string, help: string, read: () => number): MetricSpec => ({
    name: `waybill_sensor_${name}_total`,
    type: 'counter',
    help,
    read,
  });
  const gauge = (name: string, help: string, read: () => number): MetricSpec => ({
    name: `waybill_sensor_${name}`,
    type: 'gauge',
    help,
    read,
  });
  return [
    gauge('redis_up', 'Whether Redis takes records.', () => (publisher.up ? 1 : 0)),
    counter('published_records', 'Records that Redis has acknowledged.', () => publisher.published),
    counter('spooled_records', 'Records that went to the spool first.', () => publisher.spooled),
    counter('lost_records', 'Records that the spool had no room for.', () => spool.lostRecords),
    counter('spool_damaged_files', 'Files of the spool that were damaged.', () => spool.damaged),
    gauge('spool_bytes', 'Bytes in the spool.', () => spool.bytes),
    gauge('queue_bytes', 'Bytes in memory on their way to Redis.', () => publisher.waitingBytes),
  ];
}

function complaintsOf(publisher: RedisPublisher, spool: Spool): string[] {
  return [
    publisher.up ? undefined : 'Redis takes no records; they go to the spool',
    spool.lostRecords > 0 ? `${spool.lostRecords} records were lost: the spool was full` : undefined,
    spool.damaged > 0 ? spool.lastDamage : undefined,
  ].filter((line) => line !== undefined);
}
