import { parseSslV2Hello } from './sslv2-hello.ts';

/** TLS record types (RFC 8446 §5.1; heartbeat of RFC 6520). */
export const ContentType = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
  heartbeat: 24,
} as const;

/** type(1), legacy_version(2), length(2) */
export const RECORD_HEADER_BYTES = 5;
/** RFC 5246 §6.2.3: 2^14 bytes, and up to 2,048 that encryption adds. */
export const MAX_RECORD_BYTES = 16_384 + 2_048;

export const isContentType = (type: number): boolean =>
  type >= ContentType.changeCipherSpec && type <= ContentType.heartbeat;

/** SSL 3.0 to TLS 1.3: 0x0300 to 0x0304 occur in first records. */
export const isRecordVersion = (version: number): boolean => version >= 0x0300 && version <= 0x0304;

/** What the first bytes of a stream look like; `more` when there are too few to say. */
export type Probe = 'yes' | 'no' | 'more';

/** Bytes with which `looksLikeTls` always knows when the first record is not a fragment of a hello. */
export const TLS_PROBE_BYTES = 11;

/**
 * Whether bytes[start, end) begin like a TLS connection: a handshake record with a ClientHello or ServerHello, or an
 * SSLv2-format ClientHello. Cheap enough for every new conversation on any port; only the full parse is proof.
 */
export function looksLikeTls(bytes: Uint8Array, start: number, end: number): Probe {
  const have = end - start;
  if (have <= 0) return 'more';
  if (bytes[start] !== ContentType.handshake) return looksLikeSslV2(bytes, start, end);
  if (have >= 2 && bytes[start + 1] !== 3) return 'no';
  if (have >= 3 && bytes[start + 2]! > 4) return 'no';
  if (have < RECORD_HEADER_BYTES) return 'more';
  const length = (bytes[start + 3]! << 8) | bytes[start + 4]!;
  if (length === 0 || length > MAX_RECORD_BYTES) return 'no';
  if (have < 6) return 'more';
  if (bytes[start + 5] !== 1 && bytes[start + 5] !== 2) return 'no';
  // The record may hold as little as the first byte of the message: that is how hellos are hidden from sensors.
  if (length < 6) return 'yes';
  if (have < TLS_PROBE_BYTES) return 'more';
  // Messages are below 2^16 bytes; versions are 3.x, or a draft's 0x7fxx in a ServerHello.
  return bytes[start + 6] === 0 && (bytes[start + 9] === 3 || bytes[start + 9] === 0x7f) ? 'yes' : 'no';
}

function looksLikeSslV2(bytes: Uint8Array, start: number, end: number): Probe {
  const first = bytes[start]!;
  // 14 or 15 bits of length, below 1,024 in every real hello.
  if (first >= 0x84 || (first >= 0x04 && first < 0x80)) return 'no';
  const typeAt = first >= 0x80 ? start + 2 : start + 3;
  if (typeAt < end && bytes[typeAt] !== 1) return 'no';
  const hello = parseSslV2Hello(bytes, start, end);
  if (hello.kind === 'bad') return 'no';
  if (hello.kind === 'ok') return 'yes';
  return end - start > TLS_PROBE_BYTES ? 'yes' : 'more';
}
