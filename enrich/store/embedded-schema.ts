import { newSalt, SALT_BYTES } from './digest.ts';
import { META, type Tables } from './embedded-tables.ts';
import { StoreError } from './store-error.ts';

/** Version of the tables and records. Raise it with a change that older programs would misread. */
export const SCHEMA = 1;

/** Brings a store from the schema it is filed under to the next one. Runs in a write transaction. */
export type Upgrade = (tables: Tables) => void;

/** Under N: from schema N to N + 1. */
export const UPGRADES: ReadonlyMap<number, Upgrade> = new Map();

/**
 * Writes or reads the schema record and upgrades an older store; must run in a write transaction.
 * @returns the salt of the store's digests.
 */
export function settleSchema(
  tables: Tables,
  directory: string,
  schema: number,
  upgrades: ReadonlyMap<number, Upgrade>,
): Buffer {
  const stored = tables.meta.get(META.schema);
  let found = stored === undefined ? schema : stored.readUInt32BE(0);
  if (found > schema) {
    throw new StoreError(
      'newer-schema',
      `the store in ${directory} has schema ${found}, written by a later waybill; this one knows ${schema}. Update waybill.`,
    );
  }
  for (; found < schema; found++) {
    const upgrade = upgrades.get(found);
    if (upgrade === undefined) {
      throw new StoreError(
        'newer-schema',
        `the store in ${directory} has schema ${found}, which this waybill cannot upgrade.`,
      );
    }
    upgrade(tables);
  }
  tables.meta.put(META.schema, uint32(schema));
  return settleSalt(tables, directory);
}

function settleSalt(tables: Tables, directory: string): Buffer {
  const known = tables.meta.get(META.salt);
  if (known?.length === SALT_BYTES) return known;
  if (known !== undefined)
    throw new StoreError('corrupt', `the store in ${directory} has a damaged salt. Restore a backup.`);
  const salt = newSalt();
  tables.meta.put(META.salt, salt);
  return salt;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}
