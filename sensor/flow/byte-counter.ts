import { FlowBit, type FlowTable } from './flow-table.ts';

/** A jump in the sequence numbers beyond this is believed only when it is claimed twice. */
const BELIEVED_JUMP = 1_048_576;
/** Holes remembered of one direction; of more, the oldest are taken as never filled. */
const MAX_HOLES = 32;
/**
 * Directions with remembered holes, with claims, with rival SYNs. Beyond, new holes are never filled, claims never
 * believed, and a SYN opens no connection on ports in use.
 */
const MAX_DIRECTIONS = 32_768;

/**
 * Counts the payload bytes of TCP streams by their sequence numbers, so that what comes late, twice or not at all changes
 * nothing: a stream is as long as its sequence numbers say. What was skipped is `missing` until it comes; what the other
 * side acknowledged was sent, captured or not.
 *
 * Positions are int32, modulo 2^32; distances below 2^31 (RFC 9293 §3.4). `slot` and `side` say which direction's stream.
 */
export class ByteCounter {
  private readonly table: FlowTable;
  private readonly maxDirections: number;
  /** By `slot * 2 + side`: holes that may still be filled, oldest first: start, end, start, end, … */
  private readonly holes = new Map<number, number[]>();
  /** By `slot * 2 + side`: where, far from its end, one segment claimed the stream to be. */
  private readonly claims = new Map<number, number>();
  /** By `slot * 2 + side`: where a SYN in the middle of the stream would have it begin anew. */
  private readonly rivals = new Map<number, number>();

  /** @param filtered the capture leaves out payload on purpose: holes are not filled, and not remembered */
  constructor(table: FlowTable, filtered: boolean) {
    this.table = table;
    this.maxDirections = filtered ? 0 : MAX_DIRECTIONS;
  }

  /** The stream's first byte has the number `first`: its SYN says so, and nothing was counted yet. */
  startAt(slot: number, side: number, first: number): void {
    this.table.seqEnd[slot * 2 + side] = first;
    this.table.bits[slot]! |= (FlowBit.known | FlowBit.syn) << side;
  }

  /** Number of the stream's first byte, as far as what was counted says. */
  startOf(slot: number, side: number): number {
    const d = slot * 2 + side;
    return (this.table.seqEnd[d]! - (this.table.bytes[d]! % 2 ** 32)) | 0;
  }

  /** Whether the stream can be at `seq` now: where it was last seen, or shortly after. */
  isNext(slot: number, side: number, seq: number): boolean {
    if ((this.table.bits[slot]! & (FlowBit.known << side)) === 0) return true;
    const ahead = (seq - this.table.seqEnd[slot * 2 + side]!) | 0;
    return ahead >= 0 && ahead <= BELIEVED_JUMP;
  }

  /** A SYN on ports in use, forged or not: the stream would begin at `first`. */
  addRival(slot: number, side: number, first: number): void {
    const d = slot * 2 + side;
    if (this.rivals.size < MAX_DIRECTIONS || this.rivals.has(d)) this.rivals.set(d, first);
  }

  rivalOf(slot: number, side: number): number | undefined {
    return this.rivals.get(slot * 2 + side);
  }

  /** A segment's payload, [seq, seq + size). Returns how many of its bytes were not seen before. */
  payload(slot: number, side: number, seq: number, size: number): number {
    const table = this.table;
    const d = slot * 2 + side;
    if ((table.bits[slot]! & (FlowBit.known << side)) === 0) {
      table.bits[slot]! |= FlowBit.known << side;
      table.seqEnd[d] = seq;
    }
    const ahead = (seq - table.seqEnd[d]!) | 0;
    const end = (seq + size) | 0;
    let fresh = size;
    if (ahead === 0) {
      table.bytes[d]! += size;
      table.seqEnd[d] = end;
    } else if (this.isFar(d, ahead) || (ahead < 0 && this.isBefore(slot, side, seq))) {
      if (!this.confirm(d, seq, end)) return 0;
    } else if (ahead > 0) {
      this.open(d, seq);
      table.bytes[d]! += size;
      table.seqEnd[d] = end;
    } else {
      fresh = Math.max(0, ahead + size);
      table.bytes[d]! += fresh;
      if (fresh > 0) table.seqEnd[d] = end;
      if (table.missing[d] !== 0) fresh += this.fill(d, seq, (end - fresh) | 0);
    }
    return fresh;
  }

