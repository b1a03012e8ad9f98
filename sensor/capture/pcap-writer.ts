/** Bytes gathered before they are written. */
const CHUNK_BYTES = 262_144;
const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
const MAGIC_MICROS = 0xa1b2c3d4;

/** Writes classic pcap (draft-ietf-opsawg-pcap), microseconds, little-endian, in large chunks. */
export class PcapWriter {
  private readonly chunk: Buffer;
  private readonly write: (bytes: Uint8Array) => void;
  private used = 0;

  /**
   * @param linkType LINKTYPE_ value
   * @param snaplen longest packet that will be given, bytes
   * @param write takes the bytes before it returns: the chunk is used again
   */
  constructor(linkType: number, snaplen: number, write: (bytes: Uint8Array) => void) {
    this.write = write;
    this.chunk = Buffer.alloc(CHUNK_BYTES + PACKET_HEADER_BYTES + snaplen);
    const header = this.chunk;
    header.writeUInt32LE(MAGIC_MICROS, 0);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(snaplen, 16);
    header.writeUInt32LE(linkType, 20);
    this.used = FILE_HEADER_BYTES;
  }

  /** The first `length` bytes of `bytes` as one packet; at most `snaplen`. */
  packet(bytes: Uint8Array, length: number, tsMicros: number): void {
    const { chunk, used } = this;
    chunk.writeUInt32LE(Math.floor(tsMicros / 1e6), used);
    chunk.writeUInt32LE(tsMicros % 1e6, used + 4);
    chunk.writeUInt32LE(length, used + 8);
    chunk.writeUInt32LE(length, used + 12);
    chunk.set(bytes.subarray(0, length), used + PACKET_HEADER_BYTES);
    this.used = used + PACKET_HEADER_BYTES + length;
    if (this.used >= CHUNK_BYTES) this.flush();
  }

  flush(): void {
    if (this.used === 0) return;
    this.write(this.chunk.subarray(0, this.used));
    this.used = 0;
  }
}
