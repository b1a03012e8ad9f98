/**
 * IPv6 and its extension headers (RFC 8200 §3, §4).
 *
 *     version, class, flow label 4 . payload length 2 . next header 1 . hop limit 1 . source 16 . destination 16
 */
import { type Frame, i32, Layer, type Step, u16 } from './frame.ts';
import type { Segment } from './segment.ts';
import { Verdict } from './verdict.ts';

const HEADER_BYTES = 40;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION = 60;
const MOBILITY = 135;
const HIP = 139;
const SHIM6 = 140;

export function peelIpv6(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < HEADER_BYTES) return frame.missing(HEADER_BYTES);
  // 40 bytes are here, so every fixed offset below is inside the header.
  if (bytes[at]! >> 4 !== 6) return Verdict.badHeader;
  frame.at = at + HEADER_BYTES;
  // A payload length of 0 is a jumbogram (RFC 2675) or a large segment before the network card cut it.
  const length = u16(bytes, at + 4);
  // In what may be a UDP tunnel by port alone nothing but an exact length is believed: IPv6 has no header checksum.
  if (frame.hasPlain && length !== frame.wireEnd - frame.at) return Verdict.badLength;
  if (length !== 0 && !frame.narrow(length)) return Verdict.badLength;
  out.ipVersion = 6;
  out.src0 = i32(bytes, at + 8);
  out.src1 = i32(bytes, at + 12);
  out.src2 = i32(bytes, at + 16);
  out.src3 = i32(bytes, at + 20);
  out.dst0 = i32(bytes, at + 24);
  out.dst1 = i32(bytes, at + 28);
  out.dst2 = i32(bytes, at + 32);
  out.dst3 = i32(bytes, at + 36);
  out.ttl = bytes[at + 7]!;
  out.ipv4Start = -1;
  out.rerouted = false;
  frame.type = bytes[at + 6]!;
  return Layer.ipPayload;
}

/** True when `protocol` is a header that stands between IPv6 (or, for AH, IPv4) and the transport. */
export function isExtensionHeader(protocol: number): boolean {
  switch (protocol) {
    case HOP_BY_HOP:
    case ROUTING:
    case FRAGMENT:
    case AUTHENTICATION:
    case DESTINATION:
    case MOBILITY:
    case HIP:
    case SHIM6:
      return true;
    default:
      return false;
  }
}

/** Passes one extension header: next header 1 . length 1 . the rest. */
export function peelExtensionHeader(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 8) return frame.missing(8);
  const header = frame.type;
  if (header === FRAGMENT) {
    // next header 1 . reserved 1 . offset 13 bits, reserved 2, more 1 . id 4
    const word = u16(bytes, at + 2);
    frame.type = bytes[at]!;
    frame.at = at + 8;
    // Offset 0 and nothing more is an atomic fragment: whole by itself (RFC 6946).
    if ((word & 0xfff9) === 0) return Layer.ipPayload;
    return frame.fragments.hold(frame, out, i32(bytes, at + 4), word & 0xfff8, (word & 1) !== 0);
  }
  const words = bytes[at + 1]!;
  const length = header === AUTHENTICATION ? (words + 2) * 4 : (words + 1) * 8;
  if (length > frame.end - at) return frame.missing(length);
  // Segments left: the address in the IPv6 header is not the last one.
  if (header === ROUTING && bytes[at + 3] !== 0) out.rerouted = true;
  frame.type = bytes[at]!;
  frame.at = at + length;
  return Layer.ipPayload;
}
