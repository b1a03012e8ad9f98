import { DIGEST_BYTES, type Digester } from './digest.ts';
import { BY_KEY, BY_TIME } from './keys.ts';
import type { PackedArray } from './packed-array.ts';
import { SORTABLE_BYTES, writeSortable } from './sortable.ts';

/** Brackets of ZRANGEBYLEX: the end itself included, or not. */
const INCLUDED = '['.charCodeAt(0);
const EXCLUDED = '('.charCodeAt(0);
/** No id begins with it, nor with anything greater: ids are UTF-8. */
const AFTER_IDS = 0xff;

/** Members of an index (keys.ts) with their time from one to another, both included: all of them, or those of one key. */
export interface IndexRange {
  readonly key: string | undefined;
  readonly from: number;
  readonly to: number;
}

/** Bytes of a member before its id. */
export const bytesBeforeId = ({ key }: Pick<IndexRange, 'key'>): number =>
  BY_TIME.length + (key === undefined ? 0 : DIGEST_BYTES) + SORTABLE_BYTES;

/** Adds both ends as ZRANGEBYLEX and ZLEXCOUNT want them. Written in place: buffers of their own take longer than Redis does. */
export function packRange(ends: PackedArray, { key, from, to }: IndexRange, digester: Digester): void {
  const length = 1 + bytesBeforeId({ key });
  const low = ends.place(length);
  ends.bytes[low] = INCLUDED;
  writePrefix(ends.bytes, low + 1, key, digester);
  writeSortable(ends.bytes, low + length - SORTABLE_BYTES, from);
  const high = ends.place(length + 1);
  ends.bytes.copyWithin(high, low, low + length);
  ends.bytes[high] = EXCLUDED;
  writeSortable(ends.bytes, high + length - SORTABLE_BYTES, to);
  ends.bytes[high + length] = AFTER_IDS;
}

function writePrefix(bytes: Buffer, at: number, key: string | undefined, digester: Digester): void {
  bytes[at] = (key === undefined ? BY_TIME : BY_KEY)[0]!;
  if (key !== undefined) digester.write(key, bytes, at + 1);
}
