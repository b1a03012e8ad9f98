import { setImmediate } from 'node:timers/promises';
import { ENTRY_BYTES } from '../../sensor/record/stream-keys.ts';
import type { EndpointEvent } from '../event/endpoint-event.ts';
import { TextSniffer } from '../ingest/decode-text.ts';
import { FeedSummary } from '../ingest/feed-summary.ts';
import { FeedNormalizer } from '../ingest/normalizer.ts';
import { TextReader } from '../ingest/read-endpoint-file.ts';
import type { RecordContext } from '../ingest/reading.ts';
import type { ZoneClock } from '../ingest/zone-clock.ts';
import type { StoreError } from '../store/store-error.ts';
import { readFlowLine } from './flow-lines.ts';
import { HttpRefusal } from './http-answer.ts';
import type { Inbox } from './inbox.ts';
import { isTransient } from './transient.ts';

/** Bad records described in one answer; all are counted. */
const MAX_COMPLAINTS = 20;
/** Events of one request; a body of this many is no batch but a file. */
const MAX_EVENTS = 200_000;
/** Seconds after which a sender should come again when we cannot take more. */
const RETRY_SECONDS = 2;

export interface Receipt {
  readonly accepted: number;
  readonly ignored: number;
  readonly rejected: number;
  readonly unknown: number;
  readonly damaged: number;
  readonly complaints: readonly string[];
}

/** The receiving side: bodies in, batches into the inbox, and a receipt that says what became of each record. */
export class Receiver {
  /** Of all requests. */
  readonly summary = new FeedSummary();
  flowsAccepted = 0;
  flowsRefused = 0;
  /** Last time (monotonic milliseconds) that the inbox could not take a batch; undefined when it could since. */
  refusedAt: number | undefined;
  private readonly inbox: Inbox;
  private readonly zoneClock: ZoneClock;

  constructor(inbox: Inbox, zoneClock: ZoneClock) {
    this.inbox = inbox;
    this.zoneClock = zoneClock;
  }

  normalizer(): FeedNormalizer {
    return new FeedNormalizer({ zoneClock: this.zoneClock });
  }

  /** A body of endpoint records in any envelope. */
  async events(body: AsyncIterable<Buffer>, context: RecordContext): Promise<Receipt> {
    const normalizer = this.normalizer();
    const reader = new TextReader(normalizer, context);
    const text = new TextSniffer();
    const events: EndpointEvent[] = [];
    for await (const piece of body) collect(events, reader.push(text.push(piece)));
    collect(events, reader.push(text.end()));
    collect(events, reader.end());
    await this.keepEvents(events);
    return this.receipt(normalizer.summary, events.length);
  }

  /** A body of flow records, one JSON object a line. */
  async flows(body: AsyncIterable<Buffer>): Promise<Receipt> {
    const text = new TextSniffer();
    const complaints: string[] = [];
    let rest = '';
    let number = 0;
    let good: string[] = [];
    let [accepted, refused, chars] = [0, 0, 0];
    const batches: { count: number; lines: Buffer }[] = [];
    const close = (): void => {
      if (good.length > 0) batches.push({ count: good.length, lines: Buffer.from(good.join('')) });
      good = [];
      chars = 0;
    };
    const take = (line: string): void => {
      number++;
      if (line.trim() === '') return;
      const read = readFlowLine(line);
      if (!read.ok) {
        refused++;
        if (complaints.length < MAX_COMPLAINTS) complaints.push(`line ${number}: ${read.why}`);
        return;
      }
      accepted++;
      good.push(`${line}\n`);
      chars += line.length;
      if (chars >= ENTRY_BYTES) close();
    };
    for await (const piece of body) {
      const lines = (rest + text.push(piece)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > 1 << 20) throw new HttpRefusal(400, `line ${number + 1} is longer than 1 MiB`);
      for (const line of lines) take(line);
    }
    for (const line of (rest + text.end()).split('\n')) take(line);
    close();
    // One after the other: when one is not taken, the sender repeats them all, and those that were taken are known by id.
    for (const { count, lines } of batches) await this.keep({ kind: 'flows', count, lines });
    this.flowsAccepted += accepted;
    this.flowsRefused += refused;
    return { accepted, ignored: 0, rejected: refused, unknown: 0, damaged: 0, complaints };
  }

  /** Hands events on; resolves when they will outlive this process. */
  async keepEvents(events: readonly EndpointEvent[]): Promise<void> {
    for (let i = 0; i < events.length; ) {
      const lines: string[] = [];
      for (let chars = 0; i < events.length && chars < ENTRY_BYTES; i++) {
        const line = `${JSON.stringify(events[i])}\n`;
        chars += line.length;
        lines.push(line);
      }
      await this.keep({ kind: 'events', count: lines.length, lines: Buffer.from(lines.join('')) });
      await setImmediate();
    }
  }

  receipt(summary: FeedSummary, accepted: number): Receipt {
    this.summary.merge(summary);
    return {
      accepted,
      ignored: summary.ignored.total,
      rejected: summary.rejected.total,
      unknown: summary.unknown.total,
      damaged: summary.damaged.total,
      complaints: [
        ...summary.damagedAt,
        ...summary.rejected.entries().map(([what, n]) => `${n} × ${what}`),
        ...summary.unknown.entries().map(([shape, n]) => `${n} × of no known feed: ${shape}`),
      ].slice(0, MAX_COMPLAINTS),
    };
  }

  private async keep(batch: Parameters<Inbox['append']>[0]): Promise<void> {
    try {
      await this.inbox.append(batch);
      this.refusedAt = undefined;
    } catch (error) {
      this.refusedAt ??= performance.now();
      if (isTransient(error)) {
        throw new HttpRefusal(503, `not stored: ${(error as StoreError).message}; send it again`, RETRY_SECONDS);
      }
      throw error;
    }
  }
}

function collect(events: EndpointEvent[], more: readonly EndpointEvent[]): void {
  for (const event of more) events.push(event);
  if (events.length > MAX_EVENTS) throw new HttpRefusal(413, `more than ${MAX_EVENTS} events; send smaller batches`);
}
