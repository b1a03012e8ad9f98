/** Link types (tcpdump.org/linktypes.html) and the first header that each begins with. */
import { peelEthernet } from './ethernet.ts';
import { type Frame, Layer, type Step, u16 } from './frame.ts';
import { openEnvelope } from './link-envelope.ts';
import { LinkType } from './link-types.ts';
import type { Segment } from './segment.ts';
import { Verdict } from './verdict.ts';
import { peelRadiotap } from './wifi.ts';

export function enterLink(frame: Frame, out: Segment, outerType: number): Step {
  const linkType = openEnvelope(frame, outerType);
  switch (linkType) {
    case LinkType.ethernet:
      return peelEthernet(frame, out);
    case LinkType.linuxCooked:
      return enterCooked(frame);
    case LinkType.linuxCooked2:
      return enterCooked2(frame);
    case LinkType.raw:
    case LinkType.rawBsd:
    case LinkType.rawOpenBsd:
      return Layer.ip;
    case LinkType.ipv4:
      return Layer.ipv4;
    case LinkType.ipv6:
      return Layer.ipv6;
    case LinkType.null:
    case LinkType.loop:
      return enterLoopback(frame);
    case LinkType.ppp:
      return Layer.ppp;
    case LinkType.pppHdlc:
      return enterPppHdlc(frame);
    case LinkType.pppEther:
      return Layer.pppoe;
    case LinkType.atm:
      return enterAtm(frame);
    case LinkType.ciscoHdlc:
      return enterCiscoHdlc(frame);
    case LinkType.frameRelay:
      return enterFrameRelay(frame);
    case LinkType.nflog:
      return enterNflog(frame);
    case LinkType.wifi:
      frame.type = 0;
      return Layer.wifi;
    case LinkType.wifiRadiotap:
      return peelRadiotap(frame);
    default:
      return Verdict.unsupportedLink;
  }
}

const ARPHRD_NETLINK = 824;

/** packet type 2 . ARPHRD 2 . address length 2 . address 8 . protocol 2. */
function enterCooked(frame: Frame): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 16) return frame.missing(16);
  frame.at = at + 16;
  return cookedProtocol(frame, u16(bytes, at + 2), u16(bytes, at + 14));
}

/** protocol 2 . reserved 2 . interface 4 . ARPHRD 2 . packet type 1 . address length 1 . address 8. */
function enterCooked2(frame: Frame): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 20) return frame.missing(20);
  frame.at = at + 20;
  return cookedProtocol(frame, u16(bytes, at + 8), u16(bytes, at));
}

function cookedProtocol(frame: Frame, hardware: number, protocol: number): Step {
  if (hardware === ARPHRD_NETLINK) return Verdict.notIp;
  if (protocol === 0x0004) return Layer.llc; // LINUX_SLL_P_802_2
  frame.type = protocol;
  return protocol < 0x0600 ? Verdict.notIp : Layer.etherType;
}

/** Address family 4, in the byte order of the machine that wrote it (LOOP: network order). */
function enterLoopback(frame: Frame): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 4) return frame.missing(4);
  // Families are small numbers: the byte that is not zero is the value in either order.
  const family = bytes[at] === 0 ? bytes[at + 3]! : bytes[at]!;
  frame.at = at + 4;
  if (family === 2) return Layer.ipv4;
  // AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS
  return family === 10 || family === 23 || family === 24 || family === 28 || family === 30 ? Layer.ipv6 : Verdict.notIp;
}

/** PPP in HDLC framing; Cisco HDLC is told by its address byte (0f unicast, 8f broadcast). */
function enterPppHdlc(frame: Frame): Step {
  if (frame.end - frame.at < 4) return frame.missing(4);
  const address = frame.bytes[frame.at]!;
  return address === 0x0f || address === 0x8f ? enterCiscoHdlc(frame) : Layer.ppp;
}

/** address 1 . control 1 . EtherType 2. */
function enterCiscoHdlc(frame: Frame): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 4) return frame.missing(4);
  frame.type = u16(bytes, at + 2);
  frame.at = at + 4;
  return frame.type < 0x0600 ? Verdict.notIp : Layer.etherType;
}

