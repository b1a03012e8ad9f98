/**
 * Tunnels over UDP, found by port. A port is only a hint: each header must validate, and so must what is inside it,
 * or the datagram stays plain UDP (decode-frame.ts falls back).
 */
import { EtherType, nextProtocol } from './ethernet.ts';
import { type Frame, i32, Layer, type Step, u16 } from './frame.ts';
import { type Segment, Tunnel } from './segment.ts';
import { Verdict } from './verdict.ts';

const L2TP_PORT = 1701;
const GTPU_PORT = 2152;
const TEREDO_PORT = 3544;
const GRE_PORT = 4754;
const VXLAN_PORT = 4789;
const VXLAN_GPE_PORT = 4790;
const GENEVE_PORT = 6081;
const MPLS_PORT = 6635;
/** Linux before the port was assigned, and still the default of `ip link add type vxlan` and of flannel. */
const VXLAN_OLD_PORT = 8472;
/** TaZmen sniffer protocol: what access points and MikroTik routers mirror traffic with. */
const TZSP_PORT = 37008;

/** Extension headers of one GTP-U packet. */
const GTPU_EXTENSION_CAP = 8;

/** One byte a port, so that the test costs ordinary datagrams two loads. */
const IS_TUNNEL_PORT = new Uint8Array(65_536);
for (const port of [
  L2TP_PORT,
  GTPU_PORT,
  TEREDO_PORT,
  GRE_PORT,
  VXLAN_PORT,
  VXLAN_GPE_PORT,
  GENEVE_PORT,
  MPLS_PORT,
  VXLAN_OLD_PORT,
  TZSP_PORT,
]) {
  IS_TUNNEL_PORT[port] = 1;
}

/** The tunnel port among the two, destination first; 0 when there is none. */
export function tunnelOfPorts(srcPort: number, dstPort: number): number {
  if (IS_TUNNEL_PORT[dstPort] === 1) return dstPort;
  return IS_TUNNEL_PORT[srcPort] === 1 ? srcPort : 0;
}

/** `frame.type` is the port, `frame.at` the UDP payload. */
export function peelUdpTunnel(frame: Frame, out: Segment): Step {
  switch (frame.type) {
    case VXLAN_PORT:
    case VXLAN_OLD_PORT:
    case VXLAN_GPE_PORT:
      return peelVxlan(frame, out);
    case GENEVE_PORT:
      return peelGeneve(frame, out);
    case GTPU_PORT:
      return peelGtpu(frame, out);
    case TEREDO_PORT:
      return peelTeredo(frame, out);
    case GRE_PORT:
      return Layer.gre;
    case L2TP_PORT:
      return peelL2tp(frame, out);
    case TZSP_PORT:
      return peelTzsp(frame, out);
    default:
      return Layer.mpls;
  }
}

/** flags 1 . reserved 2 . next protocol (GPE) 1 . network id 3 . reserved 1 (RFC 7348 §5). Reserved bits are ignored. */
function peelVxlan(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 8) return frame.missing(8);
  const flags = bytes[at]!;
  if ((flags & 0x08) === 0) return Verdict.badHeader;
  frame.at = at + 8;
  out.tunnels |= Tunnel.vxlan;
  return frame.type === VXLAN_GPE_PORT && (flags & 0x04) !== 0 ? nextProtocol(bytes[at + 3]!) : Layer.ethernet;
}

/** version 2 bits, option words 6 . flags 1 . EtherType 2 . network id 3 . reserved 1 . options (RFC 8926 §3.4). */
function peelGeneve(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 8) return frame.missing(8);
  const first = bytes[at]!;
  if (first >> 6 !== 0) return Verdict.badHeader;
  const length = 8 + (first & 0x3f) * 4;
  if (length > frame.end - at) return frame.missing(length);
  const type = u16(bytes, at + 2);
  if (type !== EtherType.transparentBridging && type !== EtherType.ipv4 && type !== EtherType.ipv6) {
    return Verdict.badHeader;
  }
  frame.type = type;
  frame.at = at + length;
  out.tunnels |= Tunnel.geneve;
  return Layer.etherType;
}

/**
 * GTPv1-U (3GPP TS 29.281 §5.1): version 3 bits, protocol type 1, -, E, S, PN . message 1 . length 2 . tunnel id 4 .
 * with any of E, S, PN: sequence 2 . N-PDU 1 . next extension 1. Extension: words 1 . content . next extension 1.
 */
