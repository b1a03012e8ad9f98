import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createGunzip, createInflate } from 'node:zlib';
import { HttpRefusal } from './http-answer.ts';

export interface BodyLimits {
  /** As sent. */
  readonly bodyBytes: number;
  /** After decompression. */
  readonly inflatedBytes: number;
}

const CHUNK_BYTES = 64 * 1024;

/**
 * The body in decompressed pieces of at most 64 KiB. Bytes are counted on both sides of the decompressor while they pass
 * (the `maxOutputLength` of zlib's streams bounds nothing), and the reader is given a turn of the event loop after each
 * piece. Throws HttpRefusal: 413 over a limit, 415 for an encoding we lack, 400 for a damaged one.
 */
export async function* bodyOf(request: IncomingMessage, limits: BodyLimits): AsyncGenerator<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limits.bodyBytes) throw tooLarge(limits.bodyBytes, 'as sent');
  let inflated = 0;
  try {
    for await (const piece of decoded(request, limits.bodyBytes)) {
      inflated += piece.length;
      if (inflated > limits.inflatedBytes) throw tooLarge(limits.inflatedBytes, 'decompressed');
      yield piece;
      await setImmediate();
    }
  } catch (error) {
    if (error instanceof HttpRefusal) throw error;
    const code = String((error as NodeJS.ErrnoException).code);
    if (code.startsWith('Z_')) throw new HttpRefusal(400, 'the body does not decompress');
    throw new HttpRefusal(400, 'the body broke off');
  }
}

async function* decoded(request: IncomingMessage, most: number): AsyncGenerator<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip' && encoding !== 'x-gzip' && encoding !== 'deflate') {
    throw new HttpRefusal(415, 'content-encoding: gzip, deflate or identity');
  }
  const source = counted(request, most);
  const first = await source.next();
  if (first.done === true) return;
  const looksGzip = first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (encoding === 'deflate') yield* inflated(createInflate({ chunkSize: CHUNK_BYTES }), first.value, source);
  else if (looksGzip) yield* inflated(createGunzip({ chunkSize: CHUNK_BYTES }), first.value, source);
  else if (encoding !== 'identity') throw new HttpRefusal(400, 'the body does not decompress');
  else {
    yield* pieces(first.value);
    for await (const chunk of source) yield* pieces(chunk);
  }
}

async function* counted(request: IncomingMessage, most: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) throw tooLarge(most, 'as sent');
    yield chunk;
  }
}

function* pieces(chunk: Buffer): Generator<Buffer> {
  for (let at = 0; at < chunk.length; at += CHUNK_BYTES) yield chunk.subarray(at, at + CHUNK_BYTES);
}

async function* inflated(
  inflate: Readable & NodeJS.WritableStream,
  first: Buffer,
  rest: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
  const feed = async (): Promise<void> => {
    let chunk: Buffer | undefined = first;
    while (chunk !== undefined && !inflate.destroyed) {
      if (!inflate.write(chunk)) {
        await new Promise<void>((resolve) => {
          inflate.once('drain', resolve);
          inflate.once('close', resolve);
        });
      }
      const next: IteratorResult<Buffer, unknown> = await rest.next();
      chunk = next.done === true ? undefined : next.value;
    }
    if (!inflate.destroyed) inflate.end();
  };
  feed().catch((error: unknown) => inflate.destroy(error as Error));
  try {
    for await (const piece of inflate) yield piece as Buffer;
  } finally {
    inflate.destroy();
  }
}

const tooLarge = (bytes: number, how: string): HttpRefusal =>
  new HttpRefusal(413, `more than ${bytes} bytes ${how}; send smaller batches`);
