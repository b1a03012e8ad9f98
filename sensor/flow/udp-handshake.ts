import { DtlsHandshake } from '../tls/dtls-handshake.ts';
import { looksLikeDtls } from '../tls/dtls-record.ts';
import type { HandshakeSink } from '../tls/handshake-events.ts';
import { QuicHandshake } from '../tls/quic-handshake.ts';
import { looksLikeQuicInitial } from '../tls/quic-packet.ts';
import type { Segment } from '../wire/segment.ts';
import { Conversation } from './conversation.ts';
import type { HandshakeStatus } from './tcp-handshake.ts';

/** Datagrams looked at before a conversation is taken as plain: STUN and RTP may precede DTLS on one port. */
export const MAX_PROBED = 32;
/** Datagrams after the ClientHello in which the other side must answer, or was not captured. */
const MAX_WAITED = 32;

/** type(1) version(2) epoch(2) sequence(6) length(2), RFC 6347 §4.1; the handshake type follows. */
const DTLS_RECORD_HEADER = 13;
const SERVER_HELLO = 2;

interface Reader {
  readonly kind: 'quic' | 'dtls';
  /** Direction taken for the client's. */
  readonly client: number;
  readonly handshake: QuicHandshake | DtlsHandshake;
}

/** Whether a datagram may be the first of a handshake: most UDP conversations never need a reader. */
export const mayBeginHandshake = ({ bytes, payloadStart, payloadEnd }: Segment): boolean =>
  looksLikeQuicInitial(bytes, payloadStart, payloadEnd) || looksLikeDtls(bytes, payloadStart, payloadEnd);

/** Reads the handshake of one UDP conversation: QUIC or DTLS, on any port. */
export class UdpHandshake {
  readonly conversation: Conversation;
  status: HandshakeStatus = 'reading';
  /** Where whoever keeps the open handshakes has put this one. */
  place = -1;
  private reader: Reader | undefined;
  private probed = 0;
  private waited = 0;

  /** @param inFull the conversation keeps what the client offers as it was sent */
  constructor(inFull: boolean) {
    this.conversation = new Conversation(inFull);
  }

  datagram(direction: number, s: Segment): void {
    const c = this.conversation;
    if (s.vlan >= 0) c.vlan = s.vlan;
    c.tunnels |= s.tunnels;
    if (s.fragmentConflict) c.mark('overlap_differs');
    const { bytes, payloadStart: start, payloadEnd: end } = s;
    this.probed++;
    if (this.reader === undefined) this.reader = this.begin(direction, bytes, start, end);
    const reader = this.reader;
    if (reader) {
      if (direction === reader.client) reader.handshake.client(bytes, start, end);
      else reader.handshake.server(bytes, start, end);
    }
    this.judge();
  }

  /** No more will come: what is incomplete is named. */
  finish(): void {
    const c = this.conversation;
    const { reader } = this;
    if (reader === undefined || c.clientFacts !== undefined || !reader.handshake.inMessage) return;
    c.protocol = reader.kind;
    c.client = reader.client;
    c.mark('hello_incomplete');
  }

  private begin(direction: number, bytes: Uint8Array, start: number, end: number): Reader | undefined {
    const quic = looksLikeQuicInitial(bytes, start, end);
    if (!quic && !looksLikeDtls(bytes, start, end)) return undefined;
    const kind = quic ? 'quic' : 'dtls';
    const fromServer = !quic && bytes[start + DTLS_RECORD_HEADER] === SERVER_HELLO;
    const client = fromServer ? 1 - direction : direction;
    const sink = this.sink(kind, client);
    return { kind, client, handshake: quic ? new QuicHandshake(sink) : new DtlsHandshake(sink) };
  }

  private judge(): void {
    const c = this.conversation;
    const { reader } = this;
    if (c.protocol === undefined) {
      // A first guess that led nowhere (a server's packet captured first, something alike) gives way to another.
      if (reader && this.probed % 8 === 0 && !reader.handshake.inMessage) this.reader = undefined;
      const begun = reader?.handshake.inMessage === true;
      if (this.probed < (begun ? 2 * MAX_PROBED : MAX_PROBED)) return;
      this.finish();
      this.status = begun ? 'done' : 'plain';
      return;
    }
    if (reader?.handshake instanceof QuicHandshake) {
      if (reader.handshake.retrySeen) c.mark('quic_retry');
      if (reader.handshake.versionNegotiated) c.mark('quic_version_negotiated');
    }
    if (!reader?.handshake.done && ++this.waited < MAX_WAITED) return;
    this.finish();
    this.status = 'done';
  }

  private sink(kind: 'quic' | 'dtls', client: number): HandshakeSink {
    const c = this.conversation;
    const found = (): void => {
      c.protocol = kind;
      c.client = client;
    };
    return {
      clientHello: (hello) => {
        found();
        c.clientHello(hello);
      },
      sslV2Hello: () => {},
      helloRetryRequest: () => c.helloRetryRequest(),
      serverHello: (hello) => {
        found();
        c.serverHello(hello);
      },
      certificate: (reading) => c.certificate(reading),
      changeCipherSpec: () => c.changeCipherSpec(),
      finishedRecord: () => c.finishedRecord(),
      applicationData: () => c.applicationData(),
      alert: () => c.alert(),
      bad: (message, why) => c.bad(message, why),
    };
  }
}
