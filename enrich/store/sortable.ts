/**
 * Numbers as 8 bytes whose byte order is their numeric order: IEEE 754 big-endian, sign bit flipped when positive, all bits
 * when negative. Any double works, infinities included; -0 is written as 0.
 */
export const SORTABLE_BYTES = 8;

const scratch = Buffer.alloc(SORTABLE_BYTES);

export function writeSortable(target: Buffer, at: number, value: number): void {
  target.writeDoubleBE(value + 0, at); // -0 + 0 is 0
  flip(target, at, (target[at]! & 0x80) === 0);
}

export function readSortable(source: Buffer, at: number): number {
  source.copy(scratch, 0, at, at + SORTABLE_BYTES);
  flip(scratch, 0, (scratch[0]! & 0x80) !== 0);
  return scratch.readDoubleBE(0);
}

export function sortable(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(SORTABLE_BYTES);
  writeSortable(bytes, 0, value);
  return bytes;
}

function flip(bytes: Buffer, at: number, signOnly: boolean): void {
  if (signOnly) {
    bytes[at] = bytes[at]! ^ 0x80;
    return;
  }
  for (let i = at; i < at + SORTABLE_BYTES; i++) bytes[i] = bytes[i]! ^ 0xff;
}

/** The first key after every key that starts with `prefix`; undefined when there is none. */
export function afterPrefix(prefix: Buffer): Buffer | undefined {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  if (end === 0) return undefined;
  const after = Buffer.from(prefix.subarray(0, end));
  after[end - 1] = after[end - 1]! + 1;
  return after;
}
