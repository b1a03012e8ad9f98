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
  const suiteCount = keepSorted(hello.cipherSuites, false);
  const suites = hexText(kept, suiteCount);
  const extensionCount = hello.extensionTypes.filter(isCounted).length;
  const extensions = hexText(kept, keepSorted(hello.extensionTypes, true));
  const algorithms = hello.signatureAlgorithms.filter(isCounted);
  const c = algorithms.length === 0 ? extensions : `${extensions}_${hexText(algorithms, algorithms.length)}`;

  const a =
    transport +
    (VERSION_CODES.get(offeredVersion(hello)) ?? '00') +
    (hello.serverName === undefined ? 'i' : 'd') +
    twoDigits(suiteCount) +
    twoDigits(extensionCount) +
    ja4Alpn(hello.alpn[0]);
  return { ja4: `${a}_${digest12(suites)}_${digest12(c)}`, raw: `${a}_${suites}_${c}` };
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

const text = new FingerprintText();
const digests = new DigestCache('sha256', 12);
const NOTHING = '000000000000';
/** Up to this many values an insertion sort beats the native one, which costs more to call (measured on Node 20). */
const SMALL_LIST = 64;

/** The values of the list being sorted; reused for every hello. */
let kept = new Uint16Array(1024);

/**
 * Leaves the values in `kept`, ascending, without GREASE and, when they are extensions, without SNI and ALPN. Returns how
 * many there are.
 */
function keepSorted(values: readonly number[], areExtensions: boolean): number {
  if (values.length > kept.length) kept = new Uint16Array(values.length);
  const target = kept;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (isGrease(value)) continue;
    if (areExtensions && (value === ExtensionType.serverName || value === ExtensionType.alpn)) continue;
    target[count++] = value;
  }
  if (count > SMALL_LIST) target.subarray(0, count).sort();
  else insertionSort(target, count);
  return count;
}

function insertionSort(values: Uint16Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const value = values[i]!;
    let at = i;
    for (; at > 0 && values[at - 1]! > value; at--) values[at] = values[at - 1]!;
    values[at] = value;
  }
}

function hexText(values: ArrayLike<number>, count: number): string {
  text.begin(count);
  text.hex(values, count);
  return text.take();
}

const digest12 = (hashed: string): string => (hashed === '' ? NOTHING : digests.of(hashed));

const isCounted = (value: number): boolean => !isGrease(value);

const twoDigits = (count: number): string => (count < 10 ? `0${count}` : `${Math.min(count, 99)}`);

const isAlphanumeric = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
