import { MAX_SHARDS, streamsKey } from '../../sensor/record/stream-keys.ts';
import type { RedisLink, RedisReply } from '../store/redis-link.ts';
import { StoreError } from '../store/store-error.ts';
import type { StreamEntry } from './stream-entries.ts';

/** The consumer group that all workers are. */
export const GROUP = 'enrich';

/** How many shards the streams have; set to `wanted` when nobody has set it. */
export async function settleShards(link: RedisLink, prefix: string, wanted: number): Promise<number> {
  const key = streamsKey(prefix);
  await link.send(key, ['HSETNX', key, 'shards', String(wanted)]);
  const shards = Number(String(await link.send(key, ['HGET', key, 'shards'])));
  if (Number.isInteger(shards) && shards >= 1 && shards <= MAX_SHARDS) return shards;
  throw new StoreError('corrupt', `${key} in Redis at ${link.name} does not say how many shards there are (1 to 64).`);
}

/** Makes the group on each stream, from the first entry on, and the streams with it. */
export async function prepareShard(link: RedisLink, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    try {
      await link.send(key, ['XGROUP', 'CREATE', key, GROUP, '0', 'MKSTREAM']);
    } catch (error) {
      if (!saysFirst(error, 'BUSYGROUP')) throw error;
    }
  }
}

export const isNoGroup = (error: unknown): boolean => saysFirst(error, 'NOGROUP');

function saysFirst(error: unknown, word: string): boolean {
  return error instanceof StoreError && error.cause instanceof Error && error.cause.message.startsWith(word);
}

/** How often each of these entries has been delivered. */
export async function pendingAttempts(
  link: RedisLink,
  key: string,
  consumer: string,
  entries: readonly StreamEntry[],
): Promise<Map<string, number>> {
  const [first, last] = [entries[0], entries.at(-1)];
  const attempts = new Map<string, number>();
  if (!first || !last) return attempts;
  // Ours between the first and the last may be more than the entries: those under way.
  const args = ['XPENDING', key, GROUP, first.id, last.id, '1000', consumer];
  for (const row of listOf(await link.send(key, args))) {
    const [id, , , count] = listOf(row);
    attempts.set(String(id), Number(count));
  }
  return attempts;
}

/** Removes what all groups have read and acknowledged; says what is left to be done. */
export async function trimRead(link: RedisLink, key: string): Promise<{ entries: number; oldestMillis: number }> {
  const groups = listOf(await link.send(key, ['XINFO', 'GROUPS', key])).map(fieldsOf);
  const needed = await Promise.all(groups.map((group) => neededFrom(link, key, group)));
  const ours = groups.findIndex((group) => String(group.get('name')) === GROUP);
  const oldest = needed.reduce(
    (a, b) => (compareIds(a.from, b.from) <= 0 ? a : b),
    needed[0] ?? { from: '0-0', entries: 0 },
  );
  if (oldest.from !== '0-0') await link.send(key, ['XTRIM', key, 'MINID', oldest.from]);
  const mine = needed[ours];
  if (!mine || mine.entries === 0) return { entries: 0, oldestMillis: 0 };
  const [first] = listOf(await link.send(key, ['XRANGE', key, mine.from, '+', 'COUNT', '1']));
  const since = Number(String(listOf(first ?? null)[0]).split('-')[0]);
  const [seconds] = listOf(await link.send(key, ['TIME']));
  return { entries: mine.entries, oldestMillis: since > 0 ? Math.max(0, Number(seconds) * 1000 - since) : 0 };
}

/** The first id that this group still needs, and how many entries it has before it. */
async function neededFrom(
  link: RedisLink,
  key: string,
  group: ReadonlyMap<string, RedisReply>,
): Promise<{ from: string; entries: number }> {
  const last = String(group.get('last-delivered-id'));
  const pending = Number(group.get('pending'));
  const lag = group.get('lag');
  // Redis 6.2 does not tell the lag, and 7 not after deletions: then the length is the most it can be.
  const unread =
    lag === null || lag === undefined ? Number(await link.send(key, ['XLEN', key])) - pending : Number(lag);
  if (pending === 0) return { from: next(last), entries: Math.max(0, unread) };
  const [, first] = listOf(await link.send(key, ['XPENDING', key, String(group.get('name'))]));
  return { from: String(first), entries: Math.max(0, unread) + pending };
}

function next(id: string): string {
  const [millis = '0', serial = '0'] = id.split('-');
  return id === '0-0' ? id : `${millis}-${BigInt(serial) + 1n}`;
}

function compareIds(a: string, b: string): number {
  const [x, y] = [a.split('-').map(BigInt), b.split('-').map(BigInt)];
  const d = x[0] === y[0] ? (x[1] ?? 0n) - (y[1] ?? 0n) : (x[0] ?? 0n) - (y[0] ?? 0n);
  return d < 0n ? -1 : d > 0n ? 1 : 0;
}

const listOf = (reply: RedisReply): RedisReply[] => (Array.isArray(reply) ? reply : []);

function fieldsOf(reply: RedisReply): Map<string, RedisReply> {
  const flat = listOf(reply);
  const fields = new Map<string, RedisReply>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(String(flat[i]), flat[i + 1] ?? null);
  return fields;
}
