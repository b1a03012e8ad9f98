/**
 * Records on disk in the order they were appended: numbered files that are only appended to, each record behind its
 * length and checksum. It carries what must outlive the process and is taken away a file at a time, so that nothing on
 * disk is ever changed.
 *
 *     uint32 length   4   of the record
 *     uint32 crc32    4   of the record
 *     record          n
 *
 * A file that breaks off (power, kill) or is damaged is read up to there; the rest of it is counted and named.
 */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const HEADER_BYTES = 8;
const NAME = /^(\d{12})\.(\d{1,3})\.log$/;
const MAX_STARTS = 999;

export interface SegmentLogOptions {
  /** Bytes of all files. */
  readonly maxBytes: number;
  /** A file this large is followed by another. */
  readonly segmentBytes: number;
  /** At `maxBytes` the oldest file goes, and its records are counted as lost; or the append is refused. */
  readonly whenFull: 'drop-oldest' | 'refuse';
  /** Appends resolve when the records are on the disk and not only in the system's cache. */
  readonly durable: boolean;
  /** What one record counts for when it is lost; default 1. */
  readonly weigh?: (record: Buffer) => number;
}

export interface Segment {
  readonly number: number;
  readonly bytes: number;
  /** How often the log was opened with this file already in it. */
  readonly starts: number;
}

export interface SegmentContent {
  readonly records: readonly Buffer[];
  /** What is wrong with the rest of the file, or undefined. */
  readonly damage: string | undefined;
}

/** The log is at its limit. */
export class LogFull extends Error {}

interface File {
  readonly number: number;
  readonly starts: number;
  bytes: number;
  /** Sum of what its records count for, for files written by this process. */
  weight: number;
}

