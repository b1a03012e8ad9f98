/**
 * The Redis streams between sensors, receivers and workers, in entries of many records each.
 *
 * | key           | type   | holds                                                                                    |
 * |---------------|--------|------------------------------------------------------------------------------------------|
 * | P:streams     | hash   | `shards`: how many of each of the following there are, set by whoever comes first        |
 * | {P:N}:flows   | stream | flow records: `v` 1, `n` records, `b` JSON lines                                          |
 * | {P:N}:events  | stream | endpoint events that a receiver has normalised: the same fields                           |
 * | {P:N}:raw     | stream | endpoint records of any feed and envelope in `b`, as others write them; `host`, `sender`  |
 * | {P:N}:dead    | stream | what could not be processed: `from`, `reason`, `n`, `b`, and `id` of the entry it was in  |
 *
 * `P` is the prefix, `N` from 0 below `shards`. All of one N are in one slot of a cluster.
 */
export type StreamKind = 'flows' | 'events' | 'raw';

export const STREAM_KINDS: readonly StreamKind[] = ['flows', 'events', 'raw'];

export const DEFAULT_PREFIX = 'wb';
/** Most shards that are believed. */
export const MAX_SHARDS = 64;
/** Version of the entries; a reader leaves later ones to later programs. */
export const ENTRY_VERSION = 1;
/** Bytes of records in one entry, about; and records. Small enough that a poisoned entry holds few others up. */
export const ENTRY_BYTES = 128 * 1024;
export const ENTRY_RECORDS = 200;

export const streamsKey = (prefix: string): string => `${prefix}:streams`;
export const streamKey = (prefix: string, shard: number, kind: StreamKind): string => `{${prefix}:${shard}}:${kind}`;
export const deadKey = (prefix: string, shard: number): string => `{${prefix}:${shard}}:dead`;

/** Arguments of the XADD that carries `count` records. */
export function entryArguments(key: string, count: number, lines: Buffer): (string | Buffer)[] {
  return ['XADD', key, '*', 'v', String(ENTRY_VERSION), 'n', String(count), 'b', lines];
}
