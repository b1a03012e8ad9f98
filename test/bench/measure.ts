/** Runs one command and says what it cost. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';

/** GNU time: CPU and memory of a child as the kernel counted them. Without it only the wall time is known. */
const GNU_TIME = '/usr/bin/time';
export const hasGnuTime = existsSync(GNU_TIME);

export interface Cost {
  readonly seconds: number;
  /** User and system time of all threads. */
  readonly cpuSeconds: number | undefined;
  /** Largest resident set, 10^6 bytes. */
  readonly peakMegabytes: number | undefined;
}

/** Runs `command` to its end with its standard output in `output`. Rejects when it fails. */
export async function measure(command: readonly string[], output: string): Promise<Cost> {
  const timesFile = `${output}.times`;
  const timed = hasGnuTime ? [GNU_TIME, '-q', '-f', '%U %S %M', '-o', timesFile, ...command] : command;
  const fd = openSync(output, 'w');
  const started = performance.now();
  try {
    await run(timed, fd);
  } finally {
    closeSync(fd);
  }
  const seconds = (performance.now() - started) / 1000;
  if (!hasGnuTime) return { seconds, cpuSeconds: undefined, peakMegabytes: undefined };
  const [user = 0, system = 0, kibibytes = 0] = readFileSync(timesFile, 'utf8').trim().split(' ').map(Number);
  rmSync(timesFile);
  return { seconds, cpuSeconds: user + system, peakMegabytes: (kibibytes * 1024) / 1e6 };
}

/** Characters of a failed command's complaint that are shown. */
const MAX_COMPLAINT = 400;

function run(command: readonly string[], stdout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', stdout, 'pipe'] });
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < MAX_COMPLAINT) complaint += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`ended with ${signal ?? code}: ${complaint.slice(0, MAX_COMPLAINT).trim()}`));
    });
  });
}
