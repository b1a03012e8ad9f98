import { MAX_RESET_BYTES, OpenVpnStream, openVpnAuthBytesOverTcp } from './openvpn.ts';
import { isTdsPrelogin, MAX_PRELOGIN_BYTES, TdsStream } from './tds.ts';

/** Takes the next bytes that were carried: bytes[start, end). */
export type Deliver = (bytes: Uint8Array, start: number, end: number) => void;

/** One direction of a TCP connection that carries TLS in packets of another protocol. */
export interface CarriedStream {
  /** Too much has come by for a handshake. */
  readonly done: boolean;
  /** The next bytes of the TCP stream: bytes[start, end). */
  push(bytes: Uint8Array, start: number, end: number): void;
}

/** A protocol that puts the TLS stream into packets of its own. */
export interface Carrier {
  /** As `waybill.via` names it. */
  readonly via: 'openvpn' | 'mssql';
  /** A reader for one direction, from its next byte on. */
  open(deliver: Deliver): CarriedStream;
}

/** Longest first message of a client that tells a carrier. */
export const MAX_OPENING_BYTES = Math.max(MAX_RESET_BYTES, MAX_PRELOGIN_BYTES);

const TDS: Carrier = { via: 'mssql', open: (deliver) => new TdsStream(deliver) };

/** The carrier that begins with a client's first message bytes[start, end), if it is one. */
export function carrierOf(bytes: Uint8Array, start: number, end: number): Carrier | undefined {
  if (isTdsPrelogin(bytes, start, end)) return TDS;
  const authBytes = openVpnAuthBytesOverTcp(bytes, start, end);
  if (authBytes < 0) return undefined;
  return { via: 'openvpn', open: (deliver) => new OpenVpnStream(authBytes, deliver) };
}
