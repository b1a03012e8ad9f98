/** Which files under a path are captures. */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { type CaptureFormat, captureFormat } from './capture-reader.ts';

/** Files of one directory tree that are looked at; more are left out and `truncated` says so. */
export const LISTING_CAP = 100_000;

/** Bytes of each file that are read to tell what it is. */
const HEAD_BYTES = 512;

/** Levels of directories entered. */
const DEPTH_CAP = 32;

export interface SkippedFile {
  readonly path: string;
  readonly why: 'hidden' | 'not-a-capture' | 'unreadable' | 'too-deep';
}

export interface CaptureListing {
  /** Sorted by path, code unit by code unit. */
  readonly captures: readonly string[];
  readonly skipped: readonly SkippedFile[];
  /** True when LISTING_CAP cut the listing short. */
  readonly truncated: boolean;
}

/**
 * The captures of a directory and everything below it, told by their first bytes, not by their names. A path that is
 * not a directory (a file, a pipe, "-") is listed as it is: its reader will say what is wrong with it. Symbolic links
 * to files are followed, to directories not.
 */
export function listCaptures(path: string): CaptureListing {
  if (path === '-' || !statSync(path).isDirectory()) return { captures: [path], skipped: [], truncated: false };
  const captures: string[] = [];
  const skipped: SkippedFile[] = [];
  const open: { readonly directory: string; readonly depth: number }[] = [{ directory: path, depth: 1 }];
  let truncated = false;
  for (let next = open.pop(); next && !truncated; next = open.pop()) {
    for (const entry of entriesOf(next.directory, skipped)) {
      if (captures.length + skipped.length >= LISTING_CAP) {
        truncated = true;
        break;
      }
      const file = join(next.directory, entry.name);
      if (entry.name.startsWith('.')) skipped.push({ path: file, why: 'hidden' });
      else if (entry.isDirectory()) {
        if (next.depth < DEPTH_CAP) open.push({ directory: file, depth: next.depth + 1 });
        else skipped.push({ path: file, why: 'too-deep' });
      } else judge(file, captures, skipped);
    }
  }
  captures.sort(byCodeUnit);
  skipped.sort((a, b) => byCodeUnit(a.path, b.path));
  return { captures, skipped, truncated };
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function entriesOf(directory: string, skipped: SkippedFile[]) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    skipped.push({ path: directory, why: 'unreadable' }); // removed meanwhile, or no permission: named, not fatal
    return [];
  }
}

function judge(file: string, captures: string[], skipped: SkippedFile[]): void {
  const format = formatOf(file);
  if (format === undefined) skipped.push({ path: file, why: 'unreadable' });
  else if (format === 'other') skipped.push({ path: file, why: 'not-a-capture' });
  else captures.push(file);
}

/** The format of a regular file, undefined when it cannot be read. Pipes and devices are never opened: they may block. */
function formatOf(file: string): CaptureFormat | undefined {
  try {
    if (!statSync(file).isFile()) return 'other';
    const fd = openSync(file, 'r');
    try {
      const buffer = new Uint8Array(HEAD_BYTES);
      const head = buffer.subarray(0, readSync(fd, buffer, 0, HEAD_BYTES, 0));
      const format = captureFormat(head);
      return format === 'gzip' ? captureFormat(inflatedHead(head)) : format;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** The beginning of what is inside; a log that was compressed is not a capture. At most 1032 times as long (RFC 1951). */
function inflatedHead(head: Uint8Array): Uint8Array {
  return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
}
