import { CsvTable, csvDelimiter, readRow } from './csv-rows.ts';
import { BATCH_KEYS } from './envelope.ts';
import { MAX_RECORD_CHARS } from './json-object.ts';
import { JsonSpan } from './json-span.ts';
import { CLASSIC_DATE, WEVTUTIL_START } from './windows/classic-text.ts';

/** One record cut out of a stream: text to be parsed, or a row that already is an object. */
export interface RawRecord {
  readonly text?: string;
  readonly row?: { readonly [name: string]: unknown };
  /** Character of the stream at which it begins. */
  readonly offset: number;
}

export interface SplitterSink {
  record(raw: RawRecord): void;
  damage(offset: number, why: string): void;
}

/** Most arrays of batches inside each other. */
const MAX_BATCH_DEPTH = 8;
const BATCH_NAMES: ReadonlySet<string> = new Set(BATCH_KEYS);
/** How far ahead a tag or the first line is looked at before the decision is made. */
const LOOK_AHEAD = 64 * 1024;

type Step = 'go' | 'more';

/**
 * Cuts a stream of text into records, whatever envelope it has: NDJSON, arrays, batches, pretty-printed or concatenated JSON, Event
 * XML with or without a root, CSV, classic text. It holds one record at most (1 MiB) and looks at each character a fixed
 * number of times.
 *
 * A record that is damaged loses the line it begins on and nothing else: reading goes on at the next line.
 */
export class RecordSplitter {
  private readonly sink: SplitterSink;
  private buffer = '';
  private pending = '';
  private hasDamage = false;
  private at = 0;
  /** Characters dropped from the front of the buffer so far. */
  private dropped = 0;
  private ended = false;
  private mode: 'start' | 'structured' | 'csv' | 'text' = 'start';
  private span: JsonSpan | undefined;
  /** Open batch arrays: for each, how many objects around it are still to be closed after it. */
  private readonly batches: number[] = [];
  /** The span that is no record but what follows a batch in the object around it. */
  private tail: JsonSpan | undefined;
  private skippingLine = false;
  private junkAt: number | undefined;
  private delimiter = ',';
  private table: CsvTable | undefined;
  private textStart: number | undefined;

  constructor(sink: SplitterSink) {
    this.sink = sink;
  }

  push(chunk: string): void {
    this.pending += chunk;
    // A record that is not all here may be looked at again; growing by an eighth in between keeps that linear in its length.
    if (this.pending.length * 8 < this.buffer.length - this.at) return;
    this.take();
    this.run();
  }

  /** No more text will come: gives out what is complete and reports what is not. */
  end(): void {
    this.take();
    this.ended = true;
    this.run();
    this.noteJunkEnd();
    if (this.span) this.damage(this.dropped + this.span.start, 'cut off at the end');
    else if (this.batches.length > 0 && !this.hasDamage)
      this.damage(this.dropped + this.at, 'array cut off at the end');
    this.span = undefined;
  }

  private run(): void {
    while (this.step() === 'go') {
      // Each step moves on or asks for more.
    }
  }

  private step(): Step {
    if (this.mode === 'start') return this.sniff();
    if (this.mode === 'csv') return this.csvStep();
    if (this.mode === 'text') return this.textStep();
    if (this.span) return this.spanStep(this.span);
    if (this.skippingLine) return this.skipLine();
    return this.topStep();
  }

  /** Tells tables and classic text, which have no brackets, by their first line. */
  private sniff(): Step {
    this.at = skipBlank(this.buffer, this.at);
    const first = this.buffer[this.at];
    if (first === undefined) return 'more';
    if (first === '{' || first === '[' || first === '<') return this.enter('structured');
    const line = this.line();
    if (line === undefined && this.buffer.length - this.at < LOOK_AHEAD) return 'more';
    const text = line ?? '';
    if (isClassicStart(text)) return this.enter('text');
    const delimiter = csvDelimiter(text);
    if (delimiter === undefined) return this.enter('structured');
    this.delimiter = delimiter;
    return this.enter('csv');
  }

  private enter(mode: 'structured' | 'csv' | 'text'): Step {
    this.mode = mode;
    return 'go';
  }

  // --- JSON and XML --------------------------------------------------------------------------------------------------

  private topStep(): Step {
    const { buffer } = this;
    this.at = skipFiller(buffer, this.at);
    const first = buffer[this.at];
    if (first === undefined) return 'more';
    if (first === '{') {
      this.noteJunkEnd();
      this.span = new JsonSpan(this.at, BATCH_NAMES);
      return 'go';
    }
    if (first === '[' && this.batches.length < MAX_BATCH_DEPTH) {
      this.batches.push(0);
      this.at++;
      return 'go';
    }
    if (first === ']' && this.batches.length > 0) return this.closeBatch();
    if (first === '<') return this.markup();
    return this.otherLine();
  }

