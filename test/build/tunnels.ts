/** Encapsulations for tests: what goes in front of an IP packet or an Ethernet frame. */
import { type Addresses, be16, be32, concat, etherTypeOf, hex, ip } from './frames.ts';

/** VXLAN payload of UDP 4789 (RFC 7348). */
export function vxlan(frame: Uint8Array, networkId = 1): Uint8Array {
  return concat([0x08, 0, 0, 0], be32(networkId << 8), frame);
}

/** VXLAN-GPE payload of UDP 4790; `next` 1 IPv4, 2 IPv6, 3 Ethernet, 4 NSH. */
export function vxlanGpe(inner: Uint8Array, next: number): Uint8Array {
  return concat([0x0c, 0, 0, next], be32(1 << 8), inner);
}

/** Geneve payload of UDP 6081 (RFC 8926); Ethernet inside unless `type` says otherwise. */
export function geneve(inner: Uint8Array, type = 0x6558, options = new Uint8Array(0)): Uint8Array {
  return concat([options.length / 4, 0], be16(type), be32(1 << 8), options, inner);
}

/** GTP-U payload of UDP 2152 (TS 29.281); with a PDU session container extension when `extended`. */
export function gtpu(packet: Uint8Array, extended = false): Uint8Array {
  const optional = extended ? hex('0000 00 85 01 0009 00') : new Uint8Array(0);
  const flags = extended ? 0x34 : 0x30;
  return concat([flags, 0xff], be16(optional.length + packet.length), be32(0x1234), optional, packet);
}

/** Teredo payload of UDP 3544 (RFC 4380), with an origin indication when asked. */
export function teredo(packet: Uint8Array, origin = false): Uint8Array {
  return concat(origin ? hex('0000 1234 c0000201') : [], packet);
}

export interface GreOptions {
  /** EtherType of what is inside. */
  readonly type?: number;
  readonly checksum?: boolean;
  readonly key?: boolean;
  readonly sequence?: boolean;
}

/** GRE version 0 (RFC 2784, RFC 2890): the payload of IP protocol 47 or of UDP 4754. */
export function gre(inner: Uint8Array, o: GreOptions = {}): Uint8Array {
  const flags = (o.checksum ? 0x8000 : 0) | (o.key ? 0x2000 : 0) | (o.sequence ? 0x1000 : 0);
  const fields = new Uint8Array(4 * [o.checksum, o.key, o.sequence].filter(Boolean).length);
  return concat(be16(flags), be16(o.type ?? etherTypeOf(inner)), fields, inner);
}

/** GRE version 1 (PPTP, RFC 2637) around PPP. */
export function pptp(packet: Uint8Array): Uint8Array {
  const inside = ppp(packet);
  return concat([0x30, 0x01], be16(0x880b), be16(inside.length), be16(9), be32(1), inside);
}

/** ERSPAN I, II or III in GRE around an Ethernet frame. */
export function erspan(frame: Uint8Array, version: 1 | 2 | 3): Uint8Array {
  if (version === 1) return gre(frame, { type: 0x88be });
  if (version === 2) return gre(concat([0x10, 0, 0, 0, 0, 0, 0, 0], frame), { type: 0x88be, sequence: true });
  return gre(concat(hex('2000 0000 00000000 0000 0000'), frame), { type: 0x22eb, sequence: true });
}

/** The packet in another IP packet: protocol 4 or 41. */
export function ipInIp(packet: Uint8Array, outer: Addresses = {}): Uint8Array {
  return ip({ ...outer, protocol: packet[0]! >> 4 === 6 ? 41 : 4, payload: packet });
}

/** MPLS label stack entries, the last one marked as the bottom. */
export function mpls(inner: Uint8Array, labels: readonly number[] = [100]): Uint8Array {
  const entries = labels.map((label, i) => be32(((label << 12) | (i === labels.length - 1 ? 0x100 : 0) | 64) >>> 0));
  return concat(...entries, inner);
}

/** An Ethernet pseudowire's control word in front of a frame. */
export function controlWord(frame: Uint8Array): Uint8Array {
  return concat([0, 0, 0, 0], frame);
}

export interface PppOptions {
  /** One-byte protocol field (RFC 1661 §6.5). */
  readonly short?: boolean;
  /** ff 03 in front. */
  readonly hdlc?: boolean;
}

export function ppp(packet: Uint8Array, o: PppOptions = {}): Uint8Array {
  const protocol = packet[0]! >> 4 === 6 ? 0x57 : 0x21;
  return concat(o.hdlc ? [0xff, 0x03] : [], o.short ? [protocol] : [0, protocol], packet);
}

/** PPPoE session (RFC 2516) around PPP: the payload of EtherType 8864. */
export function pppoe(inside: Uint8Array): Uint8Array {
  return concat([0x11, 0], be16(1), be16(inside.length), inside);
}

/** Network service header (RFC 8300), metadata type 2 without metadata. */
export function nsh(inner: Uint8Array, next: number): Uint8Array {
  return concat([0x0f, 0xc2, 0x02, next], be32(0x000001ff), inner);
}

/** LLC and SNAP with an EtherType. */
export function snap(packet: Uint8Array): Uint8Array {
  return concat(hex('aaaa03 000000'), be16(etherTypeOf(packet)), packet);
}
