import type { FlowRecord } from '../../sensor/record/flow-record.ts';

/** Flow records handed to the store at once. */
export const FLOW_BATCH = 2_000;
/** Batches handed over and not stored yet, above which the reading waits; about 6 MB each. */
export const MAX_UNDER_WAY = 4;

/**
 * Stands between a reader that makes records synchronously and a store that takes them in its own time: the store gets them
 * in order, one batch after the other, and the reader waits for `room` wherever it can stop.
 */
export class FlowQueue {
  private readonly put: (records: readonly FlowRecord[]) => Promise<void>;
  private readonly failure = new AbortController();
  private readonly underWay: Promise<void>[] = [];
  private batch: FlowRecord[] = [];

  constructor(put: (records: readonly FlowRecord[]) => Promise<void>) {
    this.put = put;
  }

  /** Aborted when the store refused a batch: what is added from then on is not stored. */
  get signal(): AbortSignal {
    return this.failure.signal;
  }

  add(record: FlowRecord): void {
    this.batch.push(record);
    if (this.batch.length >= FLOW_BATCH) this.handOver();
  }

  /** Resolves once fewer than MAX_UNDER_WAY batches are under way; never rejects. */
  async room(): Promise<void> {
    while (this.underWay.length >= MAX_UNDER_WAY) await this.underWay[0];
  }

  /** Everything added has been stored. Rejects with what the store refused a batch with. */
  async end(): Promise<void> {
    this.handOver();
    await this.underWay.at(-1);
    this.signal.throwIfAborted();
  }

  private handOver(): void {
    const full = this.batch;
    this.batch = [];
    const before = this.underWay.at(-1);
    this.underWay.push(this.take(full, before));
  }

  private async take(records: readonly FlowRecord[], before: Promise<void> | undefined): Promise<void> {
    await before;
    try {
      if (!this.signal.aborted) await this.put(records);
    } catch (error) {
      this.failure.abort(error);
    }
    this.underWay.shift();
  }
}
