/**
 * IPv4 (RFC 791 §3.1).
 *
 *     version and header words 1 . service 1 . total length 2 . id 2 . flags and fragment offset 2
 *     TTL 1 . protocol 1 . checksum 2 . source 4 . destination 4 . options
 */
import { IPV4_PREFIX } from '../base/ip.ts';
import { onesComplementSum } from './checksum.ts';
import { type Frame, i32, Layer, type Step, u16 } from './frame.ts';
import type { Segment } from './segment.ts';
import { Verdict } from './verdict.ts';

const HEADER_BYTES = 20;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;

export function peelIpv4(frame: Frame, out: Segment): Step {
  const { bytes, at } = frame;
  if (frame.end - at < HEADER_BYTES) return frame.missing(HEADER_BYTES);
  // 20 bytes are here, so every fixed offset below is inside the header.
  const first = bytes[at]!;
  const headerBytes = (first & 15) * 4;
  if (first >> 4 !== 4 || headerBytes < HEADER_BYTES) return Verdict.badHeader;
  // A total length of 0 is a large segment captured before the network card cut it: the capture knows its length.
  const total = u16(bytes, at + 2);
  if (total !== 0) {
    const stop = at + total;
    if (stop > frame.wireEnd) return Verdict.badLength;
    frame.wireEnd = stop;
    if (stop < frame.end) frame.end = stop;
  }
  if (headerBytes > frame.end - at) return frame.missing(headerBytes);
  if (frame.hasPlain && !checksumFits(bytes, at, headerBytes)) return Verdict.badHeader;

  out.ipVersion = 4;
  out.src0 = 0;
  out.src1 = 0;
  out.src2 = IPV4_PREFIX;
  out.src3 = i32(bytes, at + 12);
  out.dst0 = 0;
  out.dst1 = 0;
  out.dst2 = IPV4_PREFIX;
  out.dst3 = i32(bytes, at + 16);
  out.ttl = bytes[at + 8]!;
  out.ipv4Start = at;
  out.rerouted = false;
  frame.type = bytes[at + 9]!;
  frame.at = at + headerBytes;
  const fragment = u16(bytes, at + 6);
  if ((fragment & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0) {
    const more = (fragment & MORE_FRAGMENTS) !== 0;
    return frame.fragments.hold(frame, out, u16(bytes, at + 4), (fragment & OFFSET_MASK) * 8, more);
  }
  return Layer.ipPayload;
}

/**
 * In what may be a UDP tunnel by port alone the header checksum decides, so that random payload is not taken for a
 * packet. 0 is what a sender with checksum offload leaves behind.
 */
function checksumFits(bytes: Uint8Array, at: number, headerBytes: number): boolean {
  return u16(bytes, at + 10) === 0 || onesComplementSum(bytes, at, at + headerBytes, 0) === 0xffff;
}
