/** Segments held for one direction of one handshake. A hello of 64 KiB in 1,460-byte segments needs 45. */
const MAX_HELD_SEGMENTS = 64;
/** Bytes held for one direction. */
const MAX_HELD_BYTES = 131_072;
/** Bytes of what was delivered kept for comparison with overlapping copies. */
const MAX_DELIVERED_KEPT = 16_384;

/** None; a wrong checksum or a foreign time-to-live; a few zero bytes on a bare acknowledgement. */
export type Doubt = 0 | 1 | 2;

interface Held {
  readonly seq: number;
  readonly data: Uint8Array;
  /** 0 is believed as it comes; others only once the peer acknowledges them, the less doubtful first. */
  doubt: Doubt;
  readonly firstDoubt: Doubt;
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
 * segment that the server never accepts is not believed, and captures with checksum offload still work.
 */
export class StreamAssembler {
  started = false;
  /** Next sequence number to deliver, int32. */
  nextSeq = 0;
  outOfOrder = false;
  overlapDiffers = false;
  /** Segments refused because a cap was reached. */
  overCap = 0;
  /** A hole was passed over: the peer acknowledged bytes that were never captured. */
  gap = false;
  /** A doubtful segment was replaced by another one. */
  doubtfulReplaced = false;
  /** A doubtful segment was acknowledged and used. */
  doubtConfirmed = false;

  private held: Held[] = [];
  private heldBytes = 0;
  private delivered = new Uint8Array(0);
  private deliveredFrom = 0;
  private deliveredSize = 0;

  reset(): void {
    this.started = false;
    this.nextSeq = 0;
    this.outOfOrder = this.overlapDiffers = this.gap = this.doubtfulReplaced = this.doubtConfirmed = false;
    this.overCap = 0;
    this.release();
  }

  /** Drops everything held; flags and position stay. */
  release(): void {
    this.held.length = 0;
    this.heldBytes = 0;
    this.deliveredSize = 0;
  }

  startAt(seq: number): void {
    this.started = true;
    this.nextSeq = seq | 0;
  }

  /** True when nothing is held: the next in-order segment can be delivered without a copy. */
  get empty(): boolean {
    return this.held.length === 0;
  }

  push(seq: number, bytes: Uint8Array, start: number, end: number, doubt: Doubt, deliver: Deliver): void {
    if (!this.started) this.startAt(seq);
    const ahead = seqDistance(this.nextSeq, seq);
    if (ahead === 0 && doubt === 0 && this.held.length === 0) {
      this.give(bytes, start, end, deliver);
      return;
    }
    const size = end - start;
    if (ahead < 0) {
      const old = Math.min(-ahead, size);
      if (doubt === 0) this.compare(seq, bytes, start, start + old);
      if (old === size) return;
      this.push((seq + old) | 0, bytes, start + old, end, doubt, deliver);
      return;
    }
    if (ahead === 0 && doubt === 0) {
      this.give(bytes, start, end, deliver);
      this.drain(deliver);
      return;
    }
    if (ahead > 0) this.outOfOrder = true;
    this.hold(seq, bytes, start, end, doubt);
  }

  /** The peer has acknowledged everything before `ack`: believe what it confirms, pass over what was never captured. */
  acknowledged(ack: number, deliver: Deliver): void {
    if (this.held.length === 0 || seqDistance(this.nextSeq, ack) <= 0) return;
    for (const h of this.held) {
      if (h.doubt !== 0 && seqDistance((h.seq + h.data.length) | 0, ack) >= 0) h.doubt = 0;
    }
    this.drain(deliver);
    if (this.held.length > 0 && seqDistance(this.nextSeq, ack) > 0) {
      const first = this.held.find((h) => h.doubt === 0);
      if (first && seqDistance(first.seq, ack) > 0) this.gap = true;
    }
  }

  /** Nothing more will come, so nothing can speak against what was held in doubt. */
  finish(deliver: Deliver): void {
    for (const h of this.held) h.doubt = 0;
    this.drain(deliver);
  }

  private give(bytes: Uint8Array, start: number, end: number, deliver: Deliver): void {
    this.remember(bytes, start, end);
    this.nextSeq = (this.nextSeq + (end - start)) | 0;
    deliver(bytes, start, end);
  }

  private drain(deliver: Deliver): void {
    for (;;) {
      const index = this.nextIndex();
      if (index < 0) break;
      const h = this.held[index]!;
      this.held.splice(index, 1);
      this.heldBytes -= h.data.length;
      const old = Math.min(seqDistance(h.seq, this.nextSeq), h.data.length);
      if (old > 0) this.compare(h.seq, h.data, 0, old);
      if (old < h.data.length) {
        if (h.firstDoubt !== 0) this.doubtConfirmed = true;
        this.give(h.data, old, h.data.length, deliver);
      }
    }
    const before = this.held.length;
    this.held = this.held.filter((h) => seqDistance(this.nextSeq, (h.seq + h.data.length) | 0) > 0);
    if (this.held.length < before) {
      this.doubtfulReplaced = true;
      this.heldBytes = this.held.reduce((sum, h) => sum + h.data.length, 0);
    }
  }

  /** Of the held segments that reach the next byte the one that was least in doubt, the earliest of those. */
  private nextIndex(): number {
    let best = -1;
    for (let i = 0; i < this.held.length; i++) {
      const h = this.held[i]!;
      if (h.doubt !== 0 || seqDistance(h.seq, this.nextSeq) < 0) continue;
      if (best < 0 || h.firstDoubt < this.held[best]!.firstDoubt) best = i;
    }
    return best;
  }

  private hold(seq: number, bytes: Uint8Array, start: number, end: number, doubt: Doubt): void {
    const size = end - start;
    if (this.held.length >= MAX_HELD_SEGMENTS || this.heldBytes + size > MAX_HELD_BYTES) {
      this.overCap++;
      return;
    }
    const same = this.held.find((h) => h.seq === seq && h.data.length >= size && h.firstDoubt === doubt);
    if (same) {
      if (!equalBytes(same.data, 0, bytes, start, size)) this.overlapDiffers = true;
      return;
    }
    let at = this.held.length;
    while (at > 0 && seqDistance(this.held[at - 1]!.seq, seq) < 0) at--;
    this.held.splice(at, 0, { seq, data: bytes.slice(start, end), doubt, firstDoubt: doubt });
    this.heldBytes += size;
  }

  private remember(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    if (this.deliveredSize + size > MAX_DELIVERED_KEPT) return;
    if (this.deliveredSize === 0) this.deliveredFrom = this.nextSeq;
    if (this.delivered.length < this.deliveredSize + size) {
      const wider = new Uint8Array(Math.max(2048, (this.deliveredSize + size) * 2));
      wider.set(this.delivered.subarray(0, this.deliveredSize));
      this.delivered = wider;
    }
    this.delivered.set(bytes.subarray(start, end), this.deliveredSize);
    this.deliveredSize += size;
  }

  private compare(seq: number, bytes: Uint8Array, start: number, end: number): void {
    const offset = seqDistance(this.deliveredFrom, seq);
    const from = Math.max(0, -offset);
    const size = Math.min(end - start, this.deliveredSize - offset);
    if (size <= from) return;
    if (!equalBytes(this.delivered, offset + from, bytes, start + from, size - from)) this.overlapDiffers = true;
  }
}

function equalBytes(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, size: number): boolean {
  for (let i = 0; i < size; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}
