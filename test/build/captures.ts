/** Capture files for tests: classic pcap and pcapng, both byte orders. */
import { concat } from './frames.ts';

export interface TestPacket {
  readonly bytes: Uint8Array;
  /** Microseconds since 1970. */
  readonly tsMicros?: number;
  /** Bytes on the wire, when more than were captured. */
  readonly wireLength?: number;
}

export interface PcapOptions {
  readonly bigEndian?: boolean;
  readonly nanos?: boolean;
  /** The variant with 24-byte packet headers. */
  readonly modified?: boolean;
  readonly linkType?: number;
  readonly snapLength?: number;
}

/** 2023-11-14T22:13:20Z, the time of packets that state none. */
export const EPOCH_MICROS = 1_700_000_000_000_000;

/** Unsigned integers of 2 and 4 bytes in one byte order. */
function writer(bigEndian: boolean) {
  const put = (size: number, value: number): Uint8Array => {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i++) bytes[bigEndian ? size - 1 - i : i] = Math.floor(value / 256 ** i) & 255;
    return bytes;
  };
  return { u16: (value: number) => put(2, value), u32: (value: number) => put(4, value) };
}

/** A classic pcap file; Ethernet, microseconds, little-endian unless told otherwise. */
export function pcap(packets: readonly TestPacket[], o: PcapOptions = {}): Uint8Array {
  const { u16, u32 } = writer(o.bigEndian ?? false);
  const magic = o.modified ? 0xa1b2cd34 : o.nanos ? 0xa1b23c4d : 0xa1b2c3d4;
  const header = concat(u32(magic), u16(2), u16(4), u32(0), u32(0), u32(o.snapLength ?? 65_535), u32(o.linkType ?? 1));
  const records = packets.map((packet) => {
    const ts = packet.tsMicros ?? EPOCH_MICROS;
    const fraction = (ts % 1e6) * (o.nanos ? 1000 : 1);
    const wire = packet.wireLength ?? packet.bytes.length;
    const extra = o.modified ? new Uint8Array(8) : [];
    return concat(u32(Math.floor(ts / 1e6)), u32(fraction), u32(packet.bytes.length), u32(wire), extra, packet.bytes);
  });
  return concat(header, ...records);
}

export interface PcapngOptions {
  readonly bigEndian?: boolean;
  readonly linkType?: number;
  readonly snapLength?: number;
  /** if_tsresol byte; 6 (microseconds) without the option when absent. */
  readonly resolution?: number;
  /** if_tsoffset, seconds; packet times are written less it. */
  readonly offsetSeconds?: number;
  /** Block type of packets: enhanced by default. */
  readonly packetBlock?: 'enhanced' | 'simple' | 'obsolete';
  /** Interfaces described; packets use the last. */
  readonly interfaces?: number;
}

/** A pcapng file of one section. */
export function pcapng(packets: readonly TestPacket[], o: PcapngOptions = {}): Uint8Array {
  const { u16, u32 } = writer(o.bigEndian ?? false);
  const count = o.interfaces ?? 1;
  const blocks = [sectionHeader(o)];
  for (let i = 0; i < count; i++) blocks.push(interfaceBlock(o));
  for (const packet of packets) {
    const wire = u32(packet.wireLength ?? packet.bytes.length);
    if (o.packetBlock === 'simple') {
      blocks.push(block(3, concat(wire, packet.bytes), o));
      continue;
    }
    const ticks = ticksOf(packet.tsMicros ?? EPOCH_MICROS, o);
    const times = concat(u32(Number(ticks >> 32n)), u32(Number(ticks & 0xffffffffn)));
    const id = o.packetBlock === 'obsolete' ? concat(u16(count - 1), u16(0)) : u32(count - 1);
    const body = concat(id, times, u32(packet.bytes.length), wire, packet.bytes);
    blocks.push(block(o.packetBlock === 'obsolete' ? 2 : 6, body, o));
  }
  return concat(...blocks);
}

export function sectionHeader(o: PcapngOptions = {}): Uint8Array {
  const { u16, u32 } = writer(o.bigEndian ?? false);
  return block(0x0a0d0d0a, concat(u32(0x1a2b3c4d), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff)), o);
}

export function interfaceBlock(o: PcapngOptions = {}): Uint8Array {
  const { u16, u32 } = writer(o.bigEndian ?? false);
  const options: Uint8Array[] = [];
  if (o.resolution !== undefined) options.push(concat(u16(9), u16(1), [o.resolution, 0, 0, 0]));
  if (o.offsetSeconds !== undefined) {
    const high = u32(Math.floor(o.offsetSeconds / 2 ** 32) >>> 0);
    const low = u32(o.offsetSeconds >>> 0);
    options.push(concat(u16(14), u16(8), ...(o.bigEndian ? [high, low] : [low, high])));
  }
  if (options.length > 0) options.push(concat(u16(0), u16(0)));
  return block(1, concat(u16(o.linkType ?? 1), u16(0), u32(o.snapLength ?? 0), ...options), o);
}

/** One block with its two lengths, body padded to words. */
export function block(type: number, body: Uint8Array, o: PcapngOptions = {}): Uint8Array {
  const { u32 } = writer(o.bigEndian ?? false);
  const padding = new Uint8Array((4 - (body.length % 4)) % 4);
  const length = u32(12 + body.length + padding.length);
  return concat(u32(type), length, body, padding, length);
}

function ticksOf(tsMicros: number, o: PcapngOptions): bigint {
  const micros = BigInt(tsMicros) - BigInt(o.offsetSeconds ?? 0) * 1_000_000n;
  const resolution = o.resolution ?? 6;
  const exponent = BigInt(resolution & 0x7f);
  if (resolution & 0x80) return (micros * 2n ** exponent + 999_999n) / 1_000_000n; // the first tick not before it
  return exponent >= 6n ? micros * 10n ** (exponent - 6n) : micros / 10n ** (6n - exponent);
}
