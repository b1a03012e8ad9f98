import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DATA_FILE } from './embedded-files.ts';
import { META, type Tables } from './embedded-tables.ts';
import { StoreError } from './store-error.ts';

/** How often the owner says that it lives, milliseconds. */
export const HEARTBEAT_MS = 5_000;
/** An owner that cannot be looked at (another machine or container) is believed dead after this long, milliseconds. */
const SILENCE_MS = 30_000;

/** Who writes to the directory. Kept in the store itself: its write lock makes taking over atomic. */
interface Owner {
  readonly pid: number;
  /** Start of that process in clock ticks since boot (/proc/PID/stat field 22), '' where there is none: pids come back. */
  readonly started: string;
  readonly host: string;
  /** Boot id of the machine, '' where there is none. */
  readonly boot: string;
  /** Device and inode of the file: in a copy of a store (a backup) the record says nothing. */
  readonly file: string;
  /** Milliseconds since 1970, by the owner's clock. */
  readonly beat: number;
}

/**
 * Makes this process the owner of the directory, or throws StoreError `locked`. Must run in a write transaction.
 * lmdb itself allows several writers; the store does not, because its caps and counters assume one.
 */
export function takeOwnership(tables: Tables, directory: string, nowMs: number): void {
  const stored = tables.meta.get(META.owner);
  const owner = stored === undefined ? undefined : readOwner(stored);
  if (owner !== undefined && owner.file === fileOf(directory) && isAlive(owner, nowMs)) {
    throw new StoreError(
      'locked',
      `${directory} is in use by process ${owner.pid} on ${owner.host}. Stop it, or give this one another directory.`,
    );
  }
  beat(tables, directory, nowMs);
}

/** Says that the owner lives. Must run in a write transaction. */
export function beat(tables: Tables, directory: string, nowMs: number): void {
  const owner: Owner = {
    pid: process.pid,
    started: startOf(process.pid),
    host: hostname(),
    boot: bootId(),
    file: fileOf(directory),
    beat: nowMs,
  };
  tables.meta.put(META.owner, Buffer.from(JSON.stringify(owner)));
}

/** Must run in a write transaction. */
export function leaveOwnership(tables: Tables): void {
  tables.meta.remove(META.owner);
}

function isAlive(owner: Owner, nowMs: number): boolean {
  const sameBoot = owner.boot === bootId();
  const sameHost = owner.host === hostname();
  if (sameHost && sameBoot) return isRunning(owner);
  if (sameHost) return false; // the machine has started anew since
  return nowMs - owner.beat < SILENCE_MS;
}

function isRunning({ pid, started }: Owner): boolean {
  if (started !== '') return startOf(pid) === started;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * '' when there is no such process, or only its zombie. The command name in field 2 may hold spaces and brackets, so
 * fields are counted from its last bracket.
 */
function startOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? '' : (fields[19] ?? '');
}

function fileOf(directory: string): string {
  const { dev, ino } = statSync(join(directory, DATA_FILE));
  return `${dev}:${ino}`;
}

function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id').trim();
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // no /proc here, or no such process
  }
}

function readOwner(stored: Buffer): Owner | undefined {
  try {
    const { pid, started, host, boot, file, beat }: Owner = JSON.parse(stored.toString());
    return {
      pid: Number(pid),
      started: String(started),
      host: String(host),
      boot: String(boot),
      file: String(file),
      beat: Number(beat),
    };
  } catch {
    return undefined; // not ours to keep
  }
}
