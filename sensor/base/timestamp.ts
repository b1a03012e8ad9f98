/** Capture times are microseconds since 1970 UTC in a number: exact up to the year 2255. */
export const MICROS_PER_SECOND = 1_000_000;

/**
 * Texts of the seconds used last, one in each place by its lowest bits: a record names four times that lie seconds apart,
 * and formatting a second anew takes ten times as long as the rest.
 */
const CACHED_SECONDS = 64; // a power of two
const cachedSeconds = new Float64Array(CACHED_SECONDS).fill(-1);
const cachedTexts: string[] = new Array(CACHED_SECONDS).fill('');

/** RFC 3339 UTC with microseconds, e.g. `2026-11-02T09:15:00.000123Z`. Out-of-range input is clamped, never thrown. */
export function formatMicros(micros: number): string {
  const safe = clampMicros(micros);
  const second = Math.floor(safe / MICROS_PER_SECOND);
  // A leading 1 keeps the zeros.
  return `${secondText(second)}${String(safe - second * MICROS_PER_SECOND + MICROS_PER_SECOND).slice(1)}Z`;
}

/** The whole microseconds that are formatted for a time: 0 for what is no time before the year 10000. */
export const clampMicros = (micros: number): number =>
  micros >= 0 && micros < 253_402_300_800 * MICROS_PER_SECOND ? Math.floor(micros) : 0;

/** The text of a clamped time up to its decimal point, that included. @param second since 1970 */
export function secondText(second: number): string {
  const place = second & (CACHED_SECONDS - 1); // the rest of a division by doubles is a library call
  if (cachedSeconds[place] !== second) {
    cachedSeconds[place] = second;
    cachedTexts[place] = new Date(second * 1000).toISOString().slice(0, 20);
  }
  return cachedTexts[place]!;
}

/** Seconds parsed last, by their text up to the decimal point: the times of a batch lie close together. */
const parsedSeconds = new Map<string, number>();
const MAX_PARSED_SECONDS = 4_096;

/**
 * Microseconds since 1970 UTC of an RFC 3339 time with any number of fraction digits; undefined when it is none.
 * A time without zone is refused: the caller must say which zone it is in.
 */
export function parseMicros(text: string): number | undefined {
  // As formatMicros writes it: 20 characters, six digits and a Z.
  if (text.length === 27 && text.charCodeAt(26) === 0x5a) {
    const second = parsedSeconds.get(text.slice(0, 20));
    const fraction = second === undefined ? Number.NaN : sixDigits(text, 20);
    if (second !== undefined && fraction >= 0) return second + fraction;
  }
  const micros = parseAny(text);
  if (micros !== undefined && text.length === 27 && text.charCodeAt(19) === 0x2e && text.charCodeAt(26) === 0x5a) {
    if (parsedSeconds.size >= MAX_PARSED_SECONDS) parsedSeconds.clear();
    parsedSeconds.set(text.slice(0, 20), Math.floor(micros / MICROS_PER_SECOND) * MICROS_PER_SECOND);
  }
  return micros;
}

/** The number of six decimal digits; NaN when one of them is none. */
function sixDigits(text: string, at: number): number {
  let number = 0;
  for (let i = at; i < at + 6; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}

function parseAny(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,12}))?\s*(Z|[+-]\d\d:?\d\d)$/i.exec(text);
  if (!match) return undefined;
  const zone = match[4]!.toUpperCase();
  const offset = zone === 'Z' || zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  const millis = Date.parse(`${match[1]}T${match[2]}${offset}`);
  if (Number.isNaN(millis)) return undefined;
  return millis * 1000 + Number((match[3] ?? '').padEnd(6, '0').slice(0, 6));
}
