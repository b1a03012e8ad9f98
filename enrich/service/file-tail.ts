import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** Bytes handed on at a time, and the longest record without a line end. */
const CHUNK_BYTES = 1 << 20;
const POLL_MILLIS = 250;

interface Position {
  readonly inode: number;
  readonly offset: number;
}

/** Takes a body of endpoint records; resolves when they are stored. */
export type TakeBody = (body: AsyncIterable<Buffer>, sender: string) => Promise<unknown>;

/**
 * Follows a log file as `tail -F` does: what is appended is handed on in whole lines, and the position is remembered on
 * disk only after it was stored. A file that was renamed away (rotation) is read to its end first; one that became shorter
 * is read from its beginning.
 */
export class FileTail {
  /** Why nothing is read at the moment, or undefined. */
  complaint: string | undefined;
  private readonly path: string;
  private readonly positionFile: string;
  private readonly take: TakeBody;
  private handle: FileHandle | undefined;
  private inode = 0;
  private offset = 0;
  private stopping = false;
  private running: Promise<void> | undefined;

  private constructor(path: string, positionFile: string, take: TakeBody) {
    this.path = path;
    this.positionFile = positionFile;
    this.take = take;
  }

  /** `directory` is where the position is kept. */
  static async open(path: string, directory: string, take: TakeBody): Promise<FileTail> {
    await mkdir(directory, { recursive: true });
    const name = createHash('sha256').update(path).digest('hex').slice(0, 16);
    const tail = new FileTail(path, join(directory, `position-${name}.json`), take);
    const position = await tail.remembered();
    tail.inode = position.inode;
    tail.offset = position.offset;
    return tail;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    await this.handle?.close();
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      let moved = false;
      try {
        moved = await this.step();
        this.complaint = undefined;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.complaint = `${this.path} is not read: ${why}`;
      }
      if (!moved) await setTimeout(POLL_MILLIS);
    }
  }

  /** Reads one chunk; false when there is nothing to read. */
  private async step(): Promise<boolean> {
    const file = this.handle ?? (await this.reopen());
    if ((await file.stat()).size < this.offset) this.offset = 0; // it was emptied in place
    const { chunk, isLast } = await this.nextLines(file);
    if (chunk.length > 0) {
      await this.take(once(chunk), basename(this.path));
      this.offset += chunk.length;
      await this.remember();
      return true;
    }
    if (!isLast || (await this.isStillThere())) return false;
    // Rotated away and read to the end.
    await file.close();
    this.handle = undefined;
    this.offset = 0;
    this.inode = 0;
    return true;
  }

  /** Whole lines from the position on. A file that was rotated away ends without a line feed as well. */
  private async nextLines(file: FileHandle): Promise<{ chunk: Buffer; isLast: boolean }> {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, this.offset);
    const read = buffer.subarray(0, bytesRead);
    const end = read.lastIndexOf(0x0a) + 1;
    if (end > 0) return { chunk: read.subarray(0, end), isLast: false };
    const isWhole = bytesRead === CHUNK_BYTES || (bytesRead > 0 && !(await this.isStillThere()));
    return { chunk: isWhole ? read : read.subarray(0, 0), isLast: bytesRead < CHUNK_BYTES };
  }

  private async isStillThere(): Promise<boolean> {
    const now = await stat(this.path).catch(() => undefined);
    return now === undefined || now.ino === this.inode;
  }

  private async reopen(): Promise<FileHandle> {
    const file = await open(this.path, 'r');
    const { ino } = await file.stat();
    const rotated = this.inode !== 0 && ino !== this.inode ? await this.rotatedFile() : undefined;
    if (rotated) {
      // It was renamed while nobody looked: its rest comes first.
      await file.close();
      this.handle = rotated;
      return rotated;
    }
    if (ino !== this.inode) this.offset = 0;
    this.inode = ino;
    this.handle = file;
    return file;
  }

  /** The file of the remembered position under one of the names that rotation gives. */
  private async rotatedFile(): Promise<FileHandle | undefined> {
    for (const name of [`${this.path}.1`, `${this.path}.0`, `${this.path}.old`]) {
      const file = await open(name, 'r').catch(() => undefined);
      if (!file) continue;
      if ((await file.stat()).ino === this.inode) return file;
      await file.close();
    }
    return undefined;
  }

  private async remembered(): Promise<Position> {
    try {
      const value: unknown = JSON.parse(await readFile(this.positionFile, 'utf8'));
      const { inode, offset } = value as Partial<Position>;
      if (Number.isSafeInteger(inode) && Number.isSafeInteger(offset)) return { inode: inode!, offset: offset! };
    } catch {
      // None yet, or damaged: the file is read from its beginning, and what is known already changes nothing.
    }
    return { inode: 0, offset: 0 };
  }

  /** Written beside and renamed, so that a position is whole or the one before. */
  private async remember(): Promise<void> {
    const beside = join(dirname(this.positionFile), `${basename(this.positionFile)}.new`);
    await writeFile(beside, JSON.stringify({ inode: this.inode, offset: this.offset } satisfies Position));
    await rename(beside, this.positionFile);
  }
}

async function* once(chunk: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < chunk.length; at += 65_536) yield chunk.subarray(at, at + 65_536);
}
