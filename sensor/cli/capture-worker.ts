/** A thread that reads captures for `readSideBySide`, one after the other. */
import { Writable } from 'node:stream';
import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../base/exit.ts';
import { LineWriter } from '../publish/line-writer.ts';
import type { FromReader, ToReader } from './capture-jobs.ts';
import { type CaptureReading, readOneCapture } from './capture-reading.ts';

/** Bytes of lines that may wait for the captures before this one; then the reading waits. */
const AHEAD_BYTES = 64 << 20;

const reading = workerData as CaptureReading;
const port = parentPort!;
const say = (message: FromReader, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

/** Bytes handed over and not written yet. */
let ahead = 0;
let goOn: (() => void) | undefined;

const out = new LineWriter(
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      // Its memory goes along: the writer takes a new chunk for what comes next.
      const bytes = new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.length);
      ahead += bytes.length;
      say({ kind: 'lines', bytes }, [chunk.buffer as ArrayBuffer]);
      if (ahead < AHEAD_BYTES) done();
      else goOn = done;
    },
  }),
);

port.on('message', (message: ToReader) => {
  if (message.kind === 'read') {
    readOneCapture(message.file, reading, out).then(
      (report) => say({ kind: 'end', report }),
      (error: unknown) => {
        const { message, stack } = error as Error;
        const ours = !(error instanceof UserError);
        say({ kind: 'failed', ours, why: ours ? (stack ?? message) : message });
      },
    );
    return;
  }
  ahead -= message.bytes;
  if (ahead >= AHEAD_BYTES || goOn === undefined) return;
  const done = goOn;
  goOn = undefined;
  done();
});
