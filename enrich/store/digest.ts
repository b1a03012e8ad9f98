import { hash, randomBytes } from 'node:crypto';

/** Bytes of the salt that a store makes once and keeps. */
export const SALT_BYTES = 16;

/** Bytes of a digest: names are stored as 64 bits. */
export const DIGEST_BYTES = 8;

/** Names of a generation whose digests are remembered. */
const MAX_REMEMBERED = 32_768;

export function newSalt(): Buffer {
  return randomBytes(SALT_BYTES);
}

/**
 * Short digests of names: SHA-256 of salt and name, cut. 64 bits are ample against chance (3e-8 for any collision among a
 * million names), but not against somebody who looks for a destination that collides with a familiar one; he would
 * have to know the salt.
 */
export class Digester {
  private readonly salt: string;
  /**
   * Digests asked for last, and those before them: what comes back often is always in one of the two, and what comes once
   * (a 5-tuple) goes with its generation.
   */
  private young = new Generation();
  private old = new Generation();

  constructor(salt: Buffer) {
    this.salt = salt.toString('hex');
  }

  /** Digest of a name that comes back often (shard, scope, index key): remembered. Do not write into it. */
  of(name: string): Buffer {
    const at = this.place(name);
    return this.young.digests.subarray(at, at + DIGEST_BYTES);
  }

  /** Writes it to a place. */
  write(name: string, target: Buffer, at: number): void {
    const from = this.place(name);
    this.young.digests.copy(target, at, from, from + DIGEST_BYTES);
  }

  /** Its first four bytes as a number. */
  uint32(name: string): number {
    const at = this.place(name);
    return this.young.digests.readUInt32BE(at);
  }

  /** All 32 bytes for a pair of names; the first one's length keeps ('ab', 'c') and ('a', 'bc') apart. */
  ofPair(first: string, second: string): Buffer {
    return Buffer.from(this.wide(`${first.length}:${first}${second}`), 'hex');
  }

  /** Where the digest stands among the young. */
  private place(name: string): number {
    const known = this.young.places.get(name);
    if (known !== undefined) return known;
    if (this.young.places.size === MAX_REMEMBERED) {
      this.old = this.young;
      this.young = new Generation();
    }
    const at = this.young.places.size * DIGEST_BYTES;
    const before = this.old.places.get(name);
    if (before !== undefined) this.old.digests.copy(this.young.digests, at, before, before + DIGEST_BYTES);
    else this.young.digests.write(this.wide(name), at, DIGEST_BYTES, 'hex');
    this.young.places.set(name, at);
    return at;
  }

  /** In hexadecimal, because a buffer of its own takes `hash` longer to make than the digest. */
  private wide(name: string): string {
    return hash('sha256', this.salt + name, 'hex');
  }
}

/** Digests in one piece of memory, which is never written again where it was: with one each, the collector has as many to follow. */
class Generation {
  readonly places = new Map<string, number>();
  readonly digests = Buffer.allocUnsafeSlow(MAX_REMEMBERED * DIGEST_BYTES);
}
