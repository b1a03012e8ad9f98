/**
 * Classic pcap (draft-ietf-opsawg-pcap) for the recorder: little-endian, microseconds, Ethernet, as tcpdump writes it.
 * This reader serves files that the recorder's own tcpdump has just made and nothing else.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const MAGIC = 0xa1b2c3d4;
const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
const LINKTYPE_ETHERNET = 1;
const SNAPLEN = 262_144;

export interface CapturedPacket {
  /** Microseconds since 1970 UTC. */
  readonly at: number;
  readonly bytes: Buffer;
  /** Bytes on the wire; more than `bytes` when the packet was cut. */
  readonly wireLength: number;
}

export function readPcap(file: string): CapturedPacket[] {
  const data = readFileSync(file);
  if (data.length < FILE_HEADER_BYTES || data.readUInt32LE(0) !== MAGIC)
    throw new Error(`${file}: not a little-endian µs pcap`);
  const packets: CapturedPacket[] = [];
  let at = FILE_HEADER_BYTES;
  while (at + PACKET_HEADER_BYTES <= data.length) {
    const captured = data.readUInt32LE(at + 8);
    const start = at + PACKET_HEADER_BYTES;
    packets.push({
      at: data.readUInt32LE(at) * 1e6 + data.readUInt32LE(at + 4),
      bytes: data.subarray(start, start + captured),
      wireLength: data.readUInt32LE(at + 12),
    });
    at = start + captured;
  }
  return packets;
}

/** Writes packets in time order; a name that ends in `.gz` is compressed. */
export function writePcap(file: string, packets: readonly CapturedPacket[]): void {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(SNAPLEN, 16);
  header.writeUInt32LE(LINKTYPE_ETHERNET, 20);
  const parts: Buffer[] = [header];
  for (const packet of packets.toSorted((a, b) => a.at - b.at)) {
    const record = Buffer.alloc(PACKET_HEADER_BYTES);
    record.writeUInt32LE(Math.floor(packet.at / 1e6), 0);
    record.writeUInt32LE(packet.at % 1e6, 4);
    record.writeUInt32LE(packet.bytes.length, 8);
    record.writeUInt32LE(packet.wireLength, 12);
    parts.push(record, packet.bytes);
  }
  const whole = Buffer.concat(parts);
  writeFileSync(file, file.endsWith('.gz') ? gzipSync(whole, { level: 9 }) : whole);
}
