/**
 * TLS ClientHello, RFC 8446 §4.1.2 (and RFC 5246 §7.4.1.2, which it extends; RFC 6347 §4.2.1 for the DTLS cookie).
 *
 *     struct {
 *         ProtocolVersion legacy_version;                   2
 *         Random random;                                   32
 *         opaque legacy_session_id<0..32>;              1 + n
 *         opaque cookie<0..2^8-1>;                      1 + n    DTLS only
 *         CipherSuite cipher_suites<2..2^16-2>;        2 + 2n
 *         opaque legacy_compression_methods<1..2^8-1>;  1 + n
 *         Extension extensions<8..2^16-1>;              2 + n    may be absent before TLS 1.3
 *     } ClientHello;
 */
import { ByteCursor } from '../base/cursor.ts';
import { bad, type Fault, type Outcome, ok } from '../base/outcome.ts';
import { type ByteString, byteString } from '../base/text.ts';
import { type EchKind, readEch } from './ech.ts';
import { ExtensionType, isPadding } from './extension-types.ts';
import { ServerNames } from './server-names.ts';
import { SimilarHellos } from './similar-hellos.ts';

/** What a client said about itself. Every list is as sent, in wire order, GREASE included. */
export interface ClientHello {
  /** As sent; 0x0303 for every TLS 1.3 client. The record layer's version is not looked at. */
  readonly legacyVersion: number;
  readonly sessionId: ByteString;
  /** Length of the DTLS cookie in bytes; 0 for TLS and QUIC. */
  readonly cookieLength: number;
  readonly cipherSuites: readonly number[];
  readonly compressionMethods: readonly number[];
  /** Types only; a type sent twice is here twice. */
  readonly extensionTypes: readonly number[];
  /** Of the first server_name extension: the first host name, '' when the extension or its list is empty. */
  readonly serverName: ByteString | undefined;
  /** Host names in the server_name extension; RFC 6066 §3 allows one. */
  readonly serverNameCount: number;
  readonly groups: readonly number[];
  readonly pointFormats: readonly number[];
  /** signature_algorithms (13), not signature_algorithms_cert (50) nor delegated_credential (34). */
  readonly signatureAlgorithms: readonly number[];
  readonly supportedVersions: readonly number[];
  readonly alpn: readonly ByteString[];
  readonly ech: EchKind | undefined;
  readonly offersPsk: boolean;
  readonly offersEarlyData: boolean;
  /** True when a session_ticket (35) extension carries a ticket. */
  readonly offersTicket: boolean;
  /**
   * The same object in hellos that agree in every list: what follows from those alone can be kept with it. Undefined when
   * none such were looked for.
   */
  readonly likeness: object | undefined;
}

/** Which framing the hello came in: DTLS has a cookie after the session id. */
export type HelloFraming = 'tls' | 'dtls';

const RANDOM_BYTES = 32;
const MAX_SESSION_ID_BYTES = 32;
const NONE: readonly never[] = [];

/**
 * Parses the body of one handshake message of type client_hello: bytes[start, end), header already removed.
 *
 * It accepts only what is complete: every vector must fill exactly the bytes its length promised, at every level that a
 * fingerprint or a name is read from. Empty lists, a missing extension block and up to three zero bytes at its end are
 * accepted; they occur.
 */
export function parseClientHello(
  bytes: Uint8Array,
  start: number,
  end: number,
  framing: HelloFraming = 'tls',
): Outcome<ClientHello> {
  const similar = framing === 'dtls' ? similarInDtls : similarInTls;
  const known = similar.find(bytes, start, end);
  if (known !== undefined) return ok(known);
  const outcome = readWhole(bytes, start, end, framing, similar.sought ? {} : undefined);
  if (outcome.kind === 'ok' && similar.sought) similar.remember(outcome.value);
  return outcome;
}

const similarInTls = new SimilarHellos('tls');
const similarInDtls = new SimilarHellos('dtls');

