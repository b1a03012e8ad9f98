/**
 * TLS inside TDS, the protocol of Microsoft SQL Server (MS-TDS §2.2.3, §2.2.6.5). The two sides agree on encryption in
 * PRELOGIN messages and then exchange the TLS handshake in packets of that type; what is encrypted afterwards are TLS
 * records without packets around them. (TDS 8.0 begins with TLS and needs none of this.)
 *
 *     uint8  type;           0x12 PRELOGIN, 0x04 the server's answer, others 0x01 to 0x11
 *     uint8  status;         bit 0: last packet of its message
 *     uint16 length;         of the packet, these 8 bytes included
 *     uint16 spid;
 *     uint8  packet_id;
 *     uint8  window;         0
 *
 *     PRELOGIN options: { uint8 token; uint16 offset; uint16 length; }, the first of token 0 (version), and 0xff
 */
import { ByteCursor } from '../base/cursor.ts';
import { PartialHeader } from '../tls/partial-header.ts';
import type { CarriedStream, Deliver } from './carrier.ts';

const HEADER_BYTES = 8;
/** Where the length field ends. */
const LENGTH_END = 4;
const PRELOGIN = 0x12;
const VERSION_TOKEN = 0;
const END_OF_OPTIONS = 0xff;
const OPTION_BYTES = 5;
/** Options of one message; there are eight. */
const MAX_OPTIONS = 16;
/** Longest first message of a client; real ones stay below 120 bytes. */
export const MAX_PRELOGIN_BYTES = 512;
/** Packets looked at: a handshake takes fewer than ten a side. */
const MAX_PACKETS = 64;

/** Whether bytes[start, end) is a client's PRELOGIN message and nothing else. */
export function isTdsPrelogin(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== PRELOGIN || end - start > MAX_PRELOGIN_BYTES) return false;
  const packet = new ByteCursor(bytes, start + 1, end);
  if (packet.u8() !== 1 || packet.u16() !== end - start) return false;
  packet.skip(3); // process id and packet number
  if (packet.u8() !== 0) return false;
  const size = packet.left;
  for (let i = 0; i < MAX_OPTIONS; i++) {
    const token = packet.u8();
    if (token === END_OF_OPTIONS) return i > 0 && !packet.short;
    const offset = packet.u16();
    const length = packet.u16();
    if (packet.short || (i === 0 && token !== VERSION_TOKEN)) return false;
    if (offset < OPTION_BYTES + 1 || offset + length > size) return false;
  }
  return false;
}

/** One side of a TDS connection behind the client's PRELOGIN: gives out the TLS bytes. */
export class TdsStream implements CarriedStream {
  private readonly deliver: Deliver;
  /** type(1), status(1), length(2) */
  private readonly header = new PartialHeader();
  private carrying = false;
  /** Bytes of the current packet still to come: of its header, and behind that. */
  private headerLeft = 0;
  private left = 0;
  private packets = 0;
  /** No packets any more: TLS records follow one another. */
  private bare = false;

  constructor(deliver: Deliver) {
    this.deliver = deliver;
  }

  get done(): boolean {
    return this.packets > MAX_PACKETS;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && !this.done) {
      if (this.headerLeft > 0) {
        const skipped = Math.min(this.headerLeft, end - at);
        this.headerLeft -= skipped;
        at += skipped;
      } else if (this.left > 0) {
        const stop = Math.min(end, at + this.left);
        this.left -= stop - at;
        if (this.carrying) this.deliver(bytes, at, stop);
        at = stop;
      } else {
        this.bare ||= this.header.count === 0 && bytes[at]! > PRELOGIN;
        if (this.bare) {
          this.deliver(bytes, at, end);
          return;
        }
        at = this.readHeader(bytes, at, end);
      }
    }
  }

  private readHeader(bytes: Uint8Array, start: number, end: number): number {
    const at = this.header.fill(LENGTH_END, bytes, start, end);
    if (this.header.count < LENGTH_END) return at;
    const length = this.header.value & 0xffff;
    this.carrying = this.header.value >>> 24 === PRELOGIN;
    this.header.clear();
    this.packets++;
    this.headerLeft = HEADER_BYTES - LENGTH_END;
    this.left = Math.max(0, length - HEADER_BYTES);
    return at;
  }
}
