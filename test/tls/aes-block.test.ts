import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encryptBlock, expandKey } from '../../sensor/tls/aes-block.ts';

const encrypted = (key: Uint8Array, bytes: Uint8Array, at = 0): string => {
  const out = new Uint8Array(16);
  encryptBlock(expandKey(key), bytes, at, out);
  return Buffer.from(out).toString('hex');
};

describe('AES-128 of one block', () => {
  it('is that of FIPS 197 appendix B and of RFC 9001 appendix A.2', () => {
    const block = Buffer.from('3243f6a8885a308d313198a2e0370734', 'hex');
    expect(encrypted(Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex'), block)).toBe(
      '3925841d02dc09fbdc118597196a0b32',
    );
    const sample = Buffer.from('d1b1c98dd7689fb8ec11d242b123dc9b', 'hex');
    expect(encrypted(Buffer.from('9f50449e04a0e810283a1e9933adedd2', 'hex'), sample)).toMatch(/^437b9aec36/);
  });

  it('is what node:crypto makes of any key and block, wherever it lies', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(bytes(16), bytes(40), fc.nat(24), (key, around, at) => {
        const block = around.subarray(at, at + 16);
        const theirs = createCipheriv('aes-128-ecb', key, null).update(block).toString('hex');
        expect(encrypted(key, around, at)).toBe(theirs);
      }),
    );
  });
});
