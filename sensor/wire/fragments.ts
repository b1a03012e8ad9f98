/**
 * Reassembly of IP fragments (RFC 791 §3.2, RFC 8200 §4.5), bounded in every direction.
 *
 * Where fragments overlap the first to arrive keeps its bytes, and the datagram says so when the later ones differed:
 * operating systems disagree about overlaps, and sending two readings of one datagram is an old way past a sensor.
 */
import { type Frame, Layer, type Step } from './frame.ts';
import type { Segment } from './segment.ts';
import { Verdict } from './verdict.ts';

/** Datagrams held at once. */
export const DATAGRAM_CAP = 4096;
/** Bytes of fragments held at once. */
export const FRAGMENT_BYTES_CAP = 16 << 20;
/** Fragments of one datagram; 65,535 bytes at the smallest MTU in use (576) make 119. */
export const FRAGMENT_CAP = 256;
/** Longest wait for the rest of a datagram, microseconds of capture time; Linux waits as long. */
export const FRAGMENT_AGE_MICROS = 30_000_000;
/** Longest IP payload. */
const PAYLOAD_CAP = 65_535;

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

interface Datagram {
  readonly since: number;
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
  /** Bytes held. */
  bytes = 0;

  /** In order of creation. */
  private readonly datagrams = new Map<string, Datagram>();
  private readonly assembled = new Uint8Array(PAYLOAD_CAP);

  /** Datagrams held. */
  get size(): number {
    return this.datagrams.size;
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
    this.add(datagram, offset, frame.bytes.subarray(frame.at, frame.end));
    if (datagram.pieces.length > FRAGMENT_CAP) {
      this.close(key, datagram);
      return Verdict.fragmentOverCap;
    }
    if (datagram.held < datagram.total || datagram.total < 0) {
      this.makeRoom();
      return Verdict.fragmentHeld;
    }
    this.close(key, datagram);
    return this.release(datagram, frame, out);
  }

  private release(datagram: Datagram, frame: Frame, out: Segment): Step {
    const last = datagram.pieces.at(-1)!;
    // A fragment beyond the end that the last one stated: there are two readings, none is whole.
    if (last.end !== datagram.total) return Verdict.badLength;
    for (const piece of datagram.pieces) this.assembled.set(piece.bytes, piece.start);
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

  /** Puts the parts of `data` where nothing is yet, and compares the others. */
  private add(datagram: Datagram, offset: number, data: Uint8Array): void {
    const end = offset + data.length;
    const { pieces } = datagram;
    let from = offset;
    let i = 0;
    for (; i < pieces.length && from < end; i++) {
      const piece = pieces[i]!;
      if (piece.end <= from) continue;
      if (piece.start >= end) break;
      if (piece.start > from) this.insert(datagram, i++, from, data.slice(from - offset, piece.start - offset));
      const overlapStart = Math.max(from, piece.start);
      const overlapEnd = Math.min(end, piece.end);
      const ours = piece.bytes.subarray(overlapStart - piece.start, overlapEnd - piece.start);
      const theirs = data.subarray(overlapStart - offset, overlapEnd - offset);
      if (Buffer.compare(ours, theirs) !== 0) datagram.conflict = true;
      from = overlapEnd;
    }
    if (from < end) this.insert(datagram, i, from, data.slice(from - offset));
  }

  private insert(datagram: Datagram, index: number, start: number, bytes: Uint8Array): void {
    datagram.pieces.splice(index, 0, { start, end: start + bytes.length, bytes });
    datagram.held += bytes.length;
    this.bytes += bytes.length;
  }

  private open(key: string, frame: Frame): Datagram {
    const datagram: Datagram = {
      since: frame.tsMicros,
      pieces: [],
      held: 0,
      total: -1,
      protocol: frame.type,
      conflict: false,
    };
    this.datagrams.set(key, datagram);
    return datagram;
  }

  private close(key: string, datagram: Datagram): void {
    this.datagrams.delete(key);
    this.bytes -= datagram.held;
  }

  /** Gives up what waited too long. The oldest are first, unless the capture's clock jumped: then all are too old. */
  private expire(nowMicros: number): void {
    for (const [key, datagram] of this.datagrams) {
      if (Math.abs(nowMicros - datagram.since) <= FRAGMENT_AGE_MICROS) return;
      this.close(key, datagram);
      this.expired++;
    }
  }

  /** Gives up the oldest until the caps hold. */
  private makeRoom(): void {
    for (const [key, datagram] of this.datagrams) {
      if (this.datagrams.size <= DATAGRAM_CAP && this.bytes <= FRAGMENT_BYTES_CAP) return;
      this.close(key, datagram);
      this.evicted++;
    }
  }
}

/** Addresses, VLAN, id; and the protocol for IPv4 only, where every fragment names it (RFC 791 §3.2). */
function keyOf(frame: Frame, out: Segment, id: number): string {
  if (out.ipVersion === 4) return `4,${frame.type},${out.vlan},${id},${out.src3},${out.dst3}`;
  return `6,${out.vlan},${id},${out.src0},${out.src1},${out.src2},${out.src3},${out.dst0},${out.dst1},${out.dst2},${out.dst3}`;
}
