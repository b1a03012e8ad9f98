/**
 * Classic pcap (draft-ietf-opsawg-pcap).
 *
 *     file header   magic 4 . major 2 . minor 2 . reserved 8 . snaplen 4 . FCS and link type 4        24
 *     packet        seconds 4 . fraction 4 . captured length 4 . original length 4 . data             16 + n
 *
 * The magic gives byte order and the unit of the fraction: a1b2c3d4 µs, a1b23c4d ns. a1b2cd34 is Alexey Kuznetsov's
 * variant with 8 more bytes in each packet header (interface index, protocol, packet type).
 */
import type { PacketSink } from './packet.ts';
import { PACKET_CAP, packetsRead, type RecordParser } from './record-parser.ts';

const MAGIC_MICROS = 0xa1b2c3d4;
const MAGIC_NANOS = 0xa1b23c4d;
const MAGIC_MODIFIED = 0xa1b2cd34;

const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
const MODIFIED_HEADER_BYTES = 24;

/** True when `magic`, the first four bytes read big-endian, starts a pcap file of either byte order. */
export function isPcapMagic(magic: number): boolean {
  const swapped = swap32(magic);
  return isMagic(magic) || isMagic(swapped);
}

const isMagic = (magic: number): boolean => magic === MAGIC_MICROS || magic === MAGIC_NANOS || magic === MAGIC_MODIFIED;

const swap32 = (value: number): number =>
  ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;

export class PcapParser implements RecordParser {
  packets = 0;
  damaged: string | undefined = undefined;

  private readonly sink: PacketSink;
  private little = false;
  private nanos = false;
  private headerBytes = 0;
  private linkType = 0;
  private limit = PACKET_CAP;
  /** File offset of the next byte that `consume` has not been given or has not used. */
  private offset = 0;
  /** Bytes of an over-long packet still to be passed over, and what it announced. */
  private skipping = 0;
  private announced = 0;

  constructor(sink: PacketSink) {
    this.sink = sink;
  }

  consume(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.damaged !== undefined) return at;
    const view = new DataView(bytes.buffer, bytes.byteOffset, end);
    if (this.headerBytes === 0) {
      if (end - at < FILE_HEADER_BYTES || !this.fileHeader(view, at)) return at;
      at += FILE_HEADER_BYTES;
    }
    if (this.skipping > 0) {
      const step = Math.min(this.skipping, end - at);
      this.skipping -= step;
      at += step;
    }
    this.offset += at - start;
    const used = this.deliver(bytes, view, at);
    this.offset += used - at;
    return used;
  }

  finish(left: number): string | undefined {
    if (this.damaged !== undefined) return this.damaged;
    if (this.headerBytes === 0) {
      return `not a capture: a pcap file header is ${FILE_HEADER_BYTES} bytes, the file ends after ${left}.`;
    }
    if (left === 0 && this.skipping === 0) return undefined;
    // A skipped packet was delivered in part and counted; any other was not.
    const number = this.skipping > 0 ? this.packets : this.packets + 1;
    const missing = this.skipping > 0 ? ` (${this.announced} bytes announced, ${this.skipping} missing)` : '';
    return `the file ends inside packet ${number}${missing}, which starts at offset ${this.cutOffset()}. ${packetsRead(this.packets)}`;
  }

  private cutOffset(): number {
    return this.skipping > 0 ? this.offset - this.headerBytes - (this.announced - this.skipping) : this.offset;
  }

  private fileHeader(view: DataView, at: number): boolean {
    // 24 bytes are here, so every fixed offset below is inside the header.
    const big = view.getUint32(at);
    this.little = !isMagic(big);
    const magic = view.getUint32(at, this.little);
    this.nanos = magic === MAGIC_NANOS;
    const major = view.getUint16(at + 4, this.little);
    if (major !== 2) {
      const minor = view.getUint16(at + 6, this.little);
      this.damaged = `not a capture this program reads: pcap version ${major}.${minor}, expected 2.4.`;
      return false;
    }
    this.limit = Math.max(view.getUint32(at + 16, this.little), PACKET_CAP);
    this.linkType = view.getUint32(at + 20, this.little) & 0xffff; // the upper half is about the FCS
    this.headerBytes = magic === MAGIC_MODIFIED ? MODIFIED_HEADER_BYTES : PACKET_HEADER_BYTES;
    return true;
  }

  /** The hot loop. Gives out whole packets of [at, end of view); the index of the first byte not used. */
  private deliver(bytes: Uint8Array, view: DataView, from: number): number {
    const { little, nanos, headerBytes, limit, linkType, sink } = this;
    const end = view.byteLength;
    let at = from;
    while (end - at >= headerBytes) {
      const captured = view.getUint32(at + 8, little);
      if (captured > limit) {
        const offset = this.offset + at - from;
        this.damaged = `packet ${this.packets + 1} says ${captured} bytes, more than the file's limit of ${limit}; the file is damaged from offset ${offset}. ${packetsRead(this.packets)}`;
        break;
      }
      const kept = Math.min(captured, PACKET_CAP);
      const data = at + headerBytes;
      if (kept > end - data) break;
      const fraction = view.getUint32(at + 4, little);
      const micros = view.getUint32(at, little) * 1e6 + (nanos ? (fraction / 1000) >>> 0 : fraction);
      const original = view.getUint32(at + 12, little);
      this.packets++;
      sink.packet(bytes, data, data + kept, micros, Math.max(original, captured), linkType);
      at = data + kept;
      if (captured > kept) {
        this.announced = captured;
        this.skipping = captured - kept;
        const step = Math.min(this.skipping, end - at);
        this.skipping -= step;
        at += step;
      }
    }
    return at;
  }
}
