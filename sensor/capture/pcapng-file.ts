/**
 * pcapng (draft-ietf-opsawg-pcapng).
 *
 *     block              type 4 . total length 4 . body . total length 4          total length a multiple of 4, >= 12
 *     section header     byte-order magic 4 . version 4 . section length 8 . options
 *     interface          link type 2 . reserved 2 . snaplen 4 . options
 *     enhanced packet    interface 4 . ticks high 4 . low 4 . captured 4 . original 4 . data . options
 *     packet (obsolete)  interface 2 . drops 2 . ticks high 4 . low 4 . captured 4 . original 4 . data . options
 *     simple packet      original 4 . data
 *
 * Any other block is skipped by its length. A section sets the byte order and starts with no interfaces.
 */
import type { PacketSink } from './packet.ts';
import { MICROSECOND, type TickUnit, ticksToMicros, tickUnit } from './pcapng-time.ts';
import { PACKET_CAP, packetsRead, RECORD_CAP, type RecordParser } from './record-parser.ts';

/** First four bytes of every pcapng file, the same in both byte orders. */
export const PCAPNG_MAGIC = 0x0a0d0d0a;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const SECTION_HEADER = PCAPNG_MAGIC;
const INTERFACE = 1;
const PACKET_OBSOLETE = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;

const BLOCK_HEADER_BYTES = 8;
/** Type and both lengths. */
const BLOCK_MIN_BYTES = 12;
/** A section header is judged by its first 28 bytes: magic, version, section length. */
const SECTION_BYTES = 28;
/** Fixed part of interface and packet blocks, type and length included. */
const INTERFACE_BYTES = 16;
const PACKET_BYTES = 28;
const SIMPLE_BYTES = 12;

/** Interfaces of one section, beyond which a packet's interface is not known. One costs about 100 bytes. */
export const INTERFACE_CAP = 65_536;

const OPTION_TSRESOL = 9;
const OPTION_TSOFFSET = 14;

interface Interface {
  readonly linkType: number;
  /** Snap length; 0 is none. */
  readonly snapLength: number;
  readonly unit: TickUnit;
  readonly offsetSeconds: number;
}

export class PcapngParser implements RecordParser {
  packets = 0;
  damaged: string | undefined = undefined;

  private readonly sink: PacketSink;
  private interfaces: Interface[] = [];
  private little = false;
  private inSection = false;
  /** File offset of the next byte that `consume` has not been given or has not used. */
  private offset = 0;
  /** Bytes still to be passed over of a block longer than RECORD_CAP, and where that block starts. */
  private skipping = 0;
  private skippedBlock = 0;
  /** Time of the last packet that had one: simple packet blocks have none. */
  private lastMicros = 0;

  constructor(sink: PacketSink) {
    this.sink = sink;
  }

  consume(bytes: Uint8Array, start: number, end: number): number {
    if (this.damaged !== undefined) return start;
    const view = new DataView(bytes.buffer, bytes.byteOffset, end);
    let at = start;
    while (true) {
      if (this.skipping > 0) {
        const step = Math.min(this.skipping, end - at);
        this.skipping -= step;
        at += step;
        this.offset += step;
        if (this.skipping > 0) break;
      }
      if (end - at < BLOCK_MIN_BYTES) break;
      const used = this.block(bytes, view, at, end);
      if (used === 0) break;
      at += used;
      this.offset += used;
    }
    return at;
  }

  finish(left: number): string | undefined {
    if (this.damaged !== undefined) return this.damaged;
    if (!this.inSection && this.packets === 0) return 'not a capture: the pcapng section header is cut.';
    if (left === 0 && this.skipping === 0) return undefined;
    const block = this.skipping > 0 ? this.skippedBlock : this.offset;
    const where = this.skipping > 0 ? `${this.skipping} bytes are missing` : `${left} bytes of it are there`;
    return `the file ends inside the block at offset ${block} (${where}). ${packetsRead(this.packets)}`;
  }

  /** Handles the block at `at`; bytes used, or 0 when more are needed or the file is damaged. */
  private block(bytes: Uint8Array, view: DataView, at: number, end: number): number {
    const type = view.getUint32(at, this.little);
    if (type === SECTION_HEADER) {
      if (!this.byteOrder(view, at)) return 0;
    } else if (!this.inSection) {
      this.damage('does not start with a section header');
      return 0;
    }
    const length = view.getUint32(at + 4, this.little);
    if (length < BLOCK_MIN_BYTES || length % 4 !== 0) {
      this.damage(`says its length is ${length}, expected a multiple of 4 from ${BLOCK_MIN_BYTES}`);
      return 0;
    }
    const here = Math.min(length, RECORD_CAP);
    if (here > end - at) return 0;
    if (here === length && view.getUint32(at + length - 4, this.little) !== length) {
      this.damage(
        `says its length is ${length} at its start and ${view.getUint32(at + length - 4, this.little)} at its end`,
      );
      return 0;
    }
    // A block too long to be seen whole is used for its first RECORD_CAP bytes; the rest is skipped.
    const body = here === length ? at + length - 4 : at + here;
    if (type === ENHANCED_PACKET) this.packet(bytes, view, at, body, true);
    else if (type === INTERFACE) this.addInterface(view, at, body);
    else if (type === SIMPLE_PACKET) this.simplePacket(bytes, view, at, body);
    else if (type === PACKET_OBSOLETE) this.packet(bytes, view, at, body, false);
    else if (type === SECTION_HEADER) this.section(view, at, length);
    if (this.damaged !== undefined) return 0;
    this.skipping = length - here;
    this.skippedBlock = this.offset;
    return here;
  }

