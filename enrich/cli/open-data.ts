import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import type { Parsed } from '../../sensor/cli/options.ts';
import { openEmbedded } from '../store/embedded.ts';
import { DATA_FILE } from '../store/embedded-files.ts';
import type { Store } from '../store/store.ts';
import { storeDirectory } from './open-backend.ts';

/** The store that `--data` names: a store directory, or the data directory of `waybill enrich` with one in it. */
export function dataDirectory(options: Parsed): string {
  const data = options.text('data');
  if (data === undefined) throw new UserError('name the store with --data DIR', Exit.usage);
  if (!existsSync(data)) throw new UserError(`${data}: no such directory`, Exit.usage);
  return existsSync(join(storeDirectory(data), DATA_FILE)) ? storeDirectory(data) : data;
}

export const openData = (options: Parsed): Promise<Store> => openEmbedded(dataDirectory(options));
