/** GRE and what is mirrored or tunnelled in it: ERSPAN, PPTP, WCCP. */
import { type Frame, Layer, type Step, u16 } from './frame.ts';
import { type Segment, Tunnel } from './segment.ts';
import { Verdict } from './verdict.ts';

const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
/** Version 1 only. */
const ACKNOWLEDGEMENT = 0x0080;

const PPP = 0x880b;
const ERSPAN = 0x88be;
const ERSPAN_III = 0x22eb;
const WCCP = 0x883e;
const CISCO_META_DATA = 0x8909;

/**
 * GRE (RFC 2784 §2, RFC 2890 §2; version 1 is PPTP, RFC 2637 §4.1): flags and version 2 . protocol 2 . [checksum 2 .
 * reserved 2] . [key 4] . [sequence 4] . [acknowledgement 4].
 */
export function peelGre(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 4) return frame.missing(4);
  const flags = u16(bytes, at);
  const protocol = u16(bytes, at + 2);
  const version = flags & 7;
  // Source routing (RFC 1701) has no users left; its variable part is not followed.
  if (version > 1 || (flags & ROUTING) !== 0) return Verdict.badHeader;
  let length = 4;
  if (version === 0 && (flags & CHECKSUM) !== 0) length += 4;
  if (version === 1 || (flags & KEY) !== 0) length += 4;
  if ((flags & SEQUENCE) !== 0) length += 4;
  if (version === 1 && (flags & ACKNOWLEDGEMENT) !== 0) length += 4;
  if (length > frame.end - at) return frame.missing(length);
  frame.at = at + length;
  out.tunnels |= Tunnel.gre;
  if (version === 1) {
    if (protocol !== PPP) return Verdict.badHeader;
    // Payload length 2, in the upper half of the key; 0 is an acknowledgement alone.
    const payload = u16(bytes, at + 4);
    if (payload === 0) return Verdict.notIp;
    return frame.narrow(payload) ? Layer.ppp : Verdict.badLength;
  }
  return greProtocol(frame, out, protocol, (flags & SEQUENCE) !== 0);
}

function greProtocol(frame: Frame, out: Segment, protocol: number, sequenced: boolean): Step {
  switch (protocol) {
    case ERSPAN:
      // The sequence flag tells type II from type I, which has no header of its own.
      return sequenced ? peelErspanII(frame, out) : enterErspan(frame, out, 0);
    case ERSPAN_III:
      return peelErspanIII(frame, out);
    case PPP:
      return Layer.ppp;
    case WCCP: {
      // Version 2 puts 4 bytes in front of the packet (draft-wilson-wrec-wccp-v2 §4.12); version 1 does not.
      if (frame.end - frame.at < 4) return frame.missing(4);
      if (frame.bytes[frame.at]! >> 4 !== 4) frame.at += 4;
      return Layer.ipv4;
    }
    case CISCO_META_DATA: {
      // Other than behind Ethernet the next type comes first: type 2 . version 1 . length in words 1 . words.
      if (frame.end - frame.at < 8) return frame.missing(8);
      const length = 4 + 4 * Math.max(1, frame.bytes[frame.at + 3]!);
      if (length > frame.end - frame.at) return frame.missing(length);
      frame.type = u16(frame.bytes, frame.at);
      frame.at += length;
      return Layer.etherType;
    }
    default:
      frame.type = protocol;
      return protocol < 0x0600 ? Verdict.notIp : Layer.etherType;
  }
}

function enterErspan(frame: Frame, out: Segment, headerBytes: number): Step {
  frame.at += headerBytes;
  out.tunnels |= Tunnel.erspan;
  return Layer.ethernet;
}

/** version 4 bits, VLAN 12 . class, flags, session 2 . index 4 (draft-foschiano-erspan §4.2). */
function peelErspanII(frame: Frame, out: Segment): Step {
  if (frame.end - frame.at < 8) return frame.missing(8);
  if (frame.bytes[frame.at]! >> 4 !== 1) return Verdict.badHeader;
  return enterErspan(frame, out, 8);
}

/**
 * version 4 bits, VLAN 12 . class, flags, session 2 . timestamp 4 . group tag 2 . P 1 bit, frame type 5, hardware 6,
 * direction 1, granularity 2, O 1 . with O: platform subheader 8 (§4.3).
 */
function peelErspanIII(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 12) return frame.missing(12);
  if (bytes[at]! >> 4 !== 2) return Verdict.badHeader;
  const last = u16(bytes, at + 10);
  const headerBytes = (last & 1) !== 0 ? 20 : 12;
  if (headerBytes > frame.end - at) return frame.missing(headerBytes);
  const frameType = (last >> 10) & 0x1f;
  const step = enterErspan(frame, out, headerBytes);
  if (frameType === 0) return step;
  return frameType === 2 ? Layer.ip : Verdict.notIp;
}
