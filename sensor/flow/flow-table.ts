import type { IpWords } from '../base/ip.ts';
import type { Segment } from '../wire/segment.ts';
import { FlowHash } from './flow-hash.ts';

/** Slots a new table starts with; it doubles up to its cap. */
const FIRST_SLOTS = 4096;
/** When full, the least recently seen of this many slots behind the hand is evicted (sampled LRU). */
const EVICTION_SAMPLE = 16;

/** Microseconds by which flows count as older than they are when one has to go. */
const PLAIN_HANDICAP = 1e12;
const PROBING_HANDICAP = 120_000_000;

/** What a slot holds. `free` is 0 so that a sweep can skip it with one byte read. */
export const Phase = {
  free: 0,
  /** Looking at the first bytes. */
  probing: 1,
  /** TLS, DTLS or QUIC handshake is being read. */
  handshake: 2,
  /** Encrypted conversation, handshake read, or a plain one that is recorded: only counters move. */
  counting: 3,
  /** Not encrypted as far as we can tell: only counters move, no record is written (unless `plainBytes` are sent). */
  plain: 4,
} as const;

/** Bits of `FlowTable.bits`. Those with a comment are two: direction 1's is one to the left of direction 0's. */
export const FlowBit = {
  /** `seqEnd` means something. */
  known: 1, // and 2
  /** The number of the first byte is known, from this side's SYN or the other's answer to it. */
  syn: 4, // and 8
  /** The other side has acknowledged something that was captured. */
  acked: 16, // and 32
  fin: 64, // and 128
  reset: 256, // and 512
  /** Both have sent FIN, or one RST. */
  closing: 1024,
  /** Who sent RST has sent new data since. */
  survivedReset: 2048,
  duplicates: 4096,
  opened: 8192,
  clientKnown: 16_384,
  /** Direction 1 is the client. Valid once `clientKnown`. */
  clientIsHigh: 32_768,
} as const;

/** Signatures of recent packets kept of each direction: copies from a span port come a few packets late. */
export const SIGNATURES = 4;

/**
 * All flows being followed, as columns of typed arrays: nothing is allocated for a packet, and a million flows take
 * about 190 MB. A flow's key is its two endpoints and the transport; both directions find the same slot. Direction 0 is
 * from the endpoint that compares lower. Per-direction columns are indexed by `slot * 2 + direction`.
 *
 * VLAN ids and tunnels are no part of the key: a span port shows one conversation in several VLANs, and the endpoint
 * feed, which the flow is to be joined with, knows neither.
 */
export class FlowTable {
  readonly cap: number;
  slots = 0;
  used = 0;
  /** Direction of the segment of the last `find`. */
  direction: 0 | 1 = 0;

  phase = new Uint8Array(0);
  /** `FlowBit` values. */
  bits = new Uint16Array(0);
  firstSeen = new Float64Array(0);
  lastSeen = new Float64Array(0);
  /** Time of the last record written. */
  recordedAt = new Float64Array(0);
  /** Upstream bytes at which the next volume step is due. */
  nextVolume = new Float64Array(0);
  /** Client bytes since the server last sent payload. */
  burst = new Float64Array(0);

  /** One past the highest sequence number seen, as int32. */
  seqEnd = new Int32Array(0);
  bytes = new Float64Array(0);
  packets = new Float64Array(0);
  /** Bytes skipped over by sequence numbers and not seen since. */
  missing = new Float64Array(0);
  /** Time-to-live of the first packet of this direction. */
  ttl = new Uint8Array(0);
  /** `SIGNATURES` a direction. */
  signature = new Int32Array(0);

  private readonly hash = new FlowHash();
  private key = new Int32Array(0);
  private next = new Int32Array(0);
  private buckets = new Int32Array(0);
  private freeHead = -1;
  private hand = 0;
  /** Slots [0, fresh) have been used at least once. */
  private fresh = 0;

  constructor(cap: number) {
    this.cap = Math.max(16, cap);
    this.grow(Math.min(FIRST_SLOTS, this.cap));
  }

