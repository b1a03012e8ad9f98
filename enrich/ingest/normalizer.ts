import { createHash } from 'node:crypto';
import type { EndpointEvent, HostRef, TimeQuality } from '../event/endpoint-event.ts';
import { ADAPTERS } from './adapters/all.ts';
import { readDevice } from './adapters/cef.ts';
import { ecs } from './adapters/ecs.ts';
import { deviceLineAt, readDeviceLine } from './cef/device-line.ts';
import { windowsOfDevice } from './cef/device-windows.ts';
import { looksLikeRecord, type Unwrapped, unwrap } from './envelope.ts';
import { FeedSummary, shapeOf } from './feed-summary.ts';
import { isEventItem, readEventItem } from './hx/event-item.ts';
import { at, isObject, MAX_RECORD_CHARS, parseJson } from './json-object.ts';
import { startKey } from './process-key.ts';
import type { ClockSource, Draft, Reading, RecordContext } from './reading.ts';
import { looksClassic, readClassicText } from './windows/classic-text.ts';
import { readEventXml } from './windows/event-xml.ts';
import { readWindows } from './windows/read-windows.ts';
import { isAgentLine, readAgentLine } from './windows/syslog-line.ts';
import { clockSource, sysmonClockSample } from './windows/sysmon-events.ts';
import { readWindowsObject } from './windows/windows-object.ts';
import type { WindowsRecord } from './windows/windows-record.ts';
import { ZoneClock } from './zone-clock.ts';

export interface NormalizerOptions {
  /** Host of records that name none. */
  readonly host?: string;
  /** Minutes east of UTC of log clocks whose zone nothing tells. */
  readonly zoneMinutes?: number;
  /** What the offsets of log clocks are learned into; give the same one to several normalisers that read one shop's feeds. */
  readonly zoneClock?: ZoneClock;
  /** Most events that wait for the zone of their clock. */
  readonly maxHeld?: number;
}

/** Events held until the zone of their clock is known: most of them, and about how many characters they may be together. */
export const MAX_HELD_EVENTS = 100_000;
export const MAX_HELD_CHARS = 64 * 1024 * 1024;

const EVENT_END = '</Event>';

interface Held {
  readonly feed: string;
  readonly host: HostRef;
  readonly vendorId: string | readonly string[] | undefined;
  readonly index: number;
  readonly draft: Draft;
  readonly source: ClockSource;
  readonly origin: Origin | undefined;
}

/** The record that an event is read from, for who wants to know. */
export interface Origin {
  readonly chars: number;
  /** Called with each event of the record when it is given out, be it later. */
  readonly onEvent: (event: EndpointEvent) => void;
}

/**
 * Turns records of any known feed into endpoint events, counting what it does not use.
 *
 * Events whose log clock is in an unknown zone are held back until `drain`, when every record that can tell the zone has been
 * seen; so the events that come out do not depend on the order in which the records came in. Should more be held than the caps
 * allow, they are given out with what is known by then, and the summary says how many.
 *
 * A service makes one for each request, for the counts, and hands all of them one `zoneClock`, so that they learn together.
 */
export class FeedNormalizer {
  readonly summary = new FeedSummary();
  private readonly options: NormalizerOptions;
  private readonly zones: ZoneClock;
  /** Weaker witnesses of the zone, asked only when there is no better one. */
  private readonly zoneHints = new ZoneClock();
  private readonly driftingZones = new ZoneClock();
  private readonly maxHeld: number;
  private origin: Origin | undefined;
  private held: Held[] = [];
  private heldChars = 0;

  constructor(options: NormalizerOptions = {}) {
    this.options = options;
    this.zones = options.zoneClock ?? new ZoneClock();
    this.maxHeld = options.maxHeld ?? MAX_HELD_EVENTS;
  }

  /** Events of one record, object or text, with or without envelopes around it. Never throws. */
  normalize(record: unknown, context: RecordContext = {}, origin?: Origin): EndpointEvent[] {
    this.origin = origin;
    const full = this.options.host === undefined ? context : { host: this.options.host, ...context };
    const events: EndpointEvent[] = [];
    const inner = unwrap(record, full, () => this.summary.ignored.add('_bulk action'));
    for (const entry of inner) events.push(...this.normalizeOne(entry));
    if (this.held.length >= this.maxHeld || this.heldChars >= MAX_HELD_CHARS) {
      this.summary.releasedEarly += this.held.length;
      events.push(...this.drain());
    }
    return events;
  }

