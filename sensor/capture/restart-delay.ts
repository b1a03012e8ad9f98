/** First pause before a capture program is started again, milliseconds; it doubles up to the longest. */
const SHORTEST_MILLIS = 500;
const LONGEST_MILLIS = 30_000;
/** A program that ran this long was fine: the next pause is the first again. */
const STEADY_MILLIS = 10_000;

/** How long to wait before a program that ended is started again. */
export class RestartDelay {
  private next = SHORTEST_MILLIS;

  /** @param ranMillis how long the program had been running */
  after(ranMillis: number): number {
    if (ranMillis >= STEADY_MILLIS) this.next = SHORTEST_MILLIS;
    const delay = this.next;
    this.next = Math.min(delay * 2, LONGEST_MILLIS);
    return delay;
  }
}
