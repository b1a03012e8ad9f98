/**
 * Bytes put one behind the other. The memory doubles with what has arrived, so that many small pieces cost linear time,
 * and never goes beyond the cap.
 */
export class GrowingBuffer {
  /** The bytes so far are bytes[0, length); what is behind them is not defined. */
  bytes = new Uint8Array(0);
  length = 0;
  private readonly cap: number;
  private readonly first: number;

  /**
   * @param cap most bytes that are kept
   * @param first size of the first allocation, bytes
   */
  constructor(cap: number, first: number) {
    this.cap = cap;
    this.first = first;
  }

  /** Gives the memory back; the length starts over. */
  release(): void {
    this.bytes = new Uint8Array(0);
    this.length = 0;
  }

  /** Appends as much of from[start, end) as the cap allows and returns how many bytes that was. */
  append(from: Uint8Array, start: number, end: number): number {
    const taken = Math.min(end - start, this.cap - this.length);
    const needed = this.length + taken;
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.min(this.cap, Math.max(needed, 2 * this.bytes.length, this.first)));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(from.subarray(start, start + taken), this.length);
    this.length = needed;
    return taken;
  }
}