/** RFC 2684: LLC, or at once IP (VC multiplexing), or a bridged frame behind LLC/SNAP 00-80-c2. */
function enterAtm(frame: Frame): Step {
  if (frame.end - frame.at < 4) return frame.missing(4);
  const { bytes, at } = frame;
  if (u16(bytes, at) !== 0xaaaa && u16(bytes, at) !== 0xfefe) return Layer.ip;
  if (u16(bytes, at) === 0xfefe) {
    // LLC of routed OSI protocols: control 03 . NLPID 1, PPP with cf (RFC 2364 §6)
    frame.at = at + 4;
    return bytes[at + 3] === 0xcf ? Layer.ppp : Verdict.notIp;
  }
  // OUI 00-80-c2, type 00-07 (without FCS) or 00-01: pad 2, then Ethernet
  if (frame.end - at >= 10 && bytes[at + 4] === 0x80 && bytes[at + 5] === 0xc2) {
    if (u16(bytes, at + 6) !== 0x0007 && u16(bytes, at + 6) !== 0x0001) return Verdict.notIp;
    frame.at = at + 10;
    return Layer.ethernet;
  }
  return Layer.llc;
}

/** Q.922 address 2 to 4 . control 03 . [pad 00] . NLPID 1 (RFC 2427 §3), or Cisco's address 2 . EtherType 2. */
function enterFrameRelay(frame: Frame): Step {
  const { bytes } = frame;
  if (frame.end - frame.at < 6) return frame.missing(6);
  let at = frame.at + 1;
  // The low bit of an address byte marks the last one.
  while (at < frame.at + 3 && (bytes[at]! & 1) === 0) at++;
  at++;
  if (bytes[at] !== 0x03) {
    frame.type = u16(bytes, at);
    frame.at = at + 2;
    return frame.type < 0x0600 ? Verdict.notIp : Layer.etherType;
  }
  at++;
  if (bytes[at] === 0) at++;
  if (at >= frame.end) return frame.missing(at - frame.at + 1);
  const protocol = bytes[at]!;
  frame.at = at + 1;
  if (protocol === 0xcc) return Layer.ipv4;
  if (protocol === 0x8e) return Layer.ipv6;
  if (protocol !== 0x80) return Verdict.notIp;
  // SNAP: OUI 3 . type 2
  if (frame.end - frame.at < 5) return frame.missing(5);
  const standard = bytes[frame.at] === 0 && u16(bytes, frame.at + 1) === 0;
  frame.type = u16(bytes, frame.at + 3);
  frame.at += 5;
  return standard && frame.type >= 0x0600 ? Layer.etherType : Verdict.notIp;
}

const NFLOG_PAYLOAD = 9;

/**
 * family 1 . version 1 . resource 2, then attributes: length 2 . type 2 . value, padded to 4; length and type are in the
 * byte order of the machine that wrote them, which only their plausibility tells.
 */
function enterNflog(frame: Frame): Step {
  if (frame.end - frame.at < 8) return frame.missing(8);
  const { at, end, wireEnd } = frame;
  if (findNflogPayload(frame, true)) return Layer.ip;
  frame.at = at;
  frame.end = end;
  frame.wireEnd = wireEnd;
  return findNflogPayload(frame, false) ? Layer.ip : Verdict.notIp;
}

function findNflogPayload(frame: Frame, little: boolean): boolean {
  const { bytes } = frame;
  const word = (at: number): number => (little ? bytes[at]! | (bytes[at + 1]! << 8) : u16(bytes, at));
  frame.at += 4;
  while (frame.end - frame.at >= 4) {
    const length = word(frame.at);
    if (length < 4) return false;
    if (word(frame.at + 2) === NFLOG_PAYLOAD) {
      frame.at += 4;
      return frame.narrow(length - 4);
    }
    frame.at += (length + 3) & ~3;
  }
  return false;
}
