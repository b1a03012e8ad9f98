import { ByteCursor } from '../base/cursor.ts';
import { byteString } from '../base/text.ts';

/** Octets of a name with its length bytes (RFC 1035 §2.3.4). */
const MAX_NAME_OCTETS = 255;
/** Compression pointers followed for one name; resolvers write one. */
const MAX_POINTERS = 16;
const POINTER = 0xc0;
const DOT = 0x2e;

/**
 * Reads a domain name (RFC 1035 §3.1, §4.1.4) and moves `cursor` past it.
 *
 * A compression pointer must point before the part of the name it stands in, so that no chain of them comes back. Undefined
 * when the name breaks a rule, when it is the root, or when a label holds a dot, which text could not show.
 * @param start index of the message's first byte: what pointers count from
 * @returns the labels with dots between them, one character a byte, case as sent
 */
export function readName(cursor: ByteCursor, start: number): string | undefined {
  const labels: string[] = [];
  let part = cursor;
  let lowest = cursor.at;
  let octets = 1; // the root's
  let pointers = 0;
  for (;;) {
    const length = part.u8();
    if (part.short) return undefined;
    if (length === 0) break;
    if (length >= POINTER) {
      const target = start + (((length & 0x3f) << 8) | part.u8());
      if (part.short || target >= lowest || ++pointers > MAX_POINTERS) return undefined;
      part = new ByteCursor(cursor.bytes, target, lowest);
      lowest = target;
      continue;
    }
    octets += length + 1;
    // 0x40 and 0x80 are no label types in use (RFC 6891 §5).
    if (length > 63 || octets > MAX_NAME_OCTETS) return undefined;
    const label = part.take(length);
    if (part.short || label.includes(DOT)) return undefined;
    labels.push(byteString(label, 0, label.length));
  }
  return labels.length === 0 ? undefined : labels.join('.');
}

/** Moves `cursor` past a name without reading it; false when the name breaks a rule. */
export function skipName(cursor: ByteCursor): boolean {
  for (let octets = 0; octets <= MAX_NAME_OCTETS; ) {
    const length = cursor.u8();
    if (cursor.short) return false;
    if (length === 0) return true;
    if (length >= POINTER) {
      cursor.skip(1);
      return !cursor.short;
    }
    if (length > 63) return false;
    cursor.skip(length);
    octets += length + 1;
  }
  return false;
}
