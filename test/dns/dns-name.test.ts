import { describe, expect, it } from 'vitest';
import { ByteCursor } from '../../sensor/base/cursor.ts';
import { readName, skipName } from '../../sensor/dns/dns-name.ts';
import { nameBytes } from '../build/dns.ts';
import { concat } from '../build/frames.ts';

const read = (bytes: Uint8Array, at = 0): string | undefined => readName(new ByteCursor(bytes, at), 0);

describe('a domain name', () => {
  it('ends where its labels end, or after its pointer', () => {
    const bytes = concat(nameBytes('b.example'), [1, 0x61, 0xc0, 0], [0xff]);
    const cursor = new ByteCursor(bytes, 11);
    expect(readName(cursor, 0)).toBe('a.b.example');
    expect(cursor.at).toBe(15);
    const skipping = new ByteCursor(bytes, 11);
    expect(skipName(skipping)).toBe(true);
    expect(skipping.at).toBe(15);
  });

  it('follows pointers backwards only, each before the last', () => {
    const hop = Uint8Array.of(0, 0, 0, 0, 0xc0, 6, 1, 0x61, 0, 0, 0xc0, 4);
    expect(read(hop, 10)).toBeUndefined();
    const back = Uint8Array.of(0, 0, 1, 0x61, 0, 0, 0xc0, 2, 0xc0, 6);
    expect(read(back, 8)).toBe('a');
  });

  it('has at most 255 octets, pointers or not', () => {
    const label = 'x'.repeat(62);
    const long = [label, label, label, label].join('.'); // 4 × 63 and the root: 253
    expect(read(nameBytes(long))).toBe(long);
    expect(read(nameBytes(`${long}.y`))).toBe(`${long}.y`);
    expect(read(nameBytes(`${long}.yz`))).toBeUndefined();
    expect(read(concat(nameBytes(long), [2, 0x79, 0x7a, 0xc0, 0]), long.length + 2)).toBeUndefined();
  });

  it('follows 16 pointers and no more', () => {
    const chain = (hops: number): Uint8Array =>
      concat([1, 0x61, 0], ...Array.from({ length: hops }, (_, i) => [0xc0, i === 0 ? 0 : 1 + 2 * i]));
    expect(read(chain(16), 3 + 2 * 15)).toBe('a');
    expect(read(chain(17), 3 + 2 * 16)).toBeUndefined();
  });
});
