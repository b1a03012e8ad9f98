/** A seeded xorshift32: the same captures on every machine. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0 || 1;
  }

  /** An unsigned 32-bit number. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return this.next() % limit;
  }

  /** True in `share` of the cases, 0 to 1. */
  chance(share: number): boolean {
    return this.next() < share * 2 ** 32;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  fill(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) bytes[i] = this.next() >>> 8;
  }
}
