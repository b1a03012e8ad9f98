import type { HandshakeSink } from '../tls/handshake-events.ts';
import { HandshakeStream } from '../tls/handshake-stream.ts';

/** Chunks that may wait for earlier ones; protocols over UDP send fewer than that without an answer. */
const MAX_WAITING = 32;
/** Bytes of the longest chunk that is kept: what a datagram holds on any link. */
const MAX_CHUNK_BYTES = 2_048;

/** One direction of a TLS connection that comes in numbered chunks, in any order. What comes twice is passed over. */
export class ChunkedTls {
  private readonly stream: HandshakeStream;
  private readonly mask: number;
  private next: number;
  private readonly waiting = new Map<number, Uint8Array>();

  /**
   * @param first number of the first chunk
   * @param mask numbers are counted modulo mask + 1
   */
  constructor(sink: HandshakeSink, first: number, mask: number) {
    this.stream = new HandshakeStream(sink);
    this.next = first;
    this.mask = mask;
  }

  /** True once nothing that comes can matter any more. */
  get done(): boolean {
    return this.stream.done;
  }

  /** True when a record or message has begun and is not complete. */
  get inMessage(): boolean {
    return this.waiting.size > 0 || this.stream.inMessage;
  }

  /** Chunk `number` is bytes[start, end). */
  push(number: number, bytes: Uint8Array, start: number, end: number): void {
    const ahead = ((number - this.next) & this.mask) >>> 0;
    if (ahead === 0) {
      this.take(bytes, start, end);
      for (let held = this.waiting.get(this.next); held; held = this.waiting.get(this.next)) {
        this.waiting.delete(this.next);
        this.take(held, 0, held.length);
      }
    } else if (ahead <= MAX_WAITING && end - start <= MAX_CHUNK_BYTES && !this.waiting.has(number) && !this.done) {
      this.waiting.set(number, bytes.slice(start, end));
    }
  }

  private take(bytes: Uint8Array, start: number, end: number): void {
    this.next = ((this.next + 1) & this.mask) >>> 0;
    this.stream.push(bytes, start, end);
  }
}
