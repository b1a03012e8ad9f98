import type { Fault } from '../base/outcome.ts';
import type { ByteString } from '../base/text.ts';
import { CryptoReader } from './crypto-reader.ts';
import type { HandshakeSink } from './handshake-events.ts';
import { type InitialKeys, initialKeys, initialSecret, type OpenedPacket, openInitial } from './quic-crypto.ts';
import { type PacketReading, type QuicPacket, readPacket } from './quic-packet.ts';
import { forcesNegotiation, Q050, type QuicVersion } from './quic-versions.ts';

/** Packets of one datagram that are looked at: Initial, 0-RTT, Handshake, and room for repeats. */
const MAX_PACKETS_PER_DATAGRAM = 8;
/** Times that keys are made for one conversation: first Initial, Retry, version changes. */
const MAX_KEY_DERIVATIONS = 8;

/**
 * Reads the handshake of one QUIC conversation from its datagrams and reports to a sink. Initial packets are decrypted
 * with the keys that anyone on the path can make from the client's first connection id; nothing else is.
 */
export class QuicHandshake {
  /** The version of the client's latest Initial: "1", "2", "draft-29"; undefined before it. */
  version: string | undefined;
  /** The server sent a Retry. */
  retrySeen = false;
  /** The server refused the client's version, and the client came back. */
  versionNegotiated = false;

  private readonly sink: HandshakeSink;
  private readonly fromClient: CryptoReader;
  private readonly fromServer: CryptoReader;
  private keys: ConnectionKeys | undefined;
  /** Connection id of the client's latest Initial, for when a Retry was not captured. */
  private latestDcid: Uint8Array = NO_BYTES;
  private derivations = 0;
  /** A Retry was seen: the client's next Initial has the connection id that keys are made from now (RFC 9001 §5.2). */
  private retried = false;
  private refused = false;
  private faultReported = false;
  private clientDataSeen = false;
  private serverDataSeen = false;

  constructor(sink: HandshakeSink) {
    this.sink = sink;
    this.fromClient = new CryptoReader(sink);
    this.fromServer = new CryptoReader(sink);
  }

  /** True once nothing that comes can matter any more: both sides send data. */
  get done(): boolean {
    return this.clientDataSeen && this.serverDataSeen;
  }

  /** True when a hello has begun and is not complete. */
  get inMessage(): boolean {
    return this.fromClient.inMessage || this.fromServer.inMessage;
  }

  /** Bytes of memory held for hellos that are not complete. */
  get heldBytes(): number {
    return this.fromClient.heldBytes + this.fromServer.heldBytes;
  }

  /** Host name of a Google QUIC hello (version Q050), which is no TLS and reports nothing to the sink. */
  get googleServerName(): ByteString | undefined {
    return this.fromClient.googleServerName;
  }

  private get helloSeen(): boolean {
    return this.fromClient.messages.clientHellos > 0 || this.googleServerName !== undefined;
  }

  /** A datagram that the client sent: bytes[start, end). */
  client(bytes: Uint8Array, start: number, end: number): void {
    const after = this.eachPacket(bytes, start, end, (packet) => this.clientPacket(packet, bytes));
    if (after !== 'short' || this.clientDataSeen || !this.helloSeen) return;
    this.clientDataSeen = true;
    this.sink.applicationData();
  }

  /** A datagram that the server sent: bytes[start, end). */
  server(bytes: Uint8Array, start: number, end: number): void {
    const after = this.eachPacket(bytes, start, end, (packet) => this.serverPacket(packet, bytes));
    this.refused ||= after === 'version-negotiation';
    if (after !== 'short' || this.serverDataSeen || !this.helloSeen) return;
    this.serverDataSeen = true;
    this.sink.applicationData();
  }

  /** Goes through the packets of a datagram and says what stands after the last one. */
  private eachPacket(
    bytes: Uint8Array,
    start: number,
    end: number,
    take: (packet: QuicPacket) => void,
  ): PacketReading['kind'] {
    let at = start;
    for (let i = 0; i < MAX_PACKETS_PER_DATAGRAM; i++) {
      const reading = readPacket(bytes, at, end);
      if (reading.kind === 'unknown-version' && !forcesNegotiation(reading.version)) this.fault('unknown-version');
      if (reading.kind !== 'packet') return reading.kind;
      take(reading.packet);
      at = reading.packet.end;
    }
    return 'none';
  }

