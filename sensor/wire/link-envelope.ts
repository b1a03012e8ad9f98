/** Link types whose frames are those of another link type behind a header of the capturing system. */
import { type Frame, i32, u16 } from './frame.ts';
import { LinkType } from './link-types.ts';

/** The header of wlan-ng; the same link type also comes with that of AVS. */
const PRISM_BYTES = 144;
const AVS_MAGIC = 0x8021;
/** header length 4 . next 4 . link type 4; next is 1 when a packet follows (Apple's pktap.h). */
const PKTAP_FIXED_BYTES = 12;
/** No header of these is longer. */
const MAX_HEADER_BYTES = 1_024;
/** No link type: `enterLink` refuses it as one that is not decoded. */
const NONE = -1;

const little32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;

/** Passes the header that `linkType` has in front, and gives the link type of what follows: mostly `linkType` itself. */
export function openEnvelope(frame: Frame, linkType: number): number {
  switch (linkType) {
    case LinkType.ethernet:
      return linkType;
    case LinkType.pppWithDirection:
      return pass(frame, 1, LinkType.ppp);
    case LinkType.ciscoHdlcWithDirection:
      return pass(frame, 1, LinkType.ciscoHdlc);
    case LinkType.frameRelayWithDirection:
      return pass(frame, 1, LinkType.frameRelay);
    case LinkType.netAnalyzer:
      return pass(frame, 4, LinkType.ethernet);
    case LinkType.wifiPrism:
    case LinkType.wifiAvs:
      return passWifi(frame);
    case LinkType.ppi:
      return passPpi(frame);
    case LinkType.pktap:
      return passPktap(frame);
    default:
      return linkType;
  }
}

function pass(frame: Frame, count: number, linkType: number): number {
  if (count > MAX_HEADER_BYTES || count > frame.end - frame.at) return NONE;
  frame.at += count;
  return linkType;
}

/** AVS: magic and version 4 . length 4, big-endian; else the fixed header of wlan-ng. */
function passWifi(frame: Frame): number {
  const { bytes, at } = frame;
  if (frame.end - at < 8) return NONE;
  const length = u16(bytes, at) === AVS_MAGIC ? i32(bytes, at + 4) >>> 0 : PRISM_BYTES;
  return pass(frame, length, LinkType.wifi);
}

/** version 1 . flags 1 . length 2 . link type 4, little-endian, then fields (CACE PPI specification §3.1). */
function passPpi(frame: Frame): number {
  const { bytes, at } = frame;
  if (frame.end - at < 8 || bytes[at] !== 0) return NONE;
  const inner = little32(bytes, at + 4);
  return inner === LinkType.ppi ? NONE : pass(frame, bytes[at + 2]! | (bytes[at + 3]! << 8), inner);
}

/** In the byte order of the machine that wrote it, which has been little-endian since 2006. */
function passPktap(frame: Frame): number {
  const { bytes, at } = frame;
  if (frame.end - at < PKTAP_FIXED_BYTES || little32(bytes, at + 4) !== 1) return NONE;
  const inner = little32(bytes, at + 8);
  return inner === LinkType.pktap ? NONE : pass(frame, little32(bytes, at), inner);
}
