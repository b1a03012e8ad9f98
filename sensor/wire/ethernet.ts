/** Ethernet II and 802.3, and everything that an EtherType leads to. */
import { type Frame, i32, Layer, type Step, u16 } from './frame.ts';
import { type Segment, Tunnel } from './segment.ts';
import { Verdict } from './verdict.ts';

const ETHERNET_BYTES = 14;
/** Smaller values in the type field are a length (IEEE 802.3 §3.2.6). */
const MIN_ETHERTYPE = 0x0600;

export const EtherType = {
  ipv4: 0x0800,
  arp: 0x0806,
  transparentBridging: 0x6558,
  vlan: 0x8100,
  ipv6: 0x86dd,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  pppoeSession: 0x8864,
  /** LLC frame longer than 1500 bytes. */
  jumboLlc: 0x8870,
  serviceVlan: 0x88a8,
  /** 802.1ah I-TAG. */
  backboneService: 0x88e7,
  ciscoMetaData: 0x8909,
  /** 802.1BR. */
  etag: 0x893f,
  vntag: 0x8926,
  nsh: 0x894f,
  qinq: 0x9100,
  qinqOld: 0x9200,
} as const;

/** destination 6 . source 6 . type 2, or an 802.3 length and LLC. */
export function peelEthernet(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < ETHERNET_BYTES) return frame.missing(ETHERNET_BYTES);
  const type = u16(bytes, at + 12);
  frame.at = at + ETHERNET_BYTES;
  frame.type = type;
  if (type === EtherType.ipv4) return Layer.ipv4;
  return peelEtherType(frame, out);
}

/** Tags (VLAN and its kin) are passed here; anything else names the next layer. */
export function peelEtherType(frame: Frame, out: Segment): Step {
  const { bytes } = frame;
  while (true) {
    switch (frame.type) {
      case EtherType.ipv4:
        return Layer.ipv4;
      case EtherType.ipv6:
        return Layer.ipv6;
      case EtherType.vlan:
      case EtherType.serviceVlan:
      case EtherType.qinq:
      case EtherType.qinqOld:
        // priority 3 bits . drop eligible 1 . VLAN id 12, then the next type
        if (frame.end - frame.at < 4) return frame.missing(4);
        // Id 0 is a priority tag, which is in no VLAN.
        out.vlan = u16(bytes, frame.at) & 0xfff || out.vlan;
        frame.type = u16(bytes, frame.at + 2);
        frame.at += 4;
        continue;
      case EtherType.etag:
        if (!skipTag(frame, 6)) return frame.missing(8);
        continue;
      case EtherType.vntag:
        if (!skipTag(frame, 4)) return frame.missing(6);
        continue;
      case EtherType.ciscoMetaData: {
        // version 1 . length in words 1 . that many words, less two bytes: option 2 . group tag 2, then the next type
        if (frame.end - frame.at < 2) return frame.missing(2);
        const words = Math.max(1, bytes[frame.at + 1]!);
        if (!skipTag(frame, 2 + 4 * words)) return frame.missing(4 + 4 * words);
        continue;
      }
      default:
        return otherEtherType(frame);
    }
  }
}

/** Passes a tag of `count` bytes and takes the type behind it. */
function skipTag(frame: Frame, count: number): boolean {
  if (frame.end - frame.at < count + 2) return false;
  frame.type = u16(frame.bytes, frame.at + count);
  frame.at += count + 2;
  return true;
}

function otherEtherType(frame: Frame): Step {
  const type = frame.type;
  if (type < MIN_ETHERTYPE) {
    // The length lets padding go; a wrong one is no reason to refuse the frame.
    if (type <= frame.wireEnd - frame.at) frame.narrow(type);
    return Layer.llc;
  }
  switch (type) {
    case EtherType.arp:
      return Verdict.arp;
    case EtherType.mpls:
    case EtherType.mplsMulticast:
      return Layer.mpls;
    case EtherType.pppoeSession:
      return Layer.pppoe;
    case EtherType.transparentBridging:
      return Layer.ethernet;
    case EtherType.nsh:
      return Layer.nsh;
    case EtherType.jumboLlc:
      return Layer.llc;
    case EtherType.backboneService:
      if (frame.end - frame.at < 4) return frame.missing(4);
      frame.at += 4;
      return Layer.ethernet;
    default:
      return Verdict.notIp;
  }
}

/** DSAP 1 . SSAP 1 . control 1 (IEEE 802.2); SNAP adds OUI 3 . type 2; 06 06 is IP at once. */
export function peelLlc(frame: Frame): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 3) return frame.missing(3);
  const saps = u16(bytes, at);
  if (bytes[at + 2] !== 0x03) return Verdict.notIp; // only unnumbered information carries packets
  if (saps === 0x0606) {
    frame.at = at + 3;
    return Layer.ipv4;
  }
  if (saps !== 0xaaaa) return Verdict.notIp;
  if (frame.end - at < 8) return frame.missing(8);
  const oui = i32(bytes, at + 2) & 0xffffff;
  // 00-00-00 and 00-00-f8 (802.1H) carry EtherTypes; other owners number for themselves.
  if (oui !== 0x000000 && oui !== 0x0000f8) return Verdict.notIp;
  frame.type = u16(bytes, at + 6);
  frame.at = at + 8;
  return frame.type < MIN_ETHERTYPE ? Verdict.notIp : Layer.etherType;
}