  private clientPacket(packet: QuicPacket, bytes: Uint8Array): void {
    if (packet.kind !== 'initial') return;
    this.version = packet.version.name;
    this.versionNegotiated ||= this.refused;
    this.latestDcid = packet.dcid.slice();
    if (this.retried) {
      this.retried = false;
      this.useKeys(this.derive(packet.version, this.latestDcid));
    }
    const expected = this.fromServer.messages.retryRequestSeen ? 2 : 1;
    if (this.fromClient.messages.clientHellos >= expected || !this.fromClient.spend()) return;

    const opened = this.openClient(packet, bytes);
    if (opened === undefined) this.fault('decrypt-failed');
    else this.fromClient.accept(opened.payload, packet.version.googleFrames, packet.versionNumber === Q050);
  }

  /** With the keys of the connection, or else with those that this packet's own connection id gives. */
  private openClient(packet: QuicPacket, bytes: Uint8Array): OpenedPacket | undefined {
    const { keys } = this;
    if (keys !== undefined && keys.version === packet.version) {
      const opened = openInitial(keys.client, bytes, packet.start, packet.numberAt, packet.end);
      if (opened !== undefined || sameBytes(keys.dcid, packet.dcid)) return opened;
    }
    const own = this.derive(packet.version, this.latestDcid);
    if (own === undefined) return undefined;
    const opened = openInitial(own.client, bytes, packet.start, packet.numberAt, packet.end);
    if (opened !== undefined) this.useKeys(own);
    return opened;
  }

  private serverPacket(packet: QuicPacket, bytes: Uint8Array): void {
    const { keys } = this;
    if (packet.kind === 'retry') this.retried = this.retrySeen = true;
    if (packet.kind !== 'initial' || keys === undefined) return;
    if (this.fromServer.messages.serverHelloSeen || !this.fromServer.spend()) return;

    // The server may answer in another version with the same connection id (RFC 9368 §2.3).
    const opener = keys.version === packet.version ? keys : this.derive(packet.version, keys.dcid);
    let opened = opener && openInitial(opener.server, bytes, packet.start, packet.numberAt, packet.end);
    if (opened === undefined && !sameBytes(keys.dcid, this.latestDcid)) {
      const latest = this.derive(packet.version, this.latestDcid);
      opened = latest && openInitial(latest.server, bytes, packet.start, packet.numberAt, packet.end);
      if (opened !== undefined) this.keys = latest;
    }
    if (opened !== undefined) this.fromServer.accept(opened.payload, packet.version.googleFrames, false);
  }

  private derive(version: QuicVersion, dcid: Uint8Array): ConnectionKeys | undefined {
    if (this.derivations >= MAX_KEY_DERIVATIONS) return undefined;
    this.derivations++;
    return new ConnectionKeys(version, dcid);
  }

  /** Another connection, or the same one after a Retry: CRYPTO offsets begin at 0 again. */
  private useKeys(keys: ConnectionKeys | undefined): void {
    if (keys === undefined) return;
    if (this.keys !== undefined) this.fromClient.restart();
    this.keys = keys;
  }

  private fault(why: Fault): void {
    if (this.faultReported) return;
    this.faultReported = true;
    this.sink.bad('stream', why);
  }
}

/** The secrets of a connection; each side's keys are made when they are first needed. */
class ConnectionKeys {
  readonly version: QuicVersion;
  readonly dcid: Uint8Array;
  private readonly secret: Buffer;
  private ofClient: InitialKeys | undefined;
  private ofServer: InitialKeys | undefined;

  constructor(version: QuicVersion, dcid: Uint8Array) {
    this.version = version;
    this.dcid = dcid;
    this.secret = initialSecret(version, dcid);
  }

  get client(): InitialKeys {
    this.ofClient ??= initialKeys(this.version, this.secret, 'client');
    return this.ofClient;
  }

  get server(): InitialKeys {
    this.ofServer ??= initialKeys(this.version, this.secret, 'server');
    return this.ofServer;
  }
}

const NO_BYTES = new Uint8Array(0);

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
