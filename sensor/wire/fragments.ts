/**
 * Reassembly of IP fragments (RFC 791 §3.2, RFC 8200 §4.5), bounded in every direction.
 *
 * Where fragments overlap the first to arrive keeps its bytes, and the datagram says so when the later ones differed:
 * operating systems disagree about overlaps, and sending two readings of one datagram is an old way past a sensor.
 */
import { CELL_BYTES, FragmentArena } from './fragment-arena.ts';
import { type Frame, Layer, type Step } from './frame.ts';
import type { Segment } from './segment.ts';
import { Verdict } from './verdict.ts';

/** Datagrams held at once. */
export const DATAGRAM_CAP = 4096;
/** Memory for fragments, bytes; each takes whole cells of it. */
export const FRAGMENT_BYTES_CAP = 16 << 20;
/** Pieces of one datagram; 65,535 bytes at the smallest MTU in use (576) make 119. */
export const PIECE_CAP = 256;
/** Longest wait for the rest of a datagram, microseconds of capture time; Linux waits as long. */
export const FRAGMENT_AGE_MICROS = 30_000_000;
/** Longest IP payload. */
const PAYLOAD_CAP = 65_535;

/** Bytes [start, end) of a datagram, at most a cell's worth. */
interface Piece {
  readonly start: number;
  readonly end: number;
  /** Index of the first byte in the arena. */
  readonly cell: number;
}

interface Datagram {
  readonly key: string;
  readonly since: number;
  /** Neighbours in order of creation. */
  older: Datagram | undefined;
  newer: Datagram | undefined;
  /** Not overlapping, in order. */
  readonly pieces: Piece[];
  held: number;
  /** Length of the whole, known from the last fragment; -1 before. */
  total: number;
  /** Next protocol, as the first fragment names it. */
  protocol: number;
  conflict: boolean;
}

export class FragmentTable {
  /** Datagrams given up: their rest did not come in time. */
  expired = 0;
  /** Datagrams given up to make room. */
  evicted = 0;

  private readonly datagrams = new Map<string, Datagram>();
  /** Ends of a list in order of creation: a Map whose front is deleted again and again is slow to iterate. */
  private oldest: Datagram | undefined = undefined;
  private newest: Datagram | undefined = undefined;
  private readonly arena = new FragmentArena(FRAGMENT_BYTES_CAP / CELL_BYTES);
  private readonly assembled = new Uint8Array(PAYLOAD_CAP);

  /** Datagrams held. */
  get size(): number {
    return this.datagrams.size;
  }

  /** Memory in use, bytes. */
  get bytes(): number {
    return FRAGMENT_BYTES_CAP - this.arena.left * CELL_BYTES;
  }

  /**
   * Takes the fragment at `frame.at`, whose protocol is `frame.type` and whose addresses are in `out`. When it completes
   * its datagram the frame continues in the reassembled bytes; they are valid until the next datagram completes.
   */
  hold(frame: Frame, out: Segment, id: number, offset: number, more: boolean): Step {
    if (frame.end < frame.wireEnd) return Verdict.truncated;
    const length = frame.end - frame.at;
    if (length === 0 || offset + length > PAYLOAD_CAP || (more && length % 8 !== 0)) return Verdict.badLength;
    this.expire(frame.tsMicros);

    const key = keyOf(frame, out, id);
    const datagram = this.datagrams.get(key) ?? this.open(key, frame);
    if (offset === 0) datagram.protocol = frame.type;
    if (!more) {
      if (datagram.total >= 0 && datagram.total !== offset + length) datagram.conflict = true;
      else datagram.total = offset + length;
    }
    this.add(datagram, frame, offset);
    if (datagram.pieces.length > PIECE_CAP) {
      this.close(datagram);
      return Verdict.fragmentOverCap;
    }
    if (datagram.total < 0 || datagram.held < datagram.total) return Verdict.fragmentHeld;
    return this.release(datagram, frame, out);
  }

  private release(datagram: Datagram, frame: Frame, out: Segment): Step {
    this.close(datagram);
    const last = datagram.pieces.at(-1)!;
    // A fragment beyond the end that the last one stated: there are two readings, none is whole.
    if (last.end !== datagram.total) return Verdict.badLength;
    // The cells are free again, but nothing was put into them since.
    for (const { start, end, cell } of datagram.pieces) {
      this.assembled.set(this.arena.bytes.subarray(cell, cell + end - start), start);
    }
    frame.bytes = this.assembled;
    frame.at = 0;
    frame.end = datagram.total;
    frame.wireEnd = datagram.total;
    frame.type = datagram.protocol;
    out.fragmented = true;
    out.fragmentConflict ||= datagram.conflict;
    out.ipv4Start = -1;
    return Layer.ipPayload;
  }

