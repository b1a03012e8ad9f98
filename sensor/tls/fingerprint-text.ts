import { GenerationCache } from '../base/generation-cache.ts';
import { isGrease } from './grease.ts';

/**
 * Builds the text that a fingerprint hashes. It writes ASCII into one buffer that is reused for every hello: joining arrays
 * of strings instead took three times as long.
 */
export class FingerprintText {
  private bytes = new Uint8Array(4096);
  private length = 0;

  /** Empties the text and makes room for `values` numbers of at most 5 digits, a separator each. */
  begin(values: number): void {
    this.length = 0;
    const need = 6 * values + 32;
    if (need > this.bytes.length) this.bytes = new Uint8Array(need);
  }

  /** One ASCII character. */
  put(character: number): void {
    this.bytes[this.length++] = character;
  }

  /** A number below 65,536 in decimal, without leading zeros. */
  decimal(value: number): void {
    this.length = writeDecimal(this.bytes, this.length, value);
  }

  /** Numbers in decimal joined by `-`; GREASE is left out unless `keepGrease`. */
  decimals(values: readonly number[], keepGrease = false): void {
    const bytes = this.bytes;
    let at = this.length;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!keepGrease && isGrease(value)) continue;
      if (at > this.length) bytes[at++] = DASH;
      at = writeDecimal(bytes, at, value);
    }
    this.length = at;
  }

  /** The first `count` numbers as four lower-case hexadecimal digits each, joined by `,`. */
  hex(values: ArrayLike<number>, count: number): void {
    const bytes = this.bytes;
    let at = this.length;
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      if (i > 0) bytes[at++] = COMMA;
      bytes[at] = HEX_DIGITS[value >> 12]!;
      bytes[at + 1] = HEX_DIGITS[(value >> 8) & 15]!;
      bytes[at + 2] = HEX_DIGITS[(value >> 4) & 15]!;
      bytes[at + 3] = HEX_DIGITS[value & 15]!;
      at += 4;
    }
    this.length = at;
  }

  /** What was written since `begin`. */
  take(): string {
    return Buffer.prototype.latin1Slice.call(this.bytes, 0, this.length);
  }
}

/**
 * Digests of fingerprint texts, remembered because a network repeats a few thousand of them. Texts longer than
 * `MAX_CACHED_TEXT` characters are digested each time, which bounds the memory at about 2 × 2,048 × 1 KiB.
 */
export class DigestCache {
  private readonly digests = new GenerationCache<string>(MAX_CACHED_DIGESTS);
  private readonly digest: (text: string) => string;

  /** @param digest what is remembered of a text */
  constructor(digest: (text: string) => string) {
    this.digest = digest;
  }

  /** The digest of an ASCII text. */
  of(text: string): string {
    const known = this.digests.get(text);
    if (known !== undefined) return known;
    const digest = this.digest(text);
    if (text.length <= MAX_CACHED_TEXT) this.digests.set(text, digest);
    return digest;
  }
}

/** Entries of one of the two generations. */
const MAX_CACHED_DIGESTS = 2_048;
/** Characters. Real hellos stay below 600. */
const MAX_CACHED_TEXT = 1_024;

/** Writes a number below 65,536 and returns where it ends. */
function writeDecimal(bytes: Uint8Array, start: number, value: number): number {
  const digits = value < 10 ? 1 : value < 100 ? 2 : value < 1_000 ? 3 : value < 10_000 ? 4 : 5;
  let rest = value;
  for (let at = start + digits - 1; at >= start; at--) {
    const tenth = (rest / 10) | 0;
    bytes[at] = ZERO + rest - 10 * tenth;
    rest = tenth;
  }
  return start + digits;
}

const ZERO = 0x30;
const DASH = 0x2d;
const COMMA = 0x2c;
const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
