import { isDeepStrictEqual } from 'node:util';
import type { Store, StoredAlert } from '../store/store.ts';

/** The alerts that one settling raises and takes back. */
export class AlertChanges {
  private readonly store: Store;
  private readonly onDrop: (alert: StoredAlert) => Promise<void>;
  private readonly repeat: boolean;
  private readonly changed = new Map<string, StoredAlert>();

  /**
   * @param onDrop called before an alert leaves the store; what it rejects with stops that
   * @param repeat known alerts that are raised again count as changed
   */
  constructor(store: Store, onDrop: (alert: StoredAlert) => Promise<void>, repeat: boolean) {
    this.store = store;
    this.onDrop = onDrop;
    this.repeat = repeat;
  }

  /** The alerts that changed and are true, by time. */
  list(): StoredAlert[] {
    return [...this.changed.values()].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  }

  /** Stores an alert; it counts as changed unless the store had the same. */
  async raise(alert: StoredAlert): Promise<void> {
    if ((await this.keep(alert)) || this.repeat) this.changed.set(alert.id, alert);
  }

  /** Takes an alert back, if there is one. */
  async drop(id: string): Promise<void> {
    const known = await this.store.getAlert(id);
    if (known) {
      await this.onDrop(known);
      await this.store.dropAlert(id);
    }
    this.changed.delete(id);
  }

  /**
   * Stores what is true now. The store prefers the alert that knew more; but less may be known of a thing than was thought
   * (a flow belongs to another episode, a clock is judged otherwise), so one that it refuses replaces the known one.
   */
  private async keep(alert: StoredAlert): Promise<boolean> {
    if (await this.store.putAlert(alert)) return true;
    const known = await this.store.getAlert(alert.id);
    if (isDeepStrictEqual(known?.body, alert.body)) return false;
    return this.store.putAlert(alert, { replace: true });
  }
}
