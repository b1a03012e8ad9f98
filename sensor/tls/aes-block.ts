/**
 * AES-128 of single blocks (FIPS 197), for QUIC header protection, which encrypts one block under a key of its own: with
 * node:crypto the cipher object for that takes three times as long as all the rest. No secrets pass through here: the keys
 * of Initial packets follow from what is sent in the clear, so it does not matter that table look-ups can be timed.
 */

const ROUNDS = 10;
export const AES_BLOCK_BYTES = 16;

/** S-box (FIPS 197 §5.1.1): the inverse in GF(2^8), by logarithms to the base of 3, then an affine map. */
const SBOX = new Uint8Array(256);
/** A column of MixColumns(SubBytes(x)): 2s, s, s, 3s. The other three tables are rotations of it. */
const COLUMN = new Int32Array(256);

const double = (value: number): number => (value << 1) ^ (value & 0x80 ? 0x11b : 0);

const powers = new Uint8Array(255);
for (let i = 0, power = 1; i < 255; i++, power ^= double(power)) powers[i] = power;
for (let x = 0; x < 256; x++) {
  const inverse = x === 0 ? 0 : powers[(255 - powers.indexOf(x)) % 255]!;
  const folded = inverse * 0x101; // the byte twice, so that a shift rotates it
  const s = 0x63 ^ ((inverse ^ (folded >> 4) ^ (folded >> 5) ^ (folded >> 6) ^ (folded >> 7)) & 0xff);
  SBOX[x] = s;
  COLUMN[x] = (double(s) << 24) | (s << 16) | (s << 8) | (s ^ double(s));
}

const rotated = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;

const substituted = (a: number, b: number, c: number, d: number): number =>
  (SBOX[a >>> 24]! << 24) | (SBOX[(b >>> 16) & 255]! << 16) | (SBOX[(c >>> 8) & 255]! << 8) | SBOX[d & 255]!;

const mixed = (a: number, b: number, c: number, d: number): number =>
  COLUMN[a >>> 24]! ^
  rotated(COLUMN[(b >>> 16) & 255]!, 8) ^
  rotated(COLUMN[(c >>> 8) & 255]!, 16) ^
  rotated(COLUMN[d & 255]!, 24);

/** Round keys of a key of 16 bytes (FIPS 197 §5.2). */
export function expandKey(key: Uint8Array): Int32Array {
  const words = new Int32Array(4 * (ROUNDS + 1));
  for (let i = 0; i < 4; i++) words[i] = word(key, 4 * i);
  for (let i = 4, constant = 1; i < words.length; i++) {
    let last = words[i - 1]!;
    if (i % 4 === 0) {
      const turned = rotated(last, 24);
      last = substituted(turned, turned, turned, turned) ^ (constant << 24);
      constant = double(constant);
    }
    words[i] = words[i - 4]! ^ last;
  }
  return words;
}

/** Encrypts the block at `at` of `bytes` into `out`. */
export function encryptBlock(keys: Int32Array, bytes: Uint8Array, at: number, out: Uint8Array): void {
  let a = word(bytes, at) ^ keys[0]!;
  let b = word(bytes, at + 4) ^ keys[1]!;
  let c = word(bytes, at + 8) ^ keys[2]!;
  let d = word(bytes, at + 12) ^ keys[3]!;
  for (let k = 4; k < 4 * ROUNDS; k += 4) {
    const e = mixed(a, b, c, d) ^ keys[k]!;
    const f = mixed(b, c, d, a) ^ keys[k + 1]!;
    const g = mixed(c, d, a, b) ^ keys[k + 2]!;
    d = mixed(d, a, b, c) ^ keys[k + 3]!;
    a = e;
    b = f;
    c = g;
  }
  const last = 4 * ROUNDS;
  putWord(out, 0, substituted(a, b, c, d) ^ keys[last]!);
  putWord(out, 4, substituted(b, c, d, a) ^ keys[last + 1]!);
  putWord(out, 8, substituted(c, d, a, b) ^ keys[last + 2]!);
  putWord(out, 12, substituted(d, a, b, c) ^ keys[last + 3]!);
}

function putWord(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}
