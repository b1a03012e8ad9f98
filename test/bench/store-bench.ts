/**
 * `npm run bench -- store [facts]`: speed and size of the stores. Prints tables and promises nothing. CPU time is
 * this process's and the Redis server's together, so that a busy machine can be told from a slow store.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import { openRedis } from '../../enrich/store/redis.ts';
import type { Fact, Observation, Store } from '../../enrich/store/store.ts';
import { type RedisServer, startRedis } from '../build/redis-server.ts';

const FACTS = Number(process.argv[3] ?? 100_000);
const HOSTS = 200;
const BATCH = 100;

interface Subject {
  readonly store: Store;
  /** CPU seconds spent outside of this process. */
  readonly cpu: () => number;
  readonly remove: () => Promise<void>;
}

type Row = Record<string, string | number>;

const fact = (n: number): Fact => ({
  shard: `host:${n % HOSTS}`,
  kind: 'connection',
  id: `conn-${n}-abcdefgh-0123`,
  at: 1.7e15 + n * 1_000,
  keys: [`10.0.0.${n % 250}:${n % 60_000}>203.0.113.7:443`, `dst:203.0.113.${n % 255}`],
  version: 1,
  body: { image: 'C:\\Windows\\System32\\curl.exe', n, pad: 'y'.repeat(200) },
});

const sighting = (n: number): Observation => ({
  scope: `host:${n % 1_000}`,
  destination: `domain:${n % 7_919}.example`,
  day: 20_000 + (n % 3),
  tainted: false,
});

const batch = <T>(make: (n: number) => T, from: number): T[] => Array.from({ length: BATCH }, (_, i) => make(from + i));

/** Runs `work(n)` for n = 0, step, 2 step… below `count`, `writers` at a time. */
async function together(
  count: number,
  step: number,
  writers: number,
  work: (n: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const writer = async () => {
    for (let n = next; n < count; n = next) {
      next += step;
      await work(n);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
}

async function measure(subject: Subject): Promise<Row> {
  const { store } = subject;
  const row: Row = {};
  const timed = async (name: string, count: number, work: () => Promise<void>) => {
    const [cpu, own, start] = [subject.cpu(), process.cpuUsage(), performance.now()];
    await work();
    const seconds = (performance.now() - start) / 1_000;
    const used = process.cpuUsage(own);
    const micros = (used.user + used.system + 1e6 * (subject.cpu() - cpu)) / count;
    row[name] = `${Math.round(count / seconds)} (${micros.toFixed(0)})`;
  };
  const half = FACTS / 2;
  await timed('put, 1 writer', half, () => together(half, BATCH, 1, (n) => store.put(batch(fact, n))));
  await timed('put, 10 writers', half, () => together(half, BATCH, 10, (n) => store.put(batch(fact, half + n))));
  const find = (n: number) => store.find(fact(n).shard, 'connection', fact(n).keys[0]!, 10);
  await timed('find, 1', 5_000, () => together(5_000, 1, 1, find));
  await timed('find, 64', 20_000, () => together(20_000, 1, 64, find));
  await timed('observe, 10', FACTS, () => together(FACTS, BATCH, 10, (n) => store.observe(batch(sighting, n))));
  const ask = (n: number) => store.familiarity(batch(sighting, n).slice(0, 5));
  await timed('familiarity of 5, 64', 50_000, () => together(50_000, 5, 64, ask));
  return row;
}

async function embedded(durable: boolean): Promise<Subject> {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-bench-'));
  const store = await openEmbedded(directory, { durable });
  const remove = async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  };
  return { store, cpu: () => 0, remove };
}

async function redis(server: RedisServer): Promise<Subject> {
  const store = await openRedis(server.url);
  const seconds = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(server.cli('info', 'cpu'))?.[1]);
  const cpu = () => seconds('used_cpu_user') + seconds('used_cpu_sys');
  return { store, cpu, remove: () => store.close() };
}

/** Bytes of a familiarity entry at 1,000 destinations for each host, in hashes as full as `hosts` makes them. */
async function entrySize(server: RedisServer, hosts: number, buckets: number): Promise<Row> {
  server.cli('flushall');
  const store = await openRedis(server.url, { shape: { tags: 64, buckets } });
  const used = () => Number(/used_memory:(\d+)/.exec(server.cli('info', 'memory'))?.[1]);
  const before = used();
  for (let host = 0; host < hosts; host++) {
    const seen = (n: number) => ({
      scope: `host:${host}`,
      destination: `domain:${n}.example`,
      day: 20_000,
      tainted: false,
    });
    await store.observe(Array.from({ length: 1_000 }, (_, n) => seen(n)));
  }
  await store.close();
  return {
    entries: hosts * 1_000,
    'entries a hash': Math.round((hosts * 1_000) / (64 * buckets)),
    'bytes an entry': ((used() - before) / (hosts * 1_000)).toFixed(1),
  };
}

export async function storeBench(): Promise<void> {
  const server = await startRedis();
  const table: Record<string, Row> = {};
  const subjects: [string, () => Promise<Subject>][] = [
    ['memory', async () => ({ store: openMemory(), cpu: () => 0, remove: async () => undefined })],
    ['embedded', () => embedded(true)],
    ['embedded, not durable', () => embedded(false)],
    ['redis', () => redis(server)],
  ];
  for (const [name, open] of subjects) {
    const subject = await open();
    table[name] = await measure(subject);
    await subject.remove();
  }
  process.stdout.write(`${FACTS} facts of ${JSON.stringify(fact(0)).length} bytes; a second (CPU µs each)\n`);
  console.table(table);
  const used = Number(/used_memory:(\d+)/.exec(server.cli('info', 'memory'))?.[1]);
  process.stdout.write(`redis after it: ${used} bytes, all told\n`);
  console.table([await entrySize(server, 100, 41), await entrySize(server, 100, 13), await entrySize(server, 10, 41)]);
  await server.remove();
}