  /** The events that were held back. Call it at the end of a file, a request or a batch; the normaliser may be used on. */
  drain(): EndpointEvent[] {
    const { held } = this;
    this.held = [];
    this.heldChars = 0;
    return held.map((entry) => this.finish(entry, this.settle(entry.draft, entry.source)));
  }

  private normalizeOne({ record, context }: Unwrapped): EndpointEvent[] {
    if (typeof record === 'string') return this.normalizeText(record, context);
    if (!isObject(record)) {
      this.summary.unknown.add(shapeOf(record));
      return [];
    }
    const adapter = ADAPTERS.find((candidate) => candidate.claims(record));
    const reading = adapter
      ? adapter.read(record, context)
      : this.readWindowsRecord(readWindowsObject(record, context), context);
    if (reading) return this.take(reading);
    // A pipeline that keeps the record as it came keeps it here.
    const original = at(record, 'event.original');
    if (typeof original === 'string' && looksLikeRecord(original)) return this.normalizeText(original, context);
    // Documents of any other integration, by the common schema alone.
    if (ecs.claims(record)) return this.take(ecs.read(record));
    this.summary.unknown.add(shapeOf(record));
    return [];
  }

  /** Text that is a record: JSON, one or more Event elements, or the classic rendering. */
  private normalizeText(text: string, context: RecordContext): EndpointEvent[] {
    const device = this.deviceReading(text, context);
    if (device) return this.take(device);
    const start = isEventItem(text.trimStart()) ? text.trimStart() : withoutHeader(text.trimStart());
    if (start.length > MAX_RECORD_CHARS) {
      this.summary.noteDamage('inside a record', 'longer than 1 MiB');
      return [];
    }
    if (start.startsWith('{') || start.startsWith('[')) {
      const parsed = parseJson(start);
      if (parsed.ok && typeof parsed.value === 'object') {
        return unwrap(parsed.value, context, () => this.summary.ignored.add('_bulk action'), 1).flatMap((entry) =>
          typeof entry.record === 'string' ? this.unknownText(entry.record) : this.normalizeOne(entry),
        );
      }
      this.summary.noteDamage('inside a record', parsed.ok ? 'not an object' : parsed.why);
      return [];
    }
    if (isAgentLine(start.slice(0, HEADER_CHARS))) {
      const reading = this.readWindowsRecord(readAgentLine(start, context), context);
      return reading ? this.take(reading) : this.unknownText(start);
    }
    if (isEventItem(start)) return this.normalizeOne({ record: readEventItem(start), context });
    if (start.startsWith('<')) return this.normalizeXml(start, context);
    const classic = looksClassic(start) ? this.readWindowsRecord(readClassicText(start, context), context) : undefined;
    return classic ? this.take(classic) : this.unknownText(start);
  }

  /** A line of CEF or LEEF, unless it stands in the text of an event that another agent wrote. */
  private deviceReading(text: string, context: RecordContext): Reading | undefined {
    const at = deviceLineAt(text);
    if (at < 0 || isAgentLine(text.slice(0, at))) return undefined;
    const line = readDeviceLine(text);
    if (!line) return undefined;
    const windows = windowsOfDevice(line, context);
    return windows ? this.readWindowsRecord(windows, context) : readDevice(line, context);
  }

  private normalizeXml(xml: string, context: RecordContext): EndpointEvent[] {
    const events: EndpointEvent[] = [];
    let from = 0;
    while (from < xml.length) {
      const end = xml.indexOf(EVENT_END, from);
      const next = end < 0 ? xml.length : end + EVENT_END.length;
      const piece = xml.slice(from, next);
      from = next;
      if (piece.trim().startsWith('</') || piece.trim() === '') continue;
      const reading = this.readWindowsRecord(readEventXml(piece), context);
      if (reading) events.push(...this.take(reading));
      else this.summary.unknown.add('(XML)');
    }
    return events;
  }

  private unknownText(text: string): EndpointEvent[] {
    this.summary.unknown.add(`(text of ${text.length < 100 ? 'under 100' : '100 or more'} characters)`);
    return [];
  }

  private readWindowsRecord(record: WindowsRecord | undefined, context: RecordContext): Reading | undefined {
    if (!record) return undefined;
    if (record.logged?.zone === 'local') {
      const source = clockSource(record, context, record.logged.zoned);
      const sample = record.log === 'sysmon' ? sysmonClockSample(record) : undefined;
      if (sample) (sample.drifts ? this.driftingZones : this.zones).observe(source, sample.local, sample.utc);
      if (record.zoneHint) this.zoneHints.observe(source, record.zoneHint.local, record.zoneHint.utc);
    }
    return readWindows(record, context);
  }

