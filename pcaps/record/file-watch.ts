/** Sees files appear, change name and go in one directory, with their true times, sizes and first bytes. */
import { closeSync, type FSWatcher, openSync, readSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { sleep } from './shell.ts';

const HEADER_BYTES = 16;
/** Time for the last notifications to arrive, milliseconds. */
const SETTLE_MILLISECONDS = 60;

export interface SeenFile {
  readonly op: 'create' | 'rename' | 'delete';
  /** Windows paths. */
  readonly path: string;
  readonly oldPath?: string;
  /** Microseconds since 1970 UTC: appearance, and last write. */
  readonly at: number;
  readonly completeAt: number;
  readonly size: number;
  readonly header: string;
}

interface Known {
  name: string;
  readonly at: number;
}

interface Pending {
  readonly op: SeenFile['op'];
  readonly name: string;
  readonly oldName?: string;
  readonly inode: bigint;
  readonly at: number;
}

const micros = (nanoseconds: bigint): number => Number(nanoseconds / 1000n);

export class FileWatch {
  private readonly watcher: FSWatcher;
  private readonly files = new Map<bigint, Known>();
  private pending: Pending[] = [];

  private readonly directory: string;
  private readonly windowsDirectory: string;

  constructor(directory: string, windowsDirectory: string) {
    this.directory = directory;
    this.windowsDirectory = windowsDirectory;
    this.watcher = watch(directory, (_type, name) => {
      if (name !== null) this.look(name);
    });
  }

  /** What happened since the last call. */
  async take(): Promise<SeenFile[]> {
    await sleep(SETTLE_MILLISECONDS);
    const seen = this.pending.map((change) => this.describe(change));
    this.pending = [];
    return seen;
  }

  close(): void {
    this.watcher.close();
  }

  private look(name: string): void {
    const stat = statSync(join(this.directory, name), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) {
      this.gone(name);
      return;
    }
    const known = this.files.get(stat.ino);
    if (known === undefined) {
      const at = micros(stat.birthtimeNs);
      this.files.set(stat.ino, { name, at });
      this.pending.push({ op: 'create', name, inode: stat.ino, at });
    } else if (known.name !== name) {
      this.pending.push({ op: 'rename', name, oldName: known.name, inode: stat.ino, at: micros(stat.ctimeNs) });
      known.name = name;
    }
  }

  /** The old name of a rename goes too: it is a deletion only when its inode has not come back under another name. */
  private gone(name: string): void {
    setTimeout(() => {
      for (const [inode, known] of this.files) {
        if (known.name !== name) continue;
        this.files.delete(inode);
        this.pending.push({ op: 'delete', name, inode, at: Date.now() * 1000 });
      }
    }, SETTLE_MILLISECONDS / 4);
  }

  private describe({ op, name, oldName, inode, at }: Pending): SeenFile {
    const current = this.files.get(inode)?.name ?? name;
    const file = join(this.directory, current);
    const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
    return {
      op,
      path: this.windows(name),
      ...(oldName === undefined ? {} : { oldPath: this.windows(oldName) }),
      at,
      completeAt: stat === undefined || op === 'delete' ? at : micros(stat.mtimeNs),
      size: stat === undefined ? 0 : Number(stat.size),
      header: stat === undefined ? '' : firstBytes(file),
    };
  }

  private windows(name: string): string {
    return `${this.windowsDirectory}\\${name}`;
  }
}

function firstBytes(file: string): string {
  const descriptor = openSync(file, 'r');
  const bytes = Buffer.alloc(HEADER_BYTES);
  const read = readSync(descriptor, bytes, 0, HEADER_BYTES, 0);
  closeSync(descriptor);
  return bytes.toString('hex', 0, read);
}
