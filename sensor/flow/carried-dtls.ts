/** DTLS behind the few bytes that relays and access points put in front of each datagram. */
import { ByteCursor } from '../base/cursor.ts';
import { DtlsHandshake } from '../tls/dtls-handshake.ts';
import type { HandshakeSink } from '../tls/handshake-events.ts';
import type { DatagramReader } from './datagram-reader.ts';

/** version 0, type 1 (DTLS), reserved 3 (RFC 5415 §4.2). */
const CAPWAP_DTLS = 0x01000000;
const CAPWAP_BYTES = 4;
/** channel number 0x4000 to 0x4fff, length 2 (RFC 8656 §12.4). */
const CHANNEL_HEADER_BYTES = 4;
const FIRST_CHANNEL = 0x40;
const LAST_CHANNEL = 0x4f;
/** type 2, length 2, cookie 4, transaction 12 (RFC 8489 §5). */
const STUN_HEADER_BYTES = 20;
const STUN_COOKIE = 0x2112a442;
/** Send and Data indications and their DATA attribute (RFC 8656 §18). */
const SEND_INDICATION = 0x0016;
const DATA_INDICATION = 0x0017;
const DATA_ATTRIBUTE = 0x0013;
/** Attributes of one indication that are looked at. */
const MAX_ATTRIBUTES = 8;

/** What carries a datagram's DTLS, and where that begins. */
interface Carried {
  readonly via: 'capwap' | 'turn';
  readonly at: number;
}

/** Where DTLS would begin in a datagram of a relay (TURN) or an access point (CAPWAP); undefined when it is of neither. */
export function carriedDtls(bytes: Uint8Array, start: number, end: number): Carried | undefined {
  if (end - start < CHANNEL_HEADER_BYTES) return undefined;
  const first = bytes[start]!;
  if (first === 1) {
    const isCapwap = new ByteCursor(bytes, start, end).u32() === CAPWAP_DTLS;
    return isCapwap ? { via: 'capwap', at: start + CAPWAP_BYTES } : undefined;
  }
  if (first >= FIRST_CHANNEL && first <= LAST_CHANNEL) {
    const length = (bytes[start + 2]! << 8) | bytes[start + 3]!;
    // Over UDP the padding to 4 bytes may be left out.
    const spare = end - start - CHANNEL_HEADER_BYTES - length;
    return spare >= 0 && spare < 4 ? { via: 'turn', at: start + CHANNEL_HEADER_BYTES } : undefined;
  }
  return first === 0 ? relayed(bytes, start, end) : undefined;
}

function relayed(bytes: Uint8Array, start: number, end: number): Carried | undefined {
  const message = new ByteCursor(bytes, start, end);
  const type = message.u16();
  if (type !== SEND_INDICATION && type !== DATA_INDICATION) return undefined;
  const length = message.u16();
  if (message.u32() !== STUN_COOKIE || STUN_HEADER_BYTES + length > end - start) return undefined;
  message.skip(STUN_HEADER_BYTES - 8);
  for (let i = 0; i < MAX_ATTRIBUTES && message.left > 0; i++) {
    const attribute = message.u16();
    const size = message.u16();
    if (message.short) return undefined;
    if (attribute === DATA_ATTRIBUTE) return { via: 'turn', at: message.at };
    message.skip((size + 3) & ~3);
  }
  return undefined;
}

/** Reads the DTLS of such datagrams, and of those that come without anything in front. */
export class CarriedDtls implements DatagramReader {
  private readonly dtls: DtlsHandshake;

  constructor(sink: HandshakeSink) {
    this.dtls = new DtlsHandshake(sink);
  }

  get done(): boolean {
    return this.dtls.done;
  }

  get inMessage(): boolean {
    return this.dtls.inMessage;
  }

  client(bytes: Uint8Array, start: number, end: number): void {
    this.dtls.client(bytes, carriedDtls(bytes, start, end)?.at ?? start, end);
  }

  server(bytes: Uint8Array, start: number, end: number): void {
    this.dtls.server(bytes, carriedDtls(bytes, start, end)?.at ?? start, end);
  }
}
