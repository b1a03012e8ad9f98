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
  /** True when the TCP/UDP checksum was verified and is wrong. */
  badChecksum = false;
}