  /** The other side has everything of the stream before `ack`: what of it was not captured was missed. */
  acknowledged(slot: number, side: number, ack: number): void {
    const table = this.table;
    const d = slot * 2 + side;
    const bits = table.bits[slot]!;
    if ((bits & (FlowBit.known << side)) === 0) {
      table.bits[slot] = bits | (FlowBit.known << side);
      table.seqEnd[d] = ack;
      return;
    }
    let beyond = (ack - table.seqEnd[d]!) | 0;
    if (beyond === 0) {
      table.bits[slot] = bits | (FlowBit.acked << side);
      return;
    }
    if (this.isFar(d, beyond)) {
      this.confirm(d, ack, ack);
      return;
    }
    // A FIN takes a number too, and may not have been captured.
    if (beyond === 1) return;
    if ((bits & (FlowBit.fin << side)) !== 0) beyond--;
    if (beyond > 0) this.open(d, (table.seqEnd[d]! + beyond) | 0);
  }

  /** The slot is free: nothing of it is remembered. */
  forget(slot: number): void {
    for (let d = slot * 2; d < slot * 2 + 2; d++) {
      if (this.holes.size > 0) this.holes.delete(d);
      if (this.claims.size > 0) this.claims.delete(d);
      if (this.rivals.size > 0) this.rivals.delete(d);
    }
  }

  /** Not to be reached by what a window allows; before the first byte a stream does not go back either. */
  private isFar(d: number, ahead: number): boolean {
    return ahead > BELIEVED_JUMP || (ahead < -BELIEVED_JUMP && this.table.bytes[d] === 0);
  }

  /** Before the first byte, where no more than a keep-alive can be. */
  private isBefore(slot: number, side: number, seq: number): boolean {
    if ((this.table.bits[slot]! & (FlowBit.syn << side)) === 0) return false;
    return ((seq - this.startOf(slot, side)) | 0) < -1;
  }

  /**
   * Somebody claims that the stream has been far away, in [from, to]. A forged segment says so once; true is what a second
   * segment, or an acknowledgement, says as well.
   */
  private confirm(d: number, from: number, to: number): boolean {
    const table = this.table;
    const claim = this.claims.get(d);
    const since = claim === undefined ? -1 : (to - claim) | 0;
    if (claim === undefined || since < 0 || since > BELIEVED_JUMP) {
      if (this.claims.size < MAX_DIRECTIONS) this.claims.set(d, from);
      return false;
    }
    this.claims.delete(d);
    if (this.beginsAnew(d, claim)) table.seqEnd[d] = claim;
    else this.open(d, claim);
    table.bytes[d]! += since;
    table.seqEnd[d] = to;
    return true;
  }

  /** What lies between the stream's end and `at` was never sent: nothing was before, or `at` is behind, or a SYN said so. */
  private beginsAnew(d: number, at: number): boolean {
    if (this.table.bytes[d] === 0 || ((at - this.table.seqEnd[d]!) | 0) < 0) return true;
    const rival = this.rivals.get(d);
    const since = rival === undefined ? -1 : (at - rival) | 0;
    return since >= 0 && since <= BELIEVED_JUMP;
  }

  /** The stream goes on at `at`, ahead of its end: everything between is missing for now. */
  private open(d: number, at: number): void {
    const table = this.table;
    const start = table.seqEnd[d]!;
    const size = (at - start) | 0;
    table.missing[d]! += size;
    table.bytes[d]! += size;
    table.seqEnd[d] = at;
    const holes = this.holes.get(d);
    if (holes === undefined) {
      if (this.holes.size < this.maxDirections) this.holes.set(d, [start, at]);
      return;
    }
    if (holes.length >= 2 * MAX_HOLES) holes.splice(0, 2);
    holes.push(start, at);
  }

  /** A late segment, [seq, end), takes what it has of the holes off the missing bytes. Returns how many those were. */
  private fill(d: number, seq: number, end: number): number {
    const holes = this.holes.get(d);
    if (holes === undefined) return 0;
    let filled = 0;
    const left: number[] = [];
    for (let i = 0; i < holes.length; i += 2) {
      const start = holes[i]!;
      const stop = holes[i + 1]!;
      const from = ((seq - start) | 0) > 0 ? seq : start;
      const to = ((end - stop) | 0) < 0 ? end : stop;
      if (((to - from) | 0) <= 0) {
        left.push(start, stop);
        continue;
      }
      filled += (to - from) | 0;
      if (from !== start) left.push(start, from);
      if (to !== stop) left.push(to, stop);
    }
    if (filled === 0) return 0;
    this.table.missing[d]! -= filled;
    if (left.length === 0) this.holes.delete(d);
    else this.holes.set(d, left.slice(-2 * MAX_HOLES));
    return filled;
  }
}
