import { randomFillSync } from 'node:crypto';
import type { Segment } from '../wire/segment.ts';

/**
 * Hashes of flow keys. Each 16-bit half of a key is multiplied by a secret number and the products are summed, so that
 * whatever flows an outsider chooses share a bucket by chance only (multiply-shift hashing, Dietzfelbinger 1996). Sums stay
 * below 2^53 and so are exact. The secrets are drawn once a table; the order of records does not depend on them.
 */
export class FlowHash {
  private readonly factors = Float64Array.from(randomFillSync(new Uint32Array(19)));

  /** Of the lower endpoint, the higher one, their ports and the transport. `forward`: the source is the lower endpoint. */
  ofSegment(s: Segment, forward: boolean): number {
    const ports = forward ? (s.srcPort << 16) | s.dstPort : (s.dstPort << 16) | s.srcPort;
    let sum = forward ? this.mix(s.src3, s.dst3, ports) : this.mix(s.dst3, s.src3, ports);
    // Upper words that are not those of IPv4 on both sides.
    if ((s.src0 | s.dst0 | s.src1 | s.dst1 | (s.src2 ^ 0xffff) | (s.dst2 ^ 0xffff)) !== 0) {
      sum += forward
        ? this.mixUpper(s.src0, s.src1, s.src2, 6) + this.mixUpper(s.dst0, s.dst1, s.dst2, 12)
        : this.mixUpper(s.dst0, s.dst1, s.dst2, 6) + this.mixUpper(s.src0, s.src1, s.src2, 12);
    }
    return highBits(sum + s.transport * this.factors[18]!);
  }

  /** The same of a key at `at`: four words of each endpoint, lower first; both ports in one; the transport. */
  ofKey(k: Int32Array, at: number): number {
    let sum = this.mix(k[at + 3]!, k[at + 7]!, k[at + 8]!);
    if ((k[at]! | k[at + 4]! | k[at + 1]! | k[at + 5]! | (k[at + 2]! ^ 0xffff) | (k[at + 6]! ^ 0xffff)) !== 0) {
      sum += this.mixUpper(k[at]!, k[at + 1]!, k[at + 2]!, 6) + this.mixUpper(k[at + 4]!, k[at + 5]!, k[at + 6]!, 12);
    }
    return highBits(sum + k[at + 9]! * this.factors[18]!);
  }

  private mix(low: number, high: number, ports: number): number {
    const f = this.factors;
    return (
      (low >>> 16) * f[0]! +
      (low & 0xffff) * f[1]! +
      (high >>> 16) * f[2]! +
      (high & 0xffff) * f[3]! +
      (ports >>> 16) * f[4]! +
      (ports & 0xffff) * f[5]!
    );
  }

  private mixUpper(word0: number, word1: number, word2: number, at: number): number {
    const f = this.factors;
    return (
      (word0 >>> 16) * f[at]! +
      (word0 & 0xffff) * f[at + 1]! +
      (word1 >>> 16) * f[at + 2]! +
      (word1 & 0xffff) * f[at + 3]! +
      (word2 >>> 16) * f[at + 4]! +
      (word2 & 0xffff) * f[at + 5]!
    );
  }
}

/** What is above the lowest 16 bits, as int32: where products of 16-bit numbers are mixed best. */
const highBits = (sum: number): number => (sum / 65_536) | 0;
