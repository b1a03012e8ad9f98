import type { JsonObject } from '../json-object.ts';
import type { Reading, RecordContext } from '../reading.ts';

/** One feed: which records are its own, and what they say. Pure: the same record gives the same reading. */
export interface Adapter {
  readonly feed: string;
  /** Whether this record is of this feed, by keys that no other feed has. */
  claims(record: JsonObject): boolean;
  /** The reading; undefined when the record turns out to be of no shape this adapter knows. */
  read(record: JsonObject, context: RecordContext): Reading | undefined;
}