function peelGtpu(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 8) return frame.missing(8);
  const flags = bytes[at]!;
  if (flags >> 4 !== 3 || bytes[at + 1] !== 0xff) return Verdict.badHeader;
  frame.at = at + 8;
  if (!frame.narrow(u16(bytes, at + 2))) return Verdict.badLength;
  if ((flags & 7) !== 0) {
    if (frame.end - frame.at < 4) return frame.missing(4);
    let next = (flags & 4) !== 0 ? bytes[frame.at + 3]! : 0;
    frame.at += 4;
    for (let count = 0; next !== 0; count++) {
      if (count === GTPU_EXTENSION_CAP) return Verdict.badHeader;
      if (frame.end - frame.at < 4) return frame.missing(4);
      const length = bytes[frame.at]! * 4;
      if (length === 0) return Verdict.badLength;
      if (length > frame.end - frame.at) return frame.missing(length);
      frame.at += length;
      next = bytes[frame.at - 1]!;
    }
  }
  out.tunnels |= Tunnel.gtpu;
  return Layer.ip;
}

/** Teredo service prefix 2001::/32 (RFC 4380 §2.6). */
const TEREDO_PREFIX = 0x20010000;
const LINK_LOCAL = 0xfe800000 | 0;

/**
 * Teredo (RFC 4380 §5.1): authentication (00 01 . id length 1 . value length 1 . both . nonce 8 . confirmation 1) and
 * origin (00 00 . port 2 . address 4) in front of IPv6, both optional.
 */
function peelTeredo(frame: Frame, out: Segment): Step {
  const { bytes } = frame;
  if (frame.end - frame.at >= 4 && u16(bytes, frame.at) === 0x0001) {
    frame.at += 13 + bytes[frame.at + 2]! + bytes[frame.at + 3]!;
  }
  if (frame.end - frame.at >= 8 && u16(bytes, frame.at) === 0x0000) frame.at += 8;
  if (frame.end - frame.at < 40) return frame.missing(40);
  const source = i32(bytes, frame.at + 8);
  const destination = i32(bytes, frame.at + 24);
  const plausible = (prefix: number): boolean => prefix === TEREDO_PREFIX || prefix === LINK_LOCAL;
  if (!plausible(source) && !plausible(destination)) return Verdict.badHeader;
  out.tunnels |= Tunnel.teredo;
  return Layer.ipv6;
}

/** L2TP flags (RFC 2661 §3.1). */
const L2tp = { control: 0x8000, length: 0x4000, sequence: 0x0800, offset: 0x0200, version: 0x000f } as const;

/** flags 2 . [length 2] . tunnel 2 . session 2 . [Ns 2 . Nr 2] . [offset 2 . padding], then PPP; version 2, data only. */
function peelL2tp(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 6) return frame.missing(6);
  const flags = u16(bytes, at);
  if ((flags & L2tp.version) !== 2 || (flags & L2tp.control) !== 0) return Verdict.badHeader;
  let length = 6;
  if ((flags & L2tp.length) !== 0) {
    if (!frame.narrow(u16(bytes, at + 2))) return Verdict.badLength;
    length += 2;
  }
  if ((flags & L2tp.sequence) !== 0) length += 4;
  if ((flags & L2tp.offset) !== 0) {
    if (frame.end - at < length + 2) return frame.missing(length + 2);
    length += 2 + u16(bytes, at + length);
  }
  if (length > frame.end - at) return frame.missing(length);
  frame.at = at + length;
  out.tunnels |= Tunnel.l2tp;
  return Layer.ppp;
}

/** Tags of one TZSP packet. */
const TZSP_TAG_CAP = 32;

/** version 1 . type 1 (0, 1: a packet) . encapsulation 2 . tags: 00 padding, 01 end, else tag 1 . length 1 . value. */
function peelTzsp(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 5) return frame.missing(5);
  const encapsulation = u16(bytes, at + 2);
  if (bytes[at] !== 1 || bytes[at + 1]! > 1) return Verdict.badHeader;
  if (encapsulation !== 1 && encapsulation !== 18) return Verdict.notIp;
  frame.at = at + 4;
  for (let count = 0; bytes[frame.at] !== 1; count++) {
    if (count === TZSP_TAG_CAP) return Verdict.badHeader;
    const size = bytes[frame.at] === 0 ? 1 : 2 + bytes[frame.at + 1]!;
    if (size + 1 > frame.end - frame.at) return frame.missing(size + 1);
    frame.at += size;
  }
  frame.at++;
  frame.type = 0;
  out.tunnels |= Tunnel.tzsp;
  return encapsulation === 1 ? Layer.ethernet : Layer.wifi;
}