  /** Keeps the parts of the fragment where nothing is yet, and compares the others. */
  private add(datagram: Datagram, frame: Frame, offset: number): void {
    const { pieces } = datagram;
    const end = offset + frame.end - frame.at;
    let from = offset;
    let i = 0;
    for (; i < pieces.length && from < end; i++) {
      const piece = pieces[i]!;
      if (piece.end <= from) continue;
      if (piece.start >= end) break;
      if (piece.start > from) this.insert(datagram, i, from, piece.start, frame, offset);
      const overlapStart = Math.max(from, piece.start);
      const overlapEnd = Math.min(end, piece.end);
      const at = frame.at - offset;
      if (this.differs(piece, overlapStart, overlapEnd, frame.bytes, at)) datagram.conflict = true;
      from = overlapEnd;
    }
    if (from < end) this.insert(datagram, i, from, end, frame, offset);
  }

  /** Whether bytes [start, end) of the datagram are others in `piece` than in `bytes`, where they begin at `at`. */
  private differs(piece: Piece, start: number, end: number, bytes: Uint8Array, at: number): boolean {
    const held = this.arena.bytes;
    const shift = piece.cell - piece.start;
    for (let i = start; i < end; i++) if (held[shift + i] !== bytes[at + i]) return true;
    return false;
  }

  /** Copies bytes [start, end) of the datagram into cells, as pieces from `index` on. */
  private insert(datagram: Datagram, index: number, start: number, end: number, frame: Frame, offset: number): void {
    const source = frame.at - offset;
    let next = index;
    for (let from = start; from < end; from += CELL_BYTES) {
      const to = Math.min(end, from + CELL_BYTES);
      this.makeRoom(datagram);
      const cell = this.arena.take();
      this.arena.bytes.set(frame.bytes.subarray(source + from, source + to), cell);
      datagram.pieces.splice(next++, 0, { start: from, end: to, cell });
      datagram.held += to - from;
    }
  }

  private open(key: string, frame: Frame): Datagram {
    const datagram: Datagram = {
      key,
      since: frame.tsMicros,
      older: this.newest,
      newer: undefined,
      pieces: [],
      held: 0,
      total: -1,
      protocol: frame.type,
      conflict: false,
    };
    if (this.newest) this.newest.newer = datagram;
    else this.oldest = datagram;
    this.newest = datagram;
    this.datagrams.set(key, datagram);
    return datagram;
  }

  private close(datagram: Datagram): void {
    if (datagram.older) datagram.older.newer = datagram.newer;
    else this.oldest = datagram.newer;
    if (datagram.newer) datagram.newer.older = datagram.older;
    else this.newest = datagram.older;
    this.datagrams.delete(datagram.key);
    for (const piece of datagram.pieces) this.arena.give(piece.cell);
  }

  /** Gives up what waited too long. The oldest are first, unless the capture's clock jumped: then all are too old. */
  private expire(nowMicros: number): void {
    while (this.oldest && Math.abs(nowMicros - this.oldest.since) > FRAGMENT_AGE_MICROS) {
      this.close(this.oldest);
      this.expired++;
    }
  }

  /** Gives up the oldest, other than `current`, until there is a cell for it and no datagram too many. */
  private makeRoom(current: Datagram): void {
    while (this.arena.left === 0 || this.datagrams.size > DATAGRAM_CAP) {
      const victim = this.oldest === current ? current.newer : this.oldest;
      if (!victim) return; // cannot be: one datagram has fewer pieces than there are cells
      this.close(victim);
      this.evicted++;
    }
  }
}

/** Addresses, VLAN, id; and the protocol for IPv4 only, where every fragment names it (RFC 791 §3.2). */
function keyOf(frame: Frame, out: Segment, id: number): string {
  if (out.ipVersion === 4) return `4,${frame.type},${out.vlan},${id},${out.src3},${out.dst3}`;
  return `6,${out.vlan},${id},${out.src0},${out.src1},${out.src2},${out.src3},${out.dst0},${out.dst1},${out.dst2},${out.dst3}`;
}
