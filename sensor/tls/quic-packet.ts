/**
 * QUIC long header packets, RFC 9000 §17.2 (and RFC 9369 §3.2 for the packet types of version 2).
 *
 *     uint8  first;                  1, fixed bit, type(2), protected(4)
 *     uint32 version;
 *     opaque dcid<0..20>;        1 + n
 *     opaque scid<0..20>;        1 + n
 *     Initial:  varint token_length, token, varint length, packet number and payload of that length
 *     0-RTT, Handshake:  varint length, packet number and payload of that length
 *     Retry:    token, 16 bytes of integrity tag, to the end of the datagram
 */
import { ByteCursor } from '../base/cursor.ts';
import { forcesNegotiation, Q050, Q050_VERSION, type QuicVersion, quicVersion } from './quic-versions.ts';

/** One packet of a datagram. */
export interface QuicPacket {
  readonly kind: 'initial' | 'retry' | 'other';
  readonly versionNumber: number;
  readonly version: QuicVersion;
  readonly start: number;
  readonly dcid: Uint8Array;
  /** Bytes of the token; 0 when there is none or the packet has no such field. */
  readonly tokenLength: number;
  /** Where the packet number begins. */
  readonly numberAt: number;
  /** One past the packet's last byte. */
  readonly end: number;
}

/** What stands where a packet was looked for. */
export type PacketReading =
  | { readonly kind: 'packet'; readonly packet: QuicPacket }
  /** A short header: 1-RTT data, or what else may follow in a datagram. */
  | { readonly kind: 'short' }
  | { readonly kind: 'version-negotiation' }
  | { readonly kind: 'unknown-version'; readonly version: number }
  | { readonly kind: 'none' };

const LONG_HEADER = 0x80;
const FIXED_BIT = 0x40;
const MAX_CONNECTION_ID_BYTES = 20;
/** RFC 9000 §7.2: what a client makes up as the server's first connection id. */
const MIN_FIRST_DCID_BYTES = 8;

/** Reads the header of the packet that begins at `start`; nothing is decrypted. */
export function readPacket(bytes: Uint8Array, start: number, end: number): PacketReading {
  const header = new ByteCursor(bytes, start, end);
  const first = header.u8();
  if (header.short) return { kind: 'none' };
  // What has neither bit is padding of the datagram, or another protocol on the same ports.
  if ((first & LONG_HEADER) === 0) return (first & FIXED_BIT) === 0 ? { kind: 'none' } : { kind: 'short' };

  const versionNumber = header.u32();
  const dcid = header.vector8();
  const scid = header.vector8();
  if (header.short) return { kind: 'none' };
  if (versionNumber === 0) return { kind: 'version-negotiation' };
  if (dcid.left > MAX_CONNECTION_ID_BYTES || scid.left > MAX_CONNECTION_ID_BYTES) return { kind: 'none' };
  const version = versionNumber === Q050 ? Q050_VERSION : quicVersion(versionNumber);
  if (version === undefined) return { kind: 'unknown-version', version: versionNumber };

  const type = (first >> 4) & 3;
  // Every field is written out: spreading them from a common object was a tenth of the cost of a connection.
  const view = bytes.subarray(dcid.at, dcid.end);
  if (type === version.types.retry) {
    const numberAt = header.at;
    const packet = { kind: 'retry', versionNumber, version, start, dcid: view, tokenLength: 0, numberAt, end } as const;
    return { kind: 'packet', packet };
  }
  const isInitial = type === version.types.initial;
  const tokenLength = isInitial ? header.varint() : 0;
  header.skip(tokenLength);
  const body = header.window(header.varint());
  if (header.short) return { kind: 'none' };
  const kind = isInitial ? 'initial' : 'other';
  const packet: QuicPacket = {
    kind,
    versionNumber,
    version,
    start,
    dcid: view,
    tokenLength,
    numberAt: body.at,
    end: body.end,
  };
  return { kind: 'packet', packet };
}

/**
 * Whether a datagram begins like one that opens a QUIC connection: a client's Initial of a version that can be read, or
 * one of a version that exists to be refused. Cheap enough for every new UDP conversation; decryption is the proof.
 */
export function looksLikeQuicInitial(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 7 || (bytes[start]! & LONG_HEADER) === 0) return false;
  const reading = readPacket(bytes, start, end);
  if (reading.kind === 'unknown-version') return forcesNegotiation(reading.version);
  if (reading.kind !== 'packet' || reading.packet.kind !== 'initial') return false;
  return reading.packet.dcid.length >= MIN_FIRST_DCID_BYTES;
}
