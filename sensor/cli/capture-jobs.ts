/**
 * Captures read side by side, one process each: threads of one process share its memory map, and waited for each other at
 * every new page. Their records are written in the order of the captures, so the output is what one would have written.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { UserError } from '../base/exit.ts';
import type { CaptureReading, CaptureReport } from './capture-reading.ts';

export const MAX_JOBS = 64;

/** Bytes of lines of one reader, of all its captures, that may wait for the captures before them; then it waits. */
const AHEAD_BYTES = 64 << 20;

/** From a reader, whose lines come by its standard output: the end of a capture, or why it cannot be read. */
export type FromReader =
  /** `bytes`: of all lines of the capture. */
  | { readonly kind: 'end'; readonly report: CaptureReport; readonly bytes: number }
  /** `ours`: no mistake of the user's; then `why` has the stack. */
  | { readonly kind: 'failed'; readonly why: string; readonly ours: boolean };

/** To a reader: the next capture. */
export interface ToReader {
  readonly file: string;
  readonly reading: CaptureReading;
}

export interface SideBySide {
  /** Processes. */
  readonly jobs: number;
  readonly stream: Writable;
  /** Called once for each capture, in order, when its records have been written. */
  readonly report: (file: string, report: CaptureReport) => void;
}

/** A capture that is being read, or was and waits for those before it. */
interface Part {
  readonly file: string;
  readonly reader: Reader;
  /** Not written yet. */
  readonly lines: Buffer[];
  /** Bytes that came so far. */
  came: number;
  end?: Extract<FromReader, { readonly kind: 'end' }>;
}

/** A process that reads, and the bytes of its lines that are not written yet. */
type Reader = ChildProcess & { readonly stdout: Readable; ahead: number };

/** Resolves when all captures were read and written; rejects with the first that cannot be opened. */
export async function readSideBySide(
  files: readonly string[],
  reading: CaptureReading,
  { jobs, stream, report }: SideBySide,
): Promise<void> {
  const readers = Array.from({ length: jobs }, newReader);
  try {
    await new Promise<void>((resolve, reject) => {
      const waiting: Part[] = [];
      let next = 0;
      let writing = false;
      /** Gives a reader its next capture, once every line of the last one has come. */
      const goOn = (part: Part): void => {
        if (part.end !== undefined && part.came === part.end.bytes) begin(part.reader);
      };
      const begin = (reader: Reader): void => {
        reader.removeAllListeners('message');
        reader.stdout.removeAllListeners('data');
        const file = files[next++];
        if (file === undefined) return;
        const part: Part = { file, reader, lines: [], came: 0 };
        waiting.push(part);
        reader.stdout.on('data', (bytes: Buffer) => {
          part.lines.push(bytes);
          part.came += bytes.length;
          reader.ahead += bytes.length;
          if (reader.ahead >= AHEAD_BYTES) reader.stdout.pause();
          goOn(part);
          void writeDue();
        });
        reader.on('message', (message: FromReader) => {
          if (message.kind === 'failed')
            return reject(message.ours ? new Error(message.why) : new UserError(message.why));
          part.end = message;
          goOn(part);
          void writeDue();
        });
        // That it cannot be told is told by its exit.
        reader.send({ file, reading } satisfies ToReader, () => undefined);
      };
      /** Writes what the first capture that is not finished has so far, and goes on to the next when it has ended. */
      const writeDue = async (): Promise<void> => {
        if (writing) return;
        writing = true;
        for (let part = waiting[0]; part; part = waiting[0]) {
          const lines = part.lines.shift();
          if (lines !== undefined) {
            await written(stream, lines);
            part.reader.ahead -= lines.length;
            if (part.reader.ahead < AHEAD_BYTES) part.reader.stdout.resume();
          } else if (part.end !== undefined && part.came === part.end.bytes) {
            report(part.file, part.end.report);
            waiting.shift();
          } else break;
        }
        writing = false;
        if (waiting.length === 0) resolve();
      };
      for (const reader of readers) {
        reader.on('error', reject);
        reader.on('exit', (code, signal) =>
          reject(new UserError(`a process that read captures was ended by ${signal ?? `exit code ${code}`}`)),
        );
        begin(reader);
      }
    });
  } finally {
    await Promise.all(readers.map(ended));
  }
}

/** A process that inherits what this one was started with, and ends with it: its only channel is to this one. */
const newReader = (): Reader => {
  const path = new URL(`./capture-process${extname(import.meta.url)}`, import.meta.url);
  const child = fork(fileURLToPath(path), { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  return Object.assign(child, { ahead: 0 }) as Reader;
};

async function ended(reader: ChildProcess): Promise<void> {
  if (reader.exitCode !== null || reader.signalCode !== null) return;
  const gone = once(reader, 'exit');
  reader.kill('SIGKILL');
  await gone;
}

const written = (stream: Writable, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => stream.write(bytes, () => resolve()));