  private spanStep(span: JsonSpan): Step {
    const state = span.advance(this.buffer);
    if (state === 'more') return 'more';
    this.span = undefined;
    if (state === 'done') {
      if (this.tail === span) this.tail = undefined;
      else this.sink.record({ text: this.buffer.slice(span.start, span.at), offset: this.dropped + span.start });
      this.at = span.at;
      return 'go';
    }
    if (span.batch && span.why.startsWith('longer')) {
      // A batch larger than any record may be: give out its elements one by one.
      this.batches.push(span.batch.depth);
      this.at = span.batch.at;
      return 'go';
    }
    this.damage(this.dropped + span.start, span.why);
    this.resume(span);
    return 'go';
  }

  /** Goes on behind a damaged object: at the line after the one it began on, or where the next object begins on the same line. */
  private resume(span: JsonSpan): void {
    const newline = this.buffer.indexOf('\n', span.start);
    if (newline >= 0 && newline <= span.at) this.at = newline + 1;
    else if (this.buffer[span.at] === '{' && span.at > span.start) this.at = span.at;
    else {
      this.at = span.at;
      this.skippingLine = true;
    }
  }

  /** The end of a batch; the rest of the objects around it holds no records. */
  private closeBatch(): Step {
    const around = this.batches.pop() ?? 0;
    this.at++;
    if (around > 0) {
      this.tail = JsonSpan.tail(this.at, around);
      this.span = this.tail;
    }
    return 'go';
  }

  private markup(): Step {
    const { buffer, at } = this;
    if (buffer.length - at < 10 && !this.ended) return 'more';
    if (isEventTag(buffer, at)) {
      this.noteJunkEnd();
      return this.xmlEvent();
    }
    if (buffer.startsWith('<!--', at)) return this.skipTo('-->');
    if (buffer.startsWith('<?', at)) return this.skipTo('?>');
    if (buffer.startsWith('<!', at) || /^<\/?[A-Za-z]/.test(buffer.slice(at, at + 3))) return this.skipTo('>');
    return this.otherLine();
  }

  private xmlEvent(): Step {
    const { buffer, at } = this;
    const end = buffer.indexOf('</Event>', at + 1);
    const again = nextEventTag(buffer, at + 1, end < 0 ? buffer.length : end);
    if (again >= 0) {
      this.damage(this.dropped + at, 'cut off');
      this.at = again;
      return 'go';
    }
    if (end >= 0 && end - at <= MAX_RECORD_CHARS) {
      this.sink.record({ text: buffer.slice(at, end + 8), offset: this.dropped + at });
      this.at = end + 8;
      return 'go';
    }
    if (buffer.length - at > MAX_RECORD_CHARS) {
      this.damage(this.dropped + at, 'longer than 1 MiB');
      this.at = end >= 0 ? end + 8 : buffer.length;
      return 'go';
    }
    if (!this.ended) return 'more';
    this.damage(this.dropped + at, 'cut off at the end');
    this.at = buffer.length;
    return 'more';
  }

  private skipTo(mark: string): Step {
    const end = this.buffer.indexOf(mark, this.at);
    if (end >= 0) {
      this.at = end + mark.length;
      return 'go';
    }
    if (this.ended || this.buffer.length - this.at > LOOK_AHEAD) {
      this.skippingLine = true;
      return 'go';
    }
    return 'more';
  }

  /** A line that begins with neither bracket: a syslog header before a record, an element of an array, or junk. */
  private otherLine(): Step {
    const line = this.line();
    if (line === undefined && this.buffer.length - this.at < LOOK_AHEAD) return 'more';
    const text = line ?? this.buffer.slice(this.at, this.at + LOOK_AHEAD);
    if (isClassicStart(text)) return this.enter('text');
    const inner = firstOf(text.indexOf('{"'), text.indexOf('<Event '), text.indexOf('<Event>'));
    if (inner > 0) {
      this.at += inner;
      return 'go';
    }
    this.junkAt ??= this.dropped + this.at;
    this.skippingLine = true;
    return 'go';
  }

  /** Lines of junk in a row are one damaged place. */
  private noteJunkEnd(): void {
    if (this.junkAt !== undefined) this.damage(this.junkAt, 'not a record');
    this.junkAt = undefined;
  }

  private skipLine(): Step {
    const newline = this.buffer.indexOf('\n', this.at);
    this.at = newline < 0 ? this.buffer.length : newline + 1;
    if (newline < 0) return 'more';
    this.skippingLine = false;
    return 'go';
  }

  // --- tables --------------------------------------------------------------------------------------------------------

