import { describe, expect, it } from 'vitest';
import { readGoogleQuic } from '../../sensor/tls/google-quic.ts';
import { chlo, longHeader, publicHeader, u32le } from '../build/google-quic.ts';
import { ascii } from '../build/hellos.ts';

const datagram = publicHeader;
const read = (bytes: Uint8Array) => readGoogleQuic(bytes, 0, bytes.length);

describe('Google QUIC', () => {
  const tags = [
    ['PAD\0', '-----'],
    ['SNI\0', 'files.example'],
    ['VER\0', 'Q043'],
  ] as const;

  it('shows its version and host name', () => {
    expect(read(datagram('Q043', chlo(tags)))).toEqual({ version: 'Q043', serverName: 'files.example' });
    expect(read(longHeader('Q046', chlo(tags)))).toEqual({ version: 'Q046', serverName: 'files.example' });
  });

  it('may have no host name', () => {
    expect(read(datagram('Q039', chlo([['PAD\0', '--']])))).toEqual({ version: 'Q039', serverName: '' });
    expect(read(datagram('Q039', []))).toEqual({ version: 'Q039', serverName: undefined });
  });

  it('is nothing with another version or none', () => {
    expect(read(datagram('X043', chlo(tags)))).toBeUndefined();
    expect(read(Uint8Array.from([0x0c, ...new Array(40).fill(0)]))).toBeUndefined();
    expect(read(new Uint8Array(5))).toBeUndefined();
  });

  it('gives no name from offsets and counts that do not fit', () => {
    const good = datagram('Q043', chlo(tags));
    for (let length = 14; length < good.length - 4; length++) {
      expect(readGoogleQuic(good, 0, length)?.serverName).toBeUndefined();
    }
    expect(read(datagram('Q043', chlo(tags, 0xffff)))?.serverName).toBeUndefined();
    const reversed = [
      ...ascii('CHLO'),
      2,
      0,
      0,
      0,
      ...ascii('PAD\0'),
      ...u32le(9),
      ...ascii('SNI\0'),
      ...u32le(4),
      ...ascii('0123456789'),
    ];
    expect(read(datagram('Q043', reversed))?.serverName).toBeUndefined();
  });
});
