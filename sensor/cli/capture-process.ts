/** A process that reads captures for `readSideBySide`, one after the other; their lines go to its standard output. */
import { Writable } from 'node:stream';
import { UserError } from '../base/exit.ts';
import { LineWriter } from '../publish/line-writer.ts';
import type { FromReader, ToReader } from './capture-jobs.ts';
import { readOneCapture } from './capture-reading.ts';

const say = (message: FromReader): void => void process.send!(message);

/** Bytes of lines of the capture at hand. */
let bytes = 0;
const out = new LineWriter(
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      process.stdout.write(chunk, done);
    },
  }),
);

process.on('message', ({ file, reading }: ToReader) => {
  bytes = 0;
  readOneCapture(file, reading, out).then(
    (report) => say({ kind: 'end', report, bytes }),
    (error: unknown) => {
      const { message, stack } = error as Error;
      const ours = !(error instanceof UserError);
      say({ kind: 'failed', ours, why: ours ? (stack ?? message) : message });
    },
  );
});
// The terminal's signals go to every process of the group; what they mean is the sensor's to say, and this ends with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
// Nobody is left to read for.
process.stdout.on('error', () => process.exit());
process.on('disconnect', () => process.exit());
