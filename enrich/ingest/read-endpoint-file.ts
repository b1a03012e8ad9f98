import type { Readable } from 'node:stream';
import type { EndpointEvent } from '../event/endpoint-event.ts';
import { TextSniffer } from './decode-text.ts';
import { EvtxReader, FILE_MAGIC } from './evtx/evtx-file.ts';
import type { FeedSummary } from './feed-summary.ts';
import type { Origin } from './held-event.ts';
import { parseJson } from './json-object.ts';
import { FeedNormalizer, type NormalizerOptions } from './normalizer.ts';
import { DamagedInput, RefusedInput, readBytes } from './read-bytes.ts';
import type { RecordContext } from './reading.ts';
import { RecordSplitter } from './record-splitter.ts';
import type { RawRecord } from './text-window.ts';

export interface ReadOptions extends NormalizerOptions {
  /** Where `-` reads from. */
  readonly stdin?: Readable;
  readonly onRecord?: OnRecord;
}

/** Is shown each event's record as it stands in the feed, with the id of the event. */
export type OnRecord = (record: string, id: string) => void;

/** Takes one event; when it returns a promise, reading waits for it. */
export type OnEvent = (event: EndpointEvent) => void | Promise<void>;

/**
 * Reads an endpoint feed from a file or, for `-`, from standard input: any envelope, encoding and mixture of feeds that the
 * splitter and the normaliser know, gzip or not. Memory does not grow with the input, except for the events whose clock zone
 * is not yet known (`MAX_HELD_EVENTS`).
 *
 * What is wrong with the content is counted in the summary and never thrown; a path that cannot be opened is thrown.
 */
export async function readEndpointFile(
  path: string,
  onEvent: OnEvent,
  options: ReadOptions = {},
): Promise<FeedSummary> {
  const normalizer = new FeedNormalizer(options);
  let reader: ByteReader | undefined;
  const give = async (events: readonly EndpointEvent[]) => {
    for (const event of events) {
      const taken = onEvent(event);
      if (taken) await taken;
    }
  };
  try {
    for await (const bytes of readBytes(path, options.stdin ?? process.stdin)) {
      reader ??= isEvtx(bytes)
        ? new EvtxEvents(normalizer, options.onRecord)
        : new DecodedText(normalizer, options.onRecord);
      await give(reader.push(bytes));
    }
  } catch (error) {
    if (error instanceof RefusedInput) normalizer.summary.refused = error.message;
    else if (error instanceof DamagedInput) normalizer.summary.noteDamage('at its end', error.message);
    else throw error;
  }
  if (reader) await give(reader.end());
  await give(normalizer.drain());
  return normalizer.summary;
}

/** Bytes in, events out. */
interface ByteReader {
  push(bytes: Buffer): readonly EndpointEvent[];
  end(): readonly EndpointEvent[];
}

const isEvtx = (head: Buffer): boolean => head.toString('latin1', 0, FILE_MAGIC.length) === FILE_MAGIC;

/** Text in any of the encodings, in any of the envelopes. */
class DecodedText implements ByteReader {
  private readonly text = new TextSniffer();
  private readonly reader: TextReader;

  constructor(normalizer: FeedNormalizer, onRecord?: OnRecord) {
    this.reader = new TextReader(normalizer, {}, onRecord);
  }

  push(bytes: Buffer): EndpointEvent[] {
    return this.reader.push(this.text.push(bytes));
  }

  end(): EndpointEvent[] {
    return [...this.reader.push(this.text.end()), ...this.reader.end()];
  }
}

/** A binary Windows event log. */
class EvtxEvents implements ByteReader {
  private events: EndpointEvent[] = [];
  private readonly reader: EvtxReader;

  constructor(normalizer: FeedNormalizer, onRecord?: OnRecord) {
    this.reader = new EvtxReader({
      event: (xml) => {
        for (const event of normalizer.normalize(
          xml,
          {},
          originOf(onRecord, () => xml),
        ))
          this.events.push(event);
      },
      damage: (chunk, why) => normalizer.summary.noteDamage(`in chunk ${chunk}`, why),
    });
  }

  push(bytes: Buffer): EndpointEvent[] {
    this.reader.push(bytes);
    return this.collected();
  }

  end(): EndpointEvent[] {
    this.reader.end();
    return this.collected();
  }

  private collected(): EndpointEvent[] {
    const { events } = this;
    this.events = [];
    return events;
  }
}

/** Text of any envelope in, events out: the splitter and a normaliser, coupled. For request bodies as well as files. */
export class TextReader {
  private readonly normalizer: FeedNormalizer;
  private readonly context: RecordContext;
  private readonly onRecord: OnRecord | undefined;
  private readonly splitter: RecordSplitter;
  private events: EndpointEvent[] = [];
  private records = 0;

  constructor(normalizer: FeedNormalizer, context: RecordContext, onRecord?: OnRecord) {
    this.normalizer = normalizer;
    this.context = context;
    this.onRecord = onRecord;
    this.splitter = new RecordSplitter({
      record: (raw) => this.record(raw),
      damage: (offset, why) => this.normalizer.summary.noteDamage(this.place(offset), why),
    });
  }

  push(text: string): EndpointEvent[] {
    this.splitter.push(text);
    return this.collected();
  }

  /** The rest, with the events that waited for the zone of their clock. */
  end(): EndpointEvent[] {
    this.splitter.end();
    return [...this.collected(), ...this.normalizer.drain()];
  }

  private collected(): EndpointEvent[] {
    const { events } = this;
    this.events = [];
    return events;
  }

  private record(raw: RawRecord): void {
    this.records++;
    if (raw.row !== undefined) this.normalize(raw.row, raw);
    else if (raw.text !== undefined && !raw.text.startsWith('{')) this.normalize(raw.text, raw);
    else if (raw.text !== undefined) {
      const parsed = parseJson(raw.text);
      if (parsed.ok) this.normalize(parsed.value, raw);
      else this.normalizer.summary.noteDamage(this.place(raw.offset), parsed.why);
    }
  }

  private normalize(record: unknown, raw: RawRecord): void {
    const origin = originOf(this.onRecord, () => raw.text ?? JSON.stringify(raw.row));
    for (const event of this.normalizer.normalize(record, this.context, origin)) this.events.push(event);
  }

  private place(offset: number): string {
    return `after record ${this.records}, character ${offset}`;
  }
}

function originOf(onRecord: OnRecord | undefined, text: () => string): Origin | undefined {
  if (!onRecord) return undefined;
  const record = text();
  return { chars: record.length, onEvent: ({ id }) => onRecord(record, id) };
}
