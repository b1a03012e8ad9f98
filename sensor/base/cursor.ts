/**
 * A forward-only reader over bytes it does not own.
 *
 * Reads never throw and never look past `end`. The first read that does not fit makes the cursor `short`; from then on
 * every read returns 0 or an empty view, so a parser may read a whole structure and ask `short` once at the end.
 *
 * Views returned by `take` share memory with the frame: copy or decode them to keep them.
 */
export class ByteCursor {
  readonly bytes: Uint8Array;
  /** Next byte to read, an index into `bytes`. */
  at: number;
  /** One past the last byte that may be read. */
  readonly end: number;
  /** True once any read has asked for more bytes than were left. */
  short = false;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.end = Math.max(0, Math.min(end, bytes.length));
    this.at = Math.max(0, Math.min(start, this.end));
  }

  /** Bytes that can still be read. */
  get left(): number {
    return this.end - this.at;
  }

  u8(): number {
    const at = this.claim(1);
    return at < 0 ? 0 : this.bytes[at]!;
  }

  u16(): number {
    const at = this.claim(2);
    return at < 0 ? 0 : (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  u24(): number {
    const at = this.claim(3);
    return at < 0 ? 0 : (this.bytes[at]! << 16) | (this.bytes[at + 1]! << 8) | this.bytes[at + 2]!;
  }

  u32(): number {
    const at = this.claim(4);
    if (at < 0) return 0;
    const b = this.bytes;
    return ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0;
  }

  /** QUIC variable-length integer (RFC 9000 §16). Values above 2^53 are returned as Infinity. */
  varint(): number {
    const first = this.u8();
    if (this.short) return 0;
    const size = 1 << (first >> 6);
    let value = first & 0x3f;
    for (let i = 1; i < size; i++) value = value * 256 + this.u8();
    if (this.short) return 0;
    return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value;
  }

  skip(count: number): void {
    this.claim(count);
  }

  /** A view of the next `count` bytes; empty (and `short`) when they are not all here. */
  take(count: number): Uint8Array {
    const at = this.claim(count);
    return at < 0 ? EMPTY : this.bytes.subarray(at, at + count);
  }

  /** A cursor over the next `count` bytes; an empty one that is itself `short` when they are not all here. */
  window(count: number): ByteCursor {
    const at = this.claim(count);
    if (at >= 0) return new ByteCursor(this.bytes, at, at + count);
    const empty = new ByteCursor(EMPTY);
    empty.short = true;
    return empty;
  }

  /** TLS vectors `<..2^8-1>`, `<..2^16-1>`, `<..2^24-1>` (RFC 8446 §3.4): a length, then that many bytes. */
  vector8(): ByteCursor {
    return this.window(this.u8());
  }
  vector16(): ByteCursor {
    return this.window(this.u16());
  }
  vector24(): ByteCursor {
    return this.window(this.u24());
  }

  /** Start of the next `count` bytes, or -1 (and `short`) when they are not all here. */
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

const EMPTY = new Uint8Array(0);
