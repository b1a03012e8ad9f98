import { setTimeout } from 'node:timers/promises';
import { monotonicMillis } from '../../sensor/base/clock.ts';
import { deadKey, entryArguments, STREAM_KINDS, type StreamKind, streamKey } from '../../sensor/record/stream-keys.ts';
import type { RedisLink } from '../store/redis-link.ts';
import type { Batch, DeadLetter, Delivery, Inbox, InboxState } from './inbox.ts';
import { entriesOf, readBatch, type StreamEntry, streamsOf } from './stream-entries.ts';
import { GROUP, isNoGroup, pendingAttempts, prepareShard, settleShards, trimRead } from './stream-group.ts';

/** Entries asked for at once, and records that may wait in memory of this worker. */
const READ_ENTRIES = 32;
const MAX_WAITING_RECORDS = 20_000;
/** Dead letters kept in each shard; the oldest go. */
const MAX_DEAD = 10_000;
const RETRY_MILLIS = 250;
const TRIM_MILLIS = 2_000;

export interface StreamInboxOptions {
  readonly prefix: string;
  /** Shards when nobody has set their number yet. */
  readonly shards: number;
  /** Name of this worker among all; one that comes back under its name finds what it had. */
  readonly consumer: string;
  /** An entry that nobody has acknowledged for this long is taken from its worker. */
  readonly claimMs: number;
}

interface Place {
  readonly key: string;
  readonly entry: string;
}

/**
 * The inbox in Redis: any number of workers read the streams as one consumer group. An entry stays with the worker that
 * read it until it is acknowledged; one that a dead worker had is claimed by another.
 */
export class StreamInbox implements Inbox {
  private readonly link: RedisLink;
  private readonly options: StreamInboxOptions;
  private readonly shards: number;
  private readonly waiting: Delivery[] = [];
  /** Everything that this worker has in its hands. */
  private readonly held = new Map<string, Place>();
  private readonly readers: Promise<void>[] = [];
  private readonly lags = new Map<string, { entries: number; oldestMillis: number }>();
  private waitingRecords = 0;
  private turn = 0;
  private cutOff = 0;
  private buried = 0;
  private fill: number | undefined;
  private closed = false;
  private wake: (() => void) | undefined;
  private room: (() => void) | undefined;

  private constructor(link: RedisLink, options: StreamInboxOptions, shards: number) {
    this.link = link;
    this.options = options;
    this.shards = shards;
  }

  /** `link` is the inbox's from now on. */
  static async open(link: RedisLink, options: StreamInboxOptions): Promise<StreamInbox> {
    const shards = await settleShards(link, options.prefix, options.shards);
    const inbox = new StreamInbox(link, options, shards);
    for (let shard = 0; shard < shards; shard++) await prepareShard(link, inbox.keysOf(shard));
    for (let shard = 0; shard < shards; shard++) inbox.readers.push(inbox.read(shard));
    inbox.readers.push(inbox.claimFromTheDead(), inbox.maintain());
    return inbox;
  }

  async append(batch: Batch): Promise<void> {
    this.turn = (this.turn + 1) % this.shards;
    const key = streamKey(this.options.prefix, this.turn, batch.kind);
    const args = entryArguments(key, batch.count, batch.lines);
    if (batch.host !== undefined) args.push('host', batch.host);
    if (batch.sender !== undefined) args.push('sender', batch.sender);
    await this.link.send(key, args);
  }

  async take(records: number, waitMs: number): Promise<Delivery[]> {
    if (this.waiting.length === 0 && waitMs > 0) await this.arrival(waitMs);
    const taken: Delivery[] = [];
    for (let sum = 0; this.waiting.length > 0 && sum < records; ) {
      const delivery = this.waiting.shift()!;
      sum += weightOf(delivery);
      taken.push(delivery);
    }
    this.waitingRecords -= taken.reduce((sum, delivery) => sum + weightOf(delivery), 0);
    this.room?.();
    return taken;
  }

  async ack(deliveries: readonly Delivery[]): Promise<void> {
    const byKey = this.placesOf(deliveries);
    await Promise.all([...byKey].map(([key, entries]) => this.link.send(key, ['XACK', key, GROUP, ...entries])));
    for (const { id } of deliveries) this.held.delete(id);
  }

  /** They stay pending with this worker, and are claimed by whoever comes first after the idle limit. */
  async release(deliveries: readonly Delivery[]): Promise<void> {
    for (const { id } of deliveries) this.held.delete(id);
  }

  async bury({ kind, count, lines, reason, id }: DeadLetter): Promise<void> {
    const shard = shardOf(id);
    const key = deadKey(this.options.prefix, shard < this.shards ? shard : 0);
    const fields = ['from', kind, 'reason', reason, 'id', id, 'n', String(count), 'b', lines];
    await this.link.send(key, ['XADD', key, 'MAXLEN', '~', String(MAX_DEAD), '*', ...fields]);
    this.buried += count;
  }

  state(): InboxState {
    const lags = [...this.lags.values()];
    return {
      waiting: lags.reduce((sum, lag) => sum + lag.entries, 0),
      fill: this.fill,
      oldestSeconds: lags.reduce((most, lag) => Math.max(most, lag.oldestMillis), 0) / 1000,
      cutOff: this.cutOff,
      buried: this.buried,
      damaged: 0,
    };
  }

