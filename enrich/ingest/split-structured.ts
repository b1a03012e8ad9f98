import { deviceLineAt } from './cef/device-line.ts';
import { BATCH_KEYS } from './envelope.ts';
import { MAX_RECORD_CHARS, parseJson } from './json-object.ts';
import { JsonSpan } from './json-span.ts';
import { isClassicStart } from './split-classic.ts';
import { columnNames, rowObject } from './table-rows.ts';
import { isBlank, type SplitterSink, type Step, type TextWindow } from './text-window.ts';
import { isAgentLine } from './windows/syslog-line.ts';

/** Most arrays of batches inside each other. */
const MAX_BATCH_DEPTH = 8;
/** How far ahead a tag or the first line is looked at before the decision is made. */
export const LOOK_AHEAD = 64 * 1024;
/** Longest header (of syslog, say) before a record on its line. */
const HEADER_CHARS = 4096;

/** Of batches, and of pages of EDR servers. */
const BATCH_NAMES: ReadonlySet<string> = new Set([...BATCH_KEYS, 'alerts', 'entries']);
/** The line that evtx_dump prints above each record. */
const HEADING = /^Record \d{1,12}\s*$/;
/** Elements that are records: a Windows event, not `Events` or `EventData`, and an agent event of a Trellix triage. */
const ELEMENTS: readonly { readonly open: string; readonly tags: RegExp }[] = [
  { open: '<Event', tags: /<Event[\s>]|<\/Event>/g },
  { open: '<eventItem', tags: /<eventItem[\s>]|<\/eventItem>/g },
];

/** An array whose elements are given out one by one. */
interface Batch {
  /** What is still to be closed after it, from the outside: true for an array. */
  readonly around: readonly boolean[];
  /** Of a table: its elements are rows, arrays of values for these. */
  readonly names?: readonly string[];
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** Cuts JSON (lines, arrays, batches, concatenated, pretty-printed) and Event XML, also mixed and behind line headers. */
export class StructuredSplitter {
  private readonly window: TextWindow;
  private readonly sink: SplitterSink;
  private span: JsonSpan | undefined;
  /** The span that is no record but what follows a batch in the object around it. */
  private tail: JsonSpan | undefined;
  /** Open batch arrays, outermost first. */
  private readonly batches: Batch[] = [];
  private skippingLine = false;
  private junkAt: number | undefined;
  private hasDamage = false;

  constructor(window: TextWindow, sink: SplitterSink) {
    this.window = window;
    this.sink = sink;
  }

  get keepFrom(): number {
    return this.span?.start ?? this.window.at;
  }

  shift(dropped: number): void {
    this.span?.shift(dropped);
  }

  /** `classic` when the stream turns out to be classic text from here on. */
  step(): Step | 'classic' {
    if (this.span) return this.inObject(this.span);
    if (this.skippingLine) {
      this.skippingLine = !this.window.skipLine();
      return this.skippingLine ? 'more' : 'go';
    }
    const { window } = this;
    skipFiller(window);
    const first = window.text[window.at];
    if (first === undefined) return 'more';
    if (first === '{') return this.openObject();
    if (first === '[' && this.batches.at(-1)?.names !== undefined) return this.openRow();
    if (first === '[' && this.batches.length < MAX_BATCH_DEPTH) {
      this.batches.push({ around: [] });
      window.at++;
      return 'go';
    }
    if (first === ']' && this.batches.length > 0) return this.closeBatch();
    return first === '<' ? this.markup() : this.otherLine();
  }

  /** At the end of input: gives up an object that is still open, so that what it swallowed can be read; false when there is none. */
  giveUp(): boolean {
    const { span } = this;
    if (!span) return false;
    this.span = undefined;
    this.damage(span.start, 'cut off at the end');
    this.resume(span);
    return true;
  }

  /** End of input: says what is left open. */
  end(): void {
    this.noteJunk();
    if (this.batches.length > 0 && !this.hasDamage) this.damage(this.window.at, 'array cut off at the end');
  }

  private openObject(): Step {
    this.noteJunk();
    this.span = new JsonSpan(this.window.at, BATCH_NAMES);
    return 'go';
  }

  private inObject(span: JsonSpan): Step {
    const { window } = this;
    const state = span.advance(window.text);
    if (state === 'more') return 'more';
    this.span = undefined;
    const large = state !== 'done' && span.isOverCap ? (this.tableIn(span) ?? span.batch) : undefined;
    if (state === 'done') {
      if (this.tail !== span) this.whole(span);
      window.at = span.at;
    } else if (large !== undefined) {
      // A batch larger than any record may be: give out its elements one by one.
      this.batches.push(large);
      window.at = large.at;
    } else {
      this.damage(span.start, span.why);
      this.resume(span);
    }
    return 'go';
  }

