/** Captures on disk or on standard input: plain or gzip, pcap or pcapng. */
import { readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UserError } from '../base/exit.ts';
import { CaptureReader, captureFormat } from './capture-reader.ts';
import type { CaptureSummary, PacketSink } from './packet.ts';
import { packetsRead } from './record-parser.ts';

/** Standard input, as a path. */
export const STDIN = '-';

/** Plain files are read synchronously; after so many bytes the event loop has a turn, for signals and timers. */
const YIELD_BYTES = 64 << 20;

/** Size of the pieces that streams and gunzip hand over, bytes. */
const STREAM_CHUNK_BYTES = 256 << 10;

/** Enough to tell gzip from the rest. */
const SNIFF_BYTES = 4;

export interface ReadOptions {
  /** Stops the reading between two blocks; the summary then tells of what was read until there. */
  readonly signal?: AbortSignal;
  /** Read instead of standard input for the path "-". */
  readonly stdin?: Readable;
  /** Waited for before each block: whoever takes what the packets become may hold up the reading. Must not reject. */
  readonly room?: () => Promise<void>;
}

/**
 * Reads a capture to its end, handing each packet to `sink`. Damage is not an exception: everything before it is
 * delivered and the summary names it. Rejects with a `UserError` only when there is nothing to read from.
 */
export async function readCapture(path: string, sink: PacketSink, options: ReadOptions = {}): Promise<CaptureSummary> {
  const reader = new CaptureReader(sink);
  if (path === STDIN) return readStream(options.stdin ?? process.stdin, reader, options);
  const file = await openFile(path);
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) throw new UserError(`cannot read ${path}: it is a directory`);
    if (stat.isFile() && captureFormat(headOf(file, path)) !== 'gzip') return await readPlain(file, reader, options);
    const stream = file.createReadStream({ autoClose: false, highWaterMark: STREAM_CHUNK_BYTES });
    return await readStream(stream, reader, options);
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new UserError(`cannot open ${path}: ${OPEN_ERRORS.get(error.code) ?? error.code}`);
  }
}

const OPEN_ERRORS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file'],
  ['EACCES', 'permission denied'],
  ['ENOTDIR', 'part of the path is not a directory'],
  ['EMFILE', 'too many open files'],
]);

/** The first bytes; the file position does not move. */
function headOf(file: FileHandle, path: string): Uint8Array {
  const head = new Uint8Array(SNIFF_BYTES);
  try {
    return head.subarray(0, readSync(file.fd, head, 0, SNIFF_BYTES, 0));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new UserError(`cannot read ${path}: ${error.code}`);
  }
}

async function readPlain(
  file: FileHandle,
  reader: CaptureReader,
  { signal, room }: ReadOptions,
): Promise<CaptureSummary> {
  let untilYield = YIELD_BYTES;
  try {
    for (let count = reader.readFrom(file.fd); count > 0; count = reader.readFrom(file.fd)) {
      untilYield -= count;
      if (untilYield <= 0) {
        untilYield = YIELD_BYTES;
        await new Promise((resolve) => setImmediate(resolve));
      }
      await room?.();
      if (signal?.aborted) return reader.stop();
    }
  } catch (error) {
    return reader.stop(inputFailed(error, reader));
  }
  return reader.end();
}

async function readStream(
  source: Readable,
  reader: CaptureReader,
  { signal, room }: ReadOptions,
): Promise<CaptureSummary> {
  // A pipe may be silent for hours; destroying it is what ends the wait.
  const abort = (): void => void source.destroy();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for await (const chunk of gunzipped(source)) {
      if (signal?.aborted) return reader.stop();
      if (!reader.push(chunk)) break;
      await room?.();
    }
  } catch (error) {
    return signal?.aborted ? reader.stop() : reader.stop(inputFailed(error, reader));
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return signal?.aborted ? reader.stop() : reader.end();
}

/** The chunks of `source`, decompressed when they start with the gzip magic (several members included). */
async function* gunzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < SNIFF_BYTES) {
    const next = await chunks.next();
    if (next.done) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  const whole = withHead(head, chunks);
  if (captureFormat(head) !== 'gzip') return yield* whole;
  const gunzip = createGunzip({ chunkSize: STREAM_CHUNK_BYTES });
  // An error on the way reaches the consumer through `gunzip`, which pipeline destroys with it.
  pipeline(Readable.from(whole, { objectMode: false }), gunzip, () => {});
  yield* gunzip;
}

async function* withHead(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Errors of the operating system and of zlib carry a code; ours do not. */
function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

function inputFailed(error: unknown, reader: CaptureReader): string {
  if (!isSystemError(error)) throw error;
  const what = error.code.startsWith('Z_')
    ? `the gzip data is damaged (${error.message})`
    : `reading failed (${error.code})`;
  return `${what} after ${reader.bytes} bytes of capture. ${packetsRead(reader.packets)}`;
}
