/** What a handler says. */
export interface HttpAnswer {
  readonly status: number;
  /** Sent as JSON, unless `text` is there. */
  readonly json?: unknown;
  readonly text?: string;
  /** Sent instead of text, as `type`. */
  readonly bytes?: Uint8Array;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is not taken: thrown where that is found, answered in one place in the manner of the path. */
export class HttpRefusal extends Error {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
