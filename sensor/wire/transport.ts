/** What IP carries: TCP, UDP, another IP, or something that is only counted. */
import { type Frame, i32, Layer, type Step, u16 } from './frame.ts';
import { isExtensionHeader, peelExtensionHeader } from './ipv6.ts';
import { copySegment, type Segment, TCP, Tunnel, UDP } from './segment.ts';
import { tunnelOfPorts } from './udp-tunnel.ts';
import { Verdict } from './verdict.ts';

const ICMP = 1;
const IPIP = 4;
const IPV6 = 41;
const GRE = 47;
/** EtherIP (RFC 3378): version 3 and zeros, 2 bytes, then Ethernet. */
const ETHERIP = 97;
const ETHERIP_VERSION = 0x3000;
const ICMPV6 = 58;
const MPLS = 137;
const ETHERNET = 143;

const TCP_HEADER_BYTES = 20;
const UDP_HEADER_BYTES = 8;

/** `frame.type` is the IP protocol of what is at `frame.at`. */
export function peelIpPayload(frame: Frame, out: Segment): Step {
  const protocol = frame.type;
  if (protocol === TCP) return readTcp(frame, out);
  if (protocol === UDP) return readUdp(frame, out);
  switch (protocol) {
    case ICMP:
    case ICMPV6:
      return Verdict.icmp;
    case IPIP:
      out.tunnels |= Tunnel.ipip;
      return Layer.ipv4;
    case IPV6:
      out.tunnels |= Tunnel.ipip;
      return Layer.ipv6;
    case GRE:
      return Layer.gre;
    case MPLS:
      return Layer.mpls;
    case ETHERNET:
      return Layer.ethernet;
    case ETHERIP:
      if (frame.end - frame.at < 2) return frame.missing(2);
      if (u16(frame.bytes, frame.at) !== ETHERIP_VERSION) return Verdict.badHeader;
      frame.at += 2;
      return Layer.ethernet;
    default:
      return isExtensionHeader(protocol) ? peelExtensionHeader(frame, out) : Verdict.otherProtocol;
  }
}

/**
 * TCP (RFC 9293 §3.1): source port 2 . destination port 2 . sequence 4 . acknowledgement 4 . header words 4 bits,
 * reserved 4 . flags 1 . window 2 . checksum 2 . urgent 2 . options.
 */
function readTcp(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < TCP_HEADER_BYTES) return frame.missing(TCP_HEADER_BYTES);
  // 20 bytes are here, so every fixed offset below is inside the header.
  const headerBytes = (bytes[at + 12]! >> 4) * 4;
  const length = frame.wireEnd - at;
  if (headerBytes < TCP_HEADER_BYTES || headerBytes > length) return Verdict.badLength;
  out.bytes = bytes;
  out.tsMicros = frame.tsMicros;
  out.transport = TCP;
  out.srcPort = u16(bytes, at);
  out.dstPort = u16(bytes, at + 2);
  out.seq = i32(bytes, at + 4) >>> 0;
  out.ack = i32(bytes, at + 8) >>> 0;
  out.flags = bytes[at + 13]!;
  const payload = at + headerBytes;
  out.payloadStart = Math.min(payload, frame.end); // options may be cut
  out.payloadEnd = frame.end;
  out.payloadLength = length - headerBytes;
  out.transportStart = at;
  out.transportLength = length;
  return Verdict.segment;
}

/** UDP (RFC 768): source port 2 . destination port 2 . length 2 . checksum 2. */
function readUdp(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < UDP_HEADER_BYTES) return frame.missing(UDP_HEADER_BYTES);
  // A length of 0 is a jumbogram or a segment before offload: the IP length holds.
  const length = u16(bytes, at + 4);
  if (length !== 0 && (length < UDP_HEADER_BYTES || !frame.narrow(length))) return Verdict.badLength;
  const srcPort = u16(bytes, at);
  const dstPort = u16(bytes, at + 2);
  out.bytes = bytes;
  out.tsMicros = frame.tsMicros;
  out.transport = UDP;
  out.srcPort = srcPort;
  out.dstPort = dstPort;
  out.seq = 0;
  out.ack = 0;
  out.flags = 0;
  out.payloadStart = at + UDP_HEADER_BYTES;
  out.payloadEnd = frame.end;
  out.transportLength = frame.wireEnd - at;
  out.payloadLength = out.transportLength - UDP_HEADER_BYTES;
  out.transportStart = at;
  const tunnel = tunnelOfPorts(srcPort, dstPort);
  if (tunnel === 0) return Verdict.segment;
  // Whatever fails from here on, this datagram is still UDP.
  copySegment(out, frame.plain);
  frame.hasPlain = true;
  frame.type = tunnel;
  frame.at = at + UDP_HEADER_BYTES;
  return Layer.udpTunnel;
}
