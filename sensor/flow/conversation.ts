import type { Fault } from '../base/outcome.ts';
import { isHostname, SERVER_NAME_CAP, safeText } from '../base/text.ts';
import { type Anomaly, anomalyBit } from '../record/anomalies.ts';
import type { CertificateFacts, CertificateReading } from '../tls/certificate.ts';
import { nameMatches } from '../tls/certificate-names.ts';
import { cipherSuiteName } from '../tls/cipher-suites.ts';
import type { ClientHello } from '../tls/client-hello.ts';
import type { HandshakeMessage, HandshakeSink } from '../tls/handshake-events.ts';
import { ja3Digest, ja3String, ja3s } from '../tls/ja3.ts';
import { type Ja4Transport, ja4, offeredVersion } from '../tls/ja4.ts';
import type { ServerHello } from '../tls/server-hello.ts';
import { isTls13, versionName } from '../tls/tls-versions.ts';

/** Upstream bursts kept: the largest ones. */
const MAX_BURSTS = 8;
/** ALPN names kept of a hello, and characters of each. */
const MAX_ALPN = 8;
const MAX_ALPN_CHARS = 64;

export interface ClientFacts {
  readonly serverName: string | undefined;
  readonly ja3: string;
  readonly ja3String: string;
  readonly ja4: string;
  readonly version: string;
  readonly alpn: readonly string[];
  readonly ech: ClientHello['ech'];
  readonly ciphers: readonly number[];
}

export interface ServerFacts {
  readonly ja3s: string;
  readonly version: string;
  readonly versionProtocol: 'tls' | 'ssl' | 'dtls';
  readonly cipher: string;
  readonly alpn: string | undefined;
}

/**
 * What was learned of one encrypted conversation, filled in by the handshake readers. It keeps text and numbers only, no
 * view of a packet.
 */
export class Conversation implements HandshakeSink {
  protocol: 'tls' | 'quic' | 'dtls' | 'ssh' | undefined;
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
  ssh: { client?: string; server?: string; hassh?: string; hassh_server?: string } | undefined;
  established = false;
  resumed: boolean | undefined;
  /** Outermost first. */
  tunnels = 0;
  vlan = -1;
  /** Microseconds; 0 while the client has sent nothing after the handshake. */
  firstBytesAt = 0;
  bursts: number[] = [];
  /** Enough is known for a first record. */
  readyToOpen = false;

  private clientSessionId = '';
  private offeredTicket = false;
  private serverSessionId = '';
  private tls13 = false;
  private appDataSides = 0;
  private finishedSides = 0;

  note(bits: number): void {
    this.anomalies |= bits;
  }

  mark(name: Anomaly): void {
    this.anomalies |= anomalyBit(name);
  }

  clientHello(hello: ClientHello): void {
    if (this.clientFacts !== undefined) return;
    const transport: Ja4Transport = this.protocol === 'quic' ? 'q' : this.protocol === 'dtls' ? 'd' : 't';
    const raw = hello.serverName;
    const name = raw === undefined ? undefined : safeText(raw, SERVER_NAME_CAP);
    if (name === undefined) this.mark('no_sni');
    else if (name.escaped || name.cut || !isHostname(name.text)) this.mark('sni_not_hostname');
    if (hello.serverNameCount > 1) this.mark('sni_many');
    if (hello.ech === 'outer') this.mark('ech_outer');
    const text = ja3String(hello);
    this.clientFacts = {
      serverName: name?.text,
      ja3: ja3Digest(text),
      ja3String: text,
      ja4: ja4(hello, transport).ja4,
      version: versionName(offeredVersion(hello)).version,
      alpn: hello.alpn.slice(0, MAX_ALPN).map((p) => safeText(p, MAX_ALPN_CHARS).text),
      ech: hello.ech,
      ciphers: hello.cipherSuites,
    };
    this.clientSessionId = hello.sessionId;
    this.offeredTicket = hello.offersTicket;
    this.checkCertificateName();
  }

  helloRetryRequest(): void {
    this.mark('hello_retry');
  }

  serverHello(hello: ServerHello): void {
    if (this.serverFacts !== undefined) return;
    const { version, protocol } = versionName(hello.version);
    this.serverFacts = {
      ja3s: ja3s(hello),
      version,
      versionProtocol: protocol,
      cipher: cipherSuiteName(hello.cipherSuite),
      alpn: hello.alpn === undefined ? undefined : safeText(hello.alpn, MAX_ALPN_CHARS).text,
    };
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
    if (message === 'client-hello') this.mark(why === 'truncated' ? 'hello_incomplete' : 'hello_malformed');
    else if (message === 'server-hello') this.mark('server_hello_malformed');
    if (why === 'over-cap') this.mark('handshake_over_limit');
  }

  /** Notes one upstream burst; only the largest are kept. */
  burst(bytes: number): void {
    this.bursts.push(bytes);
    if (this.bursts.length > MAX_BURSTS) {
      let smallest = 0;
      for (let i = 1; i < this.bursts.length; i++) if (this.bursts[i]! < this.bursts[smallest]!) smallest = i;
      this.bursts.splice(smallest, 1);
    }
  }

  /** TLS <= 1.2: an echoed session id, or a ticket taken without a certificate, is an abbreviated handshake (RFC 5246 §7.3). */
  private judgeResumption(): void {
    if (this.tls13 || this.serverFacts === undefined || this.resumed !== undefined) return;
    const echoed = this.clientSessionId !== '' && this.clientSessionId === this.serverSessionId;
    if (this.certificateFacts === undefined && (echoed || this.offeredTicket)) this.resumed = true;
  }

  private checkCertificateName(): void {
    const name = this.clientFacts?.serverName;
    if (this.certificateFacts === undefined || name === undefined || !isHostname(name)) return;
    this.certificateNameMatches = nameMatches(name, this.certificateFacts);
    if (this.certificateNameMatches === false) this.mark('certificate_name_mismatch');
  }
}
