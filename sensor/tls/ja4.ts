/**
 * JA4, the TLS client fingerprint of FoxIO (technical_details/JA4.md; BSD-3-Clause, LICENSE-JA4); this code is our own.
 *
 *     JA4    a _ b _ c       t13d1516h2_8daaf6152771_e5627efa2ab1
 *     a      transport, version, SNI or not, number of suites, number of extensions, first ALPN
 *     b      12 digits of SHA-256 over the sorted cipher suites
 *     c      12 digits of SHA-256 over the sorted extensions without SNI and ALPN, `_`, the signature algorithms as sent
 *     JA4_r  a _ sorted suites _ sorted extensions _ signature algorithms
 *
 * GREASE is left out everywhere, also of the signature algorithms, where Chrome has had one since 152.
 */
import { hash } from 'node:crypto';
import type { ByteString } from '../base/text.ts';
import type { ClientHello } from './client-hello.ts';
import { ExtensionType } from './extension-types.ts';
import { DigestCache, FingerprintText } from './fingerprint-text.ts';
import { isGrease } from './grease.ts';
import { DTLS10, DTLS12, DTLS13, newerVersion, SSL2, SSL3, TLS10, TLS11, TLS12, TLS13 } from './tls-versions.ts';

/** What carried the hello: TCP, QUIC or DTLS. */
export type Ja4Transport = 't' | 'q' | 'd';

/** A client's JA4 and the same unhashed. */
export interface Ja4 {
  readonly ja4: string;
  readonly raw: string;
}

/** JA4 and JA4_r of a client. */
export function ja4(hello: ClientHello, transport: Ja4Transport): Ja4 {
  const { cipherSuites, extensionTypes, signatureAlgorithms } = hello;
  text.begin(cipherSuites.length + extensionTypes.length + signatureAlgorithms.length);

  const suiteCount = keep(cipherSuites, isCounted);
  sort(suiteCount);
  text.hex(kept, suiteCount);
  text.put(UNDERSCORE);
  const extensionCount = keep(extensionTypes, isHashedExtension);
  sort(extensionCount);
  text.hex(kept, extensionCount);
  const algorithmCount = keep(signatureAlgorithms, isCounted);
  if (algorithmCount > 0) text.put(UNDERSCORE);
  text.hex(kept, algorithmCount);

  const unhashed = text.take();
  const a =
    transport +
    (VERSION_CODES.get(offeredVersion(hello)) ?? '00') +
    (hello.serverName === undefined ? 'i' : 'd') +
    twoDigits(suiteCount) +
    twoDigits(extensionCount + countNames(extensionTypes)) +
    ja4Alpn(hello.alpn[0]);
  return { ja4: `${a}_${digests.of(unhashed)}`, raw: `${a}_${unhashed}` };
}

/** The highest version that the client offers: the best of supported_versions, else its legacy_version. */
export function offeredVersion(hello: ClientHello): number {
  let best = 0;
  for (const version of hello.supportedVersions) {
    if (!isGrease(version)) best = best === 0 ? version : newerVersion(best, version);
  }
  return best === 0 ? hello.legacyVersion : best;
}

/**
 * The two characters that stand for the first ALPN: its first and last byte when both are ASCII letters or digits, else
 * the first and last digit of the whole name in hexadecimal; `00` when there is no name or an empty one.
 */
export function ja4Alpn(first: ByteString | undefined): string {
  if (first === undefined || first.length === 0) return '00';
  const head = first.charCodeAt(0);
  const tail = first.charCodeAt(first.length - 1);
  if (isAlphanumeric(head) && isAlphanumeric(tail)) return String.fromCharCode(head, tail);
  return (head >> 4).toString(16) + (tail & 15).toString(16);
}

const VERSION_CODES: ReadonlyMap<number, string> = new Map([
  [TLS13, '13'],
  [TLS12, '12'],
  [TLS11, '11'],
  [TLS10, '10'],
  [SSL3, 's3'],
  [SSL2, 's2'],
  [DTLS10, 'd1'],
  [DTLS12, 'd2'],
  [DTLS13, 'd3'],
]);

const UNDERSCORE = 0x5f;
const NOTHING = '000000000000';
/** Up to this many values an insertion sort beats the native one, which costs more to call (measured on Node 20). */
const SMALL_LIST = 64;

const text = new FingerprintText();
/** Parts b and c by the text of both: one look-up instead of two. */
const digests = new DigestCache((unhashed) => {
  const end = unhashed.indexOf('_');
  return `${digest12(unhashed.slice(0, end))}_${digest12(unhashed.slice(end + 1))}`;
});

const digest12 = (hashed: string): string => (hashed === '' ? NOTHING : hash('sha256', hashed).slice(0, 12));

/** The values being written; reused for every hello. */
let kept = new Uint16Array(1024);

/** Leaves the values that `accepts` in `kept`, in order, and returns how many there are. */
function keep(values: readonly number[], accepts: (value: number) => boolean): number {
  if (values.length > kept.length) kept = new Uint16Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (accepts(value)) kept[count++] = value;
  }
  return count;
}

/** Puts the first `count` values of `kept` in ascending order. */
function sort(count: number): void {
  if (count > SMALL_LIST) kept.subarray(0, count).sort();
  else insertionSort(kept, count);
}

function insertionSort(values: Uint16Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const value = values[i]!;
    let at = i;
    for (; at > 0 && values[at - 1]! > value; at--) values[at] = values[at - 1]!;
    values[at] = value;
  }
}

const isCounted = (value: number): boolean => !isGrease(value);

const isName = (type: number): boolean => type === ExtensionType.serverName || type === ExtensionType.alpn;

const isHashedExtension = (type: number): boolean => !isName(type) && !isGrease(type);

/** Extensions that are counted but not hashed. */
function countNames(types: readonly number[]): number {
  let count = 0;
  for (let i = 0; i < types.length; i++) {
    if (isName(types[i]!)) count++;
  }
  return count;
}

const twoDigits = (count: number): string => (count < 10 ? `0${count}` : `${Math.min(count, 99)}`);

const isAlphanumeric = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