  /** Slot of the segment's flow, or -1. Sets `direction`. */
  find(s: Segment): number {
    const forward = this.order(s);
    this.direction = forward ? 0 : 1;
    const key = this.key;
    const ports = forward ? (s.srcPort << 16) | s.dstPort : (s.dstPort << 16) | s.srcPort;
    let slot = this.buckets[this.hash.ofSegment(s, forward) & (this.buckets.length - 1)]! - 1;
    while (slot >= 0) {
      const at = slot * 10;
      if (
        key[at + 8] === ports &&
        key[at + 9] === s.transport &&
        (forward
          ? key[at + 3] === s.src3 &&
            key[at + 7] === s.dst3 &&
            key[at + 2] === s.src2 &&
            key[at + 6] === s.dst2 &&
            key[at + 1] === s.src1 &&
            key[at + 5] === s.dst1 &&
            key[at] === s.src0 &&
            key[at + 4] === s.dst0
          : key[at + 3] === s.dst3 &&
            key[at + 7] === s.src3 &&
            key[at + 2] === s.dst2 &&
            key[at + 6] === s.src2 &&
            key[at + 1] === s.dst1 &&
            key[at + 5] === s.src1 &&
            key[at] === s.dst0 &&
            key[at + 4] === s.src0)
      ) {
        return slot;
      }
      slot = this.next[slot]! - 1;
    }
    return -1;
  }

  /** A slot for the segment's flow, whose `direction` `find` has just set; -1 when the table is full (see `victim`). */
  add(s: Segment): number {
    if (this.freeHead < 0 && this.fresh === this.slots) {
      if (this.slots === this.cap) return -1;
      this.grow(Math.min(this.slots * 2, this.cap));
    }
    let slot = this.freeHead;
    if (slot >= 0) this.freeHead = this.next[slot]! - 1;
    else slot = this.fresh++;
    const forward = this.direction === 0;
    const key = this.key;
    const at = slot * 10;
    const lo = forward ? at : at + 4;
    const hi = forward ? at + 4 : at;
    key[lo] = s.src0;
    key[lo + 1] = s.src1;
    key[lo + 2] = s.src2;
    key[lo + 3] = s.src3;
    key[hi] = s.dst0;
    key[hi + 1] = s.dst1;
    key[hi + 2] = s.dst2;
    key[hi + 3] = s.dst3;
    key[at + 8] = forward ? (s.srcPort << 16) | s.dstPort : (s.dstPort << 16) | s.srcPort;
    key[at + 9] = s.transport;
    const bucket = this.hash.ofSegment(s, forward) & (this.buckets.length - 1);
    this.next[slot] = this.buckets[bucket]!;
    this.buckets[bucket] = slot + 1;
    this.reset(slot, s.tsMicros);
    this.used++;
    return slot;
  }

  remove(slot: number): void {
    const bucket = this.hash.ofKey(this.key, slot * 10) & (this.buckets.length - 1);
    let link = this.buckets[bucket]!;
    if (link === slot + 1) {
      this.buckets[bucket] = this.next[slot]!;
    } else {
      while (link !== 0 && this.next[link - 1] !== slot + 1) link = this.next[link - 1]!;
      if (link !== 0) this.next[link - 1] = this.next[slot]!;
    }
    this.phase[slot] = Phase.free;
    this.next[slot] = this.freeHead + 1;
    this.freeHead = slot;
    this.used--;
  }

  /**
   * The slot to evict when the table is full: the least recently seen of a sample; plain flows first, then those that have
   * shown no handshake for a while, so that a flood of them costs no conversation its record.
   */
  victim(): number {
    let best = -1;
    let bestAt = Number.POSITIVE_INFINITY;
    for (let i = 0; i < EVICTION_SAMPLE; i++) {
      const slot = this.hand;
      this.hand = this.hand + 1 === this.slots ? 0 : this.hand + 1;
      const phase = this.phase[slot]!;
      if (phase === Phase.free) continue;
      const seen =
        this.lastSeen[slot]! -
        (phase === Phase.plain ? PLAIN_HANDICAP : phase === Phase.probing ? PROBING_HANDICAP : 0);
      if (seen < bestAt) {
        best = slot;
        bestAt = seen;
      }
    }
    return best;
  }

