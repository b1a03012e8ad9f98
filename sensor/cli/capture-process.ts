/** A process that reads captures for `readSideBySide`, one after the other. */
import { Writable } from 'node:stream';
import { UserError } from '../base/exit.ts';
import { LineWriter } from '../publish/line-writer.ts';
import type { FromReader, ToReader } from './capture-jobs.ts';
import { readOneCapture } from './capture-reading.ts';

/** Bytes of lines that may wait for the captures before this one; then the reading waits. */
const AHEAD_BYTES = 64 << 20;

/** Resolves when the message is with the kernel. */
const say = (message: FromReader, said?: () => void): void => void process.send!(message, undefined, {}, said);

/** Bytes handed over and not written yet. */
let ahead = 0;
let goOn: (() => void) | undefined;

const out = new LineWriter(
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      ahead += chunk.length;
      say({ kind: 'lines', bytes: chunk }, () => {
        if (ahead < AHEAD_BYTES) done();
        else goOn = done;
      });
    },
  }),
);

process.on('message', (message: ToReader) => {
  if (message.kind === 'read') {
    readOneCapture(message.file, message.reading, out).then(
      (report) => say({ kind: 'end', report }),
      (error: unknown) => {
        const { message: text, stack } = error as Error;
        const ours = !(error instanceof UserError);
        say({ kind: 'failed', ours, why: ours ? (stack ?? text) : text });
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
// The terminal's signals go to every process of the group; what they mean is the sensor's to say, and this ends with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit());
