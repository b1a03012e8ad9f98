/**
 * The process that keeps the privilege to capture: it starts the capture program, starts it again when it ends, and
 * passes on what it says. It never reads a packet. Ends when the parsing process does. See live-messages.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { write } from 'node:fs';
import { createInterface } from 'node:readline';
import { monotonicMillis } from '../base/clock.ts';
import { type DriverProgram, driverProgram } from './live-driver.ts';
import { canCapture, interfaceState } from './live-interface.ts';
import {
  type CaptureEnd,
  type CaptureRequest,
  isLauncherOrder,
  type LauncherReport,
  STDERR_CHARS,
} from './live-messages.ts';
import { RestartDelay } from './restart-delay.ts';

/** Packets go to the pipe that is our standard output; `process.stdout` is never used, it would make the pipe non-blocking. */
const PACKETS_FD = 1;
const INTERFACE_POLL_MILLIS = 250;
const COUNTS_PERIOD_MILLIS = 1_000;
/** Time a program has to end by itself when it is asked to. */
const STOP_MILLIS = 1_500;
/** Longest line of a program's standard error that is looked at, characters. */
const LINE_CHARS = 2_000;

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A request as our parent wrote it: it is the one who started us. */
const request = JSON.parse(process.argv[2] ?? '') as CaptureRequest;
const program = driverProgram(request);
const delay = new RestartDelay();

let stopping = false;
let running: ChildProcess | undefined;
/** Set when the next program is to start without a pause. */
let hurry = false;
/** Ends the wait that is going on. */
let wake: () => void = () => {};
let drained: () => void = () => {};

process.on('message', (order: unknown) => {
  if (!isLauncherOrder(order)) return;
  if (order === 'drained') {
    drained();
    return;
  }
  endProgram();
  if (order === 'replace') return;
  if (order === 'stop') stopping = true;
  hurry = true;
  wake();
});
process.on('disconnect', () => {
  running?.kill('SIGKILL');
  process.exit(0);
});
// A terminal's Ctrl-C or a service manager's stop reaches the parsing process, which then tells us.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

while (!stopping) {
  while (!stopping && !canCapture(interfaceState(request.interface))) await pause(INTERFACE_POLL_MILLIS);
  if (stopping) break;
  const startedAt = monotonicMillis();
  const end = await runProgram(program);
  await writeMarker();
  const isDrained = new Promise<void>((resolve) => {
    drained = resolve;
  });
  report({ is: 'ended', end });
  await isDrained;
  // An interface that went down is waited for; it is not the program's fault.
  const isItsFault = !hurry && canCapture(interfaceState(request.interface));
  if (isItsFault) await pause(delay.after(monotonicMillis() - startedAt));
  hurry = false;
}
process.disconnect();

function report(message: LauncherReport): void {
  if (process.connected) process.send?.(message);
}

/** Runs the program until it has ended and its last words have been read. */
function runProgram({ command, args, countsSignal, read }: DriverProgram): Promise<CaptureEnd> {
  const child = spawn(command, [...args], {
    stdio: ['ignore', PACKETS_FD, 'pipe'],
    env: { PATH: process.env.PATH ? `${process.env.PATH}:${SYSTEM_PATH}` : SYSTEM_PATH, LC_ALL: 'C' },
  });
  running = child;
  let listened = false;
  let said = '';
  let startError: string | undefined;
  const lines = createInterface({ input: child.stderr! });
  lines.on('line', (line) => {
    const message = read(line.slice(0, LINE_CHARS));
    if (message?.is === 'listening') listened = true;
    if (message) report(message);
    else said = `${said}${said ? '\n' : ''}${line}`.slice(-STDERR_CHARS);
  });
  child.on('error', (error: NodeJS.ErrnoException) => {
    startError = error.code ?? 'UNKNOWN';
  });
  const counts = setInterval(() => {
    if (listened && countsSignal) child.kill(countsSignal);
  }, COUNTS_PERIOD_MILLIS);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearInterval(counts);
      running = undefined;
      resolve({ listened, code, signal, startError, said });
    });
  });
}

function endProgram(): void {
  const child = running;
  if (!child) return;
  child.kill('SIGTERM');
  setTimeout(() => {
    if (running === child) child.kill('SIGKILL');
  }, STOP_MILLIS).unref();
}

function writeMarker(): Promise<void> {
  // Blocks in the thread pool while the pipe is full.
  return new Promise((resolve) => write(PACKETS_FD, Buffer.from(request.marker, 'hex'), () => resolve()));
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, millis);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}