  /** One past the highest slot ever used: the bound of a sweep. */
  get bound(): number {
    return this.fresh;
  }

  /** Flows in the fullest bucket: what finding one can cost. Looks through all of them. */
  longestChain(): number {
    let longest = 0;
    for (const first of this.buckets) {
      let length = 0;
      for (let slot = first - 1; slot >= 0; slot = this.next[slot]! - 1) length++;
      longest = Math.max(longest, length);
    }
    return longest;
  }

  /** Word `index` (0..3) of the address of `endpoint` (0 lower, 1 higher). */
  word(slot: number, endpoint: number, index: number): number {
    return this.key[slot * 10 + endpoint * 4 + index]!;
  }

  address(slot: number, endpoint: number): IpWords {
    const at = slot * 10 + endpoint * 4;
    return [this.key[at]!, this.key[at + 1]!, this.key[at + 2]!, this.key[at + 3]!];
  }

  port(slot: number, endpoint: number): number {
    const ports = this.key[slot * 10 + 8]!;
    return endpoint === 0 ? ports >>> 16 : ports & 0xffff;
  }

  transport(slot: number): number {
    return this.key[slot * 10 + 9]!;
  }

  /** True when the source endpoint compares lower (addresses, then ports). */
  private order(s: Segment): boolean {
    if (s.src3 !== s.dst3) return s.src3 < s.dst3;
    if (s.src2 !== s.dst2) return s.src2 < s.dst2;
    if (s.src1 !== s.dst1) return s.src1 < s.dst1;
    if (s.src0 !== s.dst0) return s.src0 < s.dst0;
    return s.srcPort <= s.dstPort;
  }

  private reset(slot: number, now: number): void {
    const d = slot * 2;
    this.phase[slot] = Phase.probing;
    this.bits[slot] = 0;
    this.firstSeen[slot] = now;
    this.lastSeen[slot] = now;
    this.recordedAt[slot] = 0;
    this.nextVolume[slot] = Number.POSITIVE_INFINITY;
    this.burst[slot] = 0;
    for (let i = d; i < d + 2; i++) {
      this.seqEnd[i] = 0;
      this.bytes[i] = 0;
      this.packets[i] = 0;
      this.missing[i] = 0;
      this.ttl[i] = 0;
    }
    this.signature.fill(0, d * SIGNATURES, (d + 2) * SIGNATURES);
  }

  private grow(slots: number): void {
    this.phase = widen(this.phase, new Uint8Array(slots));
    this.bits = widen(this.bits, new Uint16Array(slots));
    this.firstSeen = widen(this.firstSeen, new Float64Array(slots));
    this.lastSeen = widen(this.lastSeen, new Float64Array(slots));
    this.recordedAt = widen(this.recordedAt, new Float64Array(slots));
    this.nextVolume = widen(this.nextVolume, new Float64Array(slots));
    this.burst = widen(this.burst, new Float64Array(slots));
    this.seqEnd = widen(this.seqEnd, new Int32Array(slots * 2));
    this.bytes = widen(this.bytes, new Float64Array(slots * 2));
    this.packets = widen(this.packets, new Float64Array(slots * 2));
    this.missing = widen(this.missing, new Float64Array(slots * 2));
    this.ttl = widen(this.ttl, new Uint8Array(slots * 2));
    this.signature = widen(this.signature, new Int32Array(slots * 2 * SIGNATURES));
    this.key = widen(this.key, new Int32Array(slots * 10));
    this.next = widen(this.next, new Int32Array(slots));
    this.slots = slots;
    let size = 1024;
    while (size < slots) size *= 2;
    this.buckets = new Int32Array(size);
    for (let slot = 0; slot < this.fresh; slot++) {
      if (this.phase[slot] === Phase.free) continue;
      const bucket = this.hash.ofKey(this.key, slot * 10) & (size - 1);
      this.next[slot] = this.buckets[bucket]!;
      this.buckets[bucket] = slot + 1;
    }
  }
}

function widen<T extends Uint8Array | Uint16Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