interface Waiting {
  readonly records: readonly Buffer[];
  readonly written: ((segment: number) => void) | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class SegmentLog {
  readonly directory: string;
  /** Files that were dropped to stay under the limit, and what their records count for. */
  droppedSegments = 0;
  dropped = 0;
  droppedBytes = 0;
  private readonly options: SegmentLogOptions;
  private readonly files: File[];
  private active: { file: File; handle: FileHandle } | undefined;
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  /** Number of the youngest file there ever was: a number is never used again while the log is open. */
  private youngest: number;
  private turn: Promise<void> = Promise.resolve();

  private constructor(directory: string, options: SegmentLogOptions, files: File[]) {
    this.directory = directory;
    this.options = options;
    this.files = files;
    this.youngest = files.at(-1)?.number ?? 0;
  }

  /** Opens the directory, which is made when missing. Rejects with the file system's error. */
  static async open(directory: string, options: SegmentLogOptions): Promise<SegmentLog> {
    await mkdir(directory, { recursive: true, mode: 0o750 });
    const files: File[] = [];
    for (const name of (await readdir(directory)).sort()) {
      const match = NAME.exec(name);
      if (!match) continue;
      const [number, starts] = [Number(match[1]), Math.min(Number(match[2]) + 1, MAX_STARTS)];
      await rename(join(directory, name), join(directory, nameOf(number, starts)));
      files.push({ number, starts, bytes: (await stat(join(directory, nameOf(number, starts)))).size, weight: 0 });
    }
    return new SegmentLog(directory, options, files);
  }

  /** Bytes on disk and on their way there. */
  get bytes(): number {
    return this.files.reduce((sum, file) => sum + file.bytes, this.waitingBytes);
  }

  /** Oldest first. */
  segments(): Segment[] {
    return this.files.map(({ number, bytes, starts }) => ({ number, bytes, starts }));
  }

  /**
   * Appends the records of one call together; resolves when they are written. Calls that wait at the same time share one
   * write. Rejects with LogFull or with the file system's error.
   * @param written told the number of their file before anything else can happen to that file
   */
  append(records: readonly Buffer[], written?: (segment: number) => void): Promise<void> {
    const bytes = records.reduce((sum, record) => sum + HEADER_BYTES + record.length, 0);
    const { maxBytes, whenFull } = this.options;
    if (bytes > maxBytes || (whenFull === 'refuse' && this.bytes + bytes > maxBytes)) {
      return Promise.reject(new LogFull(`${this.directory} holds its limit of ${maxBytes} bytes`));
    }
    return new Promise((resolve, reject) => {
      this.waitingBytes += bytes;
      this.waiting.push({ records, written, resolve, reject });
      if (this.waiting.length === 1) void this.inTurn(() => this.write());
    });
  }

  /** Ends the file that is being written, so that it can be read and removed. */
  seal(): Promise<void> {
    return this.inTurn(() => this.closeActive());
  }

  /** What a file that is not being written holds; an unreadable file is a damaged one. */
  async read(number: number): Promise<SegmentContent> {
    const file = this.files.find((f) => f.number === number);
    if (!file) return { records: [], damage: 'it is gone' };
    try {
      return parseSegment(await readFile(this.pathOf(file)));
    } catch (error) {
      return { records: [], damage: `it cannot be read (${(error as NodeJS.ErrnoException).code})` };
    }
  }

  /** Removes a file, also the one that is being written. `still` is asked when no append is under way. */
  remove(number: number, still: () => boolean = () => true): Promise<void> {
    return this.inTurn(async () => {
      if (!still()) return;
      if (this.active?.file.number === number) await this.closeActive();
      await this.removeFile(number);
    });
  }

  async close(): Promise<void> {
    await this.inTurn(() => this.closeActive());
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  private async write(): Promise<void> {
    const group = this.waiting;
    this.waiting = [];
    const bytes = Buffer.concat(group.flatMap(({ records }) => records.flatMap(framed)));
    this.waitingBytes -= bytes.length;
    try {
      await this.makeRoom(bytes.length);
      const { file, handle } = await this.openActive();
      await writeWhole(handle, bytes, file.bytes);
      if (this.options.durable) await handle.datasync();
      file.bytes += bytes.length;
      for (const { records } of group) file.weight += this.weightOf(records);
      for (const { written, resolve } of group) {
        written?.(file.number);
        resolve();
      }
      if (file.bytes >= this.options.segmentBytes) await this.closeActive();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  private async makeRoom(bytes: number): Promise<void> {
    while (this.options.whenFull === 'drop-oldest' && this.files.length > 0) {
      const held = this.files.reduce((sum, file) => sum + file.bytes, 0);
      if (held + bytes <= this.options.maxBytes) return;
      await this.dropOldest();
    }
  }

  private async dropOldest(): Promise<void> {
    const oldest = this.files[0]!;
    if (this.active?.file === oldest) await this.closeActive();
    this.droppedSegments++;
    this.droppedBytes += oldest.bytes;
    this.dropped += oldest.starts === 0 ? oldest.weight : this.weightOf((await this.read(oldest.number)).records);
    await this.removeFile(oldest.number);
  }

  private weightOf(records: readonly Buffer[]): number {
    const { weigh = () => 1 } = this.options;
    return records.reduce((sum, record) => sum + weigh(record), 0);
  }

  private async openActive(): Promise<{ file: File; handle: FileHandle }> {
    if (this.active) return this.active;
    const file: File = { number: this.youngest + 1, starts: 0, bytes: 0, weight: 0 };
    const handle = await open(this.pathOf(file), 'w', 0o640);
    this.youngest = file.number;
    this.files.push(file);
    this.active = { file, handle };
    return this.active;
  }

  private async closeActive(): Promise<void> {
    const { active } = this;
    this.active = undefined;
    await active?.handle.close();
  }

  private async removeFile(number: number): Promise<void> {
    const index = this.files.findIndex((file) => file.number === number);
    if (index < 0) return;
    const [file] = this.files.splice(index, 1);
    await rm(this.pathOf(file!), { force: true });
  }

  private pathOf(file: Pick<File, 'number' | 'starts'>): string {
    return join(this.directory, nameOf(file.number, file.starts));
  }
}

const nameOf = (number: number, starts: number): string => `${String(number).padStart(12, '0')}.${starts}.log`;

function framed(record: Buffer): Buffer[] {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(record.length, 0);
  header.writeUInt32BE(crc32(record), 4);
  return [header, record];
}

/** Writes at a position, so that what a failed write left behind is overwritten by the next one. */
async function writeWhole(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) throw new Error('the disk takes no more');
    done += bytesWritten;
  }
}

/** The records of a file's bytes, up to the first that is not whole. */
export function parseSegment(bytes: Buffer): SegmentContent {
  const records: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const left = bytes.length - at - HEADER_BYTES;
    const length = left < 0 ? 0 : bytes.readUInt32BE(at);
    if (left < length || left < 0) return { records, damage: `it breaks off at byte ${at} of ${bytes.length}` };
    const record = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (crc32(record) !== bytes.readUInt32BE(at + 4)) {
      return { records, damage: `the checksum of the record at byte ${at} of ${bytes.length} is wrong` };
    }
    records.push(record);
    at += HEADER_BYTES + length;
  }
  return { records, damage: undefined };
}
