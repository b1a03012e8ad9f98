/** Flow records to Redis streams: in batches, several under way, and onto the disk while Redis takes none. */

import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout } from 'node:timers/promises';
import {
  DEFAULT_PREFIX,
  ENTRY_BYTES,
  ENTRY_RECORDS,
  entryArguments,
  MAX_SHARDS,
  streamKey,
  streamsKey,
} from '../record/stream-keys.ts';
import type { Spool, SpooledBatch } from './spool.ts';

/** What is needed of a connection to Redis; the program that assembles the sensor brings one. */
export interface StreamLink {
  readonly name: string;
  send(key: string | undefined, args: readonly (string | Buffer)[]): Promise<unknown>;
  close(): Promise<void>;
}

export interface PublisherOptions {
  readonly connect: () => Promise<StreamLink>;
  readonly spool: Spool;
  /** Told when records begin to go to the disk, and when they reach Redis again. */
  readonly onState: (up: boolean, why: string) => void;
  readonly prefix?: string;
}

/** Batches under way to Redis. */
const IN_FLIGHT = 16;
/** Bytes that wait in memory for Redis; beyond, they go to the disk. */
const MAX_QUEUE_BYTES = 16 << 20;
/** A batch is sent when it is full or this old. */
const BATCH_MILLIS = 100;
const MIN_RETRY_MILLIS = 100;
const MAX_RETRY_MILLIS = 2_000;

export class RedisPublisher {
  /** Records that Redis has acknowledged. */
  published = 0;
  /** Records that went to the disk first. */
  spooled = 0;
  private readonly options: PublisherOptions;
  private readonly prefix: string;
  private link: StreamLink | undefined;
  private shards = 1;
  private turn = 0;
  private text = '';
  private lines = 0;
  private queue: SpooledBatch[] = [];
  private queueBytes = 0;
  private retryMillis = MIN_RETRY_MILLIS;
  private isUp: boolean | undefined;
  private ending = false;
  private wake: (() => void) | undefined;
  private readonly timer: NodeJS.Timeout;
  private readonly running: Promise<void>;

  constructor(options: PublisherOptions) {
    this.options = options;
    this.prefix = options.prefix ?? DEFAULT_PREFIX;
    this.timer = setInterval(() => this.cut(), BATCH_MILLIS);
    this.running = this.run();
  }