  /** Takes the byte order from a section header's magic; true when it is one. */
  private byteOrder(view: DataView, at: number): boolean {
    const magic = view.getUint32(at + BLOCK_HEADER_BYTES);
    if (magic === BYTE_ORDER_MAGIC) this.little = false;
    else if (view.getUint32(at + BLOCK_HEADER_BYTES, true) === BYTE_ORDER_MAGIC) this.little = true;
    else {
      if (this.inSection) this.damage('is a section header without the byte-order magic');
      else this.damaged = 'not a capture: it starts like pcapng but has no byte-order magic.';
      return false;
    }
    return true;
  }

  private section(view: DataView, at: number, length: number): void {
    const major = length >= SECTION_BYTES ? view.getUint16(at + 12, this.little) : -1;
    if (major !== 1) {
      this.damage(major < 0 ? 'is a section header that is too short' : `is a section of version ${major}, expected 1`);
      return;
    }
    this.inSection = true;
    this.interfaces = [];
  }

  private addInterface(view: DataView, at: number, body: number): void {
    if (body - at < INTERFACE_BYTES) {
      this.damage('is an interface description that is too short');
      return;
    }
    if (this.interfaces.length >= INTERFACE_CAP) return;
    const little = this.little;
    let unit = MICROSECOND;
    let offsetSeconds = 0;
    // Options: code 2 . length 2 . value padded to 4; a zero code ends them.
    for (let option = at + INTERFACE_BYTES; body - option >= 4; ) {
      const code = view.getUint16(option, little);
      const length = view.getUint16(option + 2, little);
      if (code === 0 || length > body - option - 4) break;
      if (code === OPTION_TSRESOL && length === 1) unit = tickUnit(view.getUint8(option + 4));
      if (code === OPTION_TSOFFSET && length === 8) {
        const first = option + 4;
        const high = view.getInt32(little ? first + 4 : first, little);
        offsetSeconds = high * 4_294_967_296 + view.getUint32(little ? first : first + 4, little);
      }
      option += 4 + ((length + 3) & ~3);
    }
    this.interfaces.push({
      linkType: view.getUint16(at + 8, little),
      snapLength: view.getUint32(at + 12, little),
      unit,
      offsetSeconds,
    });
  }

  private packet(bytes: Uint8Array, view: DataView, at: number, body: number, enhanced: boolean): void {
    if (body - at < PACKET_BYTES) {
      this.damage('is a packet block that is too short');
      return;
    }
    const little = this.little;
    const id = enhanced ? view.getUint32(at + 8, little) : view.getUint16(at + 8, little);
    const source = this.interfaces[id];
    if (source === undefined) {
      this.unknownInterface(id);
      return;
    }
    const captured = view.getUint32(at + 20, little);
    const original = view.getUint32(at + 24, little);
    const data = at + PACKET_BYTES;
    // The block's own length was checked; the data must lie in it, unless the block is too long to be seen whole.
    const blockLength = view.getUint32(at + 4, little);
    if (captured > blockLength - PACKET_BYTES - 4) {
      this.tooLong(captured, blockLength);
      return;
    }
    const kept = Math.min(captured, PACKET_CAP, body - data);
    this.lastMicros = ticksToMicros(
      view.getUint32(at + 12, little),
      view.getUint32(at + 16, little),
      source.unit,
      source.offsetSeconds,
    );
    this.packets++;
    const wire = Math.max(original, captured);
    this.sink.packet(bytes, data, data + kept, this.lastMicros, wire, source.linkType);
  }

  private simplePacket(bytes: Uint8Array, view: DataView, at: number, body: number): void {
    if (body - at < SIMPLE_BYTES) {
      this.damage('is a packet block that is too short');
      return;
    }
    const source = this.interfaces[0];
    if (source === undefined) {
      this.unknownInterface(0);
      return;
    }
    const original = view.getUint32(at + 8, this.little);
    const data = at + SIMPLE_BYTES;
    const snapped = source.snapLength === 0 ? original : Math.min(original, source.snapLength);
    const kept = Math.min(snapped, PACKET_CAP, body - data);
    this.packets++;
    this.sink.packet(bytes, data, data + kept, this.lastMicros, original, source.linkType);
  }

  private unknownInterface(id: number): void {
    const known = this.interfaces.length;
    const limit = known === INTERFACE_CAP ? ' (the limit)' : '';
    this.damaged = `packet ${this.packets + 1} names interface ${id}, the section has ${known}${limit}; the file is damaged from offset ${this.offset}. ${packetsRead(this.packets)}`;
  }

  private tooLong(captured: number, blockLength: number): void {
    this.damaged = `packet ${this.packets + 1} says ${captured} bytes in a block of ${blockLength}; the file is damaged from offset ${this.offset}. ${packetsRead(this.packets)}`;
  }

  private damage(what: string): void {
    this.damaged = `the block at offset ${this.offset} (before packet ${this.packets + 1}) ${what}; the file is damaged from there. ${packetsRead(this.packets)}`;
  }
}
