/**
 * TLS inside OpenVPN over TCP (openvpn.net/community-docs, "OpenVPN network protocol"). Each packet follows its length:
 *
 *     uint16 length;
 *     uint8  opcode(5) key_id(3);
 *     opaque session_id[8];
 *     opaque hmac[16..64], packet_id[4], time[4];    with tls-auth only
 *     uint8  acks;
 *     uint32 ack[acks];
 *     opaque peer_session_id[8];                     with acks only
 *     uint32 message_id;                             not in P_ACK_V1
 *     opaque tls[];                                  P_CONTROL_V1: the next bytes of the TLS stream
 *
 * With tls-crypt all but the session id is encrypted, and nothing is read.
 */
import { ByteCursor } from '../base/cursor.ts';
import { GrowingBuffer } from '../base/growing-buffer.ts';
import type { CarriedStream, Deliver } from './carrier.ts';

const LENGTH_BYTES = 2;
const SESSION_ID_BYTES = 8;
/** packet_id(4) and time(4), behind the HMAC of tls-auth. */
const REPLAY_BYTES = 8;
/** opcode(1), session_id(8), no acks(1), message_id(4): a client's first packet without tls-auth. */
const BARE_RESET_BYTES = 14;
/** HMAC sizes of MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512. */
const HMAC_BYTES: readonly number[] = [16, 20, 28, 32, 48, 64];
/** A client's first packet with its length and the longest HMAC. */
export const MAX_RESET_BYTES = LENGTH_BYTES + BARE_RESET_BYTES + 64 + REPLAY_BYTES;
const CONTROL_V1 = 4;
const RESET_CLIENT_V2 = 7;
/** Acknowledgements that one packet may carry. */
const MAX_ACKS = 8;
/** Longest control packet that is read; real ones stay below the link's MTU. */
const MAX_CONTROL_BYTES = 4_096;
/** Packets looked at before both sides have said enough: a TLS handshake takes fewer than 64 a side. */
const MAX_PACKETS = 512;

/**
 * When bytes[start, end) is a client's first packet and nothing else: the bytes that tls-auth adds to packets (0 without).
 * -1 when it is none. Its session id and HMAC are random, everything else is fixed.
 */
export function openVpnAuthBytes(bytes: Uint8Array, start: number, end: number): number {
  const packet = new ByteCursor(bytes, start, end);
  const length = packet.u16();
  if (packet.short || length !== end - start - LENGTH_BYTES || packet.u8() !== RESET_CLIENT_V2 << 3) return -1;
  const added = length - BARE_RESET_BYTES;
  if (added !== 0 && !HMAC_BYTES.includes(added - REPLAY_BYTES)) return -1;
  packet.skip(SESSION_ID_BYTES + Math.max(0, added - REPLAY_BYTES));
  if (added > 0 && packet.u32() !== 1) return -1;
  if (added > 0) packet.skip(4);
  // No acks, message 0. An encrypted packet has other bytes here, but for one in 2^40.
  return packet.u8() === 0 && packet.u32() === 0 && !packet.short ? added : -1;
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
  private nextMessage = 1;

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
    const packet = new ByteCursor(this.packet.bytes, 0, this.packet.length);
    if (this.size > MAX_CONTROL_BYTES || packet.u8() !== CONTROL_V1 << 3) return;
    packet.skip(SESSION_ID_BYTES + this.authBytes);
    const acks = packet.u8();
    if (acks > MAX_ACKS) return;
    if (acks > 0) packet.skip(4 * acks + SESSION_ID_BYTES);
    // What OpenVPN sends again has an earlier number.
    if (packet.u32() !== this.nextMessage || packet.short) return;
    this.nextMessage++;
    this.deliver(this.packet.bytes, packet.at, packet.end);
  }
}
