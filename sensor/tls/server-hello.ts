/**
 * TLS ServerHello, RFC 8446 §4.1.3 (and RFC 5246 §7.4.1.3).
 *
 *     struct {
 *         ProtocolVersion legacy_version;                  2
 *         Random random;                                  32
 *         opaque legacy_session_id_echo<0..32>;        1 + n    absent in TLS 1.3 drafts 14-21
 *         CipherSuite cipher_suite;                        2
 *         uint8 legacy_compression_method;                 1    absent in TLS 1.3 drafts 14-21
 *         Extension extensions<6..2^16-1>;             2 + n    may be absent before TLS 1.3
 *     } ServerHello;
 */
import { ByteCursor } from '../base/cursor.ts';
import { bad, type Fault, type Outcome, ok } from '../base/outcome.ts';
import { type ByteString, byteString } from '../base/text.ts';
import { ExtensionType, isPadding } from './extension-types.ts';
import { TLS13 } from './tls-versions.ts';

/** What a server chose. */
export interface ServerHello {
  readonly legacyVersion: number;
  /** supported_versions when present, else `legacyVersion`. */
  readonly version: number;
  readonly sessionId: ByteString;
  readonly cipherSuite: number;
  /** In wire order. */
  readonly extensionTypes: readonly number[];
  /** The application protocol, when it is in the clear (TLS 1.2 and older). */
  readonly alpn: ByteString | undefined;
  /** True when a pre_shared_key was chosen (TLS 1.3). */
  readonly acceptsPsk: boolean;
  /** True for a HelloRetryRequest, which is a ServerHello with a fixed random (RFC 8446 §4.1.3). */
  readonly isRetryRequest: boolean;
}

const RANDOM_BYTES = 32;
const MAX_SESSION_ID_BYTES = 32;
/** SHA-256 of "HelloRetryRequest". */
const RETRY_REQUEST_RANDOM = byteString(
  Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex'),
  0,
  RANDOM_BYTES,
);
/**
 * Drafts 14 to 21 put their own version into legacy_version and left out session id and compression; 0x0304 stood there
 * in the earliest. Nothing else sends these numbers, but a hello that does not fit is tried in the usual form.
 */
const isShortForm = (version: number): boolean => version === TLS13 || (version >= 0x7f00 && version <= 0x7f15);

/** Parses the body of one handshake message of type server_hello: bytes[start, end), header already removed. */
export function parseServerHello(bytes: Uint8Array, start: number, end: number): Outcome<ServerHello> {
  if (isShortForm(new ByteCursor(bytes, start, end).u16())) {
    const hello = parseForm(bytes, start, end, true);
    if (hello.kind === 'ok') return hello;
  }
  return parseForm(bytes, start, end, false);
}

function parseForm(bytes: Uint8Array, start: number, end: number, shortForm: boolean): Outcome<ServerHello> {
  const hello = new ByteCursor(bytes, start, end);

  const legacyVersion = hello.u16();
  const random = hello.window(RANDOM_BYTES);
  const sessionId = shortForm ? hello.window(0) : hello.vector8();
  const cipherSuite = hello.u16();
  if (!shortForm) hello.u8(); // legacy_compression_method
  if (hello.short) return bad('truncated', hello.at);
  if (sessionId.left > MAX_SESSION_ID_BYTES) return bad('length-mismatch', sessionId.at);

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
    version: extensions.version ?? legacyVersion,
    sessionId: byteString(bytes, sessionId.at, sessionId.end),
    cipherSuite,
    extensionTypes: extensions.types,
    alpn: extensions.alpn,
    acceptsPsk: extensions.acceptsPsk,
    isRetryRequest: byteString(bytes, random.at, random.end) === RETRY_REQUEST_RANDOM,
  });
}

/** Collects what we read of an extension block. Of a type sent twice the first body counts. */
class ExtensionReader {
  readonly types: number[] = [];
  version: number | undefined;
  alpn: ByteString | undefined;
  acceptsPsk = false;

  readAll(block: ByteCursor): Fault | undefined {
    while (block.left > 0 && !isPadding(block)) {
      const type = block.u16();
      const body = block.vector16();
      if (block.short) return 'truncated';
      this.types.push(type);
      if (type === ExtensionType.supportedVersions && body.left === 2) this.version ??= body.u16();
      else if (type === ExtensionType.alpn) this.alpn ??= selectedProtocol(body);
      else if (type === ExtensionType.preSharedKey) this.acceptsPsk = true;
    }
    return undefined;
  }
}

/** RFC 7301 §3.1: the server's list has exactly one name; of another length it selects nothing. */
function selectedProtocol(body: ByteCursor): ByteString | undefined {
  const list = body.vector16();
  const name = list.vector8();
  if (body.short || list.short || body.left > 0 || list.left > 0) return undefined;
  return byteString(name.bytes, name.at, name.end);
}
