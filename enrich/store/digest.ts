import { hash, randomBytes } from 'node:crypto';

/** Bytes of the salt that a store makes once and keeps. */
export const SALT_BYTES = 16;

/** Bytes of a digest: names are stored as 64 bits. */
export const DIGEST_BYTES = 8;

/** Names whose digest is remembered; a full memory is dropped whole. */
const MAX_REMEMBERED = 50_000;
/** Digests that share one piece of memory: with one each, the collector has as many to follow. */
const DIGESTS_A_SLAB = 1_024;

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
  private readonly remembered = new Map<string, Buffer>();
  /** Where remembered digests lie, and from which byte on it is free. */
  private slab = Buffer.alloc(0);
  private used = 0;

  constructor(salt: Buffer) {
    this.salt = salt.toString('hex');
  }

  /** Digest of a name that comes back often (shard, scope, index key): remembered. Do not write into it. */
  of(name: string): Buffer {
    const known = this.remembered.get(name);
    if (known !== undefined) return known;
    const digest = this.room();
    digest.write(this.wide(name), 0, DIGEST_BYTES, 'hex');
    if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
    this.remembered.set(name, digest);
    return digest;
  }

  /** All 32 bytes for a pair of names; the first one's length keeps ('ab', 'c') and ('a', 'bc') apart. */
  ofPair(first: string, second: string): Buffer {
    return Buffer.from(this.wide(`${first.length}:${first}${second}`), 'hex');
  }

  private room(): Buffer {
    if (this.used === this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(DIGESTS_A_SLAB * DIGEST_BYTES);
      this.used = 0;
    }
    this.used += DIGEST_BYTES;
    return this.slab.subarray(this.used - DIGEST_BYTES, this.used);
  }

  /** In hexadecimal, because a buffer of its own takes `hash` longer to make than the digest. */
  private wide(name: string): string {
    return hash('sha256', this.salt + name, 'hex');
  }
}
