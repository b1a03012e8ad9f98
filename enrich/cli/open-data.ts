import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import type { OptionSpec, Parsed } from '../../sensor/cli/options.ts';
import { DATA_FILE } from '../store/embedded-files.ts';
import { readEmbedded } from '../store/embedded-reader.ts';
import { openRedis } from '../store/redis.ts';
import type { Store } from '../store/store.ts';
import { isRedis, redisSecrets, storeDirectory } from './open-backend.ts';

/** Options of the commands that look into a store. */
export const DATA_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'data',
    argument: 'DIR',
    describe: 'Data directory, as given to replay, run or enrich; a service may have it in use.',
  },
  { name: 'store', argument: 'WHERE', describe: 'redis://… in place of a data directory.' },
];

/** The store that `--data` names: a store directory, or the data directory of `waybill enrich` with one in it. */
export function dataDirectory(options: Parsed): string {
  const data = options.text('data');
  if (data === undefined) throw new UserError('name the store with --data DIR', Exit.usage);
  if (!existsSync(data)) throw new UserError(`${data}: no such directory`, Exit.usage);
  return existsSync(join(storeDirectory(data), DATA_FILE)) ? storeDirectory(data) : data;
}

/** The Redis that `--store` names; undefined for the embedded store. */
export function redisOf(options: Parsed): string | undefined {
  const store = options.text('store');
  if (store === undefined || store === 'embedded') return undefined;
  if (!isRedis(store)) throw new UserError(`--store ${store}: expected embedded or redis://…`, Exit.usage);
  return store;
}

/** Opens the store of `--store` or `--data` to read it, whether a service works on it or not. Rejects with StoreError. */
export function openData(options: Parsed): Promise<Store> {
  const redis = redisOf(options);
  if (redis !== undefined) return openRedis(redis, { ...redisSecrets(), allowEviction: true });
  return readEmbedded(dataDirectory(options));
}
