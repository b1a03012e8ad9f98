/**
 * Builders of QUIC Initial packets for tests (RFC 9000 §17.2, RFC 9001 §5), written from the RFC and not with the code
 * under test; the vectors of RFC 9001 hold for both.
 */
import { createCipheriv, createHmac } from 'node:crypto';
import { concat, u16, vector8 } from './hellos.ts';

/** What differs between versions (RFC 9001 §5.2, RFC 9369 §3). */
export interface QuicParameters {
  readonly version: number;
  readonly salt: string;
  readonly label: string;
  /** Long header type bits of Initial and Retry. */
  readonly initialType: number;
  readonly retryType: number;
}

export const QUIC_V1: QuicParameters = {
  version: 0x00000001,
  salt: '38762cf7f55934b34d179ae6a4c80cadccbb7f0a',
  label: 'quic',
  initialType: 0,
  retryType: 3,
};
export const QUIC_V2: QuicParameters = {
  version: 0x6b3343cf,
  salt: '0dede3def700a6db819381be6e269dcbf9bd2ed9',
  label: 'quicv2',
  initialType: 1,
  retryType: 0,
};
const like1 = (version: number, salt: string): QuicParameters => ({ ...QUIC_V1, version, salt });
export const QUIC_DRAFT_29 = like1(0xff00001d, 'afbfec289993d24c9e9786f19c6111e04390a899');
export const QUIC_DRAFT_27 = like1(0xff00001b, 'c3eef712c72ebb5a11a7d2432bb46365bef9f502');
export const QUIC_DRAFT_22 = like1(0xff000016, '7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a');
export const QUIC_V2_DRAFT: QuicParameters = {
  ...QUIC_V2,
  version: 0x709a50c4,
  salt: 'a707c203a59b47184a1d62ca570406ea7ae3e5d3',
};
export const QUIC_MVFST_V1 = like1(0xfaceb003, QUIC_V1.salt);
export const QUIC_MVFST_ALIAS = like1(0xfaceb010, 'c3eef712c72ebb5a11a7d2432bb46365bef9f502');
export const QUIC_MVFST = like1(0xfaceb002, 'c3eef712c72ebb5a11a7d2432bb46365bef9f502');
export const QUIC_T051 = like1(0x54303531, '7a4edef4e7ccee5fa4506c19124fc8ccda6e033d');

/** A QUIC variable-length integer (RFC 9000 §16) in the fewest bytes, or in `bytes`. */
export function varint(
  value: number,
  bytes = value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x40000000 ? 4 : 8,
): number[] {
  const out: number[] = [];
  for (let rest = value, i = 0; i < bytes; i++, rest = Math.floor(rest / 256)) out.unshift(rest % 256);
  out[0] = (out[0] ?? 0) | (Math.log2(bytes) << 6);
  return out;
}

export const frame = {
  padding: (count: number): number[] => new Array<number>(count).fill(0),
  ping: (): number[] => [1],
  ack: (withCounts = false): number[] => [withCounts ? 3 : 2, 5, 0, 1, 2, 0, 1, ...(withCounts ? [1, 2, 3] : [])],
  crypto: (offset: number, data: Uint8Array): number[] => [6, ...varint(offset), ...varint(data.length), ...data],
  googleCrypto: (offset: number, data: Uint8Array): number[] => [8, ...varint(offset), ...varint(data.length), ...data],
  close: (): number[] => [0x1c, 0, 0, 0],
} as const;

export interface InitialParts {
  readonly quic?: QuicParameters;
  readonly side?: 'client' | 'server';
  /** The connection id that keys are made from; `dcid` when not said. */
  readonly keyId?: readonly number[];
  readonly dcid: readonly number[];
  readonly scid?: readonly number[];
  readonly token?: readonly number[];
  readonly packetNumber?: number;
  readonly packetNumberBytes?: 1 | 2 | 3 | 4;
  readonly payload: readonly number[];
  /** Clears the fixed bit (RFC 9287). */
  readonly greaseFixedBit?: boolean;
}

