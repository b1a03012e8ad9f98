import { MAX_JSON_DEPTH, MAX_RECORD_CHARS } from './json-object.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** An array whose elements may be given out one by one. */
export interface Elements {
  /** Where they begin. */
  at: number;
  /** What is open around it, from the outside: true for an array. */
  readonly around: readonly boolean[];
}

/** Rows of a table, each an array of values, and the array that names their columns. */
export interface Rows extends Elements {
  readonly columns: { from: number; to: number | undefined };
}

/** Objects and arrays around a batch, or around the rows of a table, at most. */
const MAX_AROUND = 4;
/** Names of the columns of a table, and of its rows. */
const COLUMNS: ReadonlySet<string> = new Set(['columns', 'Columns']);
const ROWS: ReadonlySet<string> = new Set(['rows', 'Rows', 'values']);

export type SpanState = 'more' | 'done' | 'damaged';

/**
 * Finds the end of one JSON object in text that arrives in pieces, without parsing it. It knows just enough grammar to see
 * that an object was cut off and another began: a raw line break inside a string, a value where none may stand, a closer that
 * does not fit. Positions are relative to the buffer the caller keeps; `shift` follows when it drops text from its front.
 */
export class JsonSpan {
  /** First character of the object. */
  start: number;
  /** Next character to look at; after `done`, one past the object. */
  at: number;
  why = '';
  /** Damaged only in that it is longer, or deeper, than a record may be. */
  isOverCap = false;
  /** First array that holds objects under one of the batch names, if any. */
  batch: Elements | undefined;
  /** First array under the name of rows, in an object that named its columns before. */
  rows: Rows | undefined;

  private readonly batchKeys: ReadonlySet<string>;
  private readonly isArray: boolean[] = [];
  private inString = false;
  private previous = COLON;
  private keyStart = 0;
  private keyEnd = 0;
  /** The array of columns of the object that is open, and how many objects and arrays are around it. */
  private columns: { from: number; to: number | undefined; readonly depth: number } | undefined;

  constructor(start: number, batchKeys: ReadonlySet<string>) {
    this.start = start;
    this.at = start;
    this.batchKeys = batchKeys;
  }

  /** The rest of objects and arrays (true), from the outside, whose last value has just ended. */
  static tail(start: number, around: readonly boolean[]): JsonSpan {
    const span = new JsonSpan(start, new Set());
    span.isArray.push(...around);
    span.previous = CLOSE_ARRAY;
    return span;
  }

  shift(dropped: number): void {
    this.start -= dropped;
    this.at -= dropped;
    this.keyStart -= dropped;
    this.keyEnd -= dropped;
    if (this.batch) this.batch.at -= dropped;
    if (this.rows) this.rows.at -= dropped;
    if (this.columns) {
      this.columns.from -= dropped;
      if (this.columns.to !== undefined) this.columns.to -= dropped;
    }
  }

  advance(buffer: string): SpanState {
    const limit = Math.min(buffer.length, this.start + MAX_RECORD_CHARS);
    while (this.at < limit) {
      const code = buffer.charCodeAt(this.at);
      if (this.inString) {
        if (!this.inside(buffer, limit)) return this.why === '' ? 'more' : 'damaged';
      } else if (code > 0x20) {
        const state = this.token(buffer, code);
        if (state !== 'more') return state;
      } else this.at++;
    }
    if (this.at - this.start < MAX_RECORD_CHARS) return 'more';
    this.isOverCap = true;
    return this.fail('longer than 1 MiB');
  }

  /** Goes through a string; false when the buffer or the record ends in it. */
  private inside(buffer: string, limit: number): boolean {
    while (this.at < limit) {
      const code = buffer.charCodeAt(this.at);
      if (code === QUOTE) {
        this.inString = false;
        this.keyEnd = this.at;
        this.at++;
        return true;
      }
      if (code === BACKSLASH) {
        if (this.at + 1 >= buffer.length) return false;
        this.at++;
      } else if (code === NEWLINE || code === RETURN) {
        this.fail('cut off inside a string');
        return false;
      }
      this.at++;
    }
    return true;
  }

  private token(buffer: string, code: number): SpanState {
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) return this.open(buffer, code);
    if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      if (this.isArray.pop() !== (code === CLOSE_ARRAY)) return this.fail('brackets do not match');
      this.closed();
    } else if (code === QUOTE) {
      this.inString = true;
      this.keyStart = this.at + 1;
    }
    this.previous = code;
    this.at++;
    return this.isArray.length === 0 ? 'done' : 'more';
  }

  private open(buffer: string, code: number): SpanState {
    const inArray = this.isArray.at(-1) === true;
    const mayStand = this.previous === COLON || (inArray && (this.previous === COMMA || this.previous === OPEN_ARRAY));
    if (!mayStand) return this.fail('cut off');
    if (this.isArray.length >= MAX_JSON_DEPTH) {
      this.isOverCap = true;
      return this.fail(`nested deeper than ${MAX_JSON_DEPTH}`);
    }
    if (code === OPEN_ARRAY && !inArray && this.isArray.length <= MAX_AROUND) {
      this.named(buffer.slice(this.keyStart, this.keyEnd));
    }
    this.isArray.push(code === OPEN_ARRAY);
    this.previous = code;
    this.at++;
    return 'more';
  }

  private closed(): void {
    const { columns } = this;
    if (columns === undefined) return;
    if (this.isArray.length < columns.depth) this.columns = undefined;
    else if (this.isArray.length === columns.depth) columns.to ??= this.at + 1;
  }

  /** An array begins under a name. */
  private named(name: string): void {
    const depth = this.isArray.length;
    const at = this.at + 1;
    if (this.batch === undefined && this.batchKeys.has(name)) this.batch = { at, around: [...this.isArray] };
    if (this.rows !== undefined) return;
    if (COLUMNS.has(name)) this.columns = { from: this.at, to: undefined, depth };
    else if (ROWS.has(name) && this.columns?.depth === depth && this.columns.to !== undefined) {
      this.rows = { at, around: [...this.isArray], columns: this.columns };
    }
  }

  private fail(why: string): 'damaged' {
    this.why = why;
    return 'damaged';
  }
}
