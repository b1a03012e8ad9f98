/** OpenVPN's control channel, for tests: what its two sides send around the turns of a TLS handshake. */
import { be16, be32, concat } from './frames.ts';
import { other } from './tcp-connection.ts';
import type { Turn, Who } from './tls-flights.ts';

/** Opcodes. */
export const OpenVpn = { control: 4, ack: 5, data: 9, resetClient: 7, resetServer: 8 } as const;

export interface OpenVpnOptions {
  /** Bytes of tls-auth's HMAC; none without it. */
  readonly hmac?: number;
  /** TLS bytes in one packet. */
  readonly size?: number;
  /** Every control packet is sent twice. */
  readonly twice?: boolean;
  /** Datagrams: no length in front, and a packet each. */
  readonly udp?: boolean;
}

const SESSIONS: Record<Who, Uint8Array> = {
  client: Uint8Array.of(0xd6, 0x7b, 0xe4, 0x5b, 0xe5, 0xc2, 1, 0xeb),
  server: Uint8Array.of(0x19, 8, 0x2e, 0x80, 0xf9, 0xca, 0x52, 0x80),
};

/** The turns as OpenVPN carries them, resets and acknowledgements included. */
export function inOpenVpn(turns: readonly Turn[], o: OpenVpnOptions = {}): Turn[] {
  const sent: Record<Who, number> = { client: 0, server: 0 };
  const packets: Record<Who, number> = { client: 0, server: 0 };
  const packet = (who: Who, opcode: number, acks: readonly number[], body: Uint8Array): Uint8Array => {
    const n = ++packets[who];
    const auth = o.hmac ? concat(new Uint8Array(o.hmac).fill(0xa0 + (n & 15)), be32(n), be32(0x5e3e7b98)) : [];
    const acknowledged = acks.length > 0 ? concat(...acks.map(be32), SESSIONS[other(who)]) : [];
    const whole = concat([opcode << 3], SESSIONS[who], auth, [acks.length], acknowledged, body);
    return o.udp ? whole : concat(be16(whole.length), whole);
  };
  const message = (who: Who, opcode: number, acks: readonly number[], tls: Uint8Array = new Uint8Array(0)): Turn => {
    const made = packet(who, opcode, acks, concat(be32(sent[who]++), tls));
    return [who, o.twice && opcode === OpenVpn.control ? concat(made, made) : made];
  };
  const carried: Turn[] = [message('client', OpenVpn.resetClient, []), message('server', OpenVpn.resetServer, [0])];
  for (const [who, bytes] of turns) {
    carried.push([who, packet(who, OpenVpn.ack, [0], new Uint8Array(0))]);
    const size = o.size ?? 1_200;
    for (let at = 0; at < bytes.length; at += size) {
      carried.push(message(who, OpenVpn.control, at % 3 ? [1, 2] : [], bytes.subarray(at, at + size)));
    }
  }
  return carried;
}

/** A packet of tunnelled data. */
export function openVpnData(bytes: number): Uint8Array {
  return concat(be16(bytes + 4), [OpenVpn.data << 3, 0, 0, 0], new Uint8Array(bytes).fill(0x6c));
}
