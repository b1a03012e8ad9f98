import type { EndpointEvent } from '../event/endpoint-event.ts';
import type { DateOrder } from './date-order.ts';

/** A record whose date may be read in two ways. */
export interface Undated<Origin> {
  /** About how many characters it takes to keep it. */
  readonly chars: number;
  readonly origin: Origin | undefined;
  /** Reads the record with its dates in this order; undefined when it is not known. */
  readonly read: (order: DateOrder | undefined) => EndpointEvent[];
}

/**
 * Records that wait for their stream to tell in which order its dates are. A stream is written by one machine's settings, so one
 * record that proves an order tells it of all; should records prove both, nothing is known of the others.
 */
export class UndatedRecords<Origin> {
  private waiting: Undated<Origin>[] = [];
  private readonly proven = new Set<DateOrder>();
  /** Characters of those that wait. */
  chars = 0;

  get count(): number {
    return this.waiting.length;
  }

  prove(order: DateOrder): void {
    this.proven.add(order);
  }

  hold(record: Undated<Origin>): void {
    this.waiting.push(record);
    this.chars += record.chars;
  }

  /** Those that wait, and the order that the stream has proven by now, if it is one. */
  release(): { readonly records: readonly Undated<Origin>[]; readonly order: DateOrder | undefined } {
    const records = this.waiting;
    this.waiting = [];
    this.chars = 0;
    const [order] = this.proven.size === 1 ? this.proven : [];
    return { records, order };
  }
}
