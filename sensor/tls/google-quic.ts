/**
 * Google QUIC before it took over TLS (versions Q0xx): only its version and the host name of its client hello, which up to
 * Q046 travel in the clear. It has no TLS fingerprint.
 *
 *     up to Q043:  flags 1 (0x01 version, 0x08 connection id), cid 8, version 4, packet number 1-6, hash 12, frames
 *     Q044, Q046:  first byte 0x80 and up, version 4, id lengths 1, ids, packet number, hash 12, frames
 *     CHLO:        "CHLO", entries 2, padding 2, entries × (tag 4, end offset 4), values       little-endian
 */
import { type ByteString, byteString } from '../base/text.ts';
import type { HandshakeSink } from './handshake-events.ts';

/** What a Google QUIC datagram shows. */
export interface GoogleQuic {
  /** "Q043" */
  readonly version: string;
  /** Empty when a hello names none; undefined without a hello. */
  readonly serverName: ByteString | undefined;
}

const Q = 0x51;
const ZERO = 0x30;
const isDigit = (byte: number): boolean => byte >= ZERO && byte <= 0x39;
const VERSION_FLAG = 0x01;
const CONNECTION_ID_FLAG = 0x08;
const LONG_HEADER = 0x80;
/** Entries of a CHLO; real ones have about 25. */
const MAX_ENTRIES = 64;
const CHLO = 'CHLO';
const SNI_TAG = 'SNI\0';

/** Reads a client's first datagram, bytes[start, end); undefined when it is no Google QUIC with a version. */
export function readGoogleQuic(bytes: Uint8Array, start: number, end: number): GoogleQuic | undefined {
  if (end - start < 14) return undefined;
  const first = bytes[start]!;
  let versionAt: number;
  if ((first & LONG_HEADER) !== 0) versionAt = start + 1;
  else if ((first & VERSION_FLAG) === 0) return undefined;
  else versionAt = start + ((first & CONNECTION_ID_FLAG) !== 0 ? 9 : 1);
  if (bytes[versionAt] !== Q || bytes[versionAt + 1] !== ZERO) return undefined;
  if (!isDigit(bytes[versionAt + 2]!) || !isDigit(bytes[versionAt + 3]!)) return undefined;
  return {
    version: byteString(bytes, versionAt, versionAt + 4),
    serverName: readGoogleHello(bytes, versionAt + 4, end),
  };
}

/**
 * The host name of the CHLO that begins somewhere in bytes[start, end): empty when it names none, undefined when there is no
 * CHLO or its lengths do not fit.
 */
export function readGoogleHello(bytes: Uint8Array, start: number, end: number): ByteString | undefined {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.max(0, end - start));
  const at = data.indexOf(CHLO, 0, 'latin1');
  if (at < 0 || data.length - at < 8) return undefined;
  const entries = data.readUInt16LE(at + 4);
  if (entries > MAX_ENTRIES) return undefined;
  const values = at + 8 + 8 * entries;
  let valueStart = 0;
  for (let i = 0; i < entries; i++) {
    const entry = at + 8 + 8 * i;
    if (data.length - entry < 8) return undefined;
    const valueEnd = data.readUInt32LE(entry + 4);
    if (data.toString('latin1', entry, entry + 4) === SNI_TAG) {
      if (valueEnd < valueStart || values + valueEnd > data.length) return undefined;
      return data.toString('latin1', values + valueStart, values + valueEnd);
    }
    valueStart = valueEnd;
  }
  return '';
}

/** Reads the hello of a Google QUIC conversation up to Q046; reports to the sink only that data flows. */
export class GoogleQuicHandshake {
  googleServerName: ByteString | undefined;
  readonly inMessage = false;
  done = false;
  private readonly sink: HandshakeSink;
  private answered = false;

  constructor(sink: HandshakeSink) {
    this.sink = sink;
  }

  /** A datagram that the client sent: bytes[start, end). */
  client(bytes: Uint8Array, start: number, end: number): void {
    const reading = readGoogleQuic(bytes, start, end);
    this.googleServerName ??= reading?.serverName;
    // A client leaves the version out once the server has taken it.
    if (reading !== undefined || !this.answered || this.googleServerName === undefined || this.done) return;
    this.done = true;
    this.sink.applicationData();
  }

  /** A datagram that the server sent. */
  server(): void {
    this.answered = true;
  }
}
