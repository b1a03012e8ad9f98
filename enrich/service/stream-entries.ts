import { ENTRY_VERSION, type StreamKind } from '../../sensor/record/stream-keys.ts';
import type { RedisReply } from '../store/redis-link.ts';
import { batchOf } from './batch-record.ts';
import type { Batch } from './inbox.ts';

/** An entry of a stream: its id and its fields. Of fields with one name the last stays. */
export interface StreamEntry {
  readonly id: string;
  readonly fields: ReadonlyMap<string, Buffer>;
}

/** The reply of XREADGROUP: null, or [key, entries] of each stream. */
export function streamsOf(reply: RedisReply): { key: string; entries: StreamEntry[] }[] {
  if (!Array.isArray(reply)) return [];
  return reply.filter(Array.isArray).map(([key, entries]) => ({ key: String(key), entries: entryList(entries) }));
}

/** The reply of XAUTOCLAIM: cursor, entries and, since Redis 7, ids that are pending but were cut off the stream. */
export function entriesOf(reply: RedisReply): { next: string; entries: StreamEntry[]; deleted: number } {
  if (!Array.isArray(reply)) return { next: '0-0', entries: [], deleted: 0 };
  const [next, entries, deleted] = reply;
  return { next: String(next), entries: entryList(entries), deleted: Array.isArray(deleted) ? deleted.length : 0 };
}

/** What an entry carries. An entry of a later version has no readable lines: its fields as JSON stand for them. */
export function readBatch(kind: StreamKind, { fields }: StreamEntry): Batch {
  const version = fields.get('v')?.toString();
  const lines = fields.get('b');
  const isOurs = lines !== undefined && (version === undefined || version === String(ENTRY_VERSION));
  if (isOurs) {
    const count = Number(fields.get('n')?.toString() ?? 0);
    const safe = Number.isInteger(count) && count >= 0 ? count : 0;
    return batchOf(kind, safe, lines, fields.get('host')?.toString(), fields.get('sender')?.toString());
  }
  if (kind === 'raw' && version === undefined) {
    // Other programs name their one field as they like: message, event, data.
    const texts = [...fields].filter(([name]) => name !== 'host' && name !== 'sender').map(([, text]) => text);
    const joined = Buffer.concat(texts.flatMap((text) => [text, Buffer.from('\n')]));
    return batchOf(kind, 0, joined, fields.get('host')?.toString(), fields.get('sender')?.toString());
  }
  const shown = [...fields].map(([name, value]): [string, string] => [name, value.toString('latin1')]);
  return batchOf(kind, 1, Buffer.from(`${JSON.stringify({ unreadable_entry: shown })}\n`));
}

export function entryList(reply: RedisReply | undefined): StreamEntry[] {
  if (!Array.isArray(reply)) return [];
  return reply.filter(Array.isArray).flatMap(([id, flat]) => {
    if (!Array.isArray(flat)) return []; // Redis 6.2 gives an entry that is gone as null
    const fields = new Map<string, Buffer>();
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const value = flat[i + 1];
      fields.set(String(flat[i]), Buffer.isBuffer(value) ? value : Buffer.from(String(value)));
    }
    return [{ id: String(id), fields }];
  });
}
