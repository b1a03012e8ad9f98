import type { Fault } from '../base/outcome.ts';
import { type Anomaly, anomalyBit } from '../record/anomalies.ts';
import type { CertificateFacts, CertificateReading } from '../tls/certificate.ts';
import { nameMatches } from '../tls/certificate-names.ts';
import type { ClientHello } from '../tls/client-hello.ts';
import type { HandshakeMessage, HandshakeSink } from '../tls/handshake-events.ts';
import type { Ja4Transport } from '../tls/ja4.ts';
import type { ServerHello } from '../tls/server-hello.ts';
import { isTls13 } from '../tls/tls-versions.ts';
import { type ClientFacts, clientFacts, type ServerFacts, serverFacts } from './hello-facts.ts';

/** Upstream bursts kept: the largest ones. */
const MAX_BURSTS = 8;
const NO_BURSTS: readonly number[] = [];

export interface SshFacts {
  client?: string;
  server?: string;
  hassh?: string;
  hassh_server?: string;
}

export const PROTOCOLS = ['tls', 'quic', 'dtls', 'ssh'] as const;

/**
 * What was learned of one encrypted conversation, filled in by the handshake readers. It keeps text and numbers only, no
 * view of a packet. Once the handshake is over `SettledConversations` keeps it.
 */
export class Conversation implements HandshakeSink {
  protocol: (typeof PROTOCOLS)[number] | undefined;
  /** Direction (0 or 1) of the TLS client; -1 while unknown. */
  client = -1;
  anomalies = 0;
  via: string | undefined;
  viaTarget: string | undefined;
  /** The name that the client had looked up for the address, when its hello names none. */
  dnsName: string | undefined;
  /** Whether the client had looked up the name in its hello; undefined when its look-ups are not seen. */
  dnsSeen: boolean | undefined;
  clientFacts: ClientFacts | undefined;
  serverFacts: ServerFacts | undefined;
  certificateFacts: CertificateFacts | undefined;
  /** Known even when the certificate could not be read, if its DER was whole. */
  certificateSha256: string | undefined;
  certificateNameMatches: boolean | undefined;
  ssh: SshFacts | undefined;
  established = false;
  resumed: boolean | undefined;
  /** Outermost first. */
  tunnels = 0;
  vlan = -1;
  /**
   * Microseconds; 0 while the client has sent nothing after the handshake. Negative zero, because V8 has no small integer
   * for it: a field that is a double from the start does not become one at the first time that is put in, which throws
   * away the compiled code of everything that reads a conversation.
   */
  firstBytesAt = -0;
  bursts: readonly number[] = NO_BURSTS;
  /** Enough is known for a first record. */
  readyToOpen = false;

  /** Keep what the client offers as sent, for verbose records. */
  private readonly inFull: boolean;
  private clientSessionId = '';
  private offeredTicket = false;
  private serverSessionId = '';
  private tls13 = false;
  private appDataSides = 0;
  private finishedSides = 0;

  constructor(inFull = false) {
    this.inFull = inFull;
  }

  note(bits: number): void {
    this.anomalies |= bits;
  }

  mark(name: Anomaly): void {
    this.anomalies |= anomalyBit(name);
  }

  clientHello(hello: ClientHello): void {
    if (this.clientFacts !== undefined) return;
    const transport: Ja4Transport = this.protocol === 'quic' ? 'q' : this.protocol === 'dtls' ? 'd' : 't';
    this.clientFacts = clientFacts(hello, transport, this.inFull);
    const { serverName } = this.clientFacts;
    if (serverName === undefined) this.mark('no_sni');
    else if (serverName.domain === undefined) this.mark('sni_not_hostname');
    if (hello.serverNameCount > 1) this.mark('sni_many');
    if (hello.ech === 'outer') this.mark('ech_outer');
    this.clientSessionId = hello.sessionId;
    this.offeredTicket = hello.offersTicket;
    this.checkCertificateName();
  }

  helloRetryRequest(): void {
    this.mark('hello_retry');
  }

  serverHello(hello: ServerHello): void {
    if (this.serverFacts !== undefined) return;
    this.serverFacts = serverFacts(hello);
    this.tls13 = isTls13(hello.version);
    this.serverSessionId = hello.sessionId;
    if (this.tls13) {
      this.resumed = hello.acceptsPsk;
      this.readyToOpen = true;
    }
  }

  sslV2Hello(): void {
    this.mark('sslv2_hello');
  }

  certificate(reading: CertificateReading): void {
    this.resumed = false;
    this.readyToOpen = true;
    if (reading.kind === 'bad') {
      this.mark('certificate_malformed');
      this.certificateSha256 = reading.sha256;
    }
    if (reading.kind !== 'facts') return;
    this.certificateFacts = reading.facts;
    this.certificateSha256 = reading.facts.sha256;
    if (reading.facts.selfSigned) this.mark('certificate_self_signed');
    this.checkCertificateName();
  }

  alert(): void {}

  changeCipherSpec(): void {
    this.readyToOpen ||= this.serverFacts !== undefined;
    this.judgeResumption();
  }

  applicationData(): void {
    this.appDataSides++;
    if (this.appDataSides >= 2 || (!this.tls13 && this.appDataSides >= 1)) this.established = true;
    this.readyToOpen ||= this.serverFacts !== undefined;
  }

  finishedRecord(): void {
    this.finishedSides++;
    if (this.finishedSides >= 2) this.established = true;
    this.readyToOpen ||= this.serverFacts !== undefined;
    this.judgeResumption();
  }

  bad(message: HandshakeMessage, why: Fault): void {
    if (message === 'client-hello') this.mark('hello_malformed');
    else if (message === 'server-hello') this.mark('server_hello_malformed');
    if (why === 'over-cap') this.mark('handshake_over_limit');
  }

  /** Notes one upstream burst; only the largest are kept. */
  burst(bytes: number): void {
    const bursts = [...this.bursts, bytes];
    if (bursts.length > MAX_BURSTS) {
      let smallest = 0;
      for (let i = 1; i < bursts.length; i++) if (bursts[i]! < bursts[smallest]!) smallest = i;
      bursts.splice(smallest, 1);
    }
    this.bursts = bursts;
  }

  /** TLS <= 1.2: an echoed session id, or a ticket taken without a certificate, is an abbreviated handshake (RFC 5246 §7.3). */
  private judgeResumption(): void {
    if (this.tls13 || this.serverFacts === undefined || this.resumed !== undefined) return;
    const echoed = this.clientSessionId !== '' && this.clientSessionId === this.serverSessionId;
    if (this.certificateFacts === undefined && (echoed || this.offeredTicket)) this.resumed = true;
  }

  private checkCertificateName(): void {
    const name = this.clientFacts?.serverName?.domain;
    if (this.certificateFacts === undefined || name === undefined) return;
    this.certificateNameMatches = nameMatches(name, this.certificateFacts);
    if (this.certificateNameMatches === false) this.mark('certificate_name_mismatch');
  }
}
