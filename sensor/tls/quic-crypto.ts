import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { QuicVersion } from './quic-versions.ts';

/** The keys of one side's Initial packets (RFC 9001 §5.1). */
export interface InitialKeys {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly hp: Buffer;
}

/** A packet in the clear. */
export interface OpenedPacket {
  readonly payload: Uint8Array;
  readonly packetNumber: number;
}

const SAMPLE_BYTES = 16;
const TAG_BYTES = 16;
/** The sample is taken as if the packet number had four bytes (RFC 9001 §5.4.2). */
const MAX_PACKET_NUMBER_BYTES = 4;

/** Packet number, payload and tag of the shortest packet whose header can be unprotected. */
export const MIN_PROTECTED_BYTES = MAX_PACKET_NUMBER_BYTES + SAMPLE_BYTES;

/** initial_secret of a connection (RFC 9001 §5.2): from the Destination Connection ID of the client's first Initial. */
export const initialSecret = (version: QuicVersion, dcid: Uint8Array): Buffer =>
  createHmac('sha256', version.salt).update(dcid).digest();

/** The Initial keys of one side. */
export function initialKeys(version: QuicVersion, secret: Uint8Array, side: 'client' | 'server'): InitialKeys {
  const own = expandLabel(secret, `${side} in`, 32);
  return {
    key: expandLabel(own, `${version.labelPrefix}key`, 16),
    iv: expandLabel(own, `${version.labelPrefix}iv`, 12),
    hp: expandLabel(own, `${version.labelPrefix}hp`, 16),
  };
}

/**
 * HKDF-Expand-Label (RFC 8446 §7.1) with an empty context, of at most 32 bytes, so that one round of HMAC is all of it.
 * `hkdfSync` does the same in four times the time, because it extracts again.
 */
function expandLabel(secret: Uint8Array, label: string, length: number): Buffer {
  let info = LABELS.get(label);
  if (info === undefined) {
    const full = `tls13 ${label}`;
    info = Buffer.concat([Buffer.from([0, length, full.length]), Buffer.from(full), Buffer.from([0, 1])]);
    LABELS.set(label, info);
  }
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}

/** The info of each label: eight of them exist. */
const LABELS = new Map<string, Buffer>();

/**
 * Removes header protection and decrypts one Initial packet: bytes[packetStart, packetEnd), its packet number at
 * `numberAt` (RFC 9001 §5.3, §5.4). Undefined when it is too short or the keys are not its own. The datagram is not
 * changed.
 */
export function openInitial(
  keys: InitialKeys,
  bytes: Uint8Array,
  packetStart: number,
  numberAt: number,
  packetEnd: number,
): OpenedPacket | undefined {
  if (packetEnd - numberAt < MIN_PROTECTED_BYTES) return undefined;
  const sampleAt = numberAt + MAX_PACKET_NUMBER_BYTES;
  const cipher = createCipheriv('aes-128-ecb', keys.hp, null);
  const mask = cipher.update(bytes.subarray(sampleAt, sampleAt + SAMPLE_BYTES));

  const first = bytes[packetStart]! ^ (mask[0]! & 0x0f);
  const numberLength = (first & 3) + 1;
  const header = bytes.slice(packetStart, numberAt + numberLength);
  header[0] = first;
  let packetNumber = 0;
  for (let i = 0; i < numberLength; i++) {
    const at = numberAt - packetStart + i;
    header[at] = header[at]! ^ mask[1 + i]!;
    packetNumber = packetNumber * 256 + header[at]!;
  }

  // Initial packet numbers begin at 0, so what was sent is the whole number unless more than 2^31 were lost.
  const nonce = Buffer.from(keys.iv);
  for (let i = 0, rest = packetNumber; i < MAX_PACKET_NUMBER_BYTES; i++, rest = Math.floor(rest / 256)) {
    nonce[11 - i] = nonce[11 - i]! ^ (rest % 256);
  }
  const decipher = createDecipheriv('aes-128-gcm', keys.key, nonce);
  decipher.setAAD(header);
  decipher.setAuthTag(bytes.subarray(packetEnd - TAG_BYTES, packetEnd));
  const payload = decipher.update(bytes.subarray(numberAt + numberLength, packetEnd - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    // The tag does not fit: other keys, or damage. node:crypto says so by throwing.
    return undefined;
  }
  return { payload, packetNumber };
}
