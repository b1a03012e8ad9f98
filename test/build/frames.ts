/**
 * Frames for tests, built from the inside out with correct lengths and checksums.
 *
 * Two things pass between the builders: an IP packet and a link-layer frame, both plain bytes.
 *
 *     ethernet(tcp({ src: '10.0.0.1', dst: '10.0.0.2', payload: 'hello' }))
 *     ethernet(udp({ ...outer, dstPort: 4789, payload: vxlan(ethernet(inner), 7) }), { vlans: [12] })
 *
 * Everything has a default; a test names only what it is about.
 */
import { parseIp } from '../../sensor/base/ip.ts';

export interface Addresses {
  /** IPv4 or IPv6 text; both ends of one family. */
  readonly src?: string;
  readonly dst?: string;
}

export interface IpOptions extends Addresses {
  readonly protocol: number;
  readonly payload: Uint8Array;
  readonly ttl?: number;
  /** IPv4 identification. */
  readonly id?: number;
  /** IPv4 options, padded to words here. */
  readonly options?: Uint8Array;
  /** IPv4 fragment: offset in bytes, and whether more follow. */
  readonly offset?: number;
  readonly more?: boolean;
  /** Written instead of the true total (IPv4) or payload (IPv6) length. */
  readonly length?: number;
  /** IPv6: in front of the payload; `protocol` is then what follows them. */
  readonly extensions?: readonly ExtensionHeader[];
}

/** An IPv6 extension header without its next-header byte, which the builder fills in. */
export interface ExtensionHeader {
  readonly type: number;
  /** All bytes after the next-header byte. */
  readonly rest: Uint8Array;
}

export interface TransportOptions extends Addresses {
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly payload?: Uint8Array | string;
  readonly ttl?: number;
  readonly id?: number;
  readonly extensions?: readonly ExtensionHeader[];
  readonly options?: Uint8Array;
  /** Written instead of the right transport checksum. */
  readonly checksum?: number;
}

export interface TcpOptions extends TransportOptions {
  readonly seq?: number;
  readonly ack?: number;
  /** Flag bits of sensor/wire/segment.ts; PSH and ACK by default. */
  readonly flags?: number;
  readonly tcpOptions?: Uint8Array;
}

export const SRC = '192.0.2.10';
export const DST = '198.51.100.20';
export const SRC6 = '2001:db8::10';
export const DST6 = '2001:db8:1::20';

const PSH_ACK = 0x18;

/** Bytes of text (Latin-1), or the bytes themselves. */
export function bytesOf(payload: Uint8Array | string | undefined): Uint8Array {
  return typeof payload === 'string' ? Buffer.from(payload, 'latin1') : (payload ?? new Uint8Array(0));
}

