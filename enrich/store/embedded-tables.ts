import type { Database, RootDatabase } from 'lmdb';
import { afterPrefix } from './sortable.ts';

/**
 * The tables of the embedded store. Keys are bytes, numbers big-endian or sortable, so that every question of the Store
 * interface is one range. A series is one (kind, shard): kind 1 byte, shard digest 8 bytes.
 *
 * | table       | key                            | value                                   |
 * |-------------|--------------------------------|-----------------------------------------|
 * | rows        | series 9, at 8, id             | record (fact-record.ts)                 |
 * | ids         | series 9, id                   | at 8                                    |
 * | index       | series 9, key digest 8, at 8, id | nothing                               |
 * | series      | series 9                       | facts 4, shard name                     |
 * | familiarity | scope digest 8, destination digest 8 | entry 8 (sighting.ts)             |
 * | novelty     | scope digest 8, day 2          | seen 4, fresh 4                         |
 * | alerts      | id                             | revision 8, at 8, JSON of the body      |
 * | alertTimes  | at 8, id                       | nothing                                 |
 * | meta        | name                           | schema, salt, owner, and sums          |
 */
export interface Tables {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly rows: Table;
  readonly ids: Table;
  readonly index: Table;
  readonly series: Table;
  readonly familiarity: Table;
  readonly novelty: Table;
  readonly alerts: Table;
  readonly alertTimes: Table;
  readonly meta: Table;
}

export type Table = Database<Buffer, Buffer>;

/** Must not shrink below the number of tables above. */
export const MAX_TABLES = 16;

const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const;

export function openTables(root: RootDatabase<Buffer, Buffer>): Tables {
  const table = (name: string): Table => root.openDB({ name, ...BINARY });
  return {
    root,
    rows: table('rows'),
    ids: table('ids'),
    index: table('index'),
    series: table('series'),
    familiarity: table('familiarity'),
    novelty: table('novelty'),
    alerts: table('alerts'),
    alertTimes: table('alert-times'),
    meta: table('meta'),
  };
}

export const NOTHING = Buffer.alloc(0);

/** Names of the `meta` table. */
export const META = {
  schema: Buffer.from('schema'),
  salt: Buffer.from('salt'),
  owner: Buffer.from('owner'),
  /** Bytes of all rows and ids, a double: what `maxBytes` bounds. */
  bytes: Buffer.from('bytes'),
  /** Alerts kept, 4 bytes. */
  alerts: Buffer.from('alerts'),
  /** Novelty of days before this one is forgotten, 2 bytes. */
  horizon: Buffer.from('horizon'),
} as const;

/** Longest name worth looking up; lmdb throws on keys over 1978 bytes, and names were stored up to MAX_NAME_BYTES. */
const MAX_LOOKUP_BYTES = 1_024;

/** A caller's name as a key to look up; undefined when it cannot have been stored. */
export function lookupKey(name: string): Buffer | undefined {
  const key = Buffer.from(name);
  return key.length === 0 || key.length > MAX_LOOKUP_BYTES ? undefined : key;
}

/** `{ start, end }` of all keys with this prefix, for getRange and getKeys; `reverse` swaps them as lmdb wants it. */
export function prefixRange(prefix: Buffer, reverse = false): { start?: Buffer; end?: Buffer; reverse: boolean } {
  return keyRange(prefix, afterPrefix(prefix), reverse);
}

/** Keys with low <= key < high; `high` undefined is the end of the table. */
export function keyRange(low: Buffer, high: Buffer | undefined, reverse: boolean) {
  if (!reverse) return { start: low, ...(high === undefined ? {} : { end: high }), reverse };
  // In reverse lmdb starts at `start` and stops before `end`; what is below `low` must stay out and `low` itself in.
  return {
    ...(high === undefined ? {} : { start: high, exclusiveStart: true }),
    end: low,
    inclusiveEnd: true,
    reverse,
  };
}
