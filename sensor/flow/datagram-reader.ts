import type { ByteString } from '../base/text.ts';
import type { HandshakeSink } from '../tls/handshake-events.ts';

/** Reads the handshake of one UDP conversation. */
export interface DatagramReader {
  /** True once nothing that comes can matter any more. */
  readonly done: boolean;
  /** True when a hello has begun and is not complete. */
  readonly inMessage: boolean;
  /** Host name of a Google QUIC hello, which is no TLS; empty when it names none. */
  readonly googleServerName?: ByteString | undefined;
  /** A datagram that the client sent: bytes[start, end). */
  client(bytes: Uint8Array, start: number, end: number): void;
  /** A datagram that the server sent: bytes[start, end). */
  server(bytes: Uint8Array, start: number, end: number): void;
}

/** What a conversation's first datagram of interest says it is. */
export interface Recognised {
  readonly protocol: 'quic' | 'dtls' | 'tls';
  /** What carries the handshake, as `waybill.via` names it. */
  readonly via?: 'openvpn' | 'rdp' | 'turn' | 'capwap';
  /** Whether the server sent the datagram. */
  readonly fromServer: boolean;
  /**
   * Datagrams without a hello that are waited for. A protocol known by its own first packet is waited for longer than one
   * that a first byte or two suggest.
   */
  readonly patience: number;
  open(sink: HandshakeSink): DatagramReader;
}
