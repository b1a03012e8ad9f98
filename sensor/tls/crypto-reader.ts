import { OffsetBuffer } from '../base/offset-buffer.ts';
import type { ByteString } from '../base/text.ts';
import { readGoogleHello } from './google-quic.ts';
import type { HandshakeSink } from './handshake-events.ts';
import { HandshakeMessages, MAX_HELLO_BYTES } from './handshake-messages.ts';
import { collectCrypto } from './quic-frames.ts';

/** Initial packets decrypted of one side of a conversation. A hello with many keys takes 2 to 4. */
const MAX_INITIALS = 48;
/** CRYPTO data ahead of the first hole (RFC 9000 §7.5 asks for at least 4,096 bytes). */
const CRYPTO_WINDOW_BYTES = 16 * 1024;
/** type(1), length(3) */
const MESSAGE_HEADER_BYTES = 4;

/** The CRYPTO stream of one side's Initial packets: frames in any order become handshake messages. */
export class CryptoReader {
  readonly messages: HandshakeMessages;
  googleServerName: ByteString | undefined;
  private readonly sink: HandshakeSink;
  private readonly data = new OffsetBuffer(MAX_HELLO_BYTES + MESSAGE_HEADER_BYTES, CRYPTO_WINDOW_BYTES);
  /** Where the next message begins. */
  private at = 0;
  private initials = 0;
  private overCap = false;

  constructor(sink: HandshakeSink) {
    this.sink = sink;
    this.messages = new HandshakeMessages(sink, 'tls');
  }

  get inMessage(): boolean {
    return this.heldBytes > 0;
  }

  get heldBytes(): number {
    return this.data.bytes.length;
  }

  /** True when no more packets will be decrypted. */
  get exhausted(): boolean {
    return this.initials >= MAX_INITIALS;
  }

  /** Asks for one more packet to be decrypted. */
  spend(): boolean {
    if (this.exhausted) return false;
    this.initials++;
    return true;
  }

  /** The stream begins again; what was reported stays reported. */
  restart(): void {
    this.data.clear();
    this.at = 0;
  }

  /** Takes the payload of a decrypted Initial. */
  accept(payload: Uint8Array, googleFrames: boolean, googleHello: boolean): void {
    if (this.googleServerName !== undefined) return;
    if (!collectCrypto(payload, googleFrames, this.data) && !this.overCap) {
      this.overCap = true;
      this.sink.bad('stream', 'over-cap');
    }
    if (!googleHello) {
      this.takeMessages();
      return;
    }
    this.googleServerName = readGoogleHello(this.data.bytes, 0, this.data.whole);
    if (this.googleServerName !== undefined) this.data.clear();
  }

  private takeMessages(): void {
    const { bytes, whole } = this.data;
    while (whole - this.at >= MESSAGE_HEADER_BYTES) {
      const body = this.at + MESSAGE_HEADER_BYTES;
      const length = (bytes[this.at + 1]! << 16) | (bytes[this.at + 2]! << 8) | bytes[this.at + 3]!;
      if (whole - body < length) return;
      this.messages.message(bytes[this.at]!, bytes, body, body + length);
      this.at = body + length;
    }
    // A second hello continues at the next offset; until then nothing need be held.
    if (this.at === whole) this.data.release();
  }
}
