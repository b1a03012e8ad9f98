/**
 * TLS inside OpenVPN (openvpn.net/community-docs, "OpenVPN network protocol"). Over UDP a datagram is a packet, over TCP each
 * packet follows its length:
 *
 *     uint16 length;                                 TCP only
 *     uint8  opcode(5) key_id(3);
 *     opaque session_id[8];
 *     opaque hmac[16..64], packet_id[4], time[4];    with tls-auth only
 *     uint8  acks;
 *     uint32 ack[acks];
 *     opaque peer_session_id[8];                     with acks only
 *     uint32 message_id;                             not in P_ACK_V1
 *     opaque tls[];                                  P_CONTROL_V1: the next bytes of the TLS stream
 *
 * With tls-crypt all but opcode, session id, packet id and time is encrypted, and nothing is read.
 */
import { ByteCursor } from '../base/cursor.ts';
import { GrowingBuffer } from '../base/growing-buffer.ts';
import type { HandshakeSink } from '../tls/handshake-events.ts';
import type { CarriedStream, Deliver } from './carrier.ts';
import { ChunkedTls } from './chunked-tls.ts';
import type { DatagramReader } from './datagram-reader.ts';

const LENGTH_BYTES = 2;
const SESSION_ID_BYTES = 8;
/** packet_id(4) and time(4), behind the HMAC of tls-auth. */
const REPLAY_BYTES = 8;
/** opcode(1), session_id(8), no acks(1), message_id(4): a client's first packet without tls-auth. */
const BARE_RESET_BYTES = 14;
/** Packet id of a client's first packet, however often it was sent again. */
const MAX_RESET_PACKET_ID = 255;
/** HMAC sizes of MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512. */
const HMAC_BYTES: readonly number[] = [16, 20, 28, 32, 48, 64];
/** A client's first packet with its length and the longest HMAC. */
export const MAX_RESET_BYTES = LENGTH_BYTES + BARE_RESET_BYTES + 64 + REPLAY_BYTES;
/** Message 0 is the reset. */
const FIRST_MESSAGE = 1;
const MESSAGE_MASK = 0xffffffff;
const CONTROL_V1 = 4;
const RESET_CLIENT_V2 = 7;
/** Acknowledgements that one packet may carry. */
const MAX_ACKS = 8;
/** Longest control packet that is read; real ones stay below the link's MTU. */
const MAX_CONTROL_BYTES = 4_096;
/** Packets looked at before both sides have said enough: a TLS handshake takes fewer than 64 a side. */
const MAX_PACKETS = 512;

/**
 * When bytes[start, end) is a client's first packet, without a length in front, and nothing else: the bytes that tls-auth
 * adds to packets (0 without). -1 when it is none. Its session id and HMAC are random, everything else is fixed.
 */
export function openVpnAuthBytes(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] !== RESET_CLIENT_V2 << 3) return -1;
  const packet = new ByteCursor(bytes, start + 1, end);
  const added = end - start - BARE_RESET_BYTES;
  if (added !== 0 && !HMAC_BYTES.includes(added - REPLAY_BYTES)) return -1;
  packet.skip(SESSION_ID_BYTES + Math.max(0, added - REPLAY_BYTES));
  if (added > 0) {
    // Sent again it has another one.
    const packetId = packet.u32();
    if (packetId === 0 || packetId > MAX_RESET_PACKET_ID) return -1;
    packet.skip(4);
  }
  // No acks, message 0. An encrypted packet has other bytes here, but for one in 2^40.
  return packet.u8() === 0 && packet.u32() === 0 && !packet.short ? added : -1;
}

/** The same for the first message of a TCP connection, with its length in front. */
export function openVpnAuthBytesOverTcp(bytes: Uint8Array, start: number, end: number): number {
  const length = (bytes[start]! << 8) | bytes[start + 1]!;
  return length === end - start - LENGTH_BYTES ? openVpnAuthBytes(bytes, start + LENGTH_BYTES, end) : -1;
}

/** Number of the message in a P_CONTROL_V1 packet; the cursor then stands at its TLS bytes. -1 when it is no such packet. */
function readControl(packet: ByteCursor, authBytes: number): number {
  if (packet.u8() !== CONTROL_V1 << 3) return -1;
  packet.skip(SESSION_ID_BYTES + authBytes);
  const acks = packet.u8();
  if (acks > MAX_ACKS) return -1;
  if (acks > 0) packet.skip(4 * acks + SESSION_ID_BYTES);
  const message = packet.u32();
  return packet.short ? -1 : message;
}

/** One side of an OpenVPN connection: gives out the TLS bytes that its control packets carry. */
export class OpenVpnStream implements CarriedStream {
  private readonly authBytes: number;
  private readonly deliver: Deliver;
  private readonly packet = new GrowingBuffer(MAX_CONTROL_BYTES, 256);
  private readonly header = new GrowingBuffer(LENGTH_BYTES, LENGTH_BYTES);
  /** Bytes of the current packet, and those still to come. */
  private size = 0;
  private left = 0;
  private packets = 0;
  private nextMessage = FIRST_MESSAGE;

  constructor(authBytes: number, deliver: Deliver) {
    this.authBytes = authBytes;
    this.deliver = deliver;
  }

  get done(): boolean {
    return this.packets >= MAX_PACKETS;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && !this.done) {
      if (this.left === 0) {
        at += this.header.append(bytes, at, end);
        if (this.header.length < LENGTH_BYTES) return;
        this.left = this.size = (this.header.bytes[0]! << 8) | this.header.bytes[1]!;
        this.header.length = 0;
        this.packet.length = 0;
        continue;
      }
      const taken = Math.min(this.left, end - at);
      this.packet.append(bytes, at, at + taken);
      this.left -= taken;
      at += taken;
      if (this.left === 0) this.read();
    }
  }

  private read(): void {
    this.packets++;
    if (this.size > MAX_CONTROL_BYTES) return;
    const packet = new ByteCursor(this.packet.bytes, 0, this.packet.length);
    // What OpenVPN sends again has an earlier number.
    if (readControl(packet, this.authBytes) !== this.nextMessage) return;
    this.nextMessage++;
    this.deliver(this.packet.bytes, packet.at, packet.end);
  }
}

/** An OpenVPN connection over UDP: reads the TLS handshake that its control packets carry. */
export class OpenVpnDatagrams implements DatagramReader {
  private readonly authBytes: number;
  private readonly fromClient: ChunkedTls;
  private readonly fromServer: ChunkedTls;

  constructor(authBytes: number, sink: HandshakeSink) {
    this.authBytes = authBytes;
    this.fromClient = new ChunkedTls(sink, FIRST_MESSAGE, MESSAGE_MASK);
    this.fromServer = new ChunkedTls(sink, FIRST_MESSAGE, MESSAGE_MASK);
  }

  get done(): boolean {
    return this.fromClient.done && this.fromServer.done;
  }

  get inMessage(): boolean {
    return this.fromClient.inMessage || this.fromServer.inMessage;
  }

  client(bytes: Uint8Array, start: number, end: number): void {
    this.read(this.fromClient, bytes, start, end);
  }

  server(bytes: Uint8Array, start: number, end: number): void {
    this.read(this.fromServer, bytes, start, end);
  }

  private read(side: ChunkedTls, bytes: Uint8Array, start: number, end: number): void {
    const packet = new ByteCursor(bytes, start, end);
    const message = readControl(packet, this.authBytes);
    if (message >= FIRST_MESSAGE) side.push(message, bytes, packet.at, packet.end);
  }
}
