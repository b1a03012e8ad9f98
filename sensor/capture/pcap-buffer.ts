import { GrowingBuffer } from '../base/growing-buffer.ts';

const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
const MAGIC_MICROS = 0xa1b2c3d4;
/** What the file says of its longest packet. */
const SNAP_LENGTH = 262_144;

/**
 * A small classic pcap file in memory (draft-ietf-opsawg-pcap), microseconds, little-endian. It never grows beyond its cap:
 * a packet that does not fit as a whole is left out.
 */
export class PcapBuffer {
  readonly linkType: number;
  private readonly cap: number;
  private readonly held: GrowingBuffer;

  /** @param cap most bytes of the whole file */
  constructor(linkType: number, cap: number) {
    this.linkType = linkType;
    this.cap = cap;
    this.held = new GrowingBuffer(cap, 1_024);
    const header = new DataView(new ArrayBuffer(FILE_HEADER_BYTES));
    header.setUint32(0, MAGIC_MICROS, true);
    header.setUint16(4, 2, true);
    header.setUint16(6, 4, true);
    header.setUint32(16, SNAP_LENGTH, true);
    header.setUint32(20, linkType, true);
    this.held.append(new Uint8Array(header.buffer), 0, FILE_HEADER_BYTES);
  }

  /** The file so far; valid until the next packet. */
  get bytes(): Uint8Array {
    return this.held.bytes.subarray(0, this.held.length);
  }

  /** Bytes of memory it takes. */
  get allocated(): number {
    return this.held.bytes.length;
  }

  /** No packet has been added. */
  get empty(): boolean {
    return this.held.length === FILE_HEADER_BYTES;
  }

  /** Adds bytes[start, end) as one packet; false when the cap leaves no room for it. */
  packet(bytes: Uint8Array, start: number, end: number, tsMicros: number, wireLength: number): boolean {
    if (this.held.length + PACKET_HEADER_BYTES + (end - start) > this.cap) return false;
    const header = new DataView(new ArrayBuffer(PACKET_HEADER_BYTES));
    header.setUint32(0, Math.floor(tsMicros / 1e6), true);
    header.setUint32(4, tsMicros % 1e6, true);
    header.setUint32(8, end - start, true);
    header.setUint32(12, wireLength, true);
    this.held.append(new Uint8Array(header.buffer), 0, PACKET_HEADER_BYTES);
    this.held.append(bytes, start, end);
    return true;
  }
}
