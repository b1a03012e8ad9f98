/**
 * X.509 certificates as they cross the wire up to TLS 1.2 and DTLS 1.2 (RFC 5246 §7.4.2, RFC 5280 §4.1).
 *
 *     opaque ASN.1Cert<1..2^24-1>;                     3 + n
 *     struct {
 *         ASN.1Cert certificate_list<0..2^24-1>;       3 + n    the leaf first
 *     } Certificate;
 *
 *     TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
 *                                   subjectPublicKeyInfo, [1] …, [2] …, [3] extensions }
 */
import { hash } from 'node:crypto';
import { ByteCursor } from '../base/cursor.ts';
import { GenerationCache } from '../base/generation-cache.ts';
import type { Fault } from '../base/outcome.ts';
import { asn1Time } from './asn1-time.ts';
import { readAlternativeNames } from './certificate-names.ts';
import { childrenOf, contentOf, type DerNode, DerTag, derEnd, readDer, sameDer, tagOf } from './der.ts';
import { distinguishedName } from './distinguished-name.ts';
import { publicKeyAlgorithmName } from './object-identifiers.ts';

/** What a leaf certificate says, as safe text. */
export interface CertificateFacts {
  /** SHA-256 of the DER, lower-case hex. */
  readonly sha256: string;
  /** RFC 4514: `CN=example.com,O=Example,C=US`. Empty when the certificate names nobody. */
  readonly subject: string;
  readonly issuer: string;
  /** Upper-case hex without separators, as ECS has it. */
  readonly serialNumber: string;
  /** Names of subjectAltName, at most `MAX_ALTERNATIVE_NAMES`: DNS names, addresses, mailboxes, URIs. */
  readonly alternativeNames: readonly string[];
  /** How many there were. */
  readonly alternativeNameCount: number;
  /** RFC 3339, UTC; undefined when the field is no time. */
  readonly notBefore: string | undefined;
  readonly notAfter: string | undefined;
  /** "RSA", "EC", "Ed25519", "ML-DSA-65", else the dotted object identifier. */
  readonly publicKeyAlgorithm: string;
  /** Issuer and subject are the same name (self-issued; the signature is not checked). */
  readonly selfSigned: boolean;
}

/** A leaf that was read, or why it could not be. With a fault the digest is still known when the DER was whole. */
export type CertificateReading =
  | { readonly kind: 'facts'; readonly facts: CertificateFacts }
  /** The list was empty: a client that has none. */
  | { readonly kind: 'none' }
  | { readonly kind: 'bad'; readonly why: Fault; readonly sha256: string | undefined };

/** Bytes of a certificate message that are looked at; more is `over-cap`. */
export const MAX_CERTIFICATE_BYTES = 64 * 1024;

const SUBJECT_ALT_NAME = '551d11'; // 2.5.29.17
/** RFC 5280 §4.1.2.2 allows 20 octets; some authorities use more. */
const MAX_SERIAL_OCTETS = 64;

/** Reads the leaf of a Certificate message's body: bytes[start, end), handshake header already removed. */
export function readCertificateMessage(bytes: Uint8Array, start: number, end: number): CertificateReading {
  const leaf = leafOf(bytes, start, end);
  if (leaf.short) return { kind: 'bad', why: 'truncated', sha256: undefined };
  return leaf.left === 0 ? { kind: 'none' } : readCertificate(bytes, leaf.at, leaf.end);
}

/** The bytes of the leaf; empty when the list is, `short` when lengths do not fit. */
export function leafOf(bytes: Uint8Array, start: number, end: number): ByteCursor {
  const list = new ByteCursor(bytes, start, end).vector24();
  return list.left === 0 ? list : list.vector24();
}

/** Reads one DER certificate, bytes[start, end). */
export function readCertificate(bytes: Uint8Array, start: number, end: number): CertificateReading {
  if (end - start > MAX_CERTIFICATE_BYTES) return { kind: 'bad', why: 'over-cap', sha256: undefined };
  // Bytes after the certificate's own length are none of it.
  const own = derEnd(bytes, start, end);
  const sha256 = hash('sha256', bytes.subarray(start, own));
  if (own < end) return { kind: 'bad', why: 'trailing-bytes', sha256 };
  const known = readings.get(sha256);
  if (known !== undefined) return known;
  const reading = readDerCertificate(bytes, start, end, sha256);
  if (end - start <= MAX_CACHED_CERTIFICATE_BYTES) readings.set(sha256, reading);
  return reading;
}

/** A network meets the same few hundred certificates again and again; a digest costs a twentieth of a reading. */
const readings = new GenerationCache<CertificateReading>(256);
/** Bounds the memory of the readings at about 2 × 256 × 32 KiB, names escaped. */
const MAX_CACHED_CERTIFICATE_BYTES = 8 * 1024;

function readDerCertificate(bytes: Uint8Array, start: number, end: number, sha256: string): CertificateReading {
  const root = readDer(bytes, start, end);
  if (typeof root === 'string') return { kind: 'bad', why: root, sha256 };
  const facts = certificateFacts(root, sha256);
  return typeof facts === 'string' ? { kind: 'bad', why: facts, sha256 } : { kind: 'facts', facts };
}

function certificateFacts(root: DerNode, sha256: string): CertificateFacts | Fault {
  const [tbs] = childrenOf(root);
  const fields = childrenOf(tbs);
  const first = fields[0] !== undefined && tagOf(fields[0]) === VERSION_TAG ? 1 : 0;
  const [serial, , issuer, validity, subject, publicKey] = fields.slice(first);
  if (serial === undefined || issuer === undefined || subject === undefined || publicKey === undefined) {
    return 'truncated';
  }
  if (tagOf(serial) !== DerTag.integer || tagOf(issuer) !== DerTag.sequence || tagOf(subject) !== DerTag.sequence) {
    return 'bad-type';
  }

  const [notBefore, notAfter] = childrenOf(validity);
  const names = readAlternativeNames(subjectAltName(fields));
  return {
    sha256,
    subject: distinguishedName(subject),
    issuer: distinguishedName(issuer),
    serialNumber: serialText(contentOf(serial)),
    alternativeNames: names.names,
    alternativeNameCount: names.count,
    notBefore: asn1Time(notBefore),
    notAfter: asn1Time(notAfter),
    publicKeyAlgorithm: publicKeyAlgorithmName(contentOf(childrenOf(childrenOf(publicKey)[0])[0])),
    selfSigned: sameDer(issuer, subject),
  };
}

/** Context-specific, constructed, number 0 and 3. */
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;

/** The content of the subjectAltName extension, one character per byte; empty when there is none. */
function subjectAltName(fields: readonly DerNode[]): string {
  const extensions = fields.find((field) => tagOf(field) === EXTENSIONS_TAG);
  for (const extension of childrenOf(childrenOf(extensions)[0])) {
    const parts = childrenOf(extension);
    if (Buffer.from(contentOf(parts[0]), 'latin1').toString('hex') === SUBJECT_ALT_NAME) {
      return contentOf(parts[parts.length - 1]); // `critical` may stand between
    }
  }
  return '';
}

/** The sign octet in front of a serial that begins with a set bit is not part of the number. */
function serialText(content: string): string {
  const octets = Buffer.from(content.slice(0, MAX_SERIAL_OCTETS), 'latin1');
  const signOctet = octets.length > 1 && octets[0] === 0 ? 1 : 0;
  return octets.toString('hex', signOctet).toUpperCase();
}
