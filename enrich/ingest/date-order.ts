import { isObject, type JsonObject, own } from './json-object.ts';
import { readTime } from './time-text.ts';

/** Which of the first two numbers of `05/06/2024` is the day: the writer's settings decide, and the text does not say. */
export type DateOrder = 'month-first' | 'day-first';

/** A date with its time, and what follows that. */
const DATE = /^\s*(\d{1,2})([/-])(\d{1,2})\2(\d{4})(,? \d{1,2}:\d\d:\d\d.{0,32})$/s;
const MAX_DATE_CHARS = 48;
/** Names of fields that hold a time; the short ones are those of CEF. */
const TIME_NAME = /time|date|created|generated|^(?:rt|start|end)$/i;
/** Names of times that may be older than the event: those of the process or the file that it is about. */
const OLDER_NAME = /creation|process|parent|file|previous|first/i;
/** Sysmon's own time in the message of an event, which is UTC and of one form everywhere. */
const UTC_IN_TEXT = /UtcTime:\s{0,8}(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)/;
/** How far into a message that is looked for. */
const MESSAGE_CHARS = 4096;
/** Two times of one record lie no further apart than zones and a day's delay. */
const NEAR_MICROS = 38 * 3600 * 1_000_000;

/** The dates of a record that its reader may take in the wrong order, by the names of their fields; undefined when it has none. */
export function datesOf(record: JsonObject): ReadonlyMap<string, string> | undefined {
  let dates: Map<string, string> | undefined;
  for (const name of Object.keys(record)) {
    const value = record[name];
    if (typeof value !== 'string' || !isDate(value) || !TIME_NAME.test(name)) continue;
    dates ??= new Map();
    dates.set(name, value);
  }
  return dates;
}

/** The first line of classic text, when it is such a date. */
export function dateLine(text: string): string | undefined {
  const newline = text.slice(0, MAX_DATE_CHARS + 2).indexOf('\n');
  const line = newline < 0 ? text.slice(0, MAX_DATE_CHARS + 2) : text.slice(0, newline);
  return isDate(line.trimEnd()) ? line : undefined;
}

function isDate(text: string): boolean {
  if (text.length < 12 || text.length > MAX_DATE_CHARS) return false;
  const [second, third] = [text.charCodeAt(1), text.charCodeAt(2)];
  const isSeparated = second === 0x2f || third === 0x2f || second === 0x2d || third === 0x2d;
  return isSeparated && DATE.test(text);
}

/**
 * In which order the dates of a record are: proven by a number above twelve, or by another time of the record that only one
 * reading comes near; `either` when nothing in the record tells; undefined when there is nothing to ask, since both readings are the same day or each date proves its own.
 */
export function orderIn(dates: Iterable<string>, evidence: readonly number[]): DateOrder | 'either' | undefined {
  const found = new Set<DateOrder>();
  let isOpen = false;
  for (const date of dates) {
    const order = orderOf(date);
    if (order === 'either') {
      isOpen = true;
      const near = nearOrder(date, evidence);
      if (near !== undefined) found.add(near);
    } else if (order !== undefined) found.add(order);
  }
  const [only] = found;
  if (found.size === 1 && only !== undefined) return only;
  return isOpen ? 'either' : undefined;
}

function orderOf(date: string): DateOrder | 'either' | undefined {
  const parts = DATE.exec(date);
  if (!parts) return undefined;
  const [first, second] = [Number(parts[1]), Number(parts[3])];
  if (first === second) return undefined;
  if (first > 12) return second > 12 ? undefined : 'day-first';
  return second > 12 ? 'month-first' : 'either';
}

function nearOrder(date: string, evidence: readonly number[]): DateOrder | undefined {
  const isNear = (order: DateOrder): boolean => {
    const micros = readTime(inOrder(date, order))?.micros;
    return micros !== undefined && evidence.some((time) => Math.abs(time - micros) <= NEAR_MICROS);
  };
  const [monthFirst, dayFirst] = [isNear('month-first'), isNear('day-first')];
  if (monthFirst === dayFirst) return undefined;
  return monthFirst ? 'month-first' : 'day-first';
}

/** The times of a record and of the objects in it that can be read in one way only, in epoch microseconds. */
export function evidenceIn(record: JsonObject): number[] {
  const inner = Object.keys(record).map((name) => own(record, name));
  return [record, ...inner.filter(isObject)].flatMap(timesOf);
}

function timesOf(record: JsonObject): number[] {
  const times: number[] = [];
  for (const name of Object.keys(record)) {
    const value = own(record, name);
    const text = typeof value === 'string' ? value : '';
    const isTime = TIME_NAME.test(name) && !OLDER_NAME.test(name) && !isDate(text);
    const time = isTime ? readTime(value)?.micros : utcInText(text);
    if (time !== undefined) times.push(time);
  }
  return times;
}

function utcInText(text: string): number | undefined {
  return readTime(UTC_IN_TEXT.exec(text.slice(0, MESSAGE_CHARS))?.[1])?.micros;
}

/** A date of a known order, with the month first and slashes, as the reader of times takes it. */
export function inOrder(date: string, order: DateOrder): string {
  const parts = DATE.exec(date);
  if (!parts) return date;
  const [, first, , second, year, rest] = parts;
  return order === 'day-first' ? `${second}/${first}/${year}${rest}` : `${first}/${second}/${year}${rest}`;
}

/** The record with its dates as readers expect them: each in the order that it proves itself, else in this one, if it is known. */
export function withDates(
  record: JsonObject,
  dates: ReadonlyMap<string, string>,
  order: DateOrder | undefined,
): JsonObject {
  const ordered = [...dates].map(([name, date]) => {
    const own = orderOf(date);
    const known = own === undefined || own === 'either' ? order : own;
    return [name, known === undefined ? date : inOrder(date, known)];
  });
  return { ...record, ...Object.fromEntries(ordered) };
}
