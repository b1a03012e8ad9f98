import type { StreamKind } from '../../sensor/record/stream-keys.ts';

/** Records on their way from who received them to who works on them. */
export interface Batch {
  /** What the lines are: flow records, normalised endpoint events, or endpoint records as some feed wrote them. */
  readonly kind: StreamKind;
  /** How many records; of raw ones not known before they are read. */
  readonly count: number;
  /** JSON lines; of raw ones any text that endpoint files may have. */
  readonly lines: Buffer;
  /** Raw ones: host of records that name none, and who handed them over. */
  readonly host?: string;
  readonly sender?: string;
}

export interface Delivery {
  readonly batch: Batch;
  /** Unique among deliveries under way. */
  readonly id: string;
  /** 1 for the first; more when an earlier worker did not come to an end with it. */
  readonly attempt: number;
}

/**
 * What stands between accepting records and working on them: a journal on disk with the embedded store, streams with
 * Redis. What `append` acknowledged is delivered until it is acknowledged in turn, to this process or another one.
 * Every method rejects with StoreError.
 */
export interface Inbox {
  /** Resolves when the batch will outlive this process. `full`, `busy` and `unavailable`: the sender must come again. */
  append(batch: Batch): Promise<void>;
  /** Up to about `records` records; waits for some up to `waitMs`, then gives none. */
  take(records: number, waitMs: number): Promise<Delivery[]>;
  /** They have been settled, or given to the dead letters. */
  ack(deliveries: readonly Delivery[]): Promise<void>;
  /** They could not be worked on now: to be delivered again, after a while, with a higher `attempt`. */
  release(deliveries: readonly Delivery[]): Promise<void>;
  /** Keeps `letter` for `waybill dead-letter`. */
  bury(letter: DeadLetter): Promise<void>;
  state(): InboxState;
  close(): Promise<void>;
}

export interface DeadLetter extends Batch {
  /** One line. */
  readonly reason: string;
  /** Of the delivery it was part of. */
  readonly id: string;
}

export interface InboxState {
  /** Batches accepted and not settled, as far as known. */
  readonly waiting: number;
  /** Share of the room that is taken, 0 to 1; undefined when there is no limit. */
  readonly fill: number | undefined;
  /** Seconds since the oldest waiting batch arrived. */
  readonly oldestSeconds: number;
  /** Batches that were cut off before anybody worked on them, dead letters written, files found damaged. */
  readonly cutOff: number;
  readonly buried: number;
  readonly damaged: number;
}

/** Deliveries after which a batch that nobody can work on is a dead letter. */
export const MAX_ATTEMPTS = 5;
