/**
 * A header of up to six bytes that arrives in pieces, held as one number (below 2^48, so exact): most headers come whole,
 * and a connection should not carry a buffer for those that do not.
 */
export class PartialHeader {
  /** The bytes so far, most significant first. */
  value = 0;
  /** How many there are. */
  count = 0;

  /** Takes bytes[at, end) until there are `need`, and returns the index after the last one taken. */
  fill(need: number, bytes: Uint8Array, at: number, end: number): number {
    const stop = Math.min(end, at + need - this.count);
    let value = this.value;
    for (let i = at; i < stop; i++) value = value * 256 + bytes[i]!;
    this.value = value;
    this.count += Math.max(0, stop - at);
    return Math.max(at, stop);
  }

  clear(): void {
    this.value = 0;
    this.count = 0;
  }

  /** The bytes as such. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.count);
    let rest = this.value;
    for (let i = this.count - 1; i >= 0; i--) {
      bytes[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    return bytes;
  }
}
