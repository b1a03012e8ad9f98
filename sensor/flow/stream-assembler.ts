/** What one held segment costs beside its bytes: its object and its array. */
const SEGMENT_COST = 256;
/** Cost held for one direction of one handshake, bytes. A hello of 64 KiB needs a seventh; in one-byte segments 1.5 KiB fit. */
const MAX_HELD = 393_216;
/** Bytes of what was delivered kept for comparison with overlapping copies. */
const MAX_DELIVERED_KEPT = 16_384;
/** Memory for that which is kept for the next connection, bytes. */
const USUAL_DELIVERED = 8_192;
/** First size of it; it doubles. */
const FIRST_DELIVERED = 2_048;
/** A stream begins at most this far from where its SYN said; what is farther away belongs to another SYN. */
const WINDOW = 1_048_576;
/** Segments that must wait behind a hole before it is taken as never captured: acknowledgements can overtake data. */
const PATIENCE = 8;

/** None; a wrong checksum or a foreign time-to-live; a few zero bytes on a bare acknowledgement. */
export type Doubt = 0 | 1 | 2;

interface Held {
  readonly seq: number;
  readonly data: Uint8Array;
  /** 0 is believed as it comes; others only once the peer acknowledges them, the less doubtful first. */
  doubt: Doubt;
  readonly firstDoubt: Doubt;
}

/** Memory that all assemblers together may hold. */
export interface HeldMemory {
  held: number;
  readonly cap: number;
}

/** Signed distance from `a` to `b` in TCP sequence space, modulo 2^32 (RFC 9293 §3.4). */
export const seqDistance = (a: number, b: number): number => (b - a) | 0;

export type Deliver = (bytes: Uint8Array, start: number, end: number) => void;

/**
 * Puts one direction's TCP payload in order while a handshake is read.
 *
 * Policy: the first in-order copy of a byte wins and later copies are ignored; a copy that differs is flagged.
 * A doubtful segment (bad checksum, a time-to-live unlike its connection's, a few zero bytes on a bare
 * acknowledgement) is held until the peer acknowledges it, and loses to any other segment at its place: a forged
 * segment that the server never accepts is not believed, and captures with checksum offload still work. The same goes for
 * where the stream begins: a SYN may be forged, so payload far from it is held until an acknowledgement decides.
 */
export class StreamAssembler {
  started = false;
  /** Next sequence number to deliver, int32. */
  nextSeq = 0;
  outOfOrder = false;
  /** Two copies of a byte differ, or bytes stand before the first one. */
  overlapDiffers = false;
  /** Segments refused because a cap was reached. */
  overCap = 0;
  /** A hole was passed over: the bytes in it were never captured. */
  gap = false;
  /** A doubtful segment lost to another one, or to what was delivered before. */
  doubtfulReplaced = false;
  /** A doubtful segment was acknowledged and used. */
  doubtConfirmed = false;
  /** Payload showed that the stream begins elsewhere than its SYN said. */
  restarted = false;

  private readonly memory: HeldMemory;
  /** By sequence number, then by arrival. */
  private held: Held[] = [];
  private heldCost = 0;
  private doubtful = 0;
  private flowing = false;
  /** Number of the first byte, when it is known for certain. */
  private begin: number | undefined;
  private delivered = new Uint8Array(0);
  private deliveredFrom = 0;
  private deliveredSize = 0;

  constructor(memory: HeldMemory = { held: 0, cap: MAX_HELD }) {
    this.memory = memory;
  }

  reset(): void {
    this.started = this.flowing = false;
    this.begin = undefined;
    this.nextSeq = 0;
    this.outOfOrder = this.overlapDiffers = this.gap = this.doubtfulReplaced = this.doubtConfirmed = false;
    this.restarted = false;
    this.overCap = 0;
    this.release();
  }

  /** Drops everything held; flags and position stay. */
  release(): void {
    this.memory.held -= this.heldCost;
    this.held.length = 0;
    this.heldCost = this.doubtful = 0;
    this.deliveredSize = 0;
    if (this.delivered.length > USUAL_DELIVERED) this.delivered = NOTHING;
  }

  /** The SYN says that the first byte has this number. */
  startAt(seq: number): void {
    this.started = true;
    this.nextSeq = this.begin = seq | 0;
  }

