/**
 * ClientHello in SSL 2.0 format, RFC 6101 appendix E.1 and RFC 5246 appendix E.2: an SSL 2.0 client, or one that offers
 * SSL 3.0 / TLS to a server that may not know them. It has no extensions, and no JA3 or JA4 is defined for it.
 *
 *     uint8  header[2 or 3];         length, 15 bits after a set top bit; or 14 bits and a padding length
 *     uint8  msg_type;             1   client hello (1)
 *     Version version;             2   0x0002, or the highest of SSL 3.0 / TLS that the client speaks
 *     uint16 cipher_spec_length;   2   multiple of 3
 *     uint16 session_id_length;    2   0 or 16
 *     uint16 challenge_length;     2   16 to 32
 *     V2CipherSpec cipher_specs[cipher_spec_length / 3];
 *     opaque session_id[session_id_length];
 *     Random challenge[challenge_length];
 */
import { ByteCursor } from '../base/cursor.ts';
import { bad, more, type Outcome, ok } from '../base/outcome.ts';
import { SSL2 } from './tls-versions.ts';

/** An SSLv2-format ClientHello. */
export interface SslV2Hello {
  /** Highest version offered: 0x0002, or 0x0300 and up for SSL 3.0 / TLS. */
  readonly version: number;
  /** 24-bit cipher specs in wire order; below 0x010000 they are TLS cipher suites. */
  readonly cipherSpecs: readonly number[];
  /** Bytes of the stream that the hello took, its record header included. */
  readonly size: number;
}

/** Bytes after which the hello can be told from anything else. */
export const SSLV2_PROBE_BYTES = 11;

const CLIENT_HELLO = 1;
const FIXED_BYTES = 9;

/**
 * Parses the SSLv2-format hello at the start of a client's stream. The lengths must add up exactly, since the format has
 * no magic number to recognise it by.
 */
export function parseSslV2Hello(bytes: Uint8Array, start: number, end: number): Outcome<SslV2Hello> {
  const record = new ByteCursor(bytes, start, end);
  if (record.left < SSLV2_PROBE_BYTES) return more(SSLV2_PROBE_BYTES - record.left);

  const first = record.u8();
  const longHeader = (first & 0x80) === 0;
  if (longHeader && (first & 0x40) !== 0) return bad('bad-type', start); // security escape
  const length = ((longHeader ? first & 0x3f : first & 0x7f) << 8) | record.u8();
  const padding = longHeader ? record.u8() : 0;
  const bodyStart = record.at;

  if (record.u8() !== CLIENT_HELLO) return bad('bad-type', bodyStart);
  const version = record.u16();
  if (version !== SSL2 && (version < 0x0300 || version > 0x0304)) return bad('bad-version', bodyStart + 1);
  const specsLength = record.u16();
  const sessionIdLength = record.u16();
  // The 3-byte header puts the last length beyond the probe.
  if (record.left < 2) return more(2 - record.left);
  const challengeLength = record.u16();

  if (specsLength === 0 || specsLength % 3 !== 0) return bad('odd-length', bodyStart + 3);
  if (sessionIdLength !== 0 && sessionIdLength !== 16) return bad('length-mismatch', bodyStart + 5);
  if (challengeLength < 16 || challengeLength > 32) return bad('length-mismatch', bodyStart + 7);
  if (length !== FIXED_BYTES + specsLength + sessionIdLength + challengeLength + padding) {
    return bad('length-mismatch', start);
  }

  const missing = bodyStart + length - record.end;
  if (missing > 0) return more(missing);
  const specs = record.window(specsLength);
  const cipherSpecs: number[] = [];
  while (specs.left > 0) cipherSpecs.push(specs.u24());
  return ok({ version, cipherSpecs, size: bodyStart + length - start });
}
