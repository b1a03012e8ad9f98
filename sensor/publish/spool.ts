/** Batches of records on disk while their destination is away: bounded, the oldest go first and are counted. */
import { SegmentLog } from '../base/segment-log.ts';

/** Bytes of one file of the spool: what is sent again when the program ends in the middle of it. */
const MAX_SEGMENT_BYTES = 4 << 20;
const COUNT_BYTES = 4;

export interface SpooledBatch {
  readonly count: number;
  readonly lines: Buffer;
}

export class Spool {
  /** Files that were damaged, and what was wrong with the last one. */
  damaged = 0;
  lastDamage = '';
  /** Records that did not fit or could not be written. */
  lost = 0;
  private readonly log: SegmentLog;

  private constructor(log: SegmentLog) {
    this.log = log;
  }

  static async open(directory: string, maxBytes: number): Promise<Spool> {
    const segmentBytes = Math.min(MAX_SEGMENT_BYTES, Math.max(64 * 1024, Math.floor(maxBytes / 8)));
    return new Spool(
      await SegmentLog.open(directory, {
        maxBytes,
        segmentBytes,
        whenFull: 'drop-oldest',
        durable: true,
        weigh: countOf,
      }),
    );
  }

  get bytes(): number {
    return this.log.bytes;
  }

  /** Records lost for want of room, here or when older files had to go. */
  get lostRecords(): number {
    return this.lost + this.log.dropped;
  }

  /** Keeps batches; what the disk does not take is counted as lost, never thrown: capture goes on. */
  async keep(batches: readonly SpooledBatch[]): Promise<void> {
    const records = batches.map(({ count, lines }) => {
      const head = Buffer.alloc(COUNT_BYTES);
      head.writeUInt32BE(count);
      return Buffer.concat([head, lines]);
    });
    try {
      await this.log.append(records);
    } catch {
      // The counter is a metric and a complaint of /readyz; a full disk is no reason to stop.
      this.lost += batches.reduce((sum, { count }) => sum + count, 0);
    }
  }

  /** The oldest file's batches, or undefined when there is none. */
  async oldest(): Promise<{ number: number; batches: SpooledBatch[] } | undefined> {
    if (this.log.segments().length === 0) return undefined;
    await this.log.seal();
    const first = this.log.segments()[0];
    if (!first) return undefined;
    const { records, damage } = await this.log.read(first.number);
    if (damage !== undefined) {
      this.damaged++;
      this.lastDamage = `file ${first.number} of the spool: ${damage}`;
    }
    const batches = records
      .filter((record) => record.length > COUNT_BYTES)
      .map((record) => ({ count: countOf(record), lines: record.subarray(COUNT_BYTES) }));
    return { number: first.number, batches };
  }

  /** The batches of this file have arrived. */
  remove(number: number): Promise<void> {
    return this.log.remove(number);
  }

  close(): Promise<void> {
    return this.log.close();
  }
}

const countOf = (record: Buffer): number => (record.length < COUNT_BYTES ? 0 : record.readUInt32BE(0));
