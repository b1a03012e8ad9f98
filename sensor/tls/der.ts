import { createRequire } from 'node:module';
import type { asn1 } from 'node-forge';
import { ByteCursor } from '../base/cursor.ts';
import type { Fault } from '../base/outcome.ts';

/** An ASN.1 value as node-forge reads it: primitive values are strings with one character per byte. */
export type DerNode = asn1.Asn1;

/** Universal and context-specific tags that certificates use, identifier octet included. */
export const DerTag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Values nested deeper than any certificate (RFC 5280 needs 8). */
const MAX_DEPTH = 16;
/** Values in one certificate, those inside OCTET STRINGs not counted. Real ones stay below 400. */
const MAX_ELEMENTS = 2_000;
/** Length octets of the long form: 4 GiB is more than any handshake message. */
const MAX_LENGTH_OCTETS = 4;

const require = createRequire(import.meta.url);
let forgeAsn1: typeof asn1 | undefined;

/** node-forge's ASN.1 reader, loaded with the first certificate: it takes 18 ms that most runs of the program need not pay. */
function loadForge(): typeof asn1 {
  forgeAsn1 ??= require('node-forge/lib/asn1.js') as typeof asn1;
  return forgeAsn1;
}

/** Loads what reading certificates takes, for a process that will soon be unable to read its own files. */
export const prepareDer = (): void => void loadForge();

/**
 * Reads one DER value that fills bytes[start, end) exactly. Its shape is measured first, in linear time and without
 * allocating, so that neither depth nor number of values can make the reader recurse or slow.
 */
export function readDer(bytes: Uint8Array, start: number, end: number): DerNode | Fault {
  const fault = measureDer(bytes, start, end);
  if (fault !== undefined) return fault;
  const text = Buffer.prototype.latin1Slice.call(bytes, start, end);
  try {
    return loadForge().fromDer(text, {
      strict: true,
      parseAllBytes: true,
      decodeBitStrings: false,
    } as unknown as boolean);
  } catch {
    // Whatever the measure did not see and forge refuses; it reports by throwing.
    return 'length-mismatch';
  }
}

/** Whether two values are the same, tags included. Recursion ends with the depth that `readDer` allows. */
export function sameDer(a: DerNode, b: DerNode): boolean {
  if (tagOf(a) !== tagOf(b)) return false;
  if (!Array.isArray(a.value) || !Array.isArray(b.value)) return a.value === b.value;
  const others = b.value;
  return a.value.length === others.length && a.value.every((child, i) => sameDer(child, others[i]!));
}

/** The identifier octet of a value. */
export const tagOf = (node: DerNode): number => node.tagClass | (node.constructed ? 0x20 : 0) | node.type;

/** The values inside a constructed one; none for a primitive one. */
export const childrenOf = (node: DerNode | undefined): readonly DerNode[] =>
  node !== undefined && Array.isArray(node.value) ? node.value : [];

/** The content octets of a primitive value, one character per byte; empty for a constructed one. */
export const contentOf = (node: DerNode | undefined): string =>
  node !== undefined && typeof node.value === 'string' ? node.value : '';

/** Where the DER value that begins at `start` ends by its own length; `end` when that is further off or not readable. */
export function derEnd(bytes: Uint8Array, start: number, end: number): number {
  const value = new ByteCursor(bytes, start, end);
  value.u8();
  const body = derWindow(value);
  return body.short ? end : body.end;
}

/** The value behind a length in short or long form (X.690 §8.1.3); `short` when it does not fit. */
export function derWindow(cursor: ByteCursor): ByteCursor {
  const first = cursor.u8();
  if (first < 0x80) return cursor.window(first);
  let length = first === 0x80 ? Number.NaN : 0; // indefinite is BER, not DER
  for (let octets = first & 0x7f; octets > 0 && !cursor.short; octets--) length = length * 256 + cursor.u8();
  return cursor.window(length);
}

/** Walks tags and lengths only. Undefined when every length fits into the value around it and the caps hold. */
function measureDer(bytes: Uint8Array, start: number, end: number): Fault | undefined {
  const ends = [end];
  let at = start;
  let elements = 0;
  while (ends.length > 0) {
    const enclosing = ends[ends.length - 1]!;
    if (at === enclosing) {
      ends.pop();
      continue;
    }
    if (++elements > MAX_ELEMENTS || ends.length > MAX_DEPTH) return 'over-cap';
    if (enclosing - at < 2) return 'truncated';
    const tag = bytes[at]!;
    const first = bytes[at + 1]!;
    if ((tag & 0x1f) === 0x1f) return 'bad-type'; // multi-octet tags are not used by X.509
    at += 2;
    let length = first;
    if (first >= 0x80) {
      const octets = first & 0x7f;
      if (octets === 0 || octets > MAX_LENGTH_OCTETS) return 'length-mismatch'; // indefinite is BER, not DER
      if (enclosing - at < octets) return 'truncated';
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + bytes[at++]!;
    }
    if (length > enclosing - at) return 'truncated';
    if ((tag & 0x20) !== 0) ends.push(at + length);
    else at += length;
  }
  return undefined;
}
