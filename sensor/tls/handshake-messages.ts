import type { Fault } from '../base/outcome.ts';
import { MAX_CERTIFICATE_BYTES, readCertificateMessage } from './certificate.ts';
import { type HelloFraming, parseClientHello } from './client-hello.ts';
import { type HandshakeSink, HandshakeType } from './handshake-events.ts';
import { parseServerHello } from './server-hello.ts';
import { isTls13 } from './tls-versions.ts';

/** Body bytes of a hello that are looked at. TLS allows 2^24; the largest seen (post-quantum, many PSKs) are below 17,000. */
export const MAX_HELLO_BYTES = 64 * 1024;

/**
 * Turns whole handshake messages of one direction into events. It remembers only what the messages' meaning depends on:
 * a certificate is the server's when it follows a ServerHello, and TLS 1.3 has none in the clear.
 */
export class HandshakeMessages {
  private readonly sink: HandshakeSink;
  private readonly framing: HelloFraming;
  /** ClientHello messages that came, well-formed or not. */
  clientHellos = 0;
  retryRequestSeen = false;
  /** True once a ServerHello came that is no HelloRetryRequest, well-formed or not. */
  serverHelloSeen = false;
  private certificateDue = false;

  constructor(sink: HandshakeSink, framing: HelloFraming) {
    this.sink = sink;
    this.framing = framing;
  }

  reset(): void {
    this.clientHellos = 0;
    this.retryRequestSeen = false;
    this.serverHelloSeen = false;
    this.certificateDue = false;
  }

  /** Longest body of this type that is worth keeping, in bytes; 0 when the type is passed over. */
  capOf(type: number): number {
    if (type === HandshakeType.clientHello || type === HandshakeType.serverHello) return MAX_HELLO_BYTES;
    return type === HandshakeType.certificate && this.certificateDue ? MAX_CERTIFICATE_BYTES : 0;
  }

  /** One whole message: its body is bytes[start, end). */
  message(type: number, bytes: Uint8Array, start: number, end: number): void {
    if (type === HandshakeType.clientHello) this.clientHello(bytes, start, end);
    else if (type === HandshakeType.serverHello) this.serverHello(bytes, start, end);
    else if (type === HandshakeType.certificate && this.certificateDue) {
      this.certificateDue = false;
      this.sink.certificate(readCertificateMessage(bytes, start, end));
    }
  }

  /** A message that will not be read. */
  refuse(type: number, why: Fault): void {
    if (type === HandshakeType.clientHello) this.sink.bad('client-hello', why);
    else if (type === HandshakeType.serverHello) this.sink.bad('server-hello', why);
    else if (type === HandshakeType.certificate && this.certificateDue) {
      this.certificateDue = false;
      this.sink.certificate({ kind: 'bad', why, sha256: undefined });
    }
  }

  private clientHello(bytes: Uint8Array, start: number, end: number): void {
    this.clientHellos++;
    const hello = parseClientHello(bytes, start, end, this.framing);
    if (hello.kind === 'ok') this.sink.clientHello(hello.value);
    else this.sink.bad('client-hello', hello.kind === 'bad' ? hello.why : 'truncated');
  }

  private serverHello(bytes: Uint8Array, start: number, end: number): void {
    const hello = parseServerHello(bytes, start, end);
    if (hello.kind === 'ok' && hello.value.isRetryRequest) {
      this.retryRequestSeen = true;
      this.sink.helloRetryRequest(hello.value);
      return;
    }
    this.serverHelloSeen = true;
    if (hello.kind !== 'ok') {
      this.sink.bad('server-hello', hello.kind === 'bad' ? hello.why : 'truncated');
    } else {
      this.certificateDue = !isTls13(hello.value.version);
      this.sink.serverHello(hello.value);
    }
  }
}
