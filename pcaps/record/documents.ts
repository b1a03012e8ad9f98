/** Documents for the stories to pack: as incompressible as scans and spreadsheets are, the same at every recording. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BLOCK_BYTES = 32;

/** First bytes of the kinds of document: Office files are ZIP containers. */
const MAGIC: ReadonlyMap<string, string> = new Map([
  ['xlsx', 'PK\x03\x04'],
  ['pptx', 'PK\x03\x04'],
  ['pdf', '%PDF-1.7\n'],
]);

/** Deterministic bytes that no archiver can shrink. */
export function noise(seed: string, bytes: number): Buffer {
  const out = Buffer.alloc(Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES);
  for (let block = 0; block * BLOCK_BYTES < bytes; block++) {
    createHash('sha256')
      .update(`${seed} ${block}`)
      .digest()
      .copy(out, block * BLOCK_BYTES);
  }
  return out.subarray(0, bytes);
}

/** Writes `count` files named `stem-NN.extension` and returns their names. */
export function writeDocuments(
  directory: string,
  { stem, extension, count, bytesEach }: { stem: string; extension: string; count: number; bytesEach: number },
): string[] {
  mkdirSync(directory, { recursive: true });
  return Array.from({ length: count }, (_, index) => {
    const name = `${stem}-${String(index + 1).padStart(2, '0')}.${extension}`;
    const bytes = noise(name, bytesEach);
    bytes.write(MAGIC.get(extension) ?? '', 'latin1');
    writeFileSync(join(directory, name), bytes);
    return name;
  });
}
