/** Running the system's own tools: one place that turns a failed command into one clear error. */
import { execFileSync } from 'node:child_process';

/** Output cap of one tool run, bytes. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** Runs a program to its end and returns what it printed; a non-zero exit is an error with its stderr. */
export function sh(file: string, ...args: readonly string[]): string {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: MAX_OUTPUT_BYTES });
}

/** Like `sh`, for steps that may fail because there is nothing to do (deleting what is not there). */
export function shQuiet(file: string, ...args: readonly string[]): string | undefined {
  try {
    return sh(file, ...args);
  } catch {
    return undefined;
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
