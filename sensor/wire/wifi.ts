/**
 * 802.11 data frames (IEEE 802.11 §9.3.2), unencrypted ones: frame control 2 . duration 2 . address 6 × 3 . sequence 2 .
 * [address 6] . [QoS 2] . [HT control 4], then LLC. All other frames are counted by what they are.
 */
import { type Frame, Layer, type Step } from './frame.ts';
import { Verdict } from './verdict.ts';

const HEADER_BYTES = 24;
const TYPE_DATA = 2;

/** First byte: version 2 bits, type 2, subtype 4. Subtype bits of data frames: */
const NO_DATA = 0x4;
const QOS = 0x8;
/** Second byte. */
const TO_AND_FROM_DS = 0x03;
const PROTECTED = 0x40;
const ORDER = 0x80;
/** QoS control, low byte. */
const AGGREGATED = 0x80;

export function peelWifi(frame: Frame): Step {
  const { bytes, at } = frame;
  if (frame.end - at < HEADER_BYTES) return frame.missing(HEADER_BYTES);
  const type = (bytes[at]! >> 2) & 3;
  const subtype = bytes[at]! >> 4;
  const flags = bytes[at + 1]!;
  if (type !== TYPE_DATA || (subtype & NO_DATA) !== 0) return Verdict.notIp;
  if ((flags & PROTECTED) !== 0) return Verdict.wifiEncrypted;
  let length = HEADER_BYTES;
  if ((flags & TO_AND_FROM_DS) === TO_AND_FROM_DS) length += 6;
  const qos = (subtype & QOS) !== 0;
  const qosAt = at + length;
  if (qos) length += (flags & ORDER) !== 0 ? 6 : 2;
  if (length > frame.end - at) return frame.missing(length);
  if (qos && (bytes[qosAt]! & AGGREGATED) !== 0) return Verdict.wifiAggregated;
  frame.at = at + length + (frame.type === PADDED ? (4 - (length & 3)) & 3 : 0);
  return Layer.llc;
}

/** `Frame.type` of an 802.11 layer whose header is padded to a multiple of four bytes. */
const PADDED = 1;

/** Radiotap flags, in the field of the same name. */
const DATA_PAD = 0x20;

/** Radiotap (radiotap.org): version 1 . pad 1 . length 2 . present words 4 …, little-endian, then 802.11. */
export function peelRadiotap(frame: Frame): Step {
  const { bytes, at } = frame;
  if (frame.end - at < 8) return frame.missing(8);
  const length = bytes[at + 2]! | (bytes[at + 3]! << 8);
  if (bytes[at] !== 0 || length < 8) return Verdict.badHeader;
  if (length > frame.end - at) return frame.missing(length);
  const stop = at + length;
  const present = bytes[at + 4]!;
  // Bit 31 of a present word says that another follows.
  let fields = at + 8;
  while (fields + 4 <= stop && (bytes[fields - 1]! & 0x80) !== 0) fields += 4;
  // Bit 0 is the 64-bit timestamp, aligned to 8 from the header's start; bit 1 the flags.
  if ((present & 1) !== 0) fields = at + ((fields - at + 7) & ~7) + 8;
  const padded = (present & 2) !== 0 && fields < stop && (bytes[fields]! & DATA_PAD) !== 0;
  frame.type = padded ? PADDED : 0;
  frame.at = stop;
  return Layer.wifi;
}