function readWhole(
  bytes: Uint8Array,
  start: number,
  end: number,
  framing: HelloFraming,
  likeness: object | undefined,
): Outcome<ClientHello> {
  const hello = new ByteCursor(bytes, start, end);

  const legacyVersion = hello.u16();
  hello.skip(RANDOM_BYTES);
  const sessionId = hello.vector8();
  const cookieLength = framing === 'dtls' ? hello.vector8().left : 0;
  const suites = hello.vector16();
  const compression = hello.vector8();
  if (hello.short) return bad('truncated', hello.at);
  if (sessionId.left > MAX_SESSION_ID_BYTES) return bad('length-mismatch', sessionId.at);
  if (suites.left % 2 !== 0) return bad('odd-length', suites.at);

  const extensions = new ExtensionReader();
  if (hello.left > 0) {
    const block = hello.vector16();
    if (hello.short) return bad('truncated', hello.at);
    if (hello.left > 0) return bad('trailing-bytes', hello.at);
    const fault = extensions.readAll(block);
    if (fault !== undefined) return bad(fault, block.at);
  }

  return ok({
    legacyVersion,
    sessionId: byteString(bytes, sessionId.at, sessionId.end),
    cookieLength,
    cipherSuites: u16List(suites),
    compressionMethods: u8List(compression),
    extensionTypes: extensions.types,
    serverName: extensions.serverNames.first,
    serverNameCount: extensions.serverNames.count,
    groups: extensions.groups ?? NONE,
    pointFormats: extensions.pointFormats ?? NONE,
    signatureAlgorithms: extensions.signatureAlgorithms ?? NONE,
    supportedVersions: extensions.supportedVersions ?? NONE,
    alpn: extensions.alpn ?? NONE,
    ech: extensions.ech,
    offersPsk: extensions.offersPsk,
    offersEarlyData: extensions.offersEarlyData,
    offersTicket: extensions.offersTicket,
    likeness,
  });
}

/** Collects what we read of an extension block. Of a type sent twice the first body counts. */
class ExtensionReader {
  readonly types: number[] = [];
  readonly serverNames = new ServerNames();
  groups: number[] | undefined;
  pointFormats: number[] | undefined;
  signatureAlgorithms: number[] | undefined;
  supportedVersions: number[] | undefined;
  alpn: ByteString[] | undefined;
  ech: EchKind | undefined;
  offersPsk = false;
  offersEarlyData = false;
  offersTicket = false;

  /** Reads the whole block, or names what is wrong with it. */
  readAll(block: ByteCursor): Fault | undefined {
    while (block.left > 0 && !isPadding(block)) {
      const type = block.u16();
      const body = block.vector16();
      if (block.short) return 'truncated';
      this.types.push(type);
      const fault = this.read(type, body);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  private read(type: number, body: ByteCursor): Fault | undefined {
    switch (type) {
      case ExtensionType.serverName:
        return this.serverNames.read(body);
      case ExtensionType.supportedGroups:
        if (this.groups !== undefined) return undefined;
        this.groups = [];
        return appendU16(this.groups, body.vector16(), body);
      case ExtensionType.ecPointFormats:
        if (this.pointFormats !== undefined) return undefined;
        this.pointFormats = u8List(body.vector8());
        return whole(body);
      case ExtensionType.signatureAlgorithms:
        if (this.signatureAlgorithms !== undefined) return undefined;
        this.signatureAlgorithms = [];
        return appendU16(this.signatureAlgorithms, body.vector16(), body);
      case ExtensionType.supportedVersions:
        if (this.supportedVersions !== undefined) return undefined;
        this.supportedVersions = [];
        return appendU16(this.supportedVersions, body.vector8(), body);
      case ExtensionType.alpn:
        return this.alpn === undefined ? this.readAlpn(body) : undefined;
      case ExtensionType.preSharedKey:
        this.offersPsk = true;
        return undefined;
      case ExtensionType.earlyData:
        this.offersEarlyData = true;
        return undefined;
      case ExtensionType.sessionTicket:
        this.offersTicket ||= body.left > 0;
        return undefined;
      case ExtensionType.encryptedClientHello:
        this.ech ??= readEch(body);
        return undefined;
      case ExtensionType.esni:
        this.ech ??= 'esni';
        return undefined;
      default:
        return undefined;
    }
  }

  /** RFC 7301 §3.1: a list of names, each with a 1-byte length. */
  private readAlpn(body: ByteCursor): Fault | undefined {
    this.alpn = [];
    if (body.left === 0) return undefined;
    const list = body.vector16();
    while (list.left > 0) {
      const name = list.vector8();
      if (list.short) return 'truncated';
      this.alpn.push(byteString(name.bytes, name.at, name.end));
    }
    return whole(body);
  }
}

/** An extension body must hold its list and nothing else. */
function whole(body: ByteCursor): Fault | undefined {
  if (body.short) return 'truncated';
  return body.left > 0 ? 'length-mismatch' : undefined;
}

function appendU16(into: number[], list: ByteCursor, body: ByteCursor): Fault | undefined {
  if (list.left % 2 !== 0) return 'odd-length';
  while (list.left > 0) into.push(list.u16());
  return whole(body);
}

/** A vector whose whole length is even and inside the buffer, so every index below is too. */
function u16List({ bytes, at, end }: ByteCursor): number[] {
  const list = new Array<number>((end - at) >> 1);
  for (let i = 0; i < list.length; i++) list[i] = (bytes[at + 2 * i]! << 8) | bytes[at + 2 * i + 1]!;
  return list;
}

function u8List({ bytes, at, end }: ByteCursor): number[] {
  const list = new Array<number>(end - at);
  for (let i = 0; i < list.length; i++) list[i] = bytes[at + i]!;
  return list;
}
