/**
 * TLS and DTLS inside RDP over UDP (MS-RDPEUDP, MS-RDPEUDP2). A SYN datagram and its answer agree on a version; up to
 * version 2 the datagrams behind them are (big-endian)
 *
 *     uint32 source_ack; uint16 receive_window; uint16 flags;             MS-RDPEUDP §2.2.2.1
 *     uint16 size; uint8 ack_vector[size]; padding to 4 bytes             flag ACK
 *     uint32 reset_sequence;                                              flag ACK_OF_ACKS
 *     uint32 coded; uint32 source_start; opaque data[];                   flag DATA without FEC
 *
 * and from version 3 on, after the first and the eighth byte have been exchanged (little-endian; MS-RDPEUDP2 §2.2.1)
 *
 *     uint8  prefix;                                                      bits 1-4 packet type: 0 data, 8 dummy
 *     uint16 flags;                                                       12 bits, and 4 of window size
 *     ack 7 + n, overhead 1, delayed ack 3, ack of acks 2, data header 2, ack vector 3 + n, channel sequence 2, data
 *
 * Reliable connections carry TLS, lossy ones (SYNLOSSY) DTLS.
 */
import { ByteCursor } from '../base/cursor.ts';
import { DtlsHandshake } from '../tls/dtls-handshake.ts';
import type { HandshakeSink } from '../tls/handshake-events.ts';
import { ChunkedTls } from './chunked-tls.ts';
import type { DatagramReader } from './datagram-reader.ts';

/** Where the flags of a datagram up to version 2 stand. */
const FLAGS_AT = 6;
/** RDPUDP_FEC_HEADER flags (MS-RDPEUDP §2.2.2.1). */
const Flag = {
  syn: 0x0001,
  ack: 0x0004,
  data: 0x0008,
  fec: 0x0010,
  ackOfAcks: 0x0100,
  synLossy: 0x0200,
  correlationId: 0x0800,
  synEx: 0x1000,
} as const;
const KNOWN_FLAGS = 0x1fff;
/** What a client acknowledges with its SYN. */
const NOTHING = 0xffffffff;
/** Both MTUs of a SYN lie in this range (§2.2.2.5). */
const MTU = { least: 1_132, most: 1_232 } as const;
const CORRELATION_BYTES = 32;
/** uUdpVer of version 3, which is framed as MS-RDPEUDP2 has it. */
const VERSION_3 = 0x0101;
/** Size of an acknowledgement vector (§2.2.2.7). */
const MAX_ACK_VECTOR = 2_048;

/** MS-RDPEUDP2 §2.2.1.1. */
const Flag2 = {
  ack: 0x001,
  data: 0x004,
  ackVector: 0x008,
  ackOfAcks: 0x010,
  overhead: 0x040,
  delayedAck: 0x100,
} as const;
const FIRST_CHANNEL_SEQUENCE = 1;
/** The first byte and this one are exchanged. */
const EXCHANGED = 7;

/** What a SYN says. */
interface Syn {
  readonly sequence: number;
  readonly lossy: boolean;
  readonly version: number;
}

function readSyn(bytes: Uint8Array, start: number, end: number): Syn | undefined {
  const syn = new ByteCursor(bytes, start + FLAGS_AT, end);
  const flags = syn.u16();
  if ((flags & Flag.syn) === 0 || (flags & ~KNOWN_FLAGS) !== 0 || (flags & Flag.data) !== 0) return undefined;
  const sequence = syn.u32();
  for (const mtu of [syn.u16(), syn.u16()]) if (mtu < MTU.least || mtu > MTU.most) return undefined;
  if ((flags & Flag.correlationId) !== 0) syn.skip(CORRELATION_BYTES);
  const extended = (flags & Flag.synEx) !== 0;
  if (extended) syn.skip(2);
  const version = extended ? syn.u16() : 1;
  return syn.short ? undefined : { sequence, lossy: (flags & Flag.synLossy) !== 0, version };
}

/** Whether a datagram is the client's SYN, and what the connection then carries. */
export function rdpUdpCarries(bytes: Uint8Array, start: number, end: number): 'tls' | 'dtls' | undefined {
  if (new ByteCursor(bytes, start, end).u32() !== NOTHING) return undefined;
  const syn = readSyn(bytes, start, end);
  return syn && (syn.lossy ? 'dtls' : 'tls');
}

type Who = 'client' | 'server';

