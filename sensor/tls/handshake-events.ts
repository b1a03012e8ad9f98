import type { Fault } from '../base/outcome.ts';
import type { CertificateReading } from './certificate.ts';
import type { ClientHello } from './client-hello.ts';
import type { ServerHello } from './server-hello.ts';
import type { SslV2Hello } from './sslv2-hello.ts';

/**
 * What a handshake reader found, in the order of the stream it reads. TLS over TCP, QUIC and DTLS all report to this, so
 * that whoever follows a conversation need not know which it is. Calls are made while bytes are pushed; what they pass
 * holds no view of those bytes and may be kept.
 */
export interface HandshakeSink {
  /** A complete, well-formed ClientHello. After a HelloRetryRequest or HelloVerifyRequest there is a second one. */
  clientHello(hello: ClientHello): void;
  /** A ClientHello in SSL 2.0 format; it has no fingerprint. */
  sslV2Hello(hello: SslV2Hello): void;
  /** A ServerHello with the random of RFC 8446 §4.1.3: the server's real choice is still to come. */
  helloRetryRequest(hello: ServerHello): void;
  serverHello(hello: ServerHello): void;
  /** The server's certificate message (TLS and DTLS up to 1.2), or why its leaf could not be read. */
  certificate(reading: CertificateReading): void;
  changeCipherSpec(): void;
  /** The first encrypted handshake record after ChangeCipherSpec: the Finished of TLS 1.2 and older. */
  finishedRecord(): void;
  /**
   * The first application data record of a side (TLS 1.3 also wraps the rest of its handshake in those); in QUIC the first
   * packet of a side with a short header.
   */
  applicationData(): void;
  /** An alert in the clear (RFC 8446 §6): level 1 warning, 2 fatal. */
  alert(level: number, description: number): void;
  /** A message was not what its type promises, or went over a cap; nothing is published from it. */
  bad(message: HandshakeMessage, why: Fault): void;
}

/** Which message a fault is about; `stream` when the bytes are no TLS records (any more). */
export type HandshakeMessage = 'client-hello' | 'server-hello' | 'stream';

/** Handshake message types (RFC 8446 §4, RFC 6347 §4.3.2). */
export const HandshakeType = {
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  /** TLS 1.3 drafts up to 21 only; later a ServerHello with a fixed random. */
  helloRetryRequest: 6,
  certificate: 11,
} as const;
