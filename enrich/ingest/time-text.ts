/** A time as a feed wrote it. */
export interface Stamp {
  /** Microseconds since 1970, in the zone the text states, else as if it were UTC. */
  readonly micros: number;
  /** The text states its zone (or is an epoch count). Whether it is right is another matter (FEEDS 11.3). */
  readonly zoned: boolean;
}

/** 1970 and 2200: a time outside is no time of an event. */
const EARLIEST = 1;
const LATEST = Date.UTC(2200, 0, 1) * 1000;
/** Between the FILETIME epoch, 1601, and 1970. */
const FILETIME_OFFSET_MICROS = 11_644_473_600_000_000;

const ISO =
  /^(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,12}))?[ ]?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$/i;
const AMERICAN =
  /^(\d{1,2})\/(\d{1,2})\/(\d{4}),? (\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,12}))?(?: ?([AP]M))?(?: ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?$/i;
/** As a browser's or .NET's American locale spells a date out; the portals of Defender and Kibana export so. */
const SPELLED =
  /^(?:[A-Z]{3,9}, )?([A-Z]{3})[a-z]{0,6} (\d{1,2}), (\d{4}),? (?:at |@ )?(\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,12}))?(?: ?([AP]M))?(?: ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?$/i;
/** As C's asctime writes it, osquery and Snare among others; and as OSSEC does, the year first. */
const ASCTIME =
  /^(?:[A-Z]{3},? )?([A-Z]{3}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4})(?: (Z|UTC|GMT|[+-]\d\d:?\d\d))?$/i;
/** As CEF writes a date out, without a comma; the zone may be `GMT+00:00`. */
const CEF_DATE =
  /^([A-Z]{3}) {1,2}(\d{1,2}) (\d{4}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?(?: ?(?:(?:UTC|GMT)?([+-]\d\d:?\d\d)|(Z|UTC|GMT)))?$/i;
const YEAR_FIRST = /^(\d{4}) ([A-Z]{3}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)$/i;
/** Day first, which the dots tell: .NET in German and its neighbours. */
const DOTTED =
  /^(\d{1,2})\.(\d{1,2})\.(\d{4}),? (\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,12}))?(?: ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?$/i;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** The blanks that newer locale data put before AM and PM. */
const NARROW_BLANKS = /[\u00a0\u202f]/g;
/** Go writes the name of the zone behind its offset. */
const GO_ZONE = /(?<=[+-]\d{4}) [A-Z]{3,5}$/;
/** WMI's form: digits, then minutes east of UTC. */
const DMTF = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{6})(?:([+-])(\d{3}))?$/;
const DOTNET = /^\\?\/Date\((-?\d{1,16})(?:[+-]\d{4})?\)\\?\/$/;
const DIGITS = /^\d{9,20}(?:\.\d{1,9})?$/;

/**
 * Reads a time in any of the forms the feeds use: ISO 8601 with 0 to 12 fraction digits and with or without zone, the American
 * form of Splunk's classic text, dates spelled out (`May 1, 2024 10:00:01 AM`) or dotted (`01.05.2024 10:00:01`), `/Date(ms)/` of ConvertTo-Json, epoch seconds to nanoseconds, and FILETIME.
 */
export function readTime(value: unknown): Stamp | undefined {
  if (typeof value === 'number') return fromCount(value);
  if (typeof value !== 'string' || value.length > 48) return undefined;
  const text = value.trim().replace(GO_ZONE, '');
  const iso = ISO.exec(text);
  if (iso) return build(iso[1], iso[2], iso[3], Number(iso[4]), iso[5], iso[6], iso[7], iso[8]);
  const dmtf = DMTF.exec(text);
  if (dmtf)
    return build(
      dmtf[1],
      dmtf[2],
      dmtf[3],
      Number(dmtf[4]),
      dmtf[5],
      dmtf[6],
      dmtf[7],
      minutesAsZone(dmtf[8], dmtf[9]),
    );
  if (DIGITS.test(text)) return fromCount(Number(text));
  return localeTime(text.replace(NARROW_BLANKS, ' '));
}

