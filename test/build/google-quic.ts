/** Google QUIC before TLS (Q0xx) for tests: its CHLO and the datagrams that carry it in the clear. */
import { ascii } from './hellos.ts';

export const u32le = (value: number): number[] => [
  value & 0xff,
  (value >> 8) & 0xff,
  (value >> 16) & 0xff,
  (value >> 24) & 0xff,
];

/** A CHLO message of these tags, values in order. */
export function chlo(tags: readonly (readonly [tag: string, value: string])[], entries = tags.length): number[] {
  let end = 0;
  const index = tags.flatMap(([tag, value]) => {
    end += value.length;
    return [...ascii(tag), ...u32le(end)];
  });
  const values = ascii(tags.map(([, value]) => value).join(''));
  return [...ascii('CHLO'), entries & 0xff, entries >> 8, 0, 0, ...index, ...values];
}

/** A client's first datagram up to Q043. */
export const publicHeader = (version: string, hello: readonly number[]): Uint8Array =>
  Uint8Array.from([0x0d, 1, 2, 3, 4, 5, 6, 7, 8, ...ascii(version), 1, ...new Array(12).fill(0xee), 0xa0, 1, ...hello]);

/** The same from Q044 on. */
export const longHeader = (version: string, hello: readonly number[]): Uint8Array =>
  Uint8Array.from([0xc3, ...ascii(version), 0x50, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, ...hello]);