  /** The table that an object holds, when its rows are arrays. */
  private tableIn({ rows }: JsonSpan): (Batch & { readonly at: number }) | undefined {
    if (rows === undefined) return undefined;
    const { text } = this.window;
    const columns = parseJson(text.slice(rows.columns.from, rows.columns.to));
    const names = columns.ok ? columnNames(columns.value) : undefined;
    const isOfArrays = /^\s*\[/.test(text.slice(rows.at, rows.at + LOOK_AHEAD));
    return names && isOfArrays ? { at: rows.at, around: rows.around, names } : undefined;
  }

  private openRow(): Step {
    this.span = new JsonSpan(this.window.at, NO_NAMES);
    return 'go';
  }

  /**
   * Goes on behind a damaged object: at the line after the one it began on, or where another begins on the same line. One that
   * is only too long or too deep was not cut off, so what it holds so far is no record of its own.
   */
  private resume(span: JsonSpan): void {
    const { window } = this;
    const newline = window.text.slice(span.start, span.at).indexOf('\n');
    if (newline >= 0 && !span.isOverCap) {
      window.at = span.start + newline + 1;
      return;
    }
    window.at = span.at;
    this.skippingLine = span.isOverCap || window.text[span.at] !== '{' || span.at === span.start;
  }

  /** The end of a batch; the rest of the objects around it holds no records. */
  private closeBatch(): Step {
    const around = this.batches.pop()?.around ?? [];
    this.window.at++;
    if (around.length > 0) {
      this.tail = JsonSpan.tail(this.window.at, around);
      this.span = this.tail;
    }
    return 'go';
  }

  private markup(): Step | 'classic' {
    const { window } = this;
    const { text, at } = window;
    if (window.left < 12 && !window.ended) return 'more';
    const element = ELEMENTS.find(({ open }) => isTag(text, at, open));
    if (element) {
      this.noteJunk();
      return this.xmlEvent(element.tags);
    }
    if (text.startsWith('<!--', at)) return this.skipTo('-->');
    if (text.startsWith('<?', at)) return this.skipTo('?>');
    return text.startsWith('<!', at) || /^<\/?[A-Za-z]/.test(text.slice(at, at + 3))
      ? this.skipTo('>')
      : this.otherLine();
  }

  /** An event ends at its end tag; another start tag before that says that it was cut off. */
  private xmlEvent(tags: RegExp): Step {
    const { window } = this;
    const { text, at } = window;
    tags.lastIndex = at + 1;
    const next = tags.exec(text);
    const isEnd = next?.[0].startsWith('</') === true;
    if (next !== null && !isEnd) {
      this.damage(at, 'cut off');
      window.at = next.index;
    } else if (next !== null && next.index - at <= MAX_RECORD_CHARS) {
      window.at = tags.lastIndex;
      this.record(at, window.at);
    } else if (next !== null || window.left > MAX_RECORD_CHARS) {
      this.damage(at, 'longer than 1 MiB');
      window.at = next === null ? text.length : tags.lastIndex;
    } else if (window.ended) {
      this.damage(at, 'cut off at the end');
      window.at = text.length;
    } else return 'more';
    return 'go';
  }

  private skipTo(mark: string): Step {
    const { window } = this;
    const end = window.text.indexOf(mark, window.at);
    if (end >= 0) {
      window.at = end + mark.length;
      return 'go';
    }
    this.skippingLine = window.ended || window.left > LOOK_AHEAD;
    return this.skippingLine ? 'go' : 'more';
  }

  /** A line that begins with no bracket: a header before a record (syslog), an element of an array, or junk. */
  private otherLine(): Step | 'classic' {
    const { window } = this;
    const seen = window.text.slice(window.at, window.at + HEADER_CHARS);
    const newline = seen.indexOf('\n');
    if (newline < 0 && seen.length < HEADER_CHARS && !window.ended) return 'more';
    const line = newline < 0 ? seen : seen.slice(0, newline);
    if (isClassicStart(line)) return 'classic';
    if (isAgentLine(line) || deviceLineAt(line) >= 0) return this.agentLine();
    const inner = nearest(line.indexOf('{"'), line.indexOf('<Event '), line.indexOf('<Event>'));
    if (inner > 0) {
      window.at += inner;
      return 'go';
    }
    // Lines of junk in a row are one damaged place.
    if (!HEADING.test(line)) this.junkAt ??= window.offset(window.at);
    this.skippingLine = true;
    return 'go';
  }

  /** A line that is an event in itself, as agents write it for syslog. */
  private agentLine(): Step {
    const { window } = this;
    const line = window.line();
    if (line === undefined && window.left < LOOK_AHEAD && !window.ended) return 'more';
    this.noteJunk();
    this.record(window.at, window.at + (line?.length ?? window.left));
    this.skippingLine = true;
    return 'go';
  }

  private noteJunk(): void {
    if (this.junkAt === undefined) return;
    this.hasDamage = true;
    this.sink.damage(this.junkAt, 'not a record');
    this.junkAt = undefined;
  }

  private whole({ start, at }: JsonSpan): void {
    const names = this.batches.at(-1)?.names;
    if (names !== undefined && this.window.text[start] === '[') this.row(start, at, names);
    else this.record(start, at);
  }

  private row(from: number, to: number, names: readonly string[]): void {
    const row = parseJson(this.window.text.slice(from, to));
    if (!row.ok) this.damage(from, row.why);
    else if (Array.isArray(row.value)) {
      this.sink.record({ row: rowObject(names, row.value), offset: this.window.offset(from) });
    }
  }

  private record(from: number, to: number): void {
    this.sink.record({ text: this.window.text.slice(from, to), offset: this.window.offset(from) });
  }

  private damage(position: number, why: string): void {
    this.hasDamage = true;
    this.sink.damage(this.window.offset(position), why);
  }
}

/** Past blanks, commas between elements, and the record separator of RFC 7464. */
function skipFiller(window: TextWindow): void {
  while (window.at < window.text.length) {
    const code = window.text.charCodeAt(window.at);
    if (!isBlank(code) && code !== 0x2c && code !== 0x1e) return;
    window.at++;
  }
}

const nearest = (...positions: readonly number[]): number => {
  const found = positions.filter((position) => position >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
};

/** `<Event>`, `<Event …>` but not `<Events>` or `<EventData>`. */
function isTag(text: string, at: number, open: string): boolean {
  if (!text.startsWith(open, at)) return false;
  const next = text.charCodeAt(at + open.length);
  return next === 0x3e || next <= 0x20;
}
