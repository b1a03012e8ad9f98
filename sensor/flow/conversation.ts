import type { Fault } from '../base/outcome.ts';
import { isHostname } from '../base/text.ts';
import { type Anomaly, anomalyBit } from '../record/anomalies.ts';
import type { CertificateFacts, CertificateReading } from '../tls/certificate.ts';
import { nameMatches } from '../tls/certificate-names.ts';
import type { ClientHello } from '../tls/client-hello.ts';
import type { HandshakeMessage, HandshakeSink } from '../tls/handshake-events.ts';
import type { Ja4Transport } from '../tls/ja4.ts';
import type { ServerHello } from '../tls/server-hello.ts';
import { isTls13 } from '../tls/tls-versions.ts';
import {
  answerOf,
  newRare,
  newReading,
  numberOf,
  Path,
  PROTOCOLS,
  type Protocol,
  part,
  type Rare,
  type Reading,
  Small,
  type SshFacts,
  withPart,
} from './conversation-parts.ts';
import { type ClientFacts, clientFacts, type ServerFacts, serverFacts, serverNameOf } from './hello-facts.ts';

/** Upstream bursts kept: the largest ones. */
const MAX_BURSTS = 8;
const NO_BURSTS: readonly number[] = [];

/**
 * What was learned of one encrypted conversation, filled in by the handshake readers. It keeps text and numbers only, no
 * view of a packet. Half a million of these may be kept at once, so small fields share a number, what is rare stands in an
 * object of its own, and what only the handshake needs is dropped with `release`.
 */
export class Conversation implements HandshakeSink {
  anomalies = 0;
  clientFacts: ClientFacts | undefined;
  serverFacts: ServerFacts | undefined;
  certificateFacts: CertificateFacts | undefined;
  /** Microseconds; 0 while the client has sent nothing after the handshake. */
  firstBytesAt = 0;
  bursts: readonly number[] = NO_BURSTS;

  private small = 0;
  private path = 0;
  private rare: Rare | undefined;
  private reading: Reading | undefined;
  /** Keep what the client offers as sent, for verbose records. */
  private readonly inFull: boolean;

  constructor(inFull = false) {
    this.inFull = inFull;
  }

  get protocol(): Protocol {
    return PROTOCOLS[part(this.small, Small.protocol)];
  }
  set protocol(value: Protocol) {
    this.small = withPart(this.small, Small.protocol, PROTOCOLS.indexOf(value));
  }

  /** Direction (0 or 1) of the TLS client; -1 while unknown. */
  get client(): number {
    return part(this.small, Small.client) - 1;
  }
  set client(direction: number) {
    this.small = withPart(this.small, Small.client, direction + 1);
  }

  get established(): boolean {
    return part(this.small, Small.established) === 1;
  }
  set established(value: boolean) {
    this.small = withPart(this.small, Small.established, value ? 1 : 0);
  }

  /** Enough is known for a first record. */
  get readyToOpen(): boolean {
    return part(this.small, Small.readyToOpen) === 1;
  }
  set readyToOpen(value: boolean) {
    this.small = withPart(this.small, Small.readyToOpen, value ? 1 : 0);
  }

  get resumed(): boolean | undefined {
    return answerOf(part(this.small, Small.resumed));
  }
  set resumed(value: boolean | undefined) {
    this.small = withPart(this.small, Small.resumed, numberOf(value));
  }

  get certificateNameMatches(): boolean | undefined {
    return answerOf(part(this.small, Small.nameMatches));
  }
  set certificateNameMatches(value: boolean | undefined) {
    this.small = withPart(this.small, Small.nameMatches, numberOf(value));
  }

  /** Whether the client had looked up the name in its hello; undefined when its look-ups are not seen. */
  get dnsSeen(): boolean | undefined {
    return answerOf(part(this.small, Small.dnsSeen));
  }
  set dnsSeen(value: boolean | undefined) {
    this.small = withPart(this.small, Small.dnsSeen, numberOf(value));
  }

