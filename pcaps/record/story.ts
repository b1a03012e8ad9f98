/** What a story is: a real sequence of real programs on one machine, and what the pipeline must make of it. */
import type { Expectation } from './expectations.ts';
import type { Take } from './take.ts';

export interface Story {
  readonly name: string;
  /** Hour of day 0, UTC, to which the recording is moved. Stories do not overlap, in the order of their names. */
  readonly hour: number;
  readonly expectation: Expectation;
  /** Keeps every payload byte in the capture. */
  readonly whole?: boolean;
  /** Hours put in at the time that `play` returns. */
  readonly gapHours?: number;
  /** Runs the story; the result is the time of the gap (microseconds) when the story has one. */
  readonly play: (take: Take) => Promise<number | undefined>;
}
