import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { monotonicMillis } from '../../sensor/base/clock.ts';
import { LogFull, parseSegment, SegmentLog } from '../../sensor/base/segment-log.ts';
import { StoreError } from '../store/store-error.ts';
import { decodeBatch, encodeBatch } from './batch-record.ts';
import { type Batch, type DeadLetter, type Delivery, type Inbox, type InboxState, MAX_ATTEMPTS } from './inbox.ts';

/** Bytes of the journal; all of it is in memory as well. More is refused, and the sender comes again. */
const MAX_JOURNAL_BYTES = 256 << 20;
const SEGMENT_BYTES = 4 << 20;
/** Bytes of dead letters; the oldest go. */
const MAX_DEAD_BYTES = 256 << 20;
/** How long a batch that could not be worked on rests. */
const REST_MILLIS = 1_000;
/** Ending of the files that `waybill dead-letter replay` hands over. */
export const HANDED_OVER = '.replay';

export const journalDirectory = (data: string): string => join(data, 'journal');
export const deadDirectory = (data: string): string => join(data, 'dead-letters');

/**
 * Copies the journal of a data directory, whether a process works on it or not. To be called before the store is copied: a
 * file that goes meanwhile was settled, and what it held is in the store by then.
 */
export async function backUpJournal(data: string, to: string): Promise<void> {
  const from = journalDirectory(data);
  if (!existsSync(from)) return;
  await mkdir(to);
  for (const name of await readdir(from)) {
    await copyFile(join(from, name), join(to, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}

interface Entry {
  readonly delivery: Delivery;
  readonly segment: number;
  readonly arrived: number;
  /** Not before this time (monotonic). */
  readonly notBefore: number;
}

/**
 * The inbox of the embedded store. Accepted batches are in a file and on the disk before they are acknowledged, and stay
 * there until their facts are settled; a file goes when none of its batches is needed any more. What a killed process
 * left is delivered first.
 */
export class Journal implements Inbox {
  private readonly log: SegmentLog;
  private readonly dead: SegmentLog;
  private readonly data: string;
  private readonly waiting: Entry[] = [];
  private readonly resting: Entry[] = [];
  private readonly taken = new Map<string, Entry>();
  /** Batches of each file that are still needed. */
  private readonly needed = new Map<number, number>();
  private serial = 0;
  private buried = 0;
  private damaged = 0;
  private wake: (() => void) | undefined;

  private constructor(data: string, log: SegmentLog, dead: SegmentLog) {
    this.data = data;
    this.log = log;
    this.dead = dead;
  }

  static async open(data: string, maxBytes = MAX_JOURNAL_BYTES): Promise<Journal> {
    try {
      const segmentBytes = Math.min(SEGMENT_BYTES, Math.ceil(maxBytes / 4));
      const options = { maxBytes, segmentBytes, whenFull: 'refuse', durable: true } as const;
      const log = await SegmentLog.open(journalDirectory(data), options);
      const deadOptions = { maxBytes: MAX_DEAD_BYTES, segmentBytes, whenFull: 'drop-oldest', durable: true } as const;
      const journal = new Journal(data, log, await SegmentLog.open(deadDirectory(data), deadOptions));
      await journal.recover();
      return journal;
    } catch (error) {
      throw diskError(data, error);
    }
  }

  async append(batch: Batch): Promise<void> {
    if (batch.lines.length === 0) return;
    try {
      await this.log.append([encodeBatch(batch)], (segment) => this.enqueue(batch, segment, 1));
    } catch (error) {
      throw diskError(this.data, error);
    }
  }

  async take(records: number, waitMs: number): Promise<Delivery[]> {
    this.wakeRested();
    if (this.waiting.length === 0 && waitMs > 0) await this.arrival(waitMs);
    this.wakeRested();
    const taken: Entry[] = [];
    for (let sum = 0; this.waiting.length > 0 && sum < records; ) {
      const entry = this.waiting.shift()!;
      sum += Math.max(1, entry.delivery.batch.count);
      taken.push(entry);
      this.taken.set(entry.delivery.id, entry);
    }
    return taken.map((entry) => entry.delivery);
  }

  async ack(deliveries: readonly Delivery[]): Promise<void> {
    const free = new Set<number>();
    for (const { id } of deliveries) {
      const entry = this.taken.get(id);
      if (!entry) continue;
      this.taken.delete(id);
      const left = (this.needed.get(entry.segment) ?? 1) - 1;
      this.needed.set(entry.segment, left);
      if (left === 0) free.add(entry.segment);
    }
    try {
      for (const segment of free) await this.discard(segment);
    } catch (error) {
      throw diskError(this.data, error);
    }
  }

  async release(deliveries: readonly Delivery[]): Promise<void> {
    for (const delivery of deliveries) {
      const entry = this.taken.get(delivery.id);
      if (!entry) continue;
      this.taken.delete(delivery.id);
      const again = { ...delivery, attempt: delivery.attempt + 1 };
      this.resting.push({ ...entry, delivery: again, notBefore: monotonicMillis() + REST_MILLIS });
    }
  }

  async bury(letter: DeadLetter): Promise<void> {
    try {
      await this.dead.append([encodeBatch(letter)]);
      // `waybill dead-letter replay` takes files away: none must be written to any more.
      await this.dead.seal();
    } catch (error) {
      throw diskError(this.data, error);
    }
    this.buried += letter.count;
  }

  state(): InboxState {
    const entries = [this.waiting[0], this.resting[0], this.taken.values().next().value];
    const oldest = entries.reduce((t, entry) => Math.min(t, entry?.arrived ?? t), monotonicMillis());
    return {
      waiting: this.waiting.length + this.resting.length + this.taken.size,
      fill: this.log.bytes / MAX_JOURNAL_BYTES,
      oldestSeconds: (monotonicMillis() - oldest) / 1000,
      cutOff: 0,
      buried: this.buried,
      damaged: this.damaged,
    };
  }

  async close(): Promise<void> {
    await this.log.close();
    await this.dead.close();
  }

  /** Takes in what `waybill dead-letter replay` left in the journal's directory. */
  async adopt(): Promise<void> {
    const directory = journalDirectory(this.data);
    for (const name of await readdir(directory)) {
      if (!name.endsWith(HANDED_OVER)) continue;
      for (const record of parseSegment(await readFile(join(directory, name))).records) {
        const letter = decodeBatch(record);
        if (letter) await this.append(letter);
      }
      await rm(join(directory, name));
    }
  }

  private enqueue(batch: Batch, segment: number, attempt: number): void {
    const id = `${segment}-${++this.serial}`;
    this.needed.set(segment, (this.needed.get(segment) ?? 0) + 1);
    this.waiting.push({
      delivery: { batch, id, attempt },
      segment,
      arrived: monotonicMillis(),
      notBefore: 0,
    });
    this.wake?.();
  }

  private arrival(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
    });
  }

  private wakeRested(): void {
    const now = monotonicMillis();
    while (this.resting[0] && this.resting[0].notBefore <= now) this.waiting.push(this.resting.shift()!);
  }

  /** The batches of a file are done. The file that is being written is given up too: the next batch begins another. */
  private async discard(segment: number): Promise<void> {
    await this.log.remove(segment, () => {
      if (this.needed.get(segment) !== 0) return false;
      this.needed.delete(segment);
      return true;
    });
  }

  private async recover(): Promise<void> {
    for (const { number, starts } of this.log.segments()) {
      const { records, damage } = await this.log.read(number);
      if (damage !== undefined) this.damaged++;
      for (const record of records) {
        const batch = decodeBatch(record);
        // Found at many starts without coming to an end: it may be what ends the process.
        if (batch) this.enqueue(batch, number, Math.min(starts, MAX_ATTEMPTS) + 1);
      }
      if (!this.needed.has(number)) await this.log.remove(number);
    }
  }
}

function diskError(directory: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof LogFull) return new StoreError('full', `too much waits to be worked on: ${message}`);
  const code = (error as NodeJS.ErrnoException).code;
  const what =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'full'
      : code === 'EROFS' || code === 'EACCES'
        ? 'read-only'
        : 'unavailable';
  return new StoreError(what, `${directory} takes no records: ${message}`, { cause: error });
}
