/** Exit codes of `waybill`; promises to scripts. */
export const Exit = {
  fine: 0,
  /** Could not run: interface, store, permission. */
  failed: 1,
  /** Usage or configuration. */
  usage: 2,
  /** Input damaged but partly read. */
  damaged: 3,
  /** `--fail-on` matched an alert. */
  alerts: 10,
  interrupted: 130,
} as const;

/** A mistake of the user's, told in one line; anything else that is thrown is ours and keeps its stack. */
export class UserError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number = Exit.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Ends the process quietly when the reader of our output goes away, as `waybill … | head` does. */
export function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') process.exit(Exit.fine);
      throw error;
    });
  }
}
