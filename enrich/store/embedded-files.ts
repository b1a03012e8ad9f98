import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { MAX_TABLES } from './embedded-tables.ts';
import { StoreError } from './store-error.ts';

/** LMDB's file of this name inside the data directory. */
export const DATA_FILE = 'data.mdb';

/** There while a process has the store open; left behind by one that did not close it. */
const OPEN_MARK = 'not-closed';

/** Longest look at a store that was not closed, milliseconds; what did not crash by then is believed. */
const INSPECTION_MS = 60_000;

/**
 * Opens the LMDB environment of a directory. LMDB maps its file into memory and trusts it: a damaged one ends the process
 * (segmentation fault, bus error and failed assertion were all seen). So the file's head is checked here, and a file
 * that was not closed, or is shorter than it says, is first read from end to end by another process.
 */
export async function openEnvironment(directory: string, durable: boolean): Promise<RootDatabase<Buffer, Buffer>> {
  checkBefore(directory);
  mark(directory);
  const { open } = await import('lmdb');
  try {
    return open<Buffer, Buffer>({
      path: directory,
      noSubdir: false,
      maxDbs: MAX_TABLES,
      encoding: 'binary',
      keyEncoding: 'binary',
      // With it on, a failed commit rejects a promise inside lmdb that nobody can hear, which ends the process.
      eventTurnBatching: false,
      noSync: !durable,
    });
  } catch (error) {
    throw openError(directory, error);
  }
}

/** To be called before LMDB maps the file of this directory; throws `corrupt`. */
export function checkBefore(directory: string): void {
  const shorter = checkHead(join(directory, DATA_FILE));
  if (shorter || wasNotClosed(directory)) inspect(directory);
}

/** Makes the directory when missing and gives its real path. */
export function settleDirectory(directory: string): string {
  try {
    mkdirSync(directory, { recursive: true });
    return realpathSync(directory);
  } catch (error) {
    throw openError(directory, error);
  }
}

/** To be called when the environment was closed in order. */
export function unmark(directory: string): void {
  rmSync(join(directory, OPEN_MARK), { force: true });
}

/** A directory problem as a StoreError. */
export function openError(directory: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 28) {
    return new StoreError('full', `cannot open the store in ${directory}: the disk is full.`, { cause: error });
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new StoreError('read-only', `cannot open the store in ${directory}: it is not a directory.`, {
      cause: error,
    });
  }
  if (/EROFS|EACCES|EPERM|Read-only|Permission denied/.test(`${String(code)} ${text}`)) {
    const message = `cannot open the store in ${directory}: no right to write there. Change its owner or choose another.`;
    return new StoreError('read-only', message, { cause: error });
  }
  if (/MDB_INVALID|MDB_VERSION_MISMATCH|MDB_CORRUPTED|MDB_PAGE_NOTFOUND/.test(text))
    return damaged(directory, text, error);
  return new StoreError('unexpected', `cannot open the store in ${directory}: ${text}`, { cause: error });
}

/** The mark names the process that has the store open; while that one runs there is nothing to inspect. */
function wasNotClosed(directory: string): boolean {
  const file = join(directory, OPEN_MARK);
  if (!existsSync(file) || !existsSync(join(directory, DATA_FILE))) return false;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  return pid === process.pid || !existsSync(`/proc/${pid}`);
}

function mark(directory: string): void {
  const file = join(directory, OPEN_MARK);
  try {
    if (wasNotClosed(directory) || !existsSync(file)) writeFileSync(file, `${process.pid}\n`);
  } catch (error) {
    throw openError(directory, error);
  }
}

const META_PAGE_BYTES = 152;
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;

/**
 * Looks at the first meta page (LMDB mdb.c, MDB_meta after a 24-byte page header); throws `corrupt` when it is none.
 * @returns whether the file is shorter than its last page, which is rare in a sound file and the rule in a cut one.
 */
function checkHead(file: string): boolean {
  if (!existsSync(file)) return false;
  const size = statSync(file).size;
  if (size === 0) return false; // LMDB starts anew on an empty file
  const page = readHead(file);
  if (page.length < META_PAGE_BYTES || page.readUInt32LE(MAGIC_AT) !== MAGIC) {
    throw damaged(file, 'it does not begin like a store');
  }
  const lastPage = Number(page.readBigUInt64LE(LAST_PAGE_AT));
  return size < (lastPage + 1) * page.readUInt32LE(PAGE_SIZE_AT);
}

function readHead(file: string): Buffer {
  const page = Buffer.alloc(META_PAGE_BYTES);
  try {
    const descriptor = openSync(file, 'r');
    try {
      return page.subarray(0, readSync(descriptor, page, 0, page.length, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw openError(file, error);
  }
}

/**
 * Reads every entry of every table. Plain JavaScript in a string, because it must run in a process of its own whether this
 * file is the compiled one or not.
 */
const INSPECTION = `
const { open } = await import(process.env.WAYBILL_LMDB);
const binary = { encoding: 'binary', keyEncoding: 'binary' };
const root = open({ path: process.env.WAYBILL_STORE, noSubdir: false, readOnly: true, maxDbs: ${MAX_TABLES} });
for (const name of [...root.getKeys()]) { // openDB ends the read transaction that a range would go on using
  let bytes = 0;
  const table = root.openDB({ name: String(name), ...binary });
  for (const { key, value } of table.getRange({ start: Buffer.of(0) })) bytes += key.length + value.length;
}
await root.close();
`;

function inspect(directory: string): void {
  const done = spawnSync(process.execPath, ['--input-type=module', '--eval', INSPECTION], {
    env: { WAYBILL_LMDB: import.meta.resolve('lmdb'), WAYBILL_STORE: directory },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: INSPECTION_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 1024 * 1024,
  });
  const timedOut = done.error !== undefined && 'code' in done.error && done.error.code === 'ETIMEDOUT';
  if (done.status === 0 || timedOut) return;
  const how = done.signal === null ? `exit ${done.status}` : done.signal;
  throw damaged(directory, `reading it through ended with ${how}`, done.stderr?.toString().slice(0, 2_000));
}

function damaged(place: string, why: string, cause?: unknown): StoreError {
  return new StoreError('corrupt', `the store in ${place} is damaged: ${why}. Restore a backup, or move it away.`, {
    cause,
  });
}