/** Bytes from hexadecimal text, blanks ignored. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/\s+/g, ''), 'hex'));
}

/** The pieces in a row. */
export function concat(...pieces: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export const be16 = (value: number): Uint8Array => Uint8Array.of((value >>> 8) & 255, value & 255);
export const be32 = (value: number): Uint8Array => concat(be16(value >>> 16), be16(value));

/** The Internet checksum of `bytes` (RFC 1071), ready to be stored. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** 4 or 16 bytes. */
export function addressBytes(text: string): Uint8Array {
  const words = parseIp(text);
  if (!words) throw new Error(`not an address: ${text}`);
  return text.includes(':') ? concat(...words.map(be32)) : be32(words[3]);
}

/** An IP packet of the family of its addresses. */
export function ip(options: IpOptions): Uint8Array {
  return (options.src ?? SRC).includes(':') ? ipv6(options) : ipv4(options);
}

export function ipv4(o: IpOptions): Uint8Array {
  const extra = o.options ?? new Uint8Array(0);
  const padded = concat(extra, new Uint8Array((4 - (extra.length % 4)) % 4));
  const headerBytes = 20 + padded.length;
  const header = concat(
    [0x40 | (headerBytes / 4), 0],
    be16(o.length ?? headerBytes + o.payload.length),
    be16(o.id ?? 1),
    be16((o.more ? 0x2000 : 0) | ((o.offset ?? 0) >> 3)),
    [o.ttl ?? 64, o.protocol, 0, 0],
    addressBytes(o.src ?? SRC),
    addressBytes(o.dst ?? DST),
    padded,
  );
  header.set(be16(internetChecksum(header)), 10);
  return concat(header, o.payload);
}

export function ipv6(o: IpOptions): Uint8Array {
  const chain = o.extensions ?? [];
  const extensions = chain.map((header, i) => concat([chain[i + 1]?.type ?? o.protocol], header.rest));
  const body = concat(...extensions, o.payload);
  return concat(
    [0x60, 0, 0, 0],
    be16(o.length ?? body.length),
    [chain[0]?.type ?? o.protocol, o.ttl ?? 64],
    addressBytes(o.src ?? SRC6),
    addressBytes(o.dst ?? DST6),
    body,
  );
}

/** Hop-by-hop (0), routing (43) or destination (60) options with nothing in them: 8 bytes of padding. */
export function emptyExtension(type: number): ExtensionHeader {
  return { type, rest: hex('00 0104 00000000') };
}

/** An IPv6 fragment header. */
export function fragmentHeader(offset: number, more: boolean, id = 1): ExtensionHeader {
  return { type: 44, rest: concat([0], be16(offset | (more ? 1 : 0)), be32(id)) };
}

/** An IP packet with one TCP segment. */
export function tcp(o: TcpOptions = {}): Uint8Array {
  const options = o.tcpOptions ?? new Uint8Array(0);
  const padded = concat(options, new Uint8Array((4 - (options.length % 4)) % 4));
  const segment = concat(
    be16(o.srcPort ?? 50_000),
    be16(o.dstPort ?? 443),
    be32(o.seq ?? 1000),
    be32(o.ack ?? 2000),
    [(5 + padded.length / 4) << 4, o.flags ?? PSH_ACK],
    be16(64_240),
    [0, 0, 0, 0],
    padded,
    bytesOf(o.payload),
  );
  return transport(o, 6, segment, 16);
}

/** An IP packet with one UDP datagram. */
export function udp(o: TransportOptions = {}): Uint8Array {
  const payload = bytesOf(o.payload);
  const datagram = concat(be16(o.srcPort ?? 50_000), be16(o.dstPort ?? 443), be16(8 + payload.length), [0, 0], payload);
  return transport(o, 17, datagram, 6);
}

function transport(o: TransportOptions, protocol: number, body: Uint8Array, checksumAt: number): Uint8Array {
  const src = o.src ?? SRC;
  const dst = o.dst ?? (src.includes(':') ? DST6 : DST);
  const pseudo = concat(addressBytes(src), addressBytes(dst), be32(body.length), be32(protocol));
  const right = internetChecksum(concat(pseudo, body)) || (protocol === 17 ? 0xffff : 0);
  body.set(be16(o.checksum ?? right), checksumAt);
  return ip({ ...o, src, dst, protocol, payload: body });
}

export interface EthernetOptions {
  /** EtherType; by default that of the packet's IP version. */
  readonly type?: number;
  /** VLAN ids, outermost first. */
  readonly vlans?: readonly number[];
  /** Tag protocol of the VLANs. */
  readonly tpid?: number;
}

const MACS = hex('0200 0000 0002 0200 0000 0001');

/** An Ethernet II frame. */
export function ethernet(packet: Uint8Array, o: EthernetOptions = {}): Uint8Array {
  const type = o.type ?? etherTypeOf(packet);
  const tags = (o.vlans ?? []).map((id) => concat(be16(o.tpid ?? 0x8100), be16(id)));
  return concat(MACS, ...tags, be16(type), packet);
}

/** 0x0800 or 0x86dd, as the packet's version nibble says. */
export function etherTypeOf(packet: Uint8Array): number {
  return packet[0]! >> 4 === 6 ? 0x86dd : 0x0800;
}

/** Fragments of an IPv4 packet, each with at most `size` bytes of payload (a multiple of 8). */
export function fragmentIpv4(packet: Uint8Array, size: number, id = 7): Uint8Array[] {
  const headerBytes = (packet[0]! & 15) * 4;
  const body = packet.subarray(headerBytes);
  const address = (at: number): string => packet.subarray(at, at + 4).join('.');
  const common = { src: address(12), dst: address(16), protocol: packet[9]!, ttl: packet[8]!, id };
  return cut(body, size).map(({ offset, payload, more }) => ipv4({ ...common, offset, more, payload }));
}

/** The same for IPv6 without extension headers. */
export function fragmentIpv6(packet: Uint8Array, size: number, id = 7): Uint8Array[] {
  const body = packet.subarray(40);
  const next = packet[6]!;
  return cut(body, size).map(({ offset, payload, more }) => {
    const header = concat([next], fragmentHeader(offset, more, id).rest);
    return concat(
      packet.subarray(0, 4),
      be16(header.length + payload.length),
      [44],
      packet.subarray(7, 40),
      header,
      payload,
    );
  });
}

function cut(body: Uint8Array, size: number): { offset: number; payload: Uint8Array; more: boolean }[] {
  const pieces = [];
  for (let offset = 0; offset < body.length; offset += size) {
    pieces.push({ offset, payload: body.subarray(offset, offset + size), more: offset + size < body.length });
  }
  return pieces;
}
