import type { ByteCursor } from '../base/cursor.ts';

/** The TLS extension types we look into (IANA TLS ExtensionType Values). All others are numbers to us. */
export const ExtensionType = {
  /** RFC 6066 §3 */
  serverName: 0,
  /** RFC 8446 §4.2.7 */
  supportedGroups: 10,
  /** RFC 8422 §5.1.2 */
  ecPointFormats: 11,
  /** RFC 8446 §4.2.3 */
  signatureAlgorithms: 13,
  /** RFC 7301 */
  alpn: 16,
  /** RFC 5077 §3.2 */
  sessionTicket: 35,
  /** RFC 8446 §4.2.11 */
  preSharedKey: 41,
  /** RFC 8446 §4.2.10 */
  earlyData: 42,
  /** RFC 8446 §4.2.1 */
  supportedVersions: 43,
  /** draft-ietf-tls-esni-13 and later, §5 */
  encryptedClientHello: 0xfe0d,
  /** draft-ietf-tls-esni up to 06: only the name was encrypted */
  esni: 0xffce,
} as const;

/** type(2), length(2) */
const HEADER_BYTES = 4;

/**
 * Whether what is left of an extension block is a few zero bytes, too few for another extension. Some stacks and tools
 * leave them there; they can neither be nor hide an extension, so names and fingerprints are those of the rest.
 */
export function isPadding({ bytes, at, end }: ByteCursor): boolean {
  if (end - at >= HEADER_BYTES) return false;
  for (let i = at; i < end; i++) {
    if (bytes[i] !== 0) return false;
  }
  return true;
}
