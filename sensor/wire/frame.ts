/**
 * A frame while its headers are peeled off, and the steps of the peeling.
 *
 * Each layer's function looks at `bytes[at, end)`, moves `at` behind its header, narrows the ends by its own length
 * field, and answers with a step: a negative number is the layer that follows, anything else is the verdict. So layers
 * do not call each other, nesting costs no stack, and one loop (decode-frame.ts) counts the layers.
 */
import type { FragmentTable } from './fragments.ts';
import { Segment } from './segment.ts';
import { Verdict } from './verdict.ts';

/** Layers, as steps. The two-byte type or protocol that a header carried is in `Frame.type`. */
export const Layer = {
  ethernet: -1,
  /** `type` is an EtherType. */
  etherType: -2,
  /** 802.2 LLC. */
  llc: -3,
  ipv4: -4,
  ipv6: -5,
  /** IPv4 or IPv6, as the version nibble says. */
  ip: -6,
  /** `type` is an IP protocol number. */
  ipPayload: -7,
  mpls: -8,
  pppoe: -9,
  ppp: -10,
  gre: -11,
  nsh: -12,
  /** `type` is a well-known UDP port of a tunnel. */
  udpTunnel: -13,
  wifi: -14,
} as const;

/** A verdict (>= 0) or a Layer (< 0). */
export type Step = number;

export class Frame {
  bytes: Uint8Array = new Uint8Array(0);
  /** Next byte to look at. */
  at = 0;
  /** One past the last captured byte of the layer. */
  end = 0;
  /** Where the layer ended on the wire: `end`, or beyond it when the snap length cut the frame. */
  wireEnd = 0;
  /** EtherType, IP protocol or port that leads to the next layer. */
  type = 0;
  tsMicros = 0;
  readonly fragments: FragmentTable;
  /** The UDP datagram to fall back to when what looked like a tunnel in it turns out to be none. */
  readonly plain = new Segment();
  hasPlain = false;

  constructor(fragments: FragmentTable) {
    this.fragments = fragments;
  }

  /** The verdict when `count` bytes should be at `at` but are not: cut by the snap length, or wrong. */
  missing(count: number): Verdict {
    return count > this.wireEnd - this.at ? Verdict.badLength : Verdict.truncated;
  }

  /** Narrows the layer to `count` bytes from `at`; false when its frame does not have as many on the wire. */
  narrow(count: number): boolean {
    const stop = this.at + count;
    if (stop > this.wireEnd) return false;
    this.wireEnd = stop;
    if (stop < this.end) this.end = stop;
    return true;
  }
}

export const u16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

/** Big-endian word as int32. */
export const i32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
