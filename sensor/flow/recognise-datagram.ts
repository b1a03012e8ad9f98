import { DtlsHandshake } from '../tls/dtls-handshake.ts';
import { looksLikeDtls } from '../tls/dtls-record.ts';
import { GoogleQuicHandshake, readGoogleQuic } from '../tls/google-quic.ts';
import { HandshakeType } from '../tls/handshake-events.ts';
import { QuicHandshake } from '../tls/quic-handshake.ts';
import { looksLikeQuicInitial } from '../tls/quic-packet.ts';
import { CarriedDtls, carriedDtls } from './carried-dtls.ts';
import type { Recognised } from './datagram-reader.ts';
import { OpenVpnDatagrams, openVpnAuthBytes } from './openvpn.ts';
import { RdpUdp, rdpUdpCarries } from './rdp-udp.ts';

/** Datagrams of a conversation looked at for the first of a handshake: STUN, TURN and RTP may precede DTLS on one port. */
export const MAX_UNRECOGNISED = 128;
/** Datagrams that are read of what may be a handshake, before it is taken as plain. */
export const MAX_PROBED = 32;
/** The same of one whose first datagram named its protocol: OpenVPN may send a handshake in pieces of 100 bytes. */
const MAX_CARRIED = 256;

/** type(1) version(2) epoch(2) sequence(6) length(2), RFC 6347 §4.1; the handshake type follows. */
const DTLS_RECORD_HEADER = 13;

/** What handshake a datagram begins, if any. Most UDP conversations begin none, and the first byte tells. */
export function recogniseDatagram(bytes: Uint8Array, start: number, end: number): Recognised | undefined {
  if (looksLikeQuicInitial(bytes, start, end)) {
    return { protocol: 'quic', fromServer: false, patience: MAX_PROBED, open: (sink) => new QuicHandshake(sink) };
  }
  if (looksLikeDtls(bytes, start, end)) {
    const fromServer = isServers(bytes, start);
    return { protocol: 'dtls', fromServer, patience: MAX_PROBED, open: (sink) => new DtlsHandshake(sink) };
  }
  return recogniseCarried(bytes, start, end);
}

function recogniseCarried(bytes: Uint8Array, start: number, end: number): Recognised | undefined {
  const carried = carriedDtls(bytes, start, end);
  if (carried) {
    if (!looksLikeDtls(bytes, carried.at, end)) return undefined;
    const fromServer = isServers(bytes, carried.at);
    const { via } = carried;
    return { protocol: 'dtls', via, fromServer, patience: MAX_PROBED, open: (sink) => new CarriedDtls(sink) };
  }
  if (readGoogleQuic(bytes, start, end)) {
    const open: Recognised['open'] = (sink) => new GoogleQuicHandshake(sink);
    return { protocol: 'quic', fromServer: false, patience: MAX_PROBED, open };
  }
  const authBytes = openVpnAuthBytes(bytes, start, end);
  if (authBytes >= 0) {
    const open: Recognised['open'] = (sink) => new OpenVpnDatagrams(authBytes, sink);
    return { protocol: 'tls', via: 'openvpn', fromServer: false, patience: MAX_CARRIED, open };
  }
  const inRdp = rdpUdpCarries(bytes, start, end);
  if (inRdp === undefined) return undefined;
  const open: Recognised['open'] = (sink) => new RdpUdp(sink, inRdp);
  return { protocol: inRdp, via: 'rdp', fromServer: false, patience: MAX_CARRIED, open };
}

/** Whether a datagram begins with a DTLS ClientHello, which only clients send. */
export const isDtlsClientHello = (bytes: Uint8Array, start: number, end: number): boolean =>
  looksLikeDtls(bytes, start, end) && !isServers(bytes, start);

const isServers = (bytes: Uint8Array, at: number): boolean =>
  bytes[at + DTLS_RECORD_HEADER] !== HandshakeType.clientHello;
