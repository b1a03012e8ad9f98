/**
 * Captures read side by side, one process each: threads of one process share its memory map, and waited for each other at
 * every new page. Their records are written in the order of the captures, so the output is what one would have written.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { UserError } from '../base/exit.ts';
import type { CaptureReading, CaptureReport } from './capture-reading.ts';

export const MAX_JOBS = 64;

/** From a reader: some lines of its capture, its end, or why it cannot be read. */
export type FromReader =
  | { readonly kind: 'lines'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly report: CaptureReport }
  /** `ours`: no mistake of the user's; then `why` has the stack. */
  | { readonly kind: 'failed'; readonly why: string; readonly ours: boolean };

/** To a reader: the next capture, or how many bytes of its lines have been written. */
export type ToReader =
  | { readonly kind: 'read'; readonly file: string; readonly reading: CaptureReading }
  | { readonly kind: 'written'; readonly bytes: number };

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
  readonly reader: ChildProcess;
  readonly lines: Uint8Array[];
  report?: CaptureReport;
}

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
      const begin = (reader: ChildProcess): void => {
        const file = files[next++];
        if (file === undefined) return;
        const part: Part = { file, reader, lines: [] };
        waiting.push(part);
        reader.removeAllListeners('message');
        reader.on('message', (message: FromReader) => {
          if (message.kind === 'failed')
            return reject(message.ours ? new Error(message.why) : new UserError(message.why));
          if (message.kind === 'lines') part.lines.push(message.bytes);
          else {
            part.report = message.report;
            begin(reader);
          }
          void writeDue();
        });
        tell(reader, { kind: 'read', file, reading });
      };
      /** Writes what the first capture that is not finished has so far, and goes on to the next when it has ended. */
      const writeDue = async (): Promise<void> => {
        if (writing) return;
        writing = true;
        for (let part = waiting[0]; part; part = waiting[0]) {
          const lines = part.lines.shift();
          if (lines !== undefined) {
            await written(stream, lines);
            tell(part.reader, { kind: 'written', bytes: lines.length });
          } else if (part.report !== undefined) {
            report(part.file, part.report);
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
const newReader = (): ChildProcess => {
  const path = new URL(`./capture-process${extname(import.meta.url)}`, import.meta.url);
  return fork(fileURLToPath(path), { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
};

const tell = (reader: ChildProcess, message: ToReader): void => {
  if (reader.connected) reader.send(message);
};

async function ended(reader: ChildProcess): Promise<void> {
  if (reader.exitCode !== null || reader.signalCode !== null) return;
  const gone = once(reader, 'exit');
  reader.kill('SIGKILL');
  await gone;
}

const written = (stream: Writable, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => stream.write(bytes, () => resolve()));