  /** True when nothing is held: the next in-order segment can be delivered without a copy. */
  get empty(): boolean {
    return this.held.length === 0;
  }

  push(seq: number, bytes: Uint8Array, start: number, end: number, doubt: Doubt, deliver: Deliver): void {
    if (!this.started) {
      this.started = true;
      this.nextSeq = seq | 0;
    }
    const ahead = seqDistance(this.nextSeq, seq);
    if (!this.flowing && Math.abs(ahead) > WINDOW) {
      this.hold(seq, bytes, start, end, doubt);
      return;
    }
    let from = start;
    if (ahead < 0) {
      from = Math.min(end, start - ahead);
      this.compare(seq, bytes, start, from, doubt);
      if (from === end) return;
    }
    if (ahead > 0) this.outOfOrder = true;
    if (ahead > 0 || doubt !== 0) {
      this.hold((seq + (from - start)) | 0, bytes, from, end, doubt);
      return;
    }
    this.give(bytes, from, end, deliver);
    if (this.held.length > 0) this.drain(deliver);
  }

  /** The peer has acknowledged everything before `ack`: what it confirms is believed. */
  acknowledged(ack: number, deliver: Deliver): void {
    if (this.held.length === 0) return;
    if (!this.flowing) this.restart(ack);
    if (seqDistance(this.nextSeq, ack) <= 0) return;
    if (this.doubtful > 0) {
      for (const h of this.held) if (h.doubt !== 0 && seqDistance(endOf(h), ack) >= 0) this.believe(h);
    }
    this.drain(deliver);
  }

  /** True when the peer has acknowledged bytes that will not come any more: segments behind them have waited long enough. */
  isStuck(ack: number): boolean {
    if (this.held.length < PATIENCE) return false;
    const patient = this.held[PATIENCE - 1]!;
    return seqDistance(this.nextSeq, patient.seq) > 0 && seqDistance(patient.seq, ack) > 0;
  }

  /** Goes on behind the hole; false when nothing believed waits there. */
  passOver(deliver: Deliver): boolean {
    const next = this.held.find((h) => h.doubt === 0 && seqDistance(this.nextSeq, h.seq) > 0);
    if (next === undefined) return false;
    this.gap = true;
    this.nextSeq = next.seq;
    this.drain(deliver);
    return true;
  }

  /** Nothing more will come, so nothing can speak against what was held in doubt. */
  finish(deliver: Deliver): void {
    if (this.held.length === 0) return;
    for (const h of this.held) this.believe(h);
    if (!this.flowing && this.held.every((h) => Math.abs(seqDistance(this.nextSeq, h.seq)) > WINDOW)) {
      this.restartAt(this.held[0]!.seq);
    }
    this.drain(deliver);
  }

  private give(bytes: Uint8Array, start: number, end: number, deliver: Deliver): void {
    this.flowing = true;
    this.remember(bytes, start, end);
    this.nextSeq = (this.nextSeq + (end - start)) | 0;
    deliver(bytes, start, end);
  }

  private drain(deliver: Deliver): void {
    for (let index = this.nextIndex(); index >= 0; index = this.nextIndex()) {
      const h = this.drop(index);
      const old = Math.min(seqDistance(h.seq, this.nextSeq), h.data.length);
      if (old > 0) this.compare(h.seq, h.data, 0, old, 0);
      if (old < h.data.length) {
        if (h.firstDoubt !== 0) this.doubtConfirmed = true;
        this.give(h.data, old, h.data.length, deliver);
      }
    }
    for (let i = 0; i < this.held.length && seqDistance(this.held[i]!.seq, this.nextSeq) > 0; ) {
      const h = this.held[i]!;
      if (seqDistance(this.nextSeq, endOf(h)) > 0) i++;
      else {
        this.drop(i);
        this.doubtfulReplaced = true;
      }
    }
  }

  /** Of the believed segments that reach the next byte the one that was least in doubt, the earliest of those. */
  private nextIndex(): number {
    let best = -1;
    for (let i = 0; i < this.held.length; i++) {
      const h = this.held[i]!;
      if (seqDistance(h.seq, this.nextSeq) < 0) break;
      if (h.doubt !== 0) continue;
      if (best < 0 || h.firstDoubt < this.held[best]!.firstDoubt) best = i;
    }
    return best;
  }

