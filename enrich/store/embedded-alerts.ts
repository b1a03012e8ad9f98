import { alertTimeOf, decodeAlert } from './alert-record.ts';
import { keyRange, lookupKey, META, NOTHING, type Tables } from './embedded-tables.ts';
import { boundedLimit } from './limits.ts';
import { SORTABLE_BYTES, sortable } from './sortable.ts';
import type { StoredAlert } from './store.ts';

/** Alerts in the embedded store. Writing methods must run inside a write transaction. */
export class EmbeddedAlerts {
  evicted = 0;
  private readonly tables: Tables;
  private readonly most: number;

  constructor(tables: Tables, most: number) {
    this.tables = tables;
    this.most = most;
  }

  put(id: string, record: Buffer, replace: boolean): boolean {
    const key = Buffer.from(id);
    const known = this.tables.alerts.get(key);
    const rank = known === undefined ? 1 : record.compare(known);
    if (rank === 0 || (rank < 0 && !replace)) return false;
    if (known === undefined) this.setCount(this.count() + 1);
    else this.tables.alertTimes.remove(timeKey(key, known));
    this.tables.alerts.put(key, record);
    this.tables.alertTimes.put(timeKey(key, record), NOTHING);
    return known !== undefined || !this.evictOver(key);
  }

  drop(id: string): void {
    const key = lookupKey(id);
    const known = key === undefined ? undefined : this.tables.alerts.get(key);
    if (key === undefined || known === undefined) return;
    this.tables.alertTimes.remove(timeKey(key, known));
    this.tables.alerts.remove(key);
    this.setCount(this.count() - 1);
  }

  get(id: string): StoredAlert | undefined {
    const key = lookupKey(id);
    const record = key === undefined ? undefined : this.tables.alerts.get(key);
    return record === undefined ? undefined : decodeAlert(id, record);
  }

  list(limit: number, before: number): StoredAlert[] {
    const most = boundedLimit(limit);
    if (most === 0 || Number.isNaN(before)) return [];
    const range = keyRange(Buffer.of(0), before === Infinity ? undefined : sortable(before), true);
    return [...this.tables.alertTimes.getKeys({ ...range, limit: most })].flatMap((key) => {
      const alert = this.get(key.toString('utf8', SORTABLE_BYTES));
      return alert === undefined ? [] : [alert];
    });
  }

  /** Takes the oldest alert out when there are too many; true when that was the one just put. */
  private evictOver(added: Buffer): boolean {
    if (this.count() <= this.most) return false;
    const [oldest] = [...this.tables.alertTimes.getKeys({ start: Buffer.of(0), limit: 1 })];
    if (oldest === undefined) return false;
    const id = oldest.subarray(SORTABLE_BYTES);
    this.drop(id.toString());
    this.evicted++;
    return id.equals(added);
  }

  private count(): number {
    return this.tables.meta.get(META.alerts)?.readUInt32BE(0) ?? 0;
  }

  private setCount(alerts: number): void {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(Math.max(0, alerts), 0);
    this.tables.meta.put(META.alerts, bytes);
  }
}

function timeKey(id: Buffer, record: Buffer): Buffer {
  return Buffer.concat([alertTimeOf(record), id]);
}
