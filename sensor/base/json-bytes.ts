import { ipText, isIpv4 } from './ip.ts';
import { clampMicros, MICROS_PER_SECOND, secondText } from './timestamp.ts';

const FIRST_BYTES = 4_096;
/** Bytes of UTF-8 that one UTF-16 unit becomes at most. */
const UTF8_BYTES = 3;
const MICROS_DIGITS = 6;
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

  /** As `formatMicros`, without quotes. */
  time(micros: number): void {
    const safe = clampMicros(micros);
    const second = Math.floor(safe / MICROS_PER_SECOND);
    this.ascii(secondText(second));
    this.room(MICROS_DIGITS + 1);
    this.digits(safe - second * MICROS_PER_SECOND, MICROS_DIGITS);
    this.bytes[this.at++] = 0x5a;
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

  private room(size: number): void {
    if (this.at + size <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.at + size, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes = larger;
  }
}

/** Decimal digits of a whole number from 0 to 2^31 - 1. */
function digitCount(value: number): number {
  let count = 1;
  for (let limit = 10; limit <= value && count < 10; limit *= 10) count++;
  return count;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const ZERO = 0x30;