  /** VLAN id, or -1. */
  get vlan(): number {
    return part(this.path, Path.vlan) - 1;
  }
  set vlan(id: number) {
    this.path = withPart(this.path, Path.vlan, id + 1);
  }

  /** `Tunnel` bits. */
  get tunnels(): number {
    return part(this.path, Path.tunnels);
  }
  set tunnels(bits: number) {
    this.path = withPart(this.path, Path.tunnels, bits);
  }

  get via(): string | undefined {
    return this.rare?.via;
  }
  set via(name: string | undefined) {
    this.rarely().via = name;
  }

  get viaTarget(): string | undefined {
    return this.rare?.viaTarget;
  }
  set viaTarget(target: string | undefined) {
    this.rarely().viaTarget = target;
  }

  /** The name that the client had looked up for the address, when its hello names none. */
  get dnsName(): string | undefined {
    return this.rare?.dnsName;
  }
  set dnsName(name: string | undefined) {
    if (name !== undefined || this.rare) this.rarely().dnsName = name;
  }

  get ssh(): SshFacts | undefined {
    return this.rare?.ssh;
  }
  set ssh(facts: SshFacts | undefined) {
    this.rarely().ssh = facts;
  }

  /** Known even when the certificate could not be read, if its DER was whole. */
  get certificateSha256(): string | undefined {
    return this.certificateFacts?.sha256 ?? this.rare?.badCertificateSha256;
  }
  set certificateSha256(ofBad: string | undefined) {
    this.rarely().badCertificateSha256 = ofBad;
  }

  /** The handshake is over: what was kept to understand it is of no more use. */
  release(): void {
    this.reading = undefined;
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
    const name = serverNameOf(hello);
    if (name === undefined) this.mark('no_sni');
    else if (name.escaped || name.cut || !isHostname(name.text)) this.mark('sni_not_hostname');
    if (hello.serverNameCount > 1) this.mark('sni_many');
    if (hello.ech === 'outer') this.mark('ech_outer');
    this.clientFacts = clientFacts(hello, transport, name?.text, this.inFull);
    const reading = this.read();
    reading.clientSessionId = hello.sessionId;
    reading.offeredTicket = hello.offersTicket;
    this.checkCertificateName();
  }

  helloRetryRequest(): void {
    this.mark('hello_retry');
  }

  serverHello(hello: ServerHello): void {
    if (this.serverFacts !== undefined) return;
    this.serverFacts = serverFacts(hello);
    const reading = this.read();
    reading.tls13 = isTls13(hello.version);
    reading.serverSessionId = hello.sessionId;
    if (reading.tls13) {
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
    if (reading.facts.selfSigned) this.mark('certificate_self_signed');
    this.checkCertificateName();
  }

  alert(): void {}

  changeCipherSpec(): void {
    this.readyToOpen ||= this.serverFacts !== undefined;
    this.judgeResumption();
  }

  applicationData(): void {
    const reading = this.read();
    reading.appDataSides++;
    if (reading.appDataSides >= 2 || !reading.tls13) this.established = true;
    this.readyToOpen ||= this.serverFacts !== undefined;
  }

  finishedRecord(): void {
    if (++this.read().finishedSides >= 2) this.established = true;
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
    const { tls13, clientSessionId, serverSessionId, offeredTicket } = this.read();
    if (tls13 || this.serverFacts === undefined || this.resumed !== undefined) return;
    const echoed = clientSessionId !== '' && clientSessionId === serverSessionId;
    if (this.certificateFacts === undefined && (echoed || offeredTicket)) this.resumed = true;
  }

  private checkCertificateName(): void {
    const name = this.clientFacts?.serverName;
    if (this.certificateFacts === undefined || name === undefined || !isHostname(name)) return;
    this.certificateNameMatches = nameMatches(name, this.certificateFacts);
    if (this.certificateNameMatches === false) this.mark('certificate_name_mismatch');
  }

  private read(): Reading {
    this.reading ??= newReading();
    return this.reading;
  }

  private rarely(): Rare {
    this.rare ??= newRare();
    return this.rare;
  }
}
