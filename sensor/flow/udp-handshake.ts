import { type ByteString, SERVER_NAME_CAP, safeText } from '../base/text.ts';
import type { HandshakeSink } from '../tls/handshake-events.ts';
import { QuicHandshake } from '../tls/quic-handshake.ts';
import type { Segment } from '../wire/segment.ts';
import { Conversation } from './conversation.ts';
import type { DatagramReader, Recognised } from './datagram-reader.ts';
import { MAX_PROBED, recogniseDatagram } from './recognise-datagram.ts';
import type { HandshakeStatus } from './tcp-handshake.ts';

/** Datagrams after which a first guess that has read nothing gives way to another. */
const MAX_GUESSED = 8;

interface Reader {
  readonly what: Recognised;
  /** Direction taken for the client's. */
  readonly client: number;
  readonly handshake: DatagramReader;
}

/** Whether a datagram may be the first of a handshake: most UDP conversations never need a reader. */
export const mayBeginHandshake = ({ bytes, payloadStart, payloadEnd }: Segment): boolean =>
  recogniseDatagram(bytes, payloadStart, payloadEnd) !== undefined;

/** Reads the handshake of one UDP conversation: QUIC, DTLS or what carries TLS, on any port. */
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
    this.judge(reader && direction === reader.client ? s.dstPort : s.srcPort);
  }

  /** No more will come: what is incomplete is named. */
  finish(): void {
    const c = this.conversation;
    const { reader } = this;
    if (reader === undefined || c.clientFacts !== undefined || !reader.handshake.inMessage) return;
    this.found(reader.what, reader.client);
    c.mark('hello_incomplete');
  }

  private begin(direction: number, bytes: Uint8Array, start: number, end: number): Reader | undefined {
    const what = recogniseDatagram(bytes, start, end);
    if (what === undefined) return undefined;
    const client = what.fromServer ? 1 - direction : direction;
    return { what, client, handshake: what.open(this.sink(what, client)) };
  }

  private judge(serverPort: number): void {
    const c = this.conversation;
    const { reader } = this;
    if (reader?.handshake.googleServerName !== undefined && c.via === undefined) {
      this.foundGoogle(reader, reader.handshake.googleServerName, serverPort);
    }
    const patience = reader?.what.patience ?? MAX_PROBED;
    if (c.protocol === undefined) {
      // A first guess that led nowhere (a server's packet captured first, something alike) gives way to another.
      const guessed = patience === MAX_PROBED && this.probed % MAX_GUESSED === 0;
      if (reader && guessed && !reader.handshake.inMessage) this.reader = undefined;
      const begun = reader?.handshake.inMessage === true;
      if (this.probed < (begun ? 2 * patience : patience)) return;
      this.finish();
      this.status = begun ? 'done' : 'plain';
      return;
    }
    if (reader?.handshake instanceof QuicHandshake) {
      if (reader.handshake.retrySeen) c.mark('quic_retry');
      if (reader.handshake.versionNegotiated) c.mark('quic_version_negotiated');
    }
    if (!reader?.handshake.done && ++this.waited < patience) return;
    this.finish();
    this.status = 'done';
  }

  private found({ protocol, via }: Recognised, client: number): void {
    const c = this.conversation;
    c.protocol = protocol;
    c.client = client;
    if (via !== undefined) c.via = via;
  }

  /** Google QUIC has a hello of its own: where it goes is told as by a prelude. */
  private foundGoogle({ what, client }: Reader, serverName: ByteString, port: number): void {
    const c = this.conversation;
    this.found(what, client);
    c.via = 'gquic';
    if (serverName !== '') c.viaTarget = `${safeText(serverName, SERVER_NAME_CAP).text}:${port}`;
  }

  private sink(what: Recognised, client: number): HandshakeSink {
    const c = this.conversation;
    return {
      clientHello: (hello) => {
        this.found(what, client);
        c.clientHello(hello);
      },
      sslV2Hello: () => {},
      helloRetryRequest: () => c.helloRetryRequest(),
      serverHello: (hello) => {
        this.found(what, client);
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
