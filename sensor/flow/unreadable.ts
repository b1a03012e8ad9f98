/** Encrypted tunnels over UDP whose handshake tells a sensor nothing: they make no record, and are counted by name. */
import { ByteCursor } from '../base/cursor.ts';

export const UNREADABLE = ['wireguard', 'openvpn-tls-crypt', 'ipsec-nat-t'] as const;
export type Unreadable = (typeof UNREADABLE)[number];

/** type 1 . reserved 3 . sender 4 . ephemeral 32 . static 48 . timestamp 28 . MACs 32 (wireguard.com/protocol). */
const WIREGUARD_INITIATION_BYTES = 148;
const WIREGUARD_INITIATION = 0x01000000;

/** opcode 1 . session 8 . packet id 4 . time 4 . HMAC 32 . encrypted: acks 1, message 4. */
const TLS_CRYPT_RESET_BYTES = 54;
/** P_CONTROL_HARD_RESET_CLIENT_V2 and, with a wrapped key behind it, V3; key id 0. */
const RESET_V2 = 7 << 3;
const RESET_V3 = 10 << 3;
/** First packet ids: 1, and with an early negotiation flag since version 2.6. */
const FIRST_PACKET_IDS: readonly number[] = [1, 0x0f000001];

/** Four zero bytes in front of IKE on port 4500 (RFC 3948 §2.2); version 1.0 or 2.0 at 17 of the IKE header. */
const IPSEC_PORT = 4500;

/** The tunnel that a conversation's first datagram begins. */
export function unreadableTunnel(bytes: Uint8Array, start: number, end: number, port: number): Unreadable | undefined {
  const size = end - start;
  const first = new ByteCursor(bytes, start, end);
  if (size === WIREGUARD_INITIATION_BYTES && first.u32() === WIREGUARD_INITIATION) return 'wireguard';
  const opcode = bytes[start];
  if (
    (opcode === RESET_V2 && size === TLS_CRYPT_RESET_BYTES) ||
    (opcode === RESET_V3 && size > TLS_CRYPT_RESET_BYTES)
  ) {
    return FIRST_PACKET_IDS.includes(new ByteCursor(bytes, start + 9, end).u32()) ? 'openvpn-tls-crypt' : undefined;
  }
  const isIke = port === IPSEC_PORT && size >= 32 && new ByteCursor(bytes, start, end).u32() === 0;
  return isIke && (bytes[start + 21] === 0x10 || bytes[start + 21] === 0x20) ? 'ipsec-nat-t' : undefined;
}
