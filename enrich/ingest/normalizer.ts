import type { EndpointEvent, TimeQuality } from '../event/endpoint-event.ts';
import { ADAPTERS } from './adapters/all.ts';
import { readDevice } from './adapters/cef.ts';
import { ecs } from './adapters/ecs.ts';
import { lineInOrder, orderOfLine } from './cef/device-dates.ts';
import { type DeviceLine, deviceLineAt, readDeviceLine } from './cef/device-line.ts';
import { windowsOfDevice } from './cef/device-windows.ts';
import { type DateOrder, dateLine, datesOf, evidenceIn, inOrder, orderIn, withDates } from './date-order.ts';
import { looksLikeRecord, type Unwrapped, unwrap } from './envelope.ts';
import { HEADER_CHARS, withoutHeader } from './event-header.ts';
import { eventId } from './event-id.ts';
import { FeedSummary, shapeOf } from './feed-summary.ts';
import type { Held, Origin } from './held-event.ts';
import { isEventItem, readEventItem } from './hx/event-item.ts';
import { at, isObject, type JsonObject, MAX_RECORD_CHARS, parseJson } from './json-object.ts';
import { LogZones } from './log-zones.ts';
import { startedAt } from './process-start.ts';
import type { ClockSource, Draft, Reading, RecordContext } from './reading.ts';
import { RecentIds } from './recent-ids.ts';
import { sizeOf } from './size-of.ts';
import { UndatedRecords } from './undated-records.ts';
import { looksClassic, readClassicText } from './windows/classic-text.ts';
import { readEventXml } from './windows/event-xml.ts';
import { readWindows } from './windows/read-windows.ts';
import { isAgentLine, readAgentLine } from './windows/syslog-line.ts';
import { readWindowsObject } from './windows/windows-object.ts';
import type { WindowsRecord } from './windows/windows-record.ts';
import type { ZoneClock } from './zone-clock.ts';

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

/**
 * Turns records of any known feed into endpoint events, counting what it does not use.
 *
 * Events whose log clock is in an unknown zone, and records whose date may have the day or the month first, are held back until
 * `drain`, when every record that can tell has been seen; so the events that come out do not depend on the order in which the
 * records came in. Should more be held than the caps allow, they are given out with what is known by then, and the summary says
 * how many.
 *
 * A service makes one for each request, for the counts, and hands all of them one `zoneClock`, so that they learn together.
 */
export class FeedNormalizer {
  readonly summary = new FeedSummary();
  private readonly options: NormalizerOptions;
  private readonly zones: LogZones;
  private readonly maxHeld: number;
  private origin: Origin | undefined;
  private held: Held[] = [];
  private heldChars = 0;
  private readonly undated = new UndatedRecords<Origin>();
  private readonly given = new RecentIds();

  constructor(options: NormalizerOptions = {}) {
    this.options = options;
    this.zones = new LogZones(options.zoneClock);
    this.maxHeld = options.maxHeld ?? MAX_HELD_EVENTS;
  }

  /** Events of one record, object or text, with or without envelopes around it. Never throws. */
  normalize(record: unknown, context: RecordContext = {}, origin?: Origin): EndpointEvent[] {
    this.origin = origin;
    const full = this.options.host === undefined ? context : { host: this.options.host, ...context };
    const events: EndpointEvent[] = [];
    const inner = unwrap(record, full, () => this.summary.ignored.add('_bulk action'));
    for (const entry of inner) events.push(...this.normalizeOne(entry));
    const waiting = this.held.length + this.undated.count;
    if (waiting >= this.maxHeld || this.heldChars + this.undated.chars >= MAX_HELD_CHARS) {
      this.summary.releasedEarly += waiting;
      events.push(...this.drain());
    }
    return events;
  }

  /** The events that were held back. Call it at the end of a file, a request or a batch; the normaliser may be used on. */
  drain(): EndpointEvent[] {
    const events = this.drainUndated();
    const { held } = this;
    this.held = [];
    this.heldChars = 0;
    for (const entry of held) {
      const event = this.finish(entry, this.settle(entry.draft, entry.source));
      if (event) events.push(event);
    }
    return events;
  }

  /** Reads the records whose dates waited; where the stream proves no order, or both, as Americans write dates. */
  private drainUndated(): EndpointEvent[] {
    const events: EndpointEvent[] = [];
    // A record may keep its text with a date in it, which waits in turn.
    while (this.undated.count > 0) {
      const { records, order } = this.undated.release();
      if (order === undefined) this.summary.ambiguousDates += records.length;
      for (const { origin, read } of records) {
        this.origin = origin;
        events.push(...read(order));
      }
    }
    return events;
  }

