import { GrowingBuffer } from '../base/growing-buffer.ts';
import { MAX_CERTIFICATE_BYTES } from './certificate.ts';
import { type HandshakeMessages, MAX_HELLO_BYTES } from './handshake-messages.ts';
import { PartialHeader } from './partial-header.ts';

/** type(1) and length(3), RFC 8446 §4. */
const HEADER_BYTES = 4;
/** No message is collected beyond the cap of its type. */
const MAX_MESSAGE_BYTES = Math.max(MAX_HELLO_BYTES, MAX_CERTIFICATE_BYTES);
/** First size of a buffer for a message that comes in pieces; it grows with what arrives, never on the peer's word. */
const FIRST_BUFFER_BYTES = 2_048;
/** Memory that is kept for the next such message, bytes: most hellos and certificates fit. */
const KEPT_BUFFER_BYTES = 8_192;

/**
 * Cuts the handshake bytes of one direction into messages. A message that lies whole in one push is handed on where it
 * lies; one that is split is copied; one that nobody wants, or that is over its cap, is passed over without being kept.
 */
export class HandshakeAssembler {
  private readonly messages: HandshakeMessages;
  private readonly header = new PartialHeader();
  private type = 0;
  /** The body that comes in pieces, while `inPieces`. */
  private readonly partial = new GrowingBuffer(MAX_MESSAGE_BYTES, FIRST_BUFFER_BYTES);
  private inPieces = false;
  private bodyLength = 0;
  private skipLeft = 0;

  constructor(messages: HandshakeMessages) {
    this.messages = messages;
  }

  /** True between the first byte of a message and its last. */
  get inMessage(): boolean {
    return this.inPieces || this.skipLeft > 0 || this.header.count > 0;
  }

  /** Bytes of memory held for a message that is not complete. */
  get heldBytes(): number {
    return this.inPieces ? this.partial.bytes.length : 0;
  }

  reset(): void {
    this.header.clear();
    this.endPieces();
    this.skipLeft = 0;
  }

  /** The next handshake bytes in order: bytes[start, end). */
  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.skipLeft > 0) {
        const skipped = Math.min(this.skipLeft, end - at);
        this.skipLeft -= skipped;
        at += skipped;
      } else if (this.inPieces) {
        at = this.append(bytes, at, end);
      } else {
        at = this.header.fill(HEADER_BYTES, bytes, at, end);
        if (this.header.count < HEADER_BYTES) return;
        this.type = Math.floor(this.header.value / 0x1000000);
        this.bodyLength = this.header.value % 0x1000000;
        this.header.clear();
        at = this.begin(bytes, at, end);
      }
    }
  }

  /** The header is complete and the body begins at `at`: decides what becomes of it. */
  private begin(bytes: Uint8Array, at: number, end: number): number {
    const cap = this.messages.capOf(this.type);
    if (this.bodyLength > cap) {
      if (cap > 0) this.messages.refuse(this.type, 'over-cap');
      this.skipLeft = this.bodyLength;
      return at;
    }
    if (this.bodyLength <= end - at) {
      this.messages.message(this.type, bytes, at, at + this.bodyLength);
      return at + this.bodyLength;
    }
    this.inPieces = true;
    return at;
  }

  private append(bytes: Uint8Array, at: number, end: number): number {
    const { partial } = this;
    const taken = partial.append(bytes, at, Math.min(end, at + this.bodyLength - partial.length));
    if (partial.length === this.bodyLength) {
      this.inPieces = false;
      this.messages.message(this.type, partial.bytes, 0, this.bodyLength);
      this.endPieces();
    }
    return at + taken;
  }

  private endPieces(): void {
    this.inPieces = false;
    if (this.partial.bytes.length > KEPT_BUFFER_BYTES) this.partial.release();
    this.partial.length = 0;
  }
}
