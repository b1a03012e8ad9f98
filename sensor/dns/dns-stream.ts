import { GrowingBuffer } from '../base/growing-buffer.ts';

/** Longest message that is read; answers with addresses are far below. */
const MAX_MESSAGE_BYTES = 16_384;
const LENGTH_BYTES = 2;

/**
 * The server's side of DNS over TCP: messages with a length of two bytes before each (RFC 1035 §4.2.2, RFC 7766 §8).
 * Segments must come in order; after a hole the stream says no more, since nothing marks where a message begins.
 */
export class DnsStream {
  /** A hole or a message over the cap came: the rest is not read. */
  lost = false;
  private next: number;
  private readonly held = new GrowingBuffer(LENGTH_BYTES + MAX_MESSAGE_BYTES, 512);

  /** @param next sequence number of the next payload byte */
  constructor(next: number) {
    this.next = next | 0;
  }

  /** Payload of one segment; `deliver` is given each whole message, valid during the call. */
  push(
    seq: number,
    bytes: Uint8Array,
    from: number,
    end: number,
    deliver: (bytes: Uint8Array, start: number, end: number) => void,
  ): void {
    const ahead = (seq - this.next) | 0;
    if (ahead > 0) this.lost = true;
    let start = from - Math.min(0, ahead);
    if (this.lost || start >= end) return;
    this.next = (this.next + (end - start)) | 0;
    while (start < end && !this.lost) {
      start += this.held.append(bytes, start, end);
      this.deliverWhole(deliver);
    }
  }

  private deliverWhole(deliver: (bytes: Uint8Array, start: number, end: number) => void): void {
    const { bytes, length } = this.held;
    let at = 0;
    while (length - at >= LENGTH_BYTES) {
      const size = (bytes[at]! << 8) | bytes[at + 1]!;
      if (size > MAX_MESSAGE_BYTES) {
        this.lost = true;
        this.held.release();
        return;
      }
      if (length - at < LENGTH_BYTES + size) break;
      deliver(bytes, at + LENGTH_BYTES, at + LENGTH_BYTES + size);
      at += LENGTH_BYTES + size;
    }
    if (at === 0) return;
    bytes.copyWithin(0, at, length);
    this.held.length = length - at;
  }
}