  private take(reading: Reading): EndpointEvent[] {
    if (reading.kind === 'ignored') {
      this.summary.ignored.add(`${reading.feed} ${reading.type}`);
      return [];
    }
    if (reading.kind === 'rejected') {
      this.summary.rejected.add(`${reading.feed} ${reading.type}: ${reading.reason}`);
      return [];
    }
    const { feed, host, vendorId, clockSource: source } = reading;
    const events: EndpointEvent[] = [];
    reading.drafts.forEach((draft, index) => {
      const entry = { feed, host, vendorId, index, draft, origin: this.origin };
      if (draft.clock === 'local' && source) this.hold({ ...entry, source });
      else events.push(this.finish(entry, { at: draft.at, quality: draft.clock === 'local' ? 'log' : draft.clock }));
    });
    return events;
  }

  private hold(entry: Held): void {
    this.held.push(entry);
    this.heldChars += sizeOf(entry.draft.body) + (entry.origin?.chars ?? 0);
  }

  private settle(draft: Draft, source: ClockSource): { at: number; quality: TimeQuality } {
    const clocks = [this.zones, this.zoneHints, this.driftingZones];
    const offset = clocks.map((clock) => clock.offset(source, draft.at)).find((found) => found !== undefined);
    if (offset !== undefined) return { at: draft.at - offset, quality: offset === 0 ? 'log' : 'offset-corrected' };
    this.summary.unzoned++;
    if (this.options.zoneMinutes !== undefined) {
      return { at: draft.at - this.options.zoneMinutes * 60_000_000, quality: 'offset-corrected' };
    }
    return { at: draft.at, quality: source.zoned ? 'log' : 'received' };
  }

  private finish(entry: Omit<Held, 'source'>, time: { at: number; quality: TimeQuality }): EndpointEvent {
    const { feed, host, vendorId, index } = entry;
    const body = entry.draft.startsProcess === true ? withStart(entry.draft.body, time.at) : entry.draft.body;
    const event = { feed, at: time.at, timeQuality: time.quality, host, ...body } as EndpointEvent;
    this.summary.accepted.add(event.kind);
    const finished = { ...event, id: eventId(event, vendorId, index) };
    entry.origin?.onEvent(finished);
    return finished;
  }
}

/** Longest header of syslog, say, before Event XML. */
const HEADER_CHARS = 1024;

/** Event XML without what stands before it on its line. */
function withoutHeader(text: string): string {
  if (text.startsWith('{') || text.startsWith('[') || looksClassic(text)) return text;
  const at = /<Event[\s>]/.exec(text.slice(0, HEADER_CHARS))?.index ?? 0;
  return at > 0 ? text.slice(at) : text;
}

/** A process that started at this event: its start, and the key made of it. */
function withStart(body: Draft['body'], at: number): Draft['body'] {
  if (body.kind !== 'process_start') return body;
  const { process } = body;
  const started = { ...process, startedAt: at };
  if (process.entityKind !== 'pid-only' || process.pid === undefined) return { ...body, process: started };
  return { ...body, process: { ...started, entityId: startKey(process.pid, at), entityKind: 'pid-start' } };
}

/** Longest vendor id used as it is; longer or odd ones are hashed. */
const MAX_PLAIN_ID = 128;

/**
 * The id under which an event is the same event when it comes again: the vendor's own; or a hash of the parts that name the
 * record, with the time to the second, since shapes differ in precision and record numbers restart; or of the whole event.
 */
function eventId(
  event: Omit<EndpointEvent, 'id'>,
  vendorId: string | readonly string[] | undefined,
  index: number,
): string {
  const suffix = index === 0 ? '' : `#${index}`;
  if (typeof vendorId === 'string' && vendorId.length <= MAX_PLAIN_ID && /^[\x21-\x7e]+$/.test(vendorId))
    return vendorId + suffix;
  const named =
    vendorId === undefined
      ? event
      : typeof vendorId === 'string'
        ? [vendorId]
        : [...vendorId, Math.floor(event.at / 1e6)];
  return createHash('sha256').update(JSON.stringify(named)).digest('hex').slice(0, 32) + suffix;
}

/** About how many characters an event takes; strings of a body are at most two levels deep. */
function sizeOf(value: object): number {
  let size = 64;
  for (const part of Object.values(value)) {
    if (typeof part === 'string') size += part.length;
    else if (typeof part === 'object' && part !== null) size += sizeOf(part as object);
  }
  return size;
}