/** One protected Initial packet. */
export function sealInitial(parts: InitialParts): Uint8Array {
  const quic = parts.quic ?? QUIC_V1;
  const numberBytes = parts.packetNumberBytes ?? 2;
  const { key, iv, hp } = keys(quic, parts.keyId ?? parts.dcid, parts.side ?? 'client');
  const number = parts.packetNumber ?? 0;
  const numberField = Array.from(
    { length: numberBytes },
    (_, i) => Math.floor(number / 256 ** (numberBytes - 1 - i)) % 256,
  );
  const header = Uint8Array.from([
    0x80 | (parts.greaseFixedBit ? 0 : 0x40) | (quic.initialType << 4) | (numberBytes - 1),
    ...u16(quic.version >>> 16, quic.version & 0xffff),
    ...vector8([...parts.dcid]),
    ...vector8([...(parts.scid ?? [])]),
    ...varint(parts.token?.length ?? 0),
    ...(parts.token ?? []),
    ...varint(numberBytes + parts.payload.length + 16, 2),
    ...numberField,
  ]);

  const nonce = Buffer.from(iv);
  for (let i = 0; i < numberBytes; i++) {
    const at = 12 - numberBytes + i;
    nonce[at] = (nonce[at] ?? 0) ^ (numberField[i] ?? 0);
  }
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  cipher.setAAD(header);
  const sealed = Buffer.concat([cipher.update(Uint8Array.from(parts.payload)), cipher.final(), cipher.getAuthTag()]);

  const packet = concat([header, sealed]);
  const numberAt = header.length - numberBytes;
  const mask = createCipheriv('aes-128-ecb', hp, null).update(packet.subarray(numberAt + 4, numberAt + 20));
  packet[0] = (packet[0] ?? 0) ^ ((mask[0] ?? 0) & 0x0f);
  for (let i = 0; i < numberBytes; i++) packet[numberAt + i] = (packet[numberAt + i] ?? 0) ^ (mask[1 + i] ?? 0);
  return packet;
}

/** A packet of another type that has a length: 0-RTT or Handshake. Its content is noise. */
export function otherPacket(quic: QuicParameters, type: number, dcid: readonly number[], bytes: number): Uint8Array {
  return Uint8Array.from([
    0xc0 | (type << 4),
    ...u16(quic.version >>> 16, quic.version & 0xffff),
    ...vector8([...dcid]),
    ...vector8([]),
    ...varint(bytes),
    ...new Array<number>(bytes).fill(0x5a),
  ]);
}

/** A Retry (RFC 9000 §17.2.5); its integrity tag is noise. */
export const retryPacket = (quic: QuicParameters, dcid: readonly number[], scid: readonly number[]): Uint8Array =>
  Uint8Array.from([
    0xc0 | (quic.retryType << 4),
    ...u16(quic.version >>> 16, quic.version & 0xffff),
    ...vector8([...dcid]),
    ...vector8([...scid]),
    ...new Array<number>(24).fill(0x77),
  ]);

function keys(quic: QuicParameters, dcid: readonly number[], side: 'client' | 'server') {
  const initial = createHmac('sha256', Buffer.from(quic.salt, 'hex')).update(Uint8Array.from(dcid)).digest();
  const expand = (secret: Uint8Array, label: string, length: number): Buffer => {
    const name = `tls13 ${label}`;
    const info = Buffer.concat([Buffer.from([0, length, name.length]), Buffer.from(name), Buffer.from([0])]);
    // HKDF-Expand (RFC 5869 §2.3), whose first block is all that is needed.
    return createHmac('sha256', secret).update(info).update(Uint8Array.of(1)).digest().subarray(0, length);
  };
  const secret = expand(initial, `${side} in`, 32);
  return {
    key: expand(secret, `${quic.label} key`, 16),
    iv: expand(secret, `${quic.label} iv`, 12),
    hp: expand(secret, `${quic.label} hp`, 16),
  };
}