/** One RDP connection over UDP from its SYN on: reads the handshake that it carries. */
export class RdpUdp implements DatagramReader {
  private readonly sink: HandshakeSink;
  private readonly dtls: DtlsHandshake | undefined;
  private readonly syns: { client?: Syn; server?: Syn } = {};
  private readonly sides: { client?: ChunkedTls; server?: ChunkedTls } = {};

  constructor(sink: HandshakeSink, carries: 'tls' | 'dtls') {
    this.sink = sink;
    this.dtls = carries === 'dtls' ? new DtlsHandshake(sink) : undefined;
  }

  get done(): boolean {
    const { client, server } = this.sides;
    return this.dtls?.done ?? (client?.done === true && server?.done === true);
  }

  get inMessage(): boolean {
    const { client, server } = this.sides;
    return this.dtls?.inMessage ?? (client?.inMessage === true || server?.inMessage === true);
  }

  client(bytes: Uint8Array, start: number, end: number): void {
    this.read('client', bytes, start, end);
  }

  server(bytes: Uint8Array, start: number, end: number): void {
    this.read('server', bytes, start, end);
  }

  private read(who: Who, bytes: Uint8Array, start: number, end: number): void {
    const own = this.syns[who];
    if (own === undefined) {
      const syn = readSyn(bytes, start, end);
      if (syn) this.syns[who] = syn;
      return;
    }
    // The answer names the version that is used; without it the client's offer is taken for that.
    const version = (this.syns.server ?? own).version;
    if (version >= VERSION_3) this.readVersion3(who, bytes, start, end);
    else this.readVersion1(who, own, bytes, start, end);
  }

  private readVersion1(who: Who, syn: Syn, bytes: Uint8Array, start: number, end: number): void {
    const packet = new ByteCursor(bytes, start + FLAGS_AT, end);
    const flags = packet.u16();
    if ((flags & Flag.data) === 0 || (flags & (Flag.fec | Flag.syn)) !== 0) return;
    if ((flags & Flag.ack) !== 0) {
      const size = packet.u16();
      if (size > MAX_ACK_VECTOR) return;
      packet.skip(((size + 2 + 3) & ~3) - 2);
    }
    if ((flags & Flag.ackOfAcks) !== 0) packet.skip(4);
    packet.skip(4); // snCoded
    const sequence = packet.u32();
    if (packet.short) return;
    if (this.dtls === undefined) {
      this.sides[who] ??= new ChunkedTls(this.sink, (syn.sequence + 1) >>> 0, 0xffffffff);
      this.sides[who].push(sequence, bytes, packet.at, packet.end);
    } else this.dtls[who](bytes, packet.at, packet.end);
  }

  private readVersion3(who: Who, bytes: Uint8Array, start: number, end: number): void {
    if (end - start <= EXCHANGED) return;
    const whole = bytes.slice(start, end);
    whole[0] = bytes[start + EXCHANGED]!;
    whole[EXCHANGED] = bytes[start]!;
    if (((whole[0]! >> 1) & 0x0f) !== 0) return; // a dummy packet
    const packet = new ByteCursor(whole, 1);
    const flags = little16(packet.u16());
    if ((flags & Flag2.data) === 0) return;
    // sequence 2 . time 3 . gap 1 . low half byte: how many bytes follow
    if ((flags & Flag2.ack) !== 0) {
      packet.skip(6);
      packet.skip(packet.u8() & 0x0f);
    }
    if ((flags & Flag2.overhead) !== 0) packet.skip(1);
    if ((flags & Flag2.delayedAck) !== 0) packet.skip(3);
    if ((flags & Flag2.ackOfAcks) !== 0) packet.skip(2);
    packet.skip(2); // the packet's own number, another one when it is sent again
    // base 2 . size, top bit: time 3 and gap 1 follow . vector
    if ((flags & Flag2.ackVector) !== 0) {
      packet.skip(2);
      const size = packet.u8();
      packet.skip((size & 0x80 ? 4 : 0) + (size & 0x7f));
    }
    const sequence = little16(packet.u16());
    if (packet.short) return;
    this.sides[who] ??= new ChunkedTls(this.sink, FIRST_CHANNEL_SEQUENCE, 0xffff);
    this.sides[who].push(sequence, whole, packet.at, whole.length);
  }
}

const little16 = (value: number): number => ((value & 0xff) << 8) | (value >> 8);
