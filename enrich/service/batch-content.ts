import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { EndpointEvent } from '../event/endpoint-event.ts';
import { TextSniffer } from '../ingest/decode-text.ts';
import type { FeedSummary } from '../ingest/feed-summary.ts';
import { FeedNormalizer } from '../ingest/normalizer.ts';
import { TextReader } from '../ingest/read-endpoint-file.ts';
import type { ZoneClock } from '../ingest/zone-clock.ts';
import { readFlowLine } from './flow-lines.ts';
import type { Batch } from './inbox.ts';

/** A part of a batch that cannot be read, and why. */
export interface BadLines {
  readonly lines: Buffer;
  readonly count: number;
  readonly reason: string;
}

export interface Content {
  readonly flows: readonly FlowRecord[];
  readonly events: readonly EndpointEvent[];
  readonly bad: readonly BadLines[];
  /** Of raw batches: what became of the records. */
  readonly summary?: FeedSummary;
}

/** Reads what a batch carries. Never throws. */
export function contentOf(batch: Batch, zones: ZoneClock): Content {
  if (batch.kind === 'raw') return rawContent(batch, zones);
  const flows: FlowRecord[] = [];
  const events: EndpointEvent[] = [];
  const bad: BadLines[] = [];
  for (const line of linesOf(batch.lines)) {
    if (batch.kind === 'flows') {
      const read = readFlowLine(line);
      if (read.ok) flows.push(read.record);
      else bad.push({ lines: Buffer.from(`${line}\n`), count: 1, reason: read.why });
    } else {
      const event = eventOf(line);
      if (event) events.push(event);
      else bad.push({ lines: Buffer.from(`${line}\n`), count: 1, reason: 'not an endpoint event' });
    }
  }
  return { flows, events, bad };
}

export function linesOf(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** Events in this stream were made by a receiver of ours; what is not one is found when its facts are made. */
function eventOf(line: string): EndpointEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isEvent = typeof value === 'object' && value !== null && Object.hasOwn(value, 'kind');
    return isEvent ? (value as EndpointEvent) : undefined;
  } catch {
    return undefined; // becomes a dead letter with its text
  }
}

function rawContent(batch: Batch, zoneClock: ZoneClock): Content {
  const normalizer = new FeedNormalizer({ zoneClock });
  const { host, sender } = batch;
  const reader = new TextReader(normalizer, {
    ...(host === undefined ? {} : { host }),
    ...(sender === undefined ? {} : { sender }),
  });
  const text = new TextSniffer();
  const events = [...reader.push(text.push(batch.lines)), ...reader.push(text.end()), ...reader.end()];
  const { summary } = normalizer;
  const { total } = summary.damaged;
  const bad = total === 0 ? [] : [{ lines: batch.lines, count: total, reason: summary.damagedAt[0] ?? 'damaged' }];
  return { flows: [], events, bad, summary };
}