  /** Records as JSON lines, as LineWriter and RecordLines write them. Taken at once: capture waits for nobody. */
  get stream(): Writable {
    let rest = '';
    const decoder = new StringDecoder('utf8');
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const lines = (rest + decoder.write(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.add(line);
        this.roomLeft().then(() => done());
      },
    });
  }

  /** Bytes in memory on their way. */
  get waitingBytes(): number {
    return this.queueBytes + this.text.length;
  }

  get up(): boolean {
    return this.isUp === true;
  }

  /** Sends what is left, for at most `millis`; what is not taken by then stays on the disk for the next start. */
  async finish(millis: number): Promise<void> {
    this.cut();
    clearInterval(this.timer);
    this.ending = true;
    this.wake?.();
    const deadline = new AbortController();
    const late = setTimeout(millis, undefined, { signal: deadline.signal, ref: false }).catch(() => undefined);
    await Promise.race([this.running, late]);
    deadline.abort();
    await this.spill();
    await this.options.spool.close();
    await this.link?.close();
  }

  private add(line: string): void {
    if (line === '') return;
    this.text += `${line}\n`;
    this.lines++;
    if (this.lines >= ENTRY_RECORDS || this.text.length >= ENTRY_BYTES) this.cut();
  }

  /** Ends the batch that is being filled. */
  private cut(): void {
    if (this.lines === 0) return;
    const batch = { count: this.lines, lines: Buffer.from(this.text) };
    this.text = '';
    this.lines = 0;
    this.queue.push(batch);
    this.queueBytes += batch.lines.length;
    this.wake?.();
  }

  private async roomLeft(): Promise<void> {
    if (this.queueBytes > MAX_QUEUE_BYTES) await this.spill();
  }

  private takeQueue(most: number): SpooledBatch[] {
    const taken = this.queue.splice(0, most);
    for (const { lines } of taken) this.queueBytes -= lines.length;
    return taken;
  }

  private async spill(): Promise<void> {
    const batches = this.takeQueue(this.queue.length);
    if (batches.length > 0) await this.keep(batches);
  }

  private async keep(batches: readonly SpooledBatch[]): Promise<void> {
    this.spooled += batches.reduce((sum, { count }) => sum + count, 0);
    await this.options.spool.keep(batches);
  }

  private async run(): Promise<void> {
    for (;;) {
      const link = await this.connected();
      if (!link) {
        await this.spill();
        if (this.ending) return;
        await this.pause();
        continue;
      }
      if (!(await this.sendSome(link))) {
        if (!this.ending) await this.pause();
        continue;
      }
      if (this.queue.length > 0 || this.options.spool.bytes > 0) continue;
      if (this.ending) return;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = undefined;
    }
  }

  /** Waits before the next attempt, ever longer; what comes meanwhile goes to the disk every BATCH_MILLIS. */
  private async pause(): Promise<void> {
    for (let waited = 0; waited < this.retryMillis && !this.ending; waited += BATCH_MILLIS) {
      await setTimeout(BATCH_MILLIS);
      await this.spill();
    }
    this.retryMillis = Math.min(MAX_RETRY_MILLIS, this.retryMillis * 2);
  }

  private async connected(): Promise<StreamLink | undefined> {
    try {
      if (this.link) return this.isUp === false ? await this.probe(this.link) : this.link;
      const link = await this.options.connect();
      this.link = link;
      return await this.probe(link);
    } catch (error) {
      this.note(false, (error as Error).message);
      return undefined;
    }
  }

  /** Asks for the number of shards; an answer shows that Redis is there. */
  private async probe(link: StreamLink): Promise<StreamLink> {
    const key = streamsKey(this.prefix);
    await link.send(key, ['HSETNX', key, 'shards', '1']);
    const shards = Number(String(await link.send(key, ['HGET', key, 'shards'])));
    if (!Number.isInteger(shards) || shards < 1 || shards > MAX_SHARDS) {
      throw new Error(`${key} in Redis at ${link.name} names ${shards} shards, expected 1 to ${MAX_SHARDS}`);
    }
    this.shards = shards;
    this.note(true, 'Redis takes records');
    return link;
  }

  /** Sends what waits in memory, then one file of the spool; false when Redis did not take all of it. */
  private async sendSome(link: StreamLink): Promise<boolean> {
    const batches = this.takeQueue(IN_FLIGHT);
    const refused = await this.sendAll(link, batches);
    if (refused.length > 0) {
      await this.keep(refused);
      return false;
    }
    if (this.queue.length > 0 || this.options.spool.bytes === 0) return true;
    return this.sendSpooled(link);
  }

  private async sendSpooled(link: StreamLink): Promise<boolean> {
    const file = await this.options.spool.oldest();
    if (!file) return true;
    for (let i = 0; i < file.batches.length; i += IN_FLIGHT) {
      // Not taken: the whole file comes again. Flows have ids, so twice is once.
      if ((await this.sendAll(link, file.batches.slice(i, i + IN_FLIGHT))).length > 0) return false;
    }
    await this.options.spool.remove(file.number);
    return true;
  }

  /** The batches that were not acknowledged. */
  private async sendAll(link: StreamLink, batches: readonly SpooledBatch[]): Promise<SpooledBatch[]> {
    const sent = await Promise.allSettled(batches.map((batch) => this.send(link, batch)));
    const refused = batches.filter((_, i) => sent[i]!.status === 'rejected');
    const failure = sent.find((result) => result.status === 'rejected');
    if (failure) this.note(false, (failure.reason as Error).message);
    return refused;
  }

  private async send(link: StreamLink, { count, lines }: SpooledBatch): Promise<void> {
    this.turn = (this.turn + 1) % this.shards;
    const key = streamKey(this.prefix, this.turn, 'flows');
    await link.send(key, entryArguments(key, count, lines));
    this.published += count;
  }

  private note(up: boolean, why: string): void {
    if (up) this.retryMillis = MIN_RETRY_MILLIS;
    if (up === this.isUp) return;
    this.isUp = up;
    this.options.onState(up, why);
  }
}
