/**
 * Sees files appear, change name and go in one directory, through inotify: every name a file had, in order, with its
 * true size and first bytes.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { sleep } from './shell.ts';

const HEADER_BYTES = 16;
/** Time for inotifywait to start, and for its last lines to arrive, milliseconds. */
const START_MILLISECONDS = 300;
const SETTLE_MILLISECONDS = 60;

export interface SeenFile {
  readonly op: 'create' | 'rename' | 'delete';
  /** Windows paths. */
  readonly path: string;
  readonly oldPath?: string;
  /** Microseconds since 1970 UTC: when this happened, and the last write. */
  readonly at: number;
  readonly completeAt: number;
  readonly size: number;
  readonly header: string;
}

/** One file, whatever it is called at the moment. */
interface Tracked {
  name: string;
  /** Birth time, known for certain once the file could be looked at. */
  bornAt: number;
  completeAt: number;
  size: number;
  header: string;
}

interface Change {
  readonly op: SeenFile['op'];
  readonly file: Tracked;
  readonly name: string;
  readonly oldName?: string;
  readonly at: number;
}

const micros = (nanoseconds: bigint): number => Number(nanoseconds / 1000n);

export class FileWatch {
  private readonly directory: string;
  private readonly windowsDirectory: string;
  private readonly child: ChildProcessByStdio<null, Readable, null>;
  private readonly live = new Map<string, Tracked>();
  private readonly moving = new Map<string, Tracked>();
  private changes: Change[] = [];

  private constructor(directory: string, windowsDirectory: string) {
    this.directory = directory;
    this.windowsDirectory = windowsDirectory;
    const events = ['-e', 'create,close_write,moved_from,moved_to,delete'];
    const watch = ['-m', '-q', '--format', '%e|%c|%f', ...events, directory];
    this.child = spawn('inotifywait', watch, { stdio: ['ignore', 'pipe', 'ignore'] });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.see(line));
  }

  static async start(directory: string, windowsDirectory: string): Promise<FileWatch> {
    const watch = new FileWatch(directory, windowsDirectory);
    await sleep(START_MILLISECONDS);
    return watch;
  }

  /** What happened since the last call. */
  async take(): Promise<SeenFile[]> {
    await sleep(SETTLE_MILLISECONDS);
    for (const file of this.live.values()) this.measure(file);
    const seen = this.changes.map((change) => this.describe(change));
    this.changes = [];
    return seen;
  }

  close(): void {
    this.child.kill('SIGTERM');
  }

  private see(line: string): void {
    const [event = '', cookie = '', ...rest] = line.split('|');
    const name = rest.join('|');
    const stat = statSync(join(this.directory, name), { bigint: true, throwIfNoEntry: false });
    const now = Date.now() * 1000;
    if (event.startsWith('CREATE')) {
      const at = stat === undefined ? now : micros(stat.birthtimeNs);
      const file = { name, bornAt: at, completeAt: at, size: 0, header: '' };
      this.live.set(name, file);
      this.changes.push({ op: 'create', file, name, at });
    } else if (event.startsWith('MOVED_FROM')) {
      const file = this.live.get(name);
      this.live.delete(name);
      if (file !== undefined) this.moving.set(cookie, file);
    } else if (event.startsWith('MOVED_TO')) {
      const file = this.moving.get(cookie);
      this.moving.delete(cookie);
      if (file === undefined) return;
      const oldName = file.name;
      file.name = name;
      this.live.set(name, file);
      this.changes.push({ op: 'rename', file, name, oldName, at: stat === undefined ? now : micros(stat.ctimeNs) });
    } else if (event.startsWith('DELETE')) {
      const file = this.live.get(name);
      this.live.delete(name);
      if (file !== undefined) this.changes.push({ op: 'delete', file, name, at: now });
    }
  }

  private measure(file: Tracked): void {
    const path = join(this.directory, file.name);
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return;
    file.bornAt = Math.min(file.bornAt, micros(stat.birthtimeNs));
    file.size = Number(stat.size);
    file.completeAt = micros(stat.mtimeNs);
    file.header = firstBytes(path);
  }

  private describe({ op, file, name, oldName, at: noticedAt }: Change): SeenFile {
    // A file that was renamed before it could be looked at was noticed a little after its birth.
    const at = op === 'create' ? Math.min(noticedAt, file.bornAt) : noticedAt;
    return {
      op,
      path: `${this.windowsDirectory}\\${name}`,
      ...(oldName === undefined ? {} : { oldPath: `${this.windowsDirectory}\\${oldName}` }),
      at,
      completeAt: op === 'create' ? Math.max(at, file.completeAt) : at,
      size: file.size,
      header: file.header,
    };
  }
}

function firstBytes(path: string): string {
  const descriptor = openSync(path, 'r');
  const bytes = Buffer.alloc(HEADER_BYTES);
  const read = readSync(descriptor, bytes, 0, HEADER_BYTES, 0);
  closeSync(descriptor);
  return bytes.toString('hex', 0, read);
}
