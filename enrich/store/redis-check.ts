import type { RedisLink } from './redis-link.ts';
import { StoreError } from './store-error.ts';

/** HSET of several fields, ZRANGE BYLEX's kin and streams as we use them are all there from here on. */
const OLDEST: readonly [number, number] = [6, 2];

/**
 * Whether this Redis can be trusted with a store: version, a policy that keeps what it accepted, a master. Throws
 * StoreError `too-old`, `evicting` or `read-only`. To be asked again every minute: all of it can be changed while we run.
 */
export async function checkRedis(link: RedisLink, allowEviction: boolean): Promise<void> {
  for (const reply of await link.eachMaster(['INFO'])) {
    const info = readInfo(String(reply));
    checkVersion(link, info);
    if (!allowEviction) checkPolicy(link, info);
    if (info.get('role') === 'slave') {
      throw new StoreError(
        'read-only',
        `Redis at ${link.name} is a replica. Name its master, or use redis+sentinel://.`,
      );
    }
    if (link.mode !== 'cluster' && info.get('cluster_enabled') === '1') {
      throw new StoreError('bad-url', `Redis at ${link.name} is part of a cluster: write redis+cluster://.`);
    }
  }
}

function checkVersion(link: RedisLink, info: ReadonlyMap<string, string>): void {
  const version = info.get('redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new StoreError('too-old', `Redis at ${link.name} is ${version || 'of no version'}; at least 6.2 is needed.`);
}

function checkPolicy(link: RedisLink, info: ReadonlyMap<string, string>): void {
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  if (policy === 'noeviction') return;
  throw new StoreError(
    'evicting',
    `Redis at ${link.name} uses maxmemory-policy ${policy}, which deletes what it accepted without a word. ` +
      'Set it to noeviction, or allow eviction.',
  );
}

function readInfo(text: string): Map<string, string> {
  const lines = text.split('\n').map((line) => line.trim().split(':'));
  return new Map(lines.map(([name = '', ...value]) => [name, value.join(':')]));
}
