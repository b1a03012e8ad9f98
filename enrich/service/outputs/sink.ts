import type { StoredAlert } from '../../store/store.ts';

/** An alert on its way out. */
export interface Outgoing {
  readonly alert: StoredAlert;
  /** The receiver has an earlier revision. */
  readonly isKnown: boolean;
  /** Apart from other hand-overs of this revision: it is withdrawn, or raised again after it was. */
  readonly turn?: string;
}

/** A way out of the process. What is handed over twice carries one id. */
export interface Sink {
  /** Alerts of one hand-over, at most. */
  readonly atOnce: number;
  /**
   * Resolves when the other side has all of them; rejects when it may lack any, and then all are handed over again. Ends
   * within seconds either way.
   */
  send(alerts: readonly Outgoing[]): Promise<void>;
  close(): Promise<void>;
}

/** The receiver will never take this alert. Only from sinks with `atOnce` 1. */
export class AlertRefused extends Error {}
