import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Bytes read at a time. */
const CHUNK_BYTES = 64 * 1024;
/** First bytes that tell what an input is; tar has its mark at 257. */
const HEAD_BYTES = 512;
/** How often gzip may wrap gzip. */
const MAX_GZIP_LAYERS = 2;

/** Input that is of a kind we do not read; told by name, so that nobody takes silence for an empty feed. */
export class RefusedInput extends Error {}

/** The input broke off or does not decompress; what came before is good. */
export class DamagedInput extends Error {}

/** Kinds of file that are recognised in order to be refused, by their first bytes. */
const REFUSED: readonly (readonly [offset: number, magic: string, what: string])[] = [
  [0, 'PK\x03\x04', 'a zip archive; unpack it first'],
  [0, '\x28\xb5\x2f\xfd', 'zstd-compressed; decompress it first'],
  [0, '\xfd7zXZ\0', 'xz-compressed; decompress it first'],
  [0, 'BZh', 'bzip2-compressed; decompress it first'],
  [0, '7z\xbc\xaf\x27\x1c', 'a 7z archive; unpack it first'],
  [0, '\xd4\xc3\xb2\xa1', 'a packet capture, not an endpoint feed'],
  [0, '\xa1\xb2\xc3\xd4', 'a packet capture, not an endpoint feed'],
  [0, '\x4d\x3c\xb2\xa1', 'a packet capture, not an endpoint feed'],
  [0, '\xa1\xb2\x3c\x4d', 'a packet capture, not an endpoint feed'],
  [0, '\x0a\x0d\x0d\x0a', 'a packet capture, not an endpoint feed'],
  [0, 'PAR1', 'a Parquet file; export it as JSON lines or CSV first'],
  [0, 'SQLite format 3', 'a database; export it as JSON lines or CSV first'],
  [257, 'ustar', 'a tar archive; unpack it first'],
];

/**
 * The bytes of a file, or of standard input for `-`, decompressed as far as they are gzip by their magic (concatenated members
 * included). Memory is bounded by a few chunks whatever the input inflates to, since the reader pulls.
 * Throws `RefusedInput` or `DamagedInput`; errors of the file system come as they are.
 */
export async function* readBytes(path: string, stdin: Readable): AsyncGenerator<Buffer> {
  const source: Readable = path === '-' ? stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  yield* decompressed(source, 0);
}

async function* decompressed(source: AsyncIterable<Buffer>, layer: number): AsyncGenerator<Buffer> {
  const { head, rest } = await readHead(source);
  if (head[0] === 0x1f && head[1] === 0x8b) {
    if (layer >= MAX_GZIP_LAYERS) throw new RefusedInput('compressed more than twice');
    yield* decompressed(gunzip(head, rest), layer + 1);
    return;
  }
  const text = head.toString('latin1');
  for (const [offset, magic, what] of REFUSED) if (text.startsWith(magic, offset)) throw new RefusedInput(what);
  if (head.length > 0) yield head;
  for (;;) {
    const next = await rest.next();
    if (next.done === true) return;
    yield next.value;
  }
}

/** Enough of the beginning to tell what the input is, and an iterator over what follows. */
async function readHead(source: AsyncIterable<Buffer>): Promise<{ head: Buffer; rest: AsyncIterator<Buffer> }> {
  const rest = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < HEAD_BYTES) {
    const next = await rest.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return { head, rest };
}

/** Inflates piece by piece; the compressed side waits while the reader is busy. */
async function* gunzip(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  const inflate = createGunzip({ chunkSize: CHUNK_BYTES });
  const feed = async () => {
    let chunk: Buffer | undefined = head;
    while (chunk !== undefined) {
      if (!inflate.write(chunk)) await new Promise<void>((resolve) => inflate.once('drain', resolve));
      const next: IteratorResult<Buffer> = await rest.next();
      chunk = next.done === true ? undefined : next.value;
    }
    inflate.end();
  };
  feed().catch((error: unknown) => inflate.destroy(error as Error));
  try {
    for await (const chunk of inflate) yield chunk as Buffer;
  } catch (error) {
    if (error instanceof DamagedInput || error instanceof RefusedInput) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!code.startsWith('Z_')) throw error;
    throw new DamagedInput(code === 'Z_BUF_ERROR' ? 'the gzip stream is cut off' : 'the gzip stream is damaged', {
      cause: error,
    });
  } finally {
    await rest.return?.();
  }
}