  private csvStep(): Step {
    if (this.at >= this.buffer.length) return 'more';
    if (this.buffer[this.at] === '\n' || this.buffer[this.at] === '\r') {
      this.at++;
      return 'go';
    }
    const read = readRow(this.buffer, this.at, this.delimiter, this.ended);
    if (read.kind === 'more') return 'more';
    const offset = this.dropped + this.at;
    if (read.kind === 'damaged') return this.csvDamage(offset, read.why);
    if (!this.table) {
      this.table = new CsvTable(read.row.cells);
      this.at = read.row.end;
      return 'go';
    }
    const row = this.table.object(read.row.cells);
    if (!row) return this.csvDamage(offset, 'another number of columns than the header');
    this.sink.record({ row, offset });
    this.at = read.row.end;
    return 'go';
  }

  private csvDamage(offset: number, why: string): Step {
    this.damage(offset, why);
    return this.skipLine();
  }

  // --- classic text --------------------------------------------------------------------------------------------------

  /** An event lasts until the line on which the next one begins. */
  private textStep(): Step {
    const newline = this.buffer.indexOf('\n', this.at);
    const isWhole = newline >= 0 || (this.ended && this.at < this.buffer.length);
    if (!isWhole) {
      if (this.ended || this.buffer.length - this.at > MAX_RECORD_CHARS) this.flushText(this.buffer.length);
      return 'more';
    }
    const end = newline < 0 ? this.buffer.length : newline;
    const line = this.buffer.slice(this.at, end);
    const isStart = isClassicStart(line) && !this.isHeaderOfCurrent(line);
    if (isStart) this.flushText(this.at);
    this.textStart ??= this.at;
    this.at = newline < 0 ? end : end + 1;
    if (this.at - this.textStart > MAX_RECORD_CHARS) this.flushText(this.at);
    return 'go';
  }

  /** Gives out the event that ends here. */
  private flushText(end: number): void {
    const start = this.textStart;
    this.textStart = undefined;
    if (start === undefined) return;
    if (end - start > MAX_RECORD_CHARS) this.damage(this.dropped + start, 'longer than 1 MiB');
    else if (this.buffer.slice(start, end).trim() !== '') {
      this.sink.record({ text: this.buffer.slice(start, end), offset: this.dropped + start });
    }
  }

  /** `LogName=` begins an event only where no date line did just before. */
  private isHeaderOfCurrent(line: string): boolean {
    if (this.textStart === undefined || !line.startsWith('LogName=')) return false;
    return CLASSIC_DATE.test(this.buffer.slice(this.textStart, this.at).trim());
  }

  // --- the buffer ----------------------------------------------------------------------------------------------------

  /** The line at `at` without its break; undefined while it is not all here. */
  private line(): string | undefined {
    const newline = this.buffer.indexOf('\n', this.at);
    if (newline >= 0) return this.buffer.slice(this.at, newline);
    return this.ended && this.at < this.buffer.length ? this.buffer.slice(this.at) : undefined;
  }

  private damage(offset: number, why: string): void {
    this.hasDamage = true;
    this.sink.damage(offset, why);
  }

  /** Drops what has been dealt with and takes in what is pending. */
  private take(): void {
    const keepFrom = this.textStart ?? this.span?.start ?? this.at;
    this.buffer = this.buffer.slice(keepFrom) + this.pending;
    this.pending = '';
    this.dropped += keepFrom;
    this.at -= keepFrom;
    this.span?.shift(keepFrom);
    if (this.textStart !== undefined) this.textStart -= keepFrom;
  }
}

const isClassicStart = (line: string): boolean => {
  const text = line.trimEnd();
  return text.length <= 40 && (CLASSIC_DATE.test(text) || WEVTUTIL_START.test(text) || text.startsWith('LogName='));
};

const firstOf = (...positions: readonly number[]): number => {
  const found = positions.filter((position) => position >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
};

function skipBlank(buffer: string, from: number): number {
  let at = from;
  while (at < buffer.length && isBlank(buffer.charCodeAt(at))) at++;
  return at;
}

/** Blanks, commas between elements, and the record separator of RFC 7464. */
function skipFiller(buffer: string, from: number): number {
  let at = from;
  while (at < buffer.length) {
    const code = buffer.charCodeAt(at);
    if (!isBlank(code) && code !== 0x2c && code !== 0x1e) break;
    at++;
  }
  return at;
}

const isBlank = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xfeff;

/** `<Event>`, `<Event …>` but not `<Events>` or `<EventData>`. */
function isEventTag(buffer: string, at: number): boolean {
  if (!buffer.startsWith('<Event', at)) return false;
  const next = buffer.charCodeAt(at + 6);
  return next === 0x3e || next <= 0x20;
}

function nextEventTag(buffer: string, from: number, to: number): number {
  let at = buffer.indexOf('<Event', from);
  while (at >= 0 && at < to) {
    if (isEventTag(buffer, at)) return at;
    at = buffer.indexOf('<Event', at + 6);
  }
  return -1;
}
