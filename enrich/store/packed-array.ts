/** A length of 32 bits and what says so. */
const HEAD_BYTES = 5;

/**
 * Values of one script call as one argument: a MessagePack array of strings and whole numbers, which Redis' own
 * `cmsgpack.unpack` reads (specification: array 32, str 32, uint 32). A thousand arguments of a few bytes each cost client
 * and server more than what is done with them.
 */
export class PackedArray {
  /** Written so far; another one when it has grown. */
  bytes: Buffer;
  private used = HEAD_BYTES;
  private count = 0;

  /** @param expected bytes it is thought to take; it doubles when full */
  constructor(expected: number) {
    this.bytes = Buffer.allocUnsafe(HEAD_BYTES + expected);
  }

  /** A whole number from 0 to 2^32 - 1. */
  number(value: number): void {
    const at = this.room(HEAD_BYTES);
    this.bytes[at] = 0xce;
    this.bytes.writeUInt32BE(value, at + 1);
  }

  /** One string of these pieces, one after the other. */
  string(...pieces: readonly Uint8Array[]): void {
    let length = 0;
    for (const piece of pieces) length += piece.length;
    let at = this.place(length);
    for (const piece of pieces) {
      this.bytes.set(piece, at);
      at += piece.length;
    }
  }

  /** One string of so many bytes; they are to be written from this place in `bytes` on. */
  place(length: number): number {
    const at = this.room(HEAD_BYTES + length);
    this.bytes[at] = 0xdb;
    this.bytes.writeUInt32BE(length, at + 1);
    return at + HEAD_BYTES;
  }

  /** The whole array, a view; nothing may be added any more. */
  end(): Buffer {
    this.bytes[0] = 0xdd;
    this.bytes.writeUInt32BE(this.count, 1);
    return this.bytes.subarray(0, this.used);
  }

  /** Where the next value may be written, of so many bytes. */
  private room(length: number): number {
    const at = this.used;
    if (at + length > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.bytes.length, at + length));
      this.bytes.copy(larger, 0, 0, at);
      this.bytes = larger;
    }
    this.used += length;
    this.count++;
    return at;
  }
}
