import { createHash } from 'node:crypto';
import { wallMicros } from '../../../sensor/base/clock.ts';
import type { Fact, Store, StoredAlert } from '../../store/store.ts';

export type DeliveryState =
  /** To be handed over, or tried in vain so far. */
  | 'waiting'
  | 'sent'
  /** An exception covers it (`waybill allow`). */
  | 'allowed'
  /** Evidence that came later took the alert back: before it was sent, or the receiver has been told. */
  | 'withdrawn'
  /** The receiver will not take it. */
  | 'refused'
  /** Nobody took it within `give_up_hours`. */
  | 'given_up'
  /** There was no room to wait. */
  | 'dropped';

/** What became of one alert at one output. */
export interface Delivery {
  readonly state: DeliveryState;
  /** Attempts since the alert last changed. */
  readonly attempts: number;
  /** Why the last attempt failed, or the exception's id. */
  readonly why?: string;
  /** Of the alert that was told last: what is sent is what the store holds when its turn comes. */
  readonly digest: string;
  readonly tier: string;
  /** What tells that the alert was taken back, for a receiver that has it: to be sent, or sent. */
  readonly withdrawal?: StoredAlert;
  /** Revision and tier that the receiver has, `withdrawn` once it knows. */
  readonly sent?: { readonly revision: number; readonly digest: string; readonly tier: string };
  /** Who sees to it; other workers do when this one is gone. */
  readonly owner: string;
  /** Microseconds since 1970: told first, told last, and this state reached. */
  readonly told: number;
  readonly toldLast: number;
  readonly changed: number;
}

export interface DeliveryEntry {
  readonly alert: string;
  readonly delivery: Delivery;
  readonly version: number;
}

/** Characters of a reason. */
const MAX_WHY = 300;
/** What a worker says of itself lies beside the deliveries. */
const WORKERS = 'output-workers';

const shardOf = (output: string): string => `output:${output}`;

/**
 * Deliveries as facts in the store, so that they outlive the process, pass to another worker, and can be shown.
 *
 * A fact of a higher version replaces the known one; of two that are written at the same time (an alert is told again just
 * when its earlier revision goes out) the one that waits must win. The store decides by the greater JSON of `[keys, body]`,
 * so the state is the first key, and `waiting` is the greatest of them.
 */
export class DeliveryLog {
  private readonly store: Store;
  readonly owner: string;

  constructor(store: Store, owner: string) {
    this.store = store;
    this.owner = owner;
  }

  async read(output: string, alerts: readonly string[]): Promise<(DeliveryEntry | undefined)[]> {
    const facts = await Promise.all(alerts.map((alert) => this.store.get(shardOf(output), 'delivery', alert)));
    return facts.map((fact) => fact && entryOf(fact));
  }

  /** Up to `limit` in this state. */
  async inState(output: string, state: DeliveryState, limit: number): Promise<DeliveryEntry[]> {
    return (await this.store.find(shardOf(output), 'delivery', state, limit)).map(entryOf);
  }

  /** Writes what follows `known`; says for each whether it holds now. */
  write(
    output: string,
    changes: readonly { readonly alert: string; readonly known: number; readonly delivery: Delivery }[],
  ): Promise<boolean[]> {
    return this.store.put(
      changes.map(({ alert, known, delivery }): Fact => {
        const { why } = delivery;
        const body: Delivery = { ...delivery, ...(why === undefined ? {} : { why: why.slice(0, MAX_WHY) }) };
        const keys = [delivery.state];
        return {
          shard: shardOf(output),
          kind: 'delivery',
          id: alert,
          at: delivery.told,
          keys,
          version: known + 1,
          body,
        };
      }),
    );
  }

  /** Says that this worker lives. */
  async beat(): Promise<void> {
    const at = wallMicros();
    const fact: Fact = { shard: WORKERS, kind: 'delivery', id: this.owner, at, keys: [], version: at, body: {} };
    await this.store.put([fact]);
  }

  /** Workers whose last beat is not older than that. */
  async living(micros: number): Promise<Set<string>> {
    const beats = await this.store.between(WORKERS, 'delivery', wallMicros() - micros, Number.MAX_SAFE_INTEGER, 1_000);
    return new Set(beats.map(({ id }) => id));
  }
}

/** What became of an alert at each of these outputs; those that never heard of it are left out. */
export async function deliveriesOf(
  store: Store,
  outputs: readonly string[],
  alert: string,
): Promise<{ readonly output: string; readonly delivery: Delivery }[]> {
  const facts = await Promise.all(outputs.map((output) => store.get(shardOf(output), 'delivery', alert)));
  return facts.flatMap((fact, i) => (fact ? [{ output: outputs[i]!, delivery: entryOf(fact).delivery }] : []));
}

export const digestOf = (alert: StoredAlert): string =>
  createHash('sha256').update(JSON.stringify(alert.body)).digest('base64url').slice(0, 22);

const entryOf = (fact: Fact): DeliveryEntry => ({
  alert: fact.id,
  version: fact.version,
  delivery: fact.body as Delivery,
});
