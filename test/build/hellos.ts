/**
 * Builders of TLS handshake messages for tests. They write what they are told, sane or not.
 */

/** Bytes of numbers, big-endian. */
export const u8 = (...values: number[]): number[] => values.map((value) => value & 0xff);
export const u16 = (...values: number[]): number[] => values.flatMap((value) => [(value >> 8) & 0xff, value & 0xff]);
export const u24 = (value: number): number[] => [(value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff];

/** A length in front of bytes, as TLS vectors have it (RFC 8446 §3.4). */
export const vector8 = (body: readonly number[]): number[] => [...u8(body.length), ...body];
export const vector16 = (body: readonly number[]): number[] => [...u16(body.length), ...body];
export const vector24 = (body: readonly number[]): number[] => [...u24(body.length), ...body];

/** The bytes of a text, one per character. */
export const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

/** One extension: its type and body. */
export type Extension = readonly [type: number, body: readonly number[]];

export const extension = {
  serverName: (...names: string[]): Extension => [0, vector16(names.flatMap((name) => [0, ...vector16(ascii(name))]))],
  groups: (...groups: number[]): Extension => [10, vector16(u16(...groups))],
  pointFormats: (...formats: number[]): Extension => [11, vector8(formats)],
  signatureAlgorithms: (...algorithms: number[]): Extension => [13, vector16(u16(...algorithms))],
  alpn: (...names: string[]): Extension => [16, vector16(names.flatMap((name) => vector8(ascii(name))))],
  sessionTicket: (ticketBytes = 0): Extension => [35, new Array<number>(ticketBytes).fill(7)],
  preSharedKey: (): Extension => [41, [...vector16([...vector16([1, 2, 3]), 0, 0, 0, 0]), ...vector16(vector8([9]))]],
  supportedVersions: (...versions: number[]): Extension => [43, vector8(u16(...versions))],
  selectedVersion: (version: number): Extension => [43, u16(version)],
  /** Shaped as draft-ietf-tls-esni §5 has it. */
  encryptedClientHello: (payloadBytes: number): Extension => [
    0xfe0d,
    [0, ...u16(1, 1), 42, ...vector16(new Array<number>(32).fill(5)), ...vector16(new Array(payloadBytes).fill(6))],
  ],
  of: (type: number, body: readonly number[] = []): Extension => [type, body],
} as const;

export interface HelloParts {
  readonly version?: number;
  readonly random?: readonly number[];
  readonly sessionId?: readonly number[];
  /** DTLS only. */
  readonly cookie?: readonly number[];
  readonly suites?: readonly number[];
  readonly compression?: readonly number[];
  /** `null` leaves out the extension block, length included. */
  readonly extensions?: readonly Extension[] | null;
}

const RANDOM = Array.from({ length: 32 }, (_, i) => i);

/** The body of a ClientHello. */
export function clientHelloBody(parts: HelloParts = {}): Uint8Array {
  return Uint8Array.from([
    ...u16(parts.version ?? 0x0303),
    ...(parts.random ?? RANDOM),
    ...vector8(parts.sessionId ?? []),
    ...(parts.cookie === undefined ? [] : vector8(parts.cookie)),
    ...vector16(u16(...(parts.suites ?? [0x1301, 0xc02f]))),
    ...vector8(parts.compression ?? [0]),
    ...extensionBlock(parts.extensions),
  ]);
}

export interface ServerHelloParts {
  readonly version?: number;
  readonly random?: readonly number[];
  readonly sessionId?: readonly number[];
  readonly suite?: number;
  readonly extensions?: readonly Extension[] | null;
  /** TLS 1.3 drafts 14 to 21 had no session id and no compression method. */
  readonly shortForm?: boolean;
}

/** The body of a ServerHello. */
export function serverHelloBody(parts: ServerHelloParts = {}): Uint8Array {
  return Uint8Array.from([
    ...u16(parts.version ?? 0x0303),
    ...(parts.random ?? RANDOM),
    ...(parts.shortForm ? [] : vector8(parts.sessionId ?? [])),
    ...u16(parts.suite ?? 0xc02f),
    ...(parts.shortForm ? [] : [0]),
    ...extensionBlock(parts.extensions),
  ]);
}

/** The random of a HelloRetryRequest (RFC 8446 §4.1.3). */
export const RETRY_REQUEST_RANDOM: readonly number[] = [
  ...Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex'),
];

function extensionBlock(extensions: readonly Extension[] | null | undefined): number[] {
  if (extensions === null) return [];
  return vector16((extensions ?? []).flatMap(([type, body]) => [...u16(type), ...vector16(body)]));
}

/** A handshake message: type, 3-byte length, body. */
export const handshake = (type: number, body: ArrayLike<number>): Uint8Array =>
  Uint8Array.from([type, ...u24(body.length), ...Array.from(body)]);

/** A TLS record. */
export const record = (type: number, fragment: ArrayLike<number>, version = 0x0301): Uint8Array =>
  Uint8Array.from([type, ...u16(version, fragment.length), ...Array.from(fragment)]);

/** Handshake bytes spread over records that end at the given offsets. */
export function handshakeRecords(messages: Uint8Array, cuts: readonly number[] = []): Uint8Array {
  const inner = new Set(cuts.filter((cut) => cut > 0 && cut < messages.length));
  const ends = [...inner].sort((a, b) => a - b).concat(messages.length);
  return concat(ends.map((end, i) => record(22, messages.subarray(i === 0 ? 0 : ends[i - 1], end))));
}

/** A Certificate message's body for TLS 1.2 and older. */
export const certificateBody = (...certificates: Uint8Array[]): Uint8Array =>
  Uint8Array.from(vector24(certificates.flatMap((der) => vector24([...der]))));

/** An SSLv2-format ClientHello with a 2-byte or (when padded) 3-byte record header. */
export function sslV2Hello(version: number, specs: readonly number[], padding?: number): Uint8Array {
  const challenge = new Array<number>(16).fill(3);
  const body = [
    1,
    ...u16(version, 3 * specs.length, 0, challenge.length),
    ...specs.flatMap((spec) => u24(spec)),
    ...challenge,
    ...new Array<number>(padding ?? 0).fill(0),
  ];
  const length = body.length;
  const header = padding === undefined ? u16(0x8000 | length) : [(length >> 8) & 0x3f, length & 0xff, padding];
  return Uint8Array.from([...header, ...body]);
}

export const concat = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
