import type { Fault } from '../../sensor/base/outcome.ts';
import type { CertificateReading } from '../../sensor/tls/certificate.ts';
import type { ClientHello } from '../../sensor/tls/client-hello.ts';
import type { HandshakeMessage, HandshakeSink } from '../../sensor/tls/handshake-events.ts';
import { ja3 } from '../../sensor/tls/ja3.ts';
import type { ServerHello } from '../../sensor/tls/server-hello.ts';
import type { SslV2Hello } from '../../sensor/tls/sslv2-hello.ts';

/** Keeps what a handshake reader reported, and its order as short words. */
export class RecordingSink implements HandshakeSink {
  readonly order: string[] = [];
  readonly clientHellos: ClientHello[] = [];
  readonly sslV2Hellos: SslV2Hello[] = [];
  readonly serverHellos: ServerHello[] = [];
  readonly retryRequests: ServerHello[] = [];
  readonly certificates: CertificateReading[] = [];

  clientHello(hello: ClientHello): void {
    this.order.push(`client-hello ${ja3(hello)}`);
    this.clientHellos.push(hello);
  }
  sslV2Hello(hello: SslV2Hello): void {
    this.order.push('sslv2-hello');
    this.sslV2Hellos.push(hello);
  }
  helloRetryRequest(hello: ServerHello): void {
    this.order.push('hello-retry-request');
    this.retryRequests.push(hello);
  }
  serverHello(hello: ServerHello): void {
    this.order.push('server-hello');
    this.serverHellos.push(hello);
  }
  certificate(reading: CertificateReading): void {
    this.order.push(`certificate ${reading.kind}`);
    this.certificates.push(reading);
  }
  changeCipherSpec(): void {
    this.order.push('change-cipher-spec');
  }
  finishedRecord(): void {
    this.order.push('finished');
  }
  applicationData(): void {
    this.order.push('application-data');
  }
  alert(level: number, description: number): void {
    this.order.push(`alert ${level} ${description}`);
  }
  bad(message: HandshakeMessage, why: Fault): void {
    this.order.push(`bad ${message} ${why}`);
  }
}
