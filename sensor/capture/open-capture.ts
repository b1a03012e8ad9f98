/** Captures on disk or on standard input: plain or gzip, pcap or pcapng. */
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
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
  /** Stops the reading between two blocks; what was read until then is the result. */
  readonly signal?: AbortSignal;
  /** Instead of standard input for the path "-". */
  readonly stdin?: AsyncIterable<Uint8Array>;
}

/**
 * Reads a capture to its end, handing each packet to `sink`. Damage is not an exception: everything before it is
 * delivered and the summary names it. Rejects only when the file cannot be opened.
 */
export async function readCapture(path: string, sink: PacketSink, options: ReadOptions = {}): Promise<CaptureSummary> {
  if (path === STDIN) return readStream(options.stdin ?? process.stdin, sink, options.signal);
  const fd = openSync(path, 'r');
  let handedOver = false;
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) throw new Error(`${path} is a directory`);
    const seekable = stat.isFile();
    if (seekable && captureFormat(headOf(fd)) !== 'gzip') return await readPlain(fd, sink, options.signal);
    // A stream reads from the start again: headOf did not move the file position.
    handedOver = true;
    return await readStream(createReadStream(path, { fd, highWaterMark: STREAM_CHUNK_BYTES }), sink, options.signal);
  } finally {
    if (!handedOver) closeSync(fd);
  }
}

function headOf(fd: number): Uint8Array {
  const head = new Uint8Array(SNIFF_BYTES);
  return head.subarray(0, readSync(fd, head, 0, SNIFF_BYTES, 0));
}

async function readPlain(fd: number, sink: PacketSink, signal: AbortSignal | undefined): Promise<CaptureSummary> {
  const reader = new CaptureReader(sink);
  let untilYield = YIELD_BYTES;
  try {
    for (let count = reader.readFrom(fd); count > 0 && !signal?.aborted; count = reader.readFrom(fd)) {
      untilYield -= count;
      if (untilYield > 0) continue;
      untilYield = YIELD_BYTES;
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { packets: reader.packets, bytes: reader.bytes, damaged: readingFailed(error, reader) };
  }
  return reader.end();
}

async function readStream(
  source: AsyncIterable<Uint8Array>,
  sink: PacketSink,
  signal: AbortSignal | undefined,
): Promise<CaptureSummary> {
  const reader = new CaptureReader(sink);
  try {
    for await (const chunk of gunzipped(source)) {
      if (!reader.push(chunk) || signal?.aborted) break;
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { packets: reader.packets, bytes: reader.bytes, damaged: readingFailed(error, reader) };
  }
  return reader.end();
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
  const whole = prepend(head, chunks);
  if (captureFormat(head) !== 'gzip') return yield* whole;
  const gunzip = createGunzip({ chunkSize: STREAM_CHUNK_BYTES });
  // An error reaches the loop below through `gunzip`, which pipeline destroys with it.
  pipeline(Readable.from(whole, { objectMode: false }), gunzip, () => {});
  yield* gunzip;
}

async function* prepend(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
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

function readingFailed(error: Error & { readonly code: string }, reader: CaptureReader): string {
  const what = error.code.startsWith('Z_')
    ? `the gzip data is damaged (${error.message})`
    : `reading failed (${error.code})`;
  return `${what} after ${reader.bytes} bytes of capture. ${packetsRead(reader.packets)}`;
}
