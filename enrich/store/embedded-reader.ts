import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { EmbeddedAlerts } from './embedded-alerts.ts';
import { lmdbError } from './embedded-commit.ts';
import { DATA_FILE, openError } from './embedded-files.ts';
import { SCHEMA } from './embedded-schema.ts';
import { MAX_TABLES, META, openTables } from './embedded-tables.ts';
import { MAX_ALERTS } from './limits.ts';
import type { Store } from './store.ts';
import { StoreError } from './store-error.ts';

/** Kept beside the store by the layer above; part of what a backup must hold. */
const COMPANIONS = ['allow.json'];

export type AlertReader = Pick<Store, 'getAlert' | 'listAlerts' | 'close'>;

/** The alerts of a store that another process may have open and write to. Writes nothing. Rejects with StoreError. */
export async function readAlerts(directory: string): Promise<AlertReader> {
  const root = await openReadOnly(directory);
  try {
    const tables = openTables(root);
    const schema = tables.meta.get(META.schema)?.readUInt32BE(0);
    if (schema !== SCHEMA) {
      const message = `the store in ${directory} has schema ${schema}; this waybill reads ${SCHEMA}. Open it with waybill enrich once.`;
      throw new StoreError('newer-schema', message);
    }
    const alerts = new EmbeddedAlerts(tables, MAX_ALERTS);
    return {
      getAlert: (id) => reading(() => alerts.get(id)),
      listAlerts: ({ limit, before = Number.POSITIVE_INFINITY }) => reading(() => alerts.list(limit, before)),
      close: () => root.close(),
    };
  } catch (error) {
    await root.close();
    throw openError(directory, error);
  }
}

/**
 * Writes a consistent copy of a store into an empty or new directory, whether a process has it open or not: LMDB copies
 * what one read transaction sees, and writers go on beside it. Rejects with StoreError.
 */
export async function backUpEmbedded(directory: string, to: string): Promise<void> {
  const root = await openReadOnly(directory);
  try {
    await mkdir(to, { recursive: true });
    if ((await readdir(to)).length > 0) throw new StoreError('refused', `${to} is not empty.`);
    for (const name of COMPANIONS) {
      if (existsSync(join(directory, name))) await copyFile(join(directory, name), join(to, name));
    }
    await root.backup(to, true);
  } catch (error) {
    throw openError(to, error);
  } finally {
    await root.close();
  }
}

async function openReadOnly(directory: string): Promise<RootDatabase<Buffer, Buffer>> {
  if (!existsSync(join(directory, DATA_FILE))) {
    throw new StoreError('refused', `there is no store in ${directory}.`);
  }
  const { open } = await import('lmdb');
  try {
    return open<Buffer, Buffer>({
      path: directory,
      noSubdir: false,
      readOnly: true,
      maxDbs: MAX_TABLES,
      encoding: 'binary',
      keyEncoding: 'binary',
    });
  } catch (error) {
    throw openError(directory, error);
  }
}

async function reading<T>(work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    const message = `the embedded store could not be read: ${error instanceof Error ? error.message : error}`;
    throw lmdbError(error, new StoreError('unexpected', message, { cause: error }));
  }
}
