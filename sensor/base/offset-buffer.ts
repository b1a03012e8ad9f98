/**
 * Puts pieces of one byte string together that come in any order, each with its offset: QUIC CRYPTO frames, DTLS
 * fragments. Of bytes that come twice the first copy counts.
 */
export class OffsetBuffer {
  /** Everything below `whole` is complete; above it there may be holes. */
  bytes = new Uint8Array(0);
  /** How many bytes from the start are there without a hole. */
  whole = 0;
  private readonly cap: number;
  private readonly window: number;
  /** Starts and ends of the islands above `whole`, ascending: start, end, start, end, … */
  private islands: number[] = [];

  /**
   * @param cap longest string, bytes
   * @param window how far ahead of the first hole a piece may end, bytes: what one piece can make this allocate
   */
  constructor(cap: number, window: number) {
    this.cap = cap;
    this.window = window;
  }

  /** Forgets everything. */
  clear(): void {
    this.bytes = new Uint8Array(0);
    this.whole = 0;
    this.islands = [];
  }

  /** Gives the memory back when nothing waits; what was added stays known as added, and must not be read any more. */
  release(): void {
    if (this.islands.length === 0) this.bytes = new Uint8Array(0);
  }

  /** Adds from[start, end) at `offset`. False when a cap refuses it; then nothing has changed. */
  add(offset: number, from: Uint8Array, start: number, end: number): boolean {
    const last = offset + (end - start);
    if (last <= this.whole) return true;
    if (last > this.cap || last > this.whole + this.window) return false;
    if (this.islands.length >= 2 * MAX_ISLANDS && offset > this.whole) return false;
    this.reserve(last);

    let at = Math.max(offset, this.whole);
    const merged: number[] = [];
    let mergedStart = at;
    let mergedEnd = last;
    for (let i = 0; i < this.islands.length; i += 2) {
      const islandStart = this.islands[i]!;
      const islandEnd = this.islands[i + 1]!;
      if (islandEnd < mergedStart || islandStart > mergedEnd) {
        merged.push(islandStart, islandEnd);
        continue;
      }
      // Only the part before the island is new.
      if (at < islandStart) this.bytes.set(from.subarray(start + at - offset, start + islandStart - offset), at);
      at = islandEnd;
      mergedStart = Math.min(mergedStart, islandStart);
      mergedEnd = Math.max(mergedEnd, islandEnd);
    }
    if (at < last) this.bytes.set(from.subarray(start + at - offset, end), at);

    if (mergedStart === this.whole) this.whole = mergedEnd;
    else insertIsland(merged, mergedStart, mergedEnd);
    this.islands = merged;
    return true;
  }

  /** Doubles, so that a string in many pieces costs linear time; never beyond what has been promised by pieces seen. */
  private reserve(size: number): void {
    if (size <= this.bytes.length) return;
    const larger = new Uint8Array(Math.min(this.cap, Math.max(size, 2 * this.bytes.length)));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

/** Separate pieces that may wait above the first hole; Chrome sends a hello in about ten. */
const MAX_ISLANDS = 64;

function insertIsland(islands: number[], start: number, end: number): void {
  let i = 0;
  while (i < islands.length && islands[i]! < start) i += 2;
  islands.splice(i, 0, start, end);
}
