import { hostname } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_PREFIX } from '../../sensor/record/stream-keys.ts';
import { Journal } from '../service/journal.ts';
import type { Backend } from '../service/service.ts';
import { StreamInbox } from '../service/stream-inbox.ts';
import type { Settings } from '../settings.ts';
import { openEmbedded } from '../store/embedded.ts';
import { openRedis } from '../store/redis.ts';
import { connectRedis } from '../store/redis-connect.ts';
import type { RedisOptions } from '../store/redis-link.ts';

/** Longest wait for a reply of Redis, milliseconds. */
const REDIS_TIMEOUT_MS = 3_000;

export interface BackendPlace {
  /** `embedded`, or the URL of a Redis. */
  readonly store: string;
  readonly data: string;
  readonly worker?: string;
  readonly allowEviction: boolean;
  readonly onState: (up: boolean, why: string) => void;
}

/** Secrets of the connection come from the environment, never from the command line alone. */
export function redisSecrets(): Pick<RedisOptions, 'username' | 'password'> {
  const { WAYBILL_REDIS_USER: username, WAYBILL_REDIS_PASSWORD: password } = process.env;
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

export const isRedis = (store: string): boolean => store.startsWith('redis');

/** Opens store and inbox together. Rejects with StoreError. */
export async function openBackend(place: BackendPlace, settings: Settings): Promise<Backend> {
  return isRedis(place.store) ? openOnRedis(place, settings) : openEmbeddedHere(place.data);
}

export const storeDirectory = (data: string): string => join(data, 'store');

async function openEmbeddedHere(data: string): Promise<Backend> {
  const store = await openEmbedded(storeDirectory(data));
  try {
    const inbox = await Journal.open(data);
    return { store, inbox, isShared: false, adopt: () => inbox.adopt() };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function openOnRedis(place: BackendPlace, { service }: Settings): Promise<Backend> {
  const options = { ...redisSecrets(), timeoutMs: REDIS_TIMEOUT_MS, clientName: 'waybill-enrich' };
  const store = await openRedis(place.store, {
    ...options,
    allowEviction: place.allowEviction,
    onState: place.onState,
  });
  try {
    const inbox = await StreamInbox.open(await connectRedis(place.store, options), {
      prefix: DEFAULT_PREFIX,
      shards: service.shards,
      consumer: place.worker ?? `${hostname()}-${process.pid}`,
      claimMs: service.claim_seconds * 1_000,
    });
    return { store, inbox, isShared: true, check: () => store.check() };
  } catch (error) {
    await store.close();
    throw error;
  }
}
