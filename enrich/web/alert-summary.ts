import { formatMicros } from '../../sensor/base/timestamp.ts';
import type { StoredAlert } from '../store/store.ts';
import type { AlertSummary } from './view.ts';

/** Characters of one text in a list; the alert's own page shows all of it. */
const MAX_TEXT = 400;

/** One line of the list, of an alert document of any age: what is not there is empty. */
export function summaryOf({ id, at, revision, body }: StoredAlert): AlertSummary {
  const waybill = objectAt(body, 'waybill');
  return {
    id,
    at: formatMicros(at),
    revision,
    tier: textAt(waybill, 'tier'),
    probability: numberAt(waybill, 'probability'),
    db: numberAt(waybill, 'score_db'),
    story: textAt(body, 'message'),
    host: textAt(objectAt(body, 'host'), 'name') || textAt(objectAt(body, 'host'), 'id'),
    user: textAt(objectAt(body, 'user'), 'name'),
    process: textAt(objectAt(body, 'process'), 'name'),
    destination: textAt(objectAt(body, 'destination'), 'domain') || textAt(objectAt(body, 'destination'), 'ip'),
    bytesOut: numberAt(objectAt(body, 'source'), 'bytes'),
    ...(textAt(waybill, 'drill') === '' ? {} : { drill: true as const }),
    ...(objectAt(waybill, 'allowed') === undefined ? {} : { allowed: true as const }),
  };
}

function objectAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function textAt(value: unknown, key: string): string {
  const found = objectAt(value, key);
  return typeof found === 'string' ? found.slice(0, MAX_TEXT) : '';
}

function numberAt(value: unknown, key: string): number {
  const found = objectAt(value, key);
  return typeof found === 'number' && Number.isFinite(found) ? found : 0;
}