  /** Reads a record with dates in an order that may have to wait to be known. */
  private dated(
    order: DateOrder | 'either' | undefined,
    chars: number,
    read: (order: DateOrder | undefined) => EndpointEvent[],
  ): EndpointEvent[] {
    // The same day in both orders, or known date by date.
    if (order === undefined) return read('month-first');
    if (order !== 'either') {
      this.undated.prove(order);
      return read(order);
    }
    this.undated.hold({ chars: chars + (this.origin?.chars ?? 0), origin: this.origin, read });
    return [];
  }

  private normalizeOne({ record, context }: Unwrapped): EndpointEvent[] {
    if (typeof record === 'string') return this.normalizeText(record, context);
    if (!isObject(record)) {
      this.summary.unknown.add(shapeOf(record));
      return [];
    }
    const dates = datesOf(record);
    if (!dates) return this.readObject(record, context);
    const evidence = [...evidenceIn(record), ...(context.at === undefined ? [] : [context.at])];
    return this.dated(orderIn(dates.values(), evidence), sizeOf(record), (order) =>
      this.readObject(withDates(record, dates, order), context),
    );
  }

  private readObject(record: JsonObject, context: RecordContext): EndpointEvent[] {
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
    const device = deviceLineIn(text);
    if (device) return this.normalizeDevice(device, context);
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
    return looksClassic(start) ? this.normalizeClassic(start, context) : this.unknownText(start);
  }

  private normalizeClassic(text: string, context: RecordContext): EndpointEvent[] {
    const read = (given: string): EndpointEvent[] => {
      const classic = this.readWindowsRecord(readClassicText(given, context), context);
      return classic ? this.take(classic) : this.unknownText(given);
    };
    const date = dateLine(text);
    // The envelope's time is the event's.
    if (date === undefined || context.at !== undefined) return read(text);
    return this.dated(orderIn([date.trimEnd()], evidenceIn({ text })), text.length, (order) =>
      read(order === undefined ? text : inOrder(date.trimEnd(), order) + text.slice(date.length)),
    );
  }

  private normalizeDevice(line: DeviceLine, context: RecordContext): EndpointEvent[] {
    const read = (given: DeviceLine): EndpointEvent[] => {
      const windows = windowsOfDevice(given, context);
      const reading = windows ? this.readWindowsRecord(windows, context) : readDevice(given, context);
      return reading ? this.take(reading) : [];
    };
    const order = orderOfLine(line);
    if (order === undefined) return read(line);
    const chars = sizeOf(Object.fromEntries(line.fields));
    return this.dated(order, chars, (known) => read(lineInOrder(line, known)));
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
    this.zones.observe(record, context);
    const reading = readWindows(record, context);
    return record.repeats && reading.kind === 'events' ? { ...reading, once: true } : reading;
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
    const { feed, host, vendorId, clockSource: source, once = false } = reading;
    const events: EndpointEvent[] = [];
    reading.drafts.forEach((draft, index) => {
      const entry = { feed, host, vendorId, index, draft, origin: this.origin, once };
      if (draft.clock === 'local' && source) this.hold({ ...entry, source });
      else {
        const event = this.finish(entry, { at: draft.at, quality: draft.clock === 'local' ? 'log' : draft.clock });
        if (event) events.push(event);
      }
    });
    return events;
  }

  private hold(entry: Held): void {
    this.held.push(entry);
    this.heldChars += sizeOf(entry.draft.body) + (entry.origin?.chars ?? 0);
  }

  private settle(draft: Draft, source: ClockSource): { at: number; quality: TimeQuality } {
    const offset = this.zones.offset(source, draft.at);
    if (offset !== undefined) return { at: draft.at - offset, quality: offset === 0 ? 'log' : 'offset-corrected' };
    this.summary.unzoned++;
    if (this.options.zoneMinutes !== undefined) {
      return { at: draft.at - this.options.zoneMinutes * 60_000_000, quality: 'offset-corrected' };
    }
    return { at: draft.at, quality: source.zoned ? 'log' : 'received' };
  }

  /** The event; undefined when it was given before and is wanted once. */
  private finish(entry: Omit<Held, 'source'>, time: { at: number; quality: TimeQuality }): EndpointEvent | undefined {
    const { feed, host, vendorId, index } = entry;
    const body = entry.draft.startsProcess === true ? startedAt(entry.draft.body, time.at) : entry.draft.body;
    const event = { feed, at: time.at, timeQuality: time.quality, host, ...body } as EndpointEvent;
    const finished = { ...event, id: eventId(event, vendorId, index) };
    if (entry.once && this.given.seen(finished.id)) {
      this.summary.ignored.add(`${feed} ${event.kind} again, for another rule`);
      return undefined;
    }
    this.summary.accepted.add(event.kind);
    entry.origin?.onEvent(finished);
    return finished;
  }
}

/** A line of CEF or LEEF, unless it stands in the text of an event that another agent wrote. */
function deviceLineIn(text: string): DeviceLine | undefined {
  const at = deviceLineAt(text);
  return at < 0 || isAgentLine(text.slice(0, at)) ? undefined : readDeviceLine(text);
}
