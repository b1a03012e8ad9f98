/** IP protocol numbers (IANA) that a segment can carry. */
export const TCP = 6;
export const UDP = 17;

/** TCP flag bits (RFC 9293 §3.1). */
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

/** Encapsulations a frame was found in, as bits of `Segment.tunnels`. */
export const Tunnel = {
  gre: 1,
  erspan: 2,
  vxlan: 4,
  geneve: 8,
  ipip: 16,
  gtpu: 32,
  teredo: 64,
  mpls: 128,
  pppoe: 256,
  l2tp: 512,
  tzsp: 1024,
} as const;

/**
 * One TCP segment or UDP datagram, decoded in place. A single instance is reused for every packet, so nothing is
 * allocated on the hot path; whoever needs a field later copies it.
 *
 * Addresses are four 32-bit words in network order (int32); IPv4 is words (0, 0, 0xffff, address) as in IPv4-mapped IPv6.
 */
export class Segment {
  bytes: Uint8Array = new Uint8Array(0);
  /** Microseconds since 1970 UTC. */
  tsMicros = 0;
  transport = 0;
  /** 4 or 6: version of the innermost IP header. */
  ipVersion = 4;
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  srcPort = 0;
  dstPort = 0;
  /** Innermost VLAN id, or -1. */
  vlan = -1;
  /** `Tunnel` bits. */
  tunnels = 0;
  ttl = 0;
  /** TCP only; unsigned 32-bit. */
  seq = 0;
  ack = 0;
  flags = 0;
  /** Captured payload is bytes[payloadStart, payloadEnd). */
  payloadStart = 0;
  payloadEnd = 0;
  /** Payload bytes on the wire, from the IP length; more than captured when the snap length cut the packet. */
  payloadLength = 0;
  /** True when the TCP/UDP checksum was verified and is wrong. Set by `verifyChecksum`, else false. */
  badChecksum = false;
  /** True when the datagram was put together from IP fragments; `bytes` is then the reassembly buffer. */
  fragmented = false;
  /** True when fragments overlapped with different data; the first to arrive was kept. */
  fragmentConflict = false;
  /** Index of the TCP or UDP header. */
  transportStart = 0;
  /** Header and payload bytes on the wire, as the transport checksum covers them. */
  transportLength = 0;
  /** Index of the innermost IPv4 header, or -1 (IPv6, or reassembled). For `verifyChecksum`. */
  ipv4Start = -1;
  /** True when an IPv6 routing header names another final destination, which the checksum would cover. */
  rerouted = false;
}

/** Copies every field: the one way to keep a segment (its bytes are still the reader's). */
export function copySegment(from: Segment, to: Segment): void {
  to.bytes = from.bytes;
  to.tsMicros = from.tsMicros;
  to.transport = from.transport;
  to.ipVersion = from.ipVersion;
  to.src0 = from.src0;
  to.src1 = from.src1;
  to.src2 = from.src2;
  to.src3 = from.src3;
  to.dst0 = from.dst0;
  to.dst1 = from.dst1;
  to.dst2 = from.dst2;
  to.dst3 = from.dst3;
  to.srcPort = from.srcPort;
  to.dstPort = from.dstPort;
  to.vlan = from.vlan;
  to.tunnels = from.tunnels;
  to.ttl = from.ttl;
  to.seq = from.seq;
  to.ack = from.ack;
  to.flags = from.flags;
  to.payloadStart = from.payloadStart;
  to.payloadEnd = from.payloadEnd;
  to.payloadLength = from.payloadLength;
  to.badChecksum = from.badChecksum;
  to.fragmented = from.fragmented;
  to.fragmentConflict = from.fragmentConflict;
  to.transportStart = from.transportStart;
  to.transportLength = from.transportLength;
  to.ipv4Start = from.ipv4Start;
  to.rerouted = from.rerouted;
}