/**
 * MPLS (RFC 3032 §2.1): label 20 bits . class 3 . bottom 1 . TTL 8, until the bottom. What follows is not named: IP by
 * its version nibble, else a pseudowire, whose control word (RFC 4385) starts with a zero nibble.
 */
export function peelMpls(frame: Frame, out: Segment): Step {
  const { bytes } = frame;
  out.tunnels |= Tunnel.mpls;
  let bottom = false;
  while (!bottom) {
    if (frame.end - frame.at < 4) return frame.missing(4);
    bottom = (bytes[frame.at + 2]! & 1) !== 0;
    frame.at += 4;
  }
  if (frame.end - frame.at < 1) return frame.missing(1);
  const nibble = bytes[frame.at]! >> 4;
  if (nibble === 4 || nibble === 6) return holdsEthernet(frame) && !holdsIp(frame) ? Layer.ethernet : Layer.ip;
  if (holdsEthernet(frame)) return Layer.ethernet; // a pseudowire without control word
  if (nibble !== 0) return Verdict.notIp;
  if (frame.end - frame.at < 4) return frame.missing(4);
  frame.at += 4;
  return Layer.ethernet;
}

/** True when an IP EtherType with the matching version nibble, or a VLAN tag, is where an Ethernet header has it. */
function holdsEthernet(frame: Frame): boolean {
  const { bytes, at } = frame;
  if (frame.end - at < ETHERNET_BYTES + 1) return false;
  const type = u16(bytes, at + 12);
  const nibble = bytes[at + ETHERNET_BYTES]! >> 4;
  return (
    (type === EtherType.ipv4 && nibble === 4) || (type === EtherType.ipv6 && nibble === 6) || type === EtherType.vlan
  );
}

/** True when the length field fits an IP header of the version that the first nibble says. */
function holdsIp(frame: Frame): boolean {
  const { bytes, at } = frame;
  if (frame.end - at < 20) return false;
  const length = bytes[at]! >> 4 === 4 ? u16(bytes, at + 2) : 40 + u16(bytes, at + 4);
  return length <= frame.wireEnd - at;
}

/** version and type 1 . code 1 . session 2 . length 2 (RFC 2516 §4), then PPP. */
export function peelPppoe(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 6) return frame.missing(6);
  if (bytes[at] !== 0x11) return Verdict.badHeader;
  if (bytes[at + 1] !== 0) return Verdict.notIp; // discovery
  frame.at = at + 6;
  if (!frame.narrow(u16(bytes, at + 4))) return Verdict.badLength;
  out.tunnels |= Tunnel.pppoe;
  return Layer.ppp;
}

/** [ff 03] . protocol 2, or 1 when its low bit is set (RFC 1661 §6.5 compression). */
export function peelPpp(frame: Frame): Step {
  const { bytes } = frame;
  if (frame.end - frame.at >= 2 && u16(bytes, frame.at) === 0xff03) frame.at += 2;
  if (frame.end - frame.at < 2) return frame.missing(2);
  const short = (bytes[frame.at]! & 1) !== 0;
  const protocol = short ? bytes[frame.at]! : u16(bytes, frame.at);
  frame.at += short ? 1 : 2;
  if (protocol === 0x0021) return Layer.ipv4;
  if (protocol === 0x0057) return Layer.ipv6;
  if (protocol === 0x0281 || protocol === 0x0283) return Layer.mpls;
  return Verdict.notIp;
}

/**
 * Network service header (RFC 8300 §2.2): version 2 bits . O . - . TTL 6 . length in words 6 . - . metadata type 4 .
 * next protocol 8 . path 24 . index 8 . metadata.
 */
export function peelNsh(frame: Frame): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 8) return frame.missing(8);
  const length = (bytes[at + 1]! & 0x3f) * 4;
  if (bytes[at]! >> 6 !== 0 || length < 8) return Verdict.badHeader;
  if (length > frame.end - at) return frame.missing(length);
  frame.at = at + length;
  return nextProtocol(bytes[at + 3]!);
}

/** "Next protocol" of NSH and of VXLAN-GPE (RFC 8300 §9.1.6). */
export function nextProtocol(protocol: number): Step {
  if (protocol === 1) return Layer.ipv4;
  if (protocol === 2) return Layer.ipv6;
  if (protocol === 3) return Layer.ethernet;
  if (protocol === 4) return Layer.nsh;
  return protocol === 5 ? Layer.mpls : Verdict.notIp;
}
