/**
 * A forward-only reader of little-endian bytes it does not own. Like the wire's cursor it never throws and never leaves its
 * window: the first read that does not fit makes it `short`, and from then on every read gives 0 or nothing.
 */
export class LittleCursor {
  private readonly bytes: Buffer;
  /** Next byte to read, an index into the whole buffer. */
  at: number;
  private readonly end: number;
  short = false;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.end = Math.max(0, Math.min(end, bytes.length));
    this.at = Math.max(0, Math.min(start, this.end));
  }

  get left(): number {
    return this.end - this.at;
  }

  u8(): number {
    const at = this.claim(1);
    return at < 0 ? 0 : this.bytes.readUInt8(at);
  }

  u16(): number {
    const at = this.claim(2);
    return at < 0 ? 0 : this.bytes.readUInt16LE(at);
  }

  u32(): number {
    const at = this.claim(4);
    return at < 0 ? 0 : this.bytes.readUInt32LE(at);
  }

  u64(): bigint {
    const at = this.claim(8);
    return at < 0 ? 0n : this.bytes.readBigUInt64LE(at);
  }

  skip(count: number): void {
    this.claim(count);
  }

  take(count: number): Buffer {
    const at = this.claim(count);
    return at < 0 ? EMPTY : this.bytes.subarray(at, at + count);
  }

  /** `count` UTF-16 units. */
  utf16(count: number): string {
    return this.take(count * 2).toString('utf16le');
  }

  private claim(count: number): number {
    const at = this.at;
    if (this.short || !(count >= 0) || count > this.end - at) {
      this.short = true;
      this.at = this.end;
      return -1;
    }
    this.at = at + count;
    return at;
  }
}

const EMPTY = Buffer.alloc(0);
