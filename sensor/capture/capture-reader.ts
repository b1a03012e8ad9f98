/**
 * A capture file or live capture stream of any supported format, pushed in as bytes come.
 *
 * One buffer is allocated when the reader is made and nothing after that: bytes are put behind what is left of the
 * last record, parsed in place, and the unused tail moves to the front.
 */
import { readSync } from 'node:fs';
import type { CaptureSummary, PacketSink } from './packet.ts';
import { isPcapMagic, PcapParser } from './pcap-file.ts';
import { PCAPNG_MAGIC, PcapngParser } from './pcapng-file.ts';
import { RECORD_CAP, type RecordParser } from './record-parser.ts';

/**
 * Bytes read at once. Measured on a 1 GB file in the page cache, read and decoded: 1 and 2 MiB take 0.13 s, 256 KiB
 * 0.15 s, 4 MiB 0.16 s, 8 MiB 0.21 s; what was just read is then still in the processor's cache.
 */
const READ_BYTES = 1 << 20;

/** Bytes that tell the formats apart. */
const MAGIC_BYTES = 4;

const GZIP_MAGIC = 0x1f8b;
const ZSTD_MAGIC = 0x28b52ffd;

export type CaptureFormat = 'pcap' | 'pcapng' | 'gzip' | 'zstd' | 'other';

/** What the first bytes of a file say it is; 'other' when there are fewer than four. */
export function captureFormat(head: Uint8Array): CaptureFormat {
  if (head.length < MAGIC_BYTES) return 'other';
  const magic = new DataView(head.buffer, head.byteOffset).getUint32(0);
  if (isPcapMagic(magic)) return 'pcap';
  if (magic === PCAPNG_MAGIC) return 'pcapng';
  if (magic >>> 16 === GZIP_MAGIC) return 'gzip';
  return magic === ZSTD_MAGIC ? 'zstd' : 'other';
}

export class CaptureReader {
  /** Bytes given to the reader so far. */
  bytes = 0;

  private readonly sink: PacketSink;
  /** Not zeroed: a small file costs the pages it fills. Only bytes that were put in are ever looked at. */
  private readonly buffer = new Uint8Array(Buffer.allocUnsafeSlow(RECORD_CAP + READ_BYTES).buffer);
  /** buffer[0, have) is not used yet. */
  private have = 0;
  private parser: RecordParser | undefined = undefined;
  /** Set when the first bytes were no capture. */
  private refused: string | undefined = undefined;

  constructor(sink: PacketSink) {
    this.sink = sink;
  }

  /** Packets delivered so far. */
  get packets(): number {
    return this.parser?.packets ?? 0;
  }

  /** What is wrong with the input, once something is; nothing more is read then. */
  get damaged(): string | undefined {
    return this.refused ?? this.parser?.damaged;
  }

  /** Delivers the packets that `chunk` completes. False when reading on is of no use. */
  push(chunk: Uint8Array): boolean {
    for (let from = 0; from < chunk.length && this.damaged === undefined; ) {
      const step = Math.min(this.buffer.length - this.have, chunk.length - from);
      this.buffer.set(chunk.subarray(from, from + step), this.have);
      from += step;
      this.parse(step);
    }
    return this.damaged === undefined;
  }

  /** The same from an open file, without copying. Bytes read; 0 at its end or when reading on is of no use. */
  readFrom(fd: number): number {
    if (this.damaged !== undefined) return 0;
    const count = readSync(fd, this.buffer, this.have, this.buffer.length - this.have, null);
    if (count > 0) this.parse(count);
    return count;
  }

  /** The input is over: how it went. */
  end(): CaptureSummary {
    return this.stop(this.refused ?? (this.parser ? this.parser.finish(this.have) : nothingThere(this.have)));
  }

  /** The caller stops before the end, for the reason given or for its own: how it went. */
  stop(damaged?: string): CaptureSummary {
    const summary: CaptureSummary = { packets: this.packets, bytes: this.bytes };
    if (damaged !== undefined) summary.damaged = damaged;
    return summary;
  }

  /** `count` bytes were put behind what was there. */
  private parse(count: number): void {
    this.bytes += count;
    this.have += count;
    this.parser ??= this.chooseParser();
    if (this.parser === undefined) return;
    const used = this.parser.consume(this.buffer, 0, this.have);
    this.buffer.copyWithin(0, used, this.have);
    this.have -= used;
  }

  private chooseParser(): RecordParser | undefined {
    if (this.have < MAGIC_BYTES) return undefined;
    const head = this.buffer.subarray(0, MAGIC_BYTES);
    const format = captureFormat(head);
    if (format === 'pcap') return new PcapParser(this.sink);
    if (format === 'pcapng') return new PcapngParser(this.sink);
    this.refused = notACapture(format, head);
    return undefined;
  }
}

const CONVERT = 'convert it first (editcap -F pcapng FILE OUT).';
/** What people have captures in, other than what is read: the first bytes, and what to do. */
const OTHER_FORMATS: readonly (readonly [magic: string, advice: string])[] = [
  ['736e6f6f', `a snoop file; ${CONVERT}`],
  ['474d4255', `a Network Monitor capture; ${CONVERT}`],
  ['52545353', `a Network Monitor 1 capture; ${CONVERT}`],
  ['58435000', `a Sniffer (NetXRay) capture; ${CONVERT}`],
  ['5452534e', `a Sniffer capture; ${CONVERT}`],
  ['69707472', `an iptrace file; ${CONVERT}`],
  ['425a68', 'bzip2-compressed; decompress it first (bzip2 -dc FILE | … -r -).'],
  ['fd377a58', 'xz-compressed; decompress it first (xz -dc FILE | … -r -).'],
  ['04224d18', 'lz4-compressed; decompress it first (lz4 -dc FILE | … -r -).'],
  ['504b0304', 'a zip archive; unpack it first (unzip -p FILE | … -r -).'],
  ['377abcaf', 'a 7z archive; unpack it first (7z x -so FILE | … -r -).'],
];

function notACapture(format: CaptureFormat, head: Uint8Array): string {
  if (format === 'zstd') return 'not read: zstd-compressed; decompress it first (zstd -dc FILE | … -r -).';
  if (format === 'gzip') return 'not read: gzip inside gzip.';
  const hex = Buffer.from(head).toString('hex');
  const other = OTHER_FORMATS.find(([magic]) => hex.startsWith(magic));
  if (other) return `not read: ${other[1]}`;
  return `not a capture: it starts with ${hex}, expected the magic of pcap, pcapng or gzip.`;
}

function nothingThere(have: number): string {
  return have === 0 ? 'not a capture: the file is empty.' : `not a capture: the file has only ${have} bytes.`;
}
