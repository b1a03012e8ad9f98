/**
 * DTLS records, RFC 6347 §4.1 (and RFC 9147 §4 for the unified header of DTLS 1.3's encrypted records).
 *
 *     struct {
 *         ContentType type;          1
 *         ProtocolVersion version;   2
 *         uint16 epoch;              2
 *         uint48 sequence_number;    6
 *         uint16 length;             2
 *         opaque fragment[length];
 *     } DTLSPlaintext;
 *
 *     struct {
 *         HandshakeType msg_type;    1
 *         uint24 length;             3
 *         uint16 message_seq;        2
 *         uint24 fragment_offset;    3
 *         uint24 fragment_length;    3
 *         opaque fragment[fragment_length];
 *     } Handshake;
 */
import { ByteCursor } from '../base/cursor.ts';
import { HandshakeType } from './handshake-events.ts';
import { ContentType, isContentType } from './tls-record.ts';
import { isDtlsVersion } from './tls-versions.ts';

/** One plaintext or older encrypted record of a datagram. */
export interface DtlsRecord {
  readonly type: number;
  readonly epoch: number;
  readonly fragment: ByteCursor;
}

/** One fragment of a handshake message. */
export interface DtlsFragment {
  readonly type: number;
  /** Bytes of the whole message's body. */
  readonly length: number;
  readonly messageSeq: number;
  readonly offset: number;
  readonly body: ByteCursor;
}

/** Reads the next record of a datagram; undefined when there is none. */
export function readDtlsRecord(datagram: ByteCursor): DtlsRecord | undefined {
  const type = datagram.u8();
  const version = datagram.u16();
  const epoch = datagram.u16();
  datagram.skip(SEQUENCE_NUMBER_BYTES);
  const fragment = datagram.vector16();
  if (datagram.short || !isContentType(type) || !isDtlsVersion(version)) return undefined;
  return { type, epoch, fragment };
}

/** Reads the next handshake fragment of a record; undefined when its lengths do not fit. */
export function readDtlsFragment(record: ByteCursor): DtlsFragment | undefined {
  const type = record.u8();
  const length = record.u24();
  const messageSeq = record.u16();
  const offset = record.u24();
  const body = record.vector24();
  if (record.short || offset + body.left > length) return undefined;
  return { type, length, messageSeq, offset, body };
}

/**
 * Whether a datagram begins like one that opens a DTLS connection: a handshake record of epoch 0 with a hello. Such a
 * datagram cannot be STUN or RTP, which share ports with DTLS: the first byte tells them apart (RFC 7983 §7).
 */
export function looksLikeDtls(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < MIN_HELLO_BYTES || bytes[start] !== ContentType.handshake) return false;
  const record = readDtlsRecord(new ByteCursor(bytes, start, end));
  if (record === undefined || record.epoch !== 0) return false;
  const fragment = readDtlsFragment(record.fragment);
  if (fragment === undefined) return false;
  return (
    fragment.type === HandshakeType.clientHello ||
    fragment.type === HandshakeType.serverHello ||
    fragment.type === HandshakeType.helloVerifyRequest
  );
}

/** Both headers. */
const MIN_HELLO_BYTES = 13 + 12;
const SEQUENCE_NUMBER_BYTES = 6;
