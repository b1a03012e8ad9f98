import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DIGEST_BYTES, Digester, SALT_BYTES } from '../../enrich/store/digest.ts';

const salt = Buffer.alloc(SALT_BYTES, 0xa5);
/** As the stores of every version so far were written. */
const sha256 = (text: string): Buffer =>
  createHash('sha256')
    .update(salt.toString('hex') + text)
    .digest();

describe('the digest of a name', () => {
  it('is the beginning of SHA-256 over salt and name, by which stored data is found again', () => {
    const digester = new Digester(salt);
    for (const name of ['', 'org', 'host:DESK-1', 'größe']) {
      expect(digester.of(name)).toEqual(sha256(name).subarray(0, DIGEST_BYTES));
    }
  });

  it('is all of it for a pair, whose halves cannot be moved', () => {
    const digester = new Digester(salt);
    expect(digester.ofPair('ab', 'c')).toEqual(sha256('2:abc'));
    expect(digester.ofPair('a', 'bc')).toEqual(sha256('1:abc'));
  });

  it('stays as it was given while others are made, more than are remembered', () => {
    const digester = new Digester(salt);
    const names = Array.from({ length: 60_000 }, (_, i) => `tuple:${i}`);
    const given = names.map((name) => digester.of(name));
    const changed = names.filter((name, i) => !given[i]!.equals(sha256(name).subarray(0, DIGEST_BYTES)));
    expect(changed).toEqual([]);
  });
});