  /** What is in hand and was not worked on is offered to the other workers at once. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.room?.();
    await this.touchHeld(this.options.claimMs + 1).catch(() => undefined);
    await Promise.all(this.readers);
    await this.link.close();
  }

  private keysOf(shard: number): string[] {
    return STREAM_KINDS.map((kind) => streamKey(this.options.prefix, shard, kind));
  }

  private async read(shard: number): Promise<void> {
    let link: RedisLink | undefined;
    while (!this.closed) {
      try {
        link ??= await this.link.duplicate();
        await this.readOnce(link, shard);
      } catch (error) {
        // The link comes back by itself; readyz tells that it is away, from the work that fails meanwhile.
        if (isNoGroup(error)) await prepareShard(this.link, this.keysOf(shard)).catch(() => undefined);
        if (!this.closed) await setTimeout(RETRY_MILLIS);
      }
    }
    await link?.close();
  }

  private async readOnce(link: RedisLink, shard: number): Promise<void> {
    if (this.waitingRecords >= MAX_WAITING_RECORDS) await this.roomLeft();
    const keys = this.keysOf(shard);
    const block = String(Math.min(link.maxBlockMs, 1_000));
    const reply = await link.send(keys[0], [
      ...['XREADGROUP', 'GROUP', GROUP, this.options.consumer, 'COUNT', String(READ_ENTRIES), 'BLOCK', block],
      ...['STREAMS', ...keys, ...keys.map(() => '>')],
    ]);
    for (const { key, entries } of streamsOf(reply)) {
      const kind = STREAM_KINDS[keys.indexOf(key)];
      if (kind) for (const entry of entries) await this.offer({ key, entry, kind, shard, attempt: 1 });
    }
  }

  private async offer(one: {
    key: string;
    entry: StreamEntry;
    kind: StreamKind;
    shard: number;
    attempt: number;
  }): Promise<void> {
    const id = `${one.shard}/${one.kind}/${one.entry.id}`;
    if (this.held.has(id)) return;
    this.held.set(id, { key: one.key, entry: one.entry.id });
    const delivery = { batch: readBatch(one.kind, one.entry), id, attempt: one.attempt };
    this.waiting.push(delivery);
    this.waitingRecords += weightOf(delivery);
    this.wake?.();
  }

  private async claimFromTheDead(): Promise<void> {
    let next = 0;
    while (!this.closed) {
      await setTimeout(Math.min(1_000, this.options.claimMs / 3));
      if (this.closed || monotonicMillis() < next) continue;
      next = monotonicMillis() + this.options.claimMs / 3;
      try {
        await this.touchHeld(0);
        for (let shard = 0; shard < this.shards; shard++) {
          for (const kind of STREAM_KINDS) await this.claim(shard, kind);
        }
      } catch {
        // Redis is away: tried again in a moment.
      }
    }
  }

  /** Says that we still work on what we hold, or (idle) that anybody may have it. */
  private async touchHeld(idle: number): Promise<void> {
    const byKey = this.placesOf([...this.held.keys()].map((id) => ({ id })));
    for (const [key, entries] of byKey) {
      const tail = ['IDLE', String(idle), 'JUSTID'];
      await this.link.send(key, ['XCLAIM', key, GROUP, this.options.consumer, '0', ...entries, ...tail]);
    }
  }

  private async claim(shard: number, kind: StreamKind): Promise<void> {
    const key = streamKey(this.options.prefix, shard, kind);
    const { consumer, claimMs } = this.options;
    let cursor = '0-0';
    do {
      if (this.waitingRecords >= MAX_WAITING_RECORDS || this.closed) return;
      const args = ['XAUTOCLAIM', key, GROUP, consumer, String(claimMs), cursor, 'COUNT', String(READ_ENTRIES)];
      const { next, entries, deleted } = entriesOf(await this.link.send(key, args));
      this.cutOff += deleted;
      const attempts = await pendingAttempts(this.link, key, consumer, entries);
      for (const entry of entries) {
        await this.offer({ key, entry, kind, shard, attempt: attempts.get(entry.id) ?? 2 });
      }
      cursor = next;
    } while (cursor !== '0-0');
  }

  /** Removes what every group has read and acknowledged, and looks how far behind we are. */
  private async maintain(): Promise<void> {
    while (!this.closed) {
      try {
        for (let shard = 0; shard < this.shards; shard++) {
          for (const key of this.keysOf(shard)) this.lags.set(key, await trimRead(this.link, key));
        }
        this.fill = await memoryFill(this.link);
      } catch {
        // Redis is away: tried again in a moment.
      }
      for (let waited = 0; waited < TRIM_MILLIS && !this.closed; waited += 100) await setTimeout(100);
    }
  }

  private placesOf(deliveries: readonly { id: string }[]): Map<string, string[]> {
    const byKey = new Map<string, string[]>();
    for (const { id } of deliveries) {
      const place = this.held.get(id);
      if (!place) continue;
      const entries = byKey.get(place.key) ?? [];
      entries.push(place.entry);
      byKey.set(place.key, entries);
    }
    return byKey;
  }

  private arrival(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
      const timer = globalThis.setTimeout(done, waitMs);
      this.wake = done;
    });
  }

  private roomLeft(): Promise<void> {
    return new Promise((resolve) => {
      this.room = () => {
        if (this.waitingRecords >= MAX_WAITING_RECORDS && !this.closed) return;
        this.room = undefined;
        resolve();
      };
    });
  }
}

/** A raw entry does not say how many records it has. */
const weightOf = ({ batch }: Delivery): number => Math.max(1, batch.count);

function shardOf(id: string): number {
  const shard = Number(id.split('/', 1)[0]);
  return Number.isInteger(shard) && shard >= 0 ? shard : 0;
}

async function memoryFill(link: RedisLink): Promise<number | undefined> {
  const text = String(await link.send(undefined, ['INFO', 'memory']));
  const [used, most] = ['used_memory', 'maxmemory'].map((name) =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0),
  );
  return used !== undefined && most !== undefined && most > 0 ? used / most : undefined;
}
