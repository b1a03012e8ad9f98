import { ipText, isIpv4 } from './ip.ts';
import { clampMicros, MICROS_PER_SECOND, secondText } from './timestamp.ts';

const FIRST_BYTES = 4_096;
/** Bytes of UTF-8 that one UTF-16 unit becomes at most. */
const UTF8_BYTES = 3;
const MICROS_DIGITS = 6;
/** A power of two. */
const KEPT_SECONDS = 64;
/** `2026-11-02T09:15:00.` */
const SECOND_CHARS = 20;
/** Digits of a number below 2^31 whatever they are. */
const BASE36_PART_DIGITS = 5;
const BASE36_PART = 36 ** BASE36_PART_DIGITS;
/** Up to here a loop is faster than a call of `set`. */
const SHORT_BYTES = 24;
/** The longest number, a Float64 in full. */
const NUMBER_BYTES = 25;

/**
 * Builds one JSON text after another as bytes in a buffer that is reused: strings put together and encoded afterwards
 * took five times as long. It writes what it is told; commas and brackets are the caller's.
 */
export class JsonBytes {
  private bytes = Buffer.allocUnsafe(FIRST_BYTES);
  private at = 0;
  /** Seconds whose text is kept, one in each place by its lowest bits. */
  private readonly seconds = new Float64Array(KEPT_SECONDS).fill(-1);
  private readonly secondTexts = new Uint8Array(KEPT_SECONDS * SECOND_CHARS);

  /** Empties the text. */
  begin(): void {
    this.at = 0;
  }

  /** What was written since `begin`; valid until the next call of it. */
  take(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  /** Bytes made before: keys and brackets, or a part that many texts share. */
  raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    if (bytes.length > SHORT_BYTES) this.bytes.set(bytes, this.at);
    else for (let i = 0; i < bytes.length; i++) this.bytes[this.at + i] = bytes[i]!;
    this.at += bytes.length;
  }

  /** Printable ASCII without quotes and backslashes, which the caller vouches for: hexadecimal, names from tables. */
  ascii(text: string): void {
    this.room(text.length);
    const bytes = this.bytes;
    let at = this.at;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.at = at;
  }

  /** Any text as it is, in UTF-8. */
  utf8(text: string): void {
    this.room(UTF8_BYTES * text.length);
    this.at += this.bytes.write(text, this.at);
  }

  /** A string with its quotes, escaped as `JSON.stringify` does it. */
  string(text: string): void {
    this.room(text.length + 2);
    const bytes = this.bytes;
    let at = this.at;
    bytes[at++] = QUOTE;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) {
        this.utf8(JSON.stringify(text));
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.at = at;
  }

  /** A finite number. */
  number(value: number): void {
    if (value >= 0 && value < 2 ** 31 && (value | 0) === value) {
      this.room(NUMBER_BYTES);
      this.digits(value, digitCount(value));
    } else this.ascii(String(value === 0 ? 0 : value)); // -0 is written 0
  }

  /** Characters [from, to) of a base64 text in the alphabet for URLs (RFC 4648 §5). */
  urlSafe(text: string, from: number, to: number): void {
    this.room(to - from);
    const bytes = this.bytes;
    let at = this.at;
    for (let i = from; i < to; i++) {
      const code = text.charCodeAt(i);
      bytes[at++] = code === PLUS ? HYPHEN : code === SLASH ? UNDERSCORE : code;
    }
    this.at = at;
  }

  /** A whole number as `toString(36)` writes it. */
  base36(value: number): void {
    if (!(value >= BASE36_PART && value < BASE36_PART ** 2)) {
      this.ascii(value.toString(36));
      return;
    }
    // In two parts: integers beyond 32 bits are divided ten times as slowly.
    const high = Math.floor(value / BASE36_PART);
    let count = 1;
    for (let limit = 36; limit <= high && count < BASE36_PART_DIGITS; limit *= 36) count++;
    this.room(count + BASE36_PART_DIGITS);
    this.digits36(high, count);
    this.digits36(value - high * BASE36_PART, BASE36_PART_DIGITS);
  }

  /** As `formatMicros`, without quotes. */
  time(micros: number): void {
    const safe = clampMicros(micros);
    const second = Math.floor(safe / MICROS_PER_SECOND);
    const from = this.secondAt(second);
    this.room(SECOND_CHARS + MICROS_DIGITS + 1);
    for (let i = 0; i < SECOND_CHARS; i++) this.bytes[this.at + i] = this.secondTexts[from + i]!;
    this.at += SECOND_CHARS;
    this.digits(safe - second * MICROS_PER_SECOND, MICROS_DIGITS);
    this.bytes[this.at++] = 0x5a;
  }

  /** Where in `secondTexts` the text of a second stands. */
  private secondAt(second: number): number {
    const place = second & (KEPT_SECONDS - 1);
    const from = place * SECOND_CHARS;
    if (this.seconds[place] !== second) {
      this.seconds[place] = second;
      const text = secondText(second);
      for (let i = 0; i < SECOND_CHARS; i++) this.secondTexts[from + i] = text.charCodeAt(i);
    }
    return from;
  }

  /** As `ipText`, without quotes. */
  ip(w0: number, w1: number, w2: number, w3: number): void {
    if (!isIpv4(w0, w1, w2)) {
      this.ascii(ipText(w0, w1, w2, w3));
      return;
    }
    this.room(16);
    for (let shift = 24; shift >= 0; shift -= 8) {
      const octet = (w3 >>> shift) & 255;
      this.digits(octet, digitCount(octet));
      if (shift > 0) this.bytes[this.at++] = DOT;
    }
  }

  private digits(value: number, count: number): void {
    const bytes = this.bytes;
    let rest = value;
    for (let at = this.at + count - 1; at >= this.at; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = ZERO + rest - 10 * tenth;
      rest = tenth;
    }
    this.at += count;
  }

  private digits36(value: number, count: number): void {
    let rest = value;
    for (let at = this.at + count - 1; at >= this.at; at--) {
      const part = (rest / 36) | 0;
      const digit = rest - 36 * part;
      this.bytes[at] = digit < 10 ? ZERO + digit : LETTER_A + digit - 10;
      rest = part;
    }
    this.at += count;
  }

  private room(size: number): void {
    if (this.at + size <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.at + size, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes = larger;
  }
}

/** Decimal digits of a whole number from 0 to 2^31 - 1. */
function digitCount(value: number): number {
  if (value < 1e5) return value < 10 ? 1 : value < 100 ? 2 : value < 1e3 ? 3 : value < 1e4 ? 4 : 5;
  return value < 1e6 ? 6 : value < 1e7 ? 7 : value < 1e8 ? 8 : value < 1e9 ? 9 : 10;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const ZERO = 0x30;
const LETTER_A = 0x61;
const PLUS = 0x2b;
const HYPHEN = 0x2d;
const SLASH = 0x2f;
const UNDERSCORE = 0x5f;
