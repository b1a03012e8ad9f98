import { isDeepStrictEqual } from 'node:util';
import type { Episode } from '../score/episode.ts';
import type { Store, StoredAlert } from '../store/store.ts';

/**
 * Called before an alert that is no longer true leaves the store; what it rejects with stops that.
 * @param heir id of the alert that tells of its flows now
 */
export type OnDrop = (alert: StoredAlert, heir?: string) => Promise<void>;

/** The alerts that one settling raises and takes back. */
export class AlertChanges {
  private readonly store: Store;
  private readonly onDrop: OnDrop;
  private readonly repeat: boolean;
  private readonly changed = new Map<string, StoredAlert>();

  /**
   * @param onDrop called before an alert leaves the store; what it rejects with stops that
   * @param repeat known alerts that are raised again count as changed
   */
  constructor(store: Store, onDrop: OnDrop, repeat: boolean) {
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

  /**
   * Takes an alert back, if there is one.
   * @param heirs episodes that were raised instead
   */
  async drop(id: string, heirs: readonly Episode[] = []): Promise<void> {
    const known = await this.store.getAlert(id);
    if (known) {
      await this.onDrop(known, heirOf(known, heirs)?.id);
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

/** The episode that has flows of the alert. */
function heirOf({ body }: StoredAlert, episodes: readonly Episode[]): Episode | undefined {
  const { waybill } = body as { waybill?: { flows?: readonly { flow_id?: unknown }[] } };
  const ids = new Set(waybill?.flows?.map(({ flow_id }) => flow_id));
  return episodes.find(({ flows }) => flows.some(({ record }) => ids.has(record.waybill.flow_id)));
}
