import { jsonOf } from './fact-record.ts';
import { alertRefusal, MAX_ALERT_BYTES } from './limits.ts';
import { readSortable, SORTABLE_BYTES, sortable } from './sortable.ts';
import type { StoredAlert } from './store.ts';
import { StoreError } from './store-error.ts';

/** Bytes before the JSON. */
const HEADER_BYTES = 2 * SORTABLE_BYTES;

/** Revision 8, at 8 (both sortable), JSON of the body: of two alerts with one id the greater bytes stay. */
export function alertRecord(alert: StoredAlert): Buffer {
  const why = alertRefusal(alert);
  if (why !== undefined) throw new StoreError('refused', `the alert is refused: ${why}`);
  const body = jsonOf(alert.body);
  if (body === undefined) throw new StoreError('refused', 'the alert is refused: its body is not JSON');
  if (Buffer.byteLength(body) > MAX_ALERT_BYTES) {
    throw new StoreError('refused', `the alert is refused: its body takes more than ${MAX_ALERT_BYTES} bytes`);
  }
  return Buffer.concat([sortable(alert.revision), sortable(alert.at), Buffer.from(body)]);
}

export function decodeAlert(id: string, record: Buffer): StoredAlert {
  try {
    const body: unknown = JSON.parse(record.toString('utf8', HEADER_BYTES));
    return { id, revision: readSortable(record, 0), at: readSortable(record, SORTABLE_BYTES), body };
  } catch (cause) {
    throw new StoreError('corrupt', 'a stored alert cannot be read back: its bytes are damaged', { cause });
  }
}

/** The alert's `at` as 8 sortable bytes, a view. */
export function alertTimeOf(record: Buffer): Buffer {
  return record.subarray(SORTABLE_BYTES, HEADER_BYTES);
}
