import { isIP } from 'node:net';

/**
 * Bytes from the wire kept as a JavaScript string, one character per byte (U+0000..U+00FF). It is lossless, cheap to
 * compare, and not safe to print: `safeText` makes it so.
 */
export type ByteString = string;

/** A text that may be printed, logged and stored. */
export interface SafeText {
  readonly text: string;
  /** True when bytes outside printable ASCII (or a backslash) were written as `\xNN`. */
  readonly escaped: boolean;
  /** True when the text was longer than the cap; it then ends in `…`. */
  readonly cut: boolean;
}

/** Longest server name kept, characters (RFC 1035 §2.3.4 allows 255 octets). */
export const SERVER_NAME_CAP = 255;

const CUT_MARK = '…';
const HEX = '0123456789abcdef';
/** From this many bytes on, the native decoder is faster than a loop (measured on Node 20). */
const NATIVE_DECODE_BYTES = 24;

/** bytes[start, end) as a string with one character per byte. */
export function byteString(bytes: Uint8Array, start: number, end: number): ByteString {
  if (end - start >= NATIVE_DECODE_BYTES) return Buffer.prototype.latin1Slice.call(bytes, start, end);
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/**
 * Wire bytes as safe text: printable ASCII as it is, every other byte and the backslash as `\xNN`, at most `cap` bytes of
 * input. The result is reversible as long as it was not cut.
 */
export function safeText(raw: ByteString, cap: number): SafeText {
  const cut = raw.length > cap;
  const kept = cut ? raw.slice(0, cap) : raw;
  let clean = 0;
  while (clean < kept.length && isPlain(kept.charCodeAt(clean))) clean++;
  if (clean === kept.length) return { text: cut ? kept + CUT_MARK : kept, escaped: false, cut };

  let text = kept.slice(0, clean);
  for (let i = clean; i < kept.length; i++) {
    const code = kept.charCodeAt(i);
    text += isPlain(code) ? kept[i] : escapeByte(code);
  }
  return { text: cut ? text + CUT_MARK : text, escaped: true, cut };
}

/**
 * Text that was already decoded from Unicode (names in certificates) as safe text: letters, marks, digits, punctuation,
 * symbols and the plain space stay; controls, format characters (bidirectional overrides among them), other spaces,
 * private use and unpaired surrogates become `escapeByte` of each byte of their UTF-8 form.
 */
export function escapeUnsafeUnicode(raw: string, escapeByte: (byte: number) => string): string {
  return raw.replace(UNSAFE_UNICODE, (character) => Array.from(Buffer.from(character, 'utf8'), escapeByte).join(''));
}

const UNSAFE_UNICODE = /[\p{C}\p{Zl}\p{Zp}\u00a0\u2000-\u200a\u202f\u205f\u3000]/gu;

/** Whether the text is a host name as the DNS and TLS use it: LDH labels (and `_`), 253 characters, no empty label. */
export function isHostname(text: string): boolean {
  const length = text.endsWith('.') ? text.length - 1 : text.length;
  if (length < 1 || length > 253) return false;
  let labelStart = 0;
  for (let i = 0; i <= length; i++) {
    const code = i < length ? text.charCodeAt(i) : DOT;
    if (code === DOT) {
      if (i === labelStart || i - labelStart > 63) return false;
      if (text.charCodeAt(labelStart) === HYPHEN || text.charCodeAt(i - 1) === HYPHEN) return false;
      labelStart = i + 1;
    } else if (!isLabelCharacter(code)) return false;
  }
  // Made of label characters, an address can only be dotted decimal, which ends in a digit.
  return !(isDigit(text.charCodeAt(text.length - 1)) && isIpLiteral(text));
}

/** A host name as names are compared and published: lower case, without the root's dot. */
export const plainName = (name: string): string => (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();

/** Whether the text is an IPv4 or IPv6 address, the latter with or without brackets. */
export function isIpLiteral(text: string): boolean {
  if (text.length > 47) return false;
  return isIP(text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text) !== 0;
}

const DOT = 0x2e;
const HYPHEN = 0x2d;
const BACKSLASH = 0x5c;

const isPlain = (code: number): boolean => code >= 0x20 && code < 0x7f && code !== BACKSLASH;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

const isLabelCharacter = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || isDigit(code) || (code >= 0x41 && code <= 0x5a) || code === HYPHEN || code === 0x5f;

const escapeByte = (code: number): string => `\\x${HEX[(code >> 4) & 15]}${HEX[code & 15]}`;
