/** The captures that are measured, made once and kept in the temporary directory. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeBulkCapture } from './bulk-capture.ts';
import type { CaptureFacts } from './capture-facts.ts';
import { writeCrowdCapture } from './crowd-capture.ts';
import { writeHelloCapture } from './hello-capture.ts';
import { readConversations } from './recorded-conversations.ts';

/** Part of the file names: to be raised when a generator changes what it writes. */
const VERSION = 3;
const SEED = 20_261_123;
const RECORDINGS = fileURLToPath(new URL('../../pcaps/clients', import.meta.url));

export const INPUT_NAMES = ['hello', 'bulk', 'crowd'] as const;
export type InputName = (typeof INPUT_NAMES)[number];

export interface Input {
  readonly name: InputName;
  readonly file: string;
  readonly facts: CaptureFacts;
}

const WRITERS = { hello: writeHelloCapture, bulk: writeBulkCapture, crowd: writeCrowdCapture } as const;

/** Where inputs and the outputs of peers are put. */
export function cacheDirectory(): string {
  const directory = join(tmpdir(), 'waybill-bench');
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** The input from the cache, or made now. @param size packets; flows for `crowd` */
export async function prepareInput(name: InputName, size: number): Promise<Input> {
  const file = join(cacheDirectory(), `${name}-${size}-${VERSION}-${recordingsDigest()}.pcap`);
  const factsFile = `${file}.json`;
  if (!existsSync(factsFile) || !existsSync(file)) {
    process.stderr.write(`bench: making ${file}\n`);
    for (const old of readdirSync(cacheDirectory())) {
      if (old.startsWith(`${name}-${size}-`)) rmSync(join(cacheDirectory(), old));
    }
    const facts = WRITERS[name](`${file}.part`, size, await readConversations(RECORDINGS), SEED);
    renameSync(`${file}.part`, file);
    writeFileSync(factsFile, JSON.stringify(facts));
  }
  return { name, file, facts: JSON.parse(readFileSync(factsFile, 'utf8')) as CaptureFacts };
}

function recordingsDigest(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(RECORDINGS)
    .filter((n) => /\.pcap(\.gz)?$/.test(n))
    .sort()) {
    hash.update(readFileSync(join(RECORDINGS, name)));
  }
  return hash.digest('hex').slice(0, 8);
}
