import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { type Exception, MAX_EXCEPTIONS } from './exception.ts';

/** Bytes of the file. */
const MAX_FILE_BYTES = 16_777_216;
const text = z.string().min(1).max(1_024);
const time = text.refine((value) => !Number.isNaN(Date.parse(value)), { message: 'expected a date (RFC 3339)' });

const fields = {
  owner: text,
  reason: text,
  expires: time,
  identity: text.optional(),
  image: text.optional(),
  signer: text.optional(),
  destination: text,
  host: text.optional(),
  user: text.optional(),
  max_bytes: z.number().int().min(1).optional(),
};
const namesProgram = (e: { identity?: unknown; image?: unknown; signer?: unknown }): boolean =>
  e.identity !== undefined || e.image !== undefined || e.signer !== undefined;
const unnamed = { message: 'name the program: identity, image or signer' };
const Entry = z.strictObject(fields).refine(namesProgram, unnamed);
const Stored = z.strictObject({ id: text, ...fields }).refine(namesProgram, unnamed);
const File = z.strictObject({ exceptions: z.array(Stored).max(MAX_EXCEPTIONS) });

/** Exceptions live beside the store, in one file that a person can read and put under version control. */
export const exceptionFile = (directory: string): string => join(directory, 'allow.json');

/** The exceptions of a data directory, none when it has no such file. */
export function readExceptions(directory: string): readonly Exception[] {
  const path = exceptionFile(directory);
  if (!existsSync(path)) return [];
  const source = readFileSync(path);
  if (source.length > MAX_FILE_BYTES) throw new UserError(`${path}: larger than ${MAX_FILE_BYTES} bytes`, Exit.usage);
  let value: unknown;
  try {
    value = JSON.parse(source.toString('utf8'));
  } catch (error) {
    throw new UserError(`${path}: ${(error as Error).message}`, Exit.usage);
  }
  const parsed = File.safeParse(value);
  if (parsed.success) return parsed.data.exceptions as readonly Exception[];
  const where = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`);
  throw new UserError(`${path}: ${where.slice(0, 5).join('; ')}`, Exit.usage);
}

/** Replaces the file as a whole: a crash leaves the old one or the new one. */
export function writeExceptions(directory: string, exceptions: readonly Exception[]): void {
  const path = exceptionFile(directory);
  const next = `${path}.${randomUUID()}`;
  try {
    writeFileSync(next, `${JSON.stringify({ exceptions }, undefined, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(next, path);
  } finally {
    rmSync(next, { force: true });
  }
}

/** Keeps one exception, in the place of the same one. Throws UserError when there are too many. */
export function keepException(directory: string, exception: Exception): void {
  const known = readExceptions(directory).filter(({ id }) => id !== exception.id);
  if (known.length >= MAX_EXCEPTIONS) throw new UserError(`${MAX_EXCEPTIONS} exceptions are kept at most`);
  writeExceptions(directory, [...known, exception]);
}

/** @returns whether there was one of this id */
export function removeException(directory: string, id: string): boolean {
  const known = readExceptions(directory);
  const left = known.filter((exception) => exception.id !== id);
  if (left.length === known.length) return false;
  writeExceptions(directory, left);
  return true;
}

/** Checks what a user entered and names it by its content. */
export function exceptionOf(fields: Readonly<Record<string, unknown>>): Exception {
  const parsed = Entry.safeParse(fields);
  if (!parsed.success) {
    const complaints = parsed.error.issues.map((i) => `${i.path.join('.') || 'exception'}: ${i.message}`);
    throw new UserError(complaints.join('\n'), Exit.usage);
  }
  const id = createHash('sha256').update(JSON.stringify(parsed.data)).digest('hex').slice(0, 10);
  return { id: `al-${id}`, ...parsed.data } as Exception;
}