  /** The SYN was not this connection's: the peer has acknowledged payload far away from it. */
  private restart(ack: number): void {
    if (Math.abs(seqDistance(this.nextSeq, ack)) <= WINDOW) return;
    const first = this.held.find((h) => {
      const before = seqDistance(endOf(h), ack);
      return before >= 0 && before <= WINDOW;
    });
    if (first !== undefined) this.restartAt(first.seq);
  }

  private restartAt(seq: number): void {
    this.nextSeq = seq;
    this.begin = undefined;
    this.restarted = true;
  }

  private believe(h: Held): void {
    if (h.doubt === 0) return;
    h.doubt = 0;
    this.doubtful--;
  }

  private hold(seq: number, bytes: Uint8Array, start: number, end: number, doubt: Doubt): void {
    const size = end - start;
    const at = this.placeFor(seq);
    for (let i = at - 1; i >= 0 && this.held[i]!.seq === seq; i--) {
      const h = this.held[i]!;
      if (h.firstDoubt !== doubt || h.data.length < size) continue;
      if (!equalBytes(h.data, 0, bytes, start, size)) this.overlapDiffers = true;
      return;
    }
    const cost = size + SEGMENT_COST;
    if (this.heldCost + cost > MAX_HELD || this.memory.held + cost > this.memory.cap) {
      this.overCap++;
      return;
    }
    this.held.splice(at, 0, { seq, data: bytes.slice(start, end), doubt, firstDoubt: doubt });
    this.heldCost += cost;
    this.memory.held += cost;
    if (doubt !== 0) this.doubtful++;
  }

  private drop(index: number): Held {
    const h = this.held[index]!;
    if (index === 0) this.held.shift();
    else this.held.splice(index, 1);
    const cost = h.data.length + SEGMENT_COST;
    this.heldCost -= cost;
    this.memory.held -= cost;
    if (h.doubt !== 0) this.doubtful--;
    return h;
  }

  /** Index behind all held segments that begin at `seq` or before. */
  private placeFor(seq: number): number {
    let low = 0;
    let high = this.held.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (seqDistance(this.held[middle]!.seq, seq) < 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private remember(bytes: Uint8Array, start: number, end: number): void {
    const size = Math.min(end - start, MAX_DELIVERED_KEPT - this.deliveredSize);
    if (size <= 0) return;
    if (this.deliveredSize === 0) this.deliveredFrom = this.nextSeq;
    // After a hole what is kept would not be in a row.
    if (seqDistance(this.deliveredFrom, this.nextSeq) !== this.deliveredSize) return;
    const needed = this.deliveredSize + size;
    if (this.delivered.length < needed) {
      let length = Math.max(FIRST_DELIVERED, this.delivered.length);
      while (length < needed) length *= 2;
      const wider = new Uint8Array(length);
      wider.set(this.delivered.subarray(0, this.deliveredSize));
      this.delivered = wider;
    }
    this.delivered.set(bytes.subarray(start, start + size), this.deliveredSize);
    this.deliveredSize = needed;
  }

  /** Holds a later copy against what was delivered; a doubtful one that differs has lost its place. */
  private compare(seq: number, bytes: Uint8Array, start: number, end: number, doubt: Doubt): void {
    // One byte before the first is a keep-alive; more cannot be this stream's.
    if (doubt === 0 && this.begin !== undefined && seqDistance(this.begin, seq) < -1) this.overlapDiffers = true;
    const offset = seqDistance(this.deliveredFrom, seq);
    const from = Math.max(0, -offset);
    const size = Math.min(end - start, this.deliveredSize - offset);
    if (size <= from || equalBytes(this.delivered, offset + from, bytes, start + from, size - from)) return;
    if (doubt === 0) this.overlapDiffers = true;
    else this.doubtfulReplaced = true;
  }
}

const NOTHING = new Uint8Array(0);

const endOf = (h: Held): number => (h.seq + h.data.length) | 0;

function equalBytes(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, size: number): boolean {
  for (let i = 0; i < size; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}