/** The forms that people's settings give a date, and .NET's JSON. */
function localeTime(text: string): Stamp | undefined {
  const american = AMERICAN.exec(text);
  if (american) {
    const hour = hourOf(Number(american[4]), american[8]);
    return build(american[3], american[1], american[2], hour, american[5], american[6], american[7], american[9]);
  }
  const spelled = SPELLED.exec(text);
  if (spelled) {
    const month = monthOf(spelled[1]);
    const hour = hourOf(Number(spelled[4]), spelled[8]);
    return build(spelled[3], month, spelled[2], hour, spelled[5], spelled[6], spelled[7], spelled[9]);
  }
  const cef = CEF_DATE.exec(text);
  if (cef) return build(cef[3], monthOf(cef[1]), cef[2], Number(cef[4]), cef[5], cef[6], cef[7], cef[8] ?? cef[9]);
  const ascii = ASCTIME.exec(text);
  if (ascii)
    return build(ascii[6], monthOf(ascii[1]), ascii[2], Number(ascii[3]), ascii[4], ascii[5], undefined, ascii[7]);
  const ossec = YEAR_FIRST.exec(text);
  if (ossec)
    return build(ossec[1], monthOf(ossec[2]), ossec[3], Number(ossec[4]), ossec[5], ossec[6], undefined, undefined);
  const dotted = DOTTED.exec(text);
  if (dotted)
    return build(dotted[3], dotted[2], dotted[1], Number(dotted[4]), dotted[5], dotted[6], dotted[7], dotted[8]);
  const dotnet = DOTNET.exec(text);
  return dotnet ? within(Number(dotnet[1]) * 1000, true) : undefined;
}

/** `-360` as `-06:00`. */
function minutesAsZone(sign: Part, minutes: Part): Part {
  if (sign === undefined) return undefined;
  const total = Number(minutes);
  const two = (count: number): string => `${count}`.padStart(2, '0');
  return `${sign}${two(Math.floor(total / 60))}:${two(total % 60)}`;
}

const monthOf = (name: Part): string => String(MONTHS.indexOf((name ?? '').toLowerCase()) + 1);

/** Microseconds of a time that is UTC by definition, whatever it says. */
export const utcMicros = (value: unknown): number | undefined => readTime(value)?.micros;

type Part = string | undefined;

function build(
  year: Part,
  month: Part,
  day: Part,
  hour: number,
  minute: Part,
  second: Part,
  fraction: Part,
  zone: Part,
): Stamp | undefined {
  const [y, mo, d, mi, s] = [Number(year), Number(month), Number(day), Number(minute), Number(second)];
  if (mo < 1 || mo > 12 || d < 1 || d > 31 || hour > 23 || mi > 59 || s > 60) return undefined;
  const seconds = Date.UTC(y, mo - 1, d, hour, mi, s) / 1000;
  const micros = Number((fraction ?? '').padEnd(6, '0').slice(0, 6));
  return within((seconds - zoneSeconds(zone)) * 1_000_000 + micros, zone !== undefined);
}

function zoneSeconds(zone: Part): number {
  if (zone === undefined || !/^[+-]/.test(zone)) return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const seconds = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2)) * 60;
  return zone.startsWith('-') ? -seconds : seconds;
}

function hourOf(hour: number, half: Part): number {
  if (half === undefined) return hour;
  return (hour % 12) + (half.toUpperCase() === 'PM' ? 12 : 0);
}

/** The unit of an epoch count is told by its magnitude; ranges do not overlap for times after 1973. */
function fromCount(count: number): Stamp | undefined {
  if (!Number.isFinite(count) || count <= 0) return undefined;
  if (count < 1e11) return within(Math.round(count * 1e6), true);
  if (count < 1e14) return within(Math.round(count * 1000), true);
  if (count < 1e17) return within(Math.round(count), true);
  if (count < 1e18) return within(Math.round(count / 10) - FILETIME_OFFSET_MICROS, true);
  return within(Math.round(count / 1000), true);
}

const within = (micros: number, zoned: boolean): Stamp | undefined =>
  micros >= EARLIEST && micros < LATEST ? { micros, zoned } : undefined;
