/**
 * The machine's clocks. Only programs' edges read them: everything inside takes time as an argument.
 */

/** Wall clock, microseconds since 1970 UTC. Its steps are the operating system's: milliseconds. */
export const wallMicros = (): number => Date.now() * 1000;

/** A clock that never goes back, milliseconds. */
export const monotonicMillis = (): number => performance.now();

/** The fine clock may be this far from the wall clock before it is set again. */
const DRIFT_MICROS = 2_000;

/** Wall-clock time in steps of a microsecond: the monotonic clock, set by the wall clock and set again when they part. */
export class FineClock {
  private offsetMicros = wallMicros() - Math.round(performance.now() * 1000);

  micros(): number {
    const fine = Math.round(performance.now() * 1000) + this.offsetMicros;
    const error = wallMicros() - fine;
    if (error > DRIFT_MICROS || error < -DRIFT_MICROS) {
      this.offsetMicros += error;
      return fine + error;
    }
    return fine;
  }
}

/** Tells a clock that was set from one that runs: the wall clock moves against the monotonic one. */
export class ClockSteps {
  private readonly leastMicros: number;
  private offsetMicros: number;

  /** @param leastMicros smaller steps are corrections, not settings */
  constructor(leastMicros: number, wall = wallMicros(), monotonic = monotonicMillis()) {
    this.leastMicros = leastMicros;
    this.offsetMicros = wall - monotonic * 1000;
  }

  /** Microseconds the wall clock was set forward (or, negative, back) since the last look; 0 when it was not. */
  look(wall = wallMicros(), monotonic = monotonicMillis()): number {
    const offset = wall - monotonic * 1000;
    const step = offset - this.offsetMicros;
    this.offsetMicros = offset;
    return Math.abs(step) < this.leastMicros ? 0 : step;
  }
}
