/** How a version is printed in a flow record, and the family it belongs to. */
export interface VersionName {
  readonly version: string;
  readonly protocol: 'tls' | 'ssl' | 'dtls';
}

export const SSL2 = 0x0002;
export const SSL3 = 0x0300;
export const TLS10 = 0x0301;
export const TLS11 = 0x0302;
export const TLS12 = 0x0303;
export const TLS13 = 0x0304;
export const DTLS10 = 0xfeff;
export const DTLS12 = 0xfefd;
export const DTLS13 = 0xfefc;

const NAMES: ReadonlyMap<number, VersionName> = new Map([
  [SSL2, { version: 'ssl2', protocol: 'ssl' }],
  [SSL3, { version: 'ssl3', protocol: 'ssl' }],
  [TLS10, { version: '1.0', protocol: 'tls' }],
  [TLS11, { version: '1.1', protocol: 'tls' }],
  [TLS12, { version: '1.2', protocol: 'tls' }],
  [TLS13, { version: '1.3', protocol: 'tls' }],
  [DTLS10, { version: '1.0', protocol: 'dtls' }],
  [DTLS12, { version: '1.2', protocol: 'dtls' }],
  [DTLS13, { version: '1.3', protocol: 'dtls' }],
  // The version OpenSSL 0.9.8 used before RFC 4347.
  [0x0100, { version: '1.0-openssl', protocol: 'dtls' }],
]);

/**
 * A protocol version by its number on the wire: "1.2", "ssl3", "1.3-draft23" (0x7f17), "1.3-fb-draft26" (0xfb1a, Facebook's
 * own code points), else its number as "0x1234".
 */
export function versionName(version: number): VersionName {
  const known = NAMES.get(version);
  if (known !== undefined) return known;
  if (isTls13Draft(version)) return { version: `1.3-draft${version & 0xff}`, protocol: 'tls' };
  if (version >> 8 === 0xfb) return { version: `1.3-fb-draft${version & 0xff}`, protocol: 'tls' };
  return { version: hex16(version), protocol: 'tls' };
}

/** Whether the version is a TLS 1.3 draft's (0x7f00 | draft number, RFC 8446 draft history). */
export const isTls13Draft = (version: number): boolean => version >> 8 === 0x7f && (version & 0xff) <= 28;

/** Whether the version belongs to TLS or DTLS 1.3, drafts and Facebook's included: certificates are then encrypted. */
export const isTls13 = (version: number): boolean =>
  version === TLS13 || version === DTLS13 || isTls13Draft(version) || version >> 8 === 0xfb;

/** Whether a version is one of DTLS: the numbers count down from 0xfeff. */
export const isDtlsVersion = (version: number): boolean => version >> 8 === 0xfe || version === 0x0100;

/** The newer of two versions, whichever way their numbers count: DTLS counts down, and 0x0100 came before 0xfeff. */
export const newerVersion = (a: number, b: number): number => {
  if (!isDtlsVersion(a) || !isDtlsVersion(b)) return Math.max(a, b);
  if (a === 0x0100 || b === 0x0100) return Math.max(a, b);
  return Math.min(a, b);
};

/** A 16-bit code point as "0x1301". */
export const hex16 = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`;
