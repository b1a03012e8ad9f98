/** c07: one capture in every format, byte order and resolution, cut anywhere: the same packets. */
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptureReader, captureFormat } from '../../sensor/capture/capture-reader.ts';
import type { CaptureSummary } from '../../sensor/capture/packet.ts';
import {
  block,
  EPOCH_MICROS,
  interfaceBlock,
  pcap,
  pcapng,
  sectionHeader,
  type TestPacket,
} from '../build/captures.ts';
import { concat, ethernet, tcp, udp } from '../build/frames.ts';
import { PacketLog } from '../build/packet-log.ts';

const PACKETS: readonly TestPacket[] = [
  { bytes: ethernet(tcp({ payload: 'one' })), tsMicros: EPOCH_MICROS + 1 },
  { bytes: ethernet(udp({ payload: 'twelve bytes' })), tsMicros: EPOCH_MICROS + 999_999, wireLength: 1500 },
  { bytes: new Uint8Array(0), tsMicros: EPOCH_MICROS + 2_000_000 },
  { bytes: ethernet(tcp({ payload: 'x'.repeat(301) })), tsMicros: EPOCH_MICROS + 2_500_000 },
];

function read(file: Uint8Array, chunk = file.length): { lines: string[]; summary: CaptureSummary } {
  const log = new PacketLog();
  const reader = new CaptureReader(log);
  for (let at = 0; at < file.length; at += chunk) reader.push(file.subarray(at, at + chunk));
  return { lines: log.lines, summary: reader.end() };
}

const EXPECTED = read(pcap(PACKETS)).lines;

const FORMATS: readonly (readonly [string, Uint8Array])[] = [
  ['pcap, microseconds, little-endian', pcap(PACKETS)],
  ['pcap, microseconds, big-endian', pcap(PACKETS, { bigEndian: true })],
  ['pcap, nanoseconds, little-endian', pcap(PACKETS, { nanos: true })],
  ['pcap, nanoseconds, big-endian', pcap(PACKETS, { nanos: true, bigEndian: true })],
  ['modified pcap, little-endian', pcap(PACKETS, { modified: true })],
  ['modified pcap, big-endian', pcap(PACKETS, { modified: true, bigEndian: true })],
  ['pcapng, little-endian', pcapng(PACKETS)],
  ['pcapng, big-endian', pcapng(PACKETS, { bigEndian: true })],
  ['pcapng, nanoseconds', pcapng(PACKETS, { resolution: 9 })],
  ['pcapng, picoseconds less an offset', pcapng(PACKETS, { resolution: 12, offsetSeconds: 1_699_999_999 })],
  ['pcapng, 2^-30 seconds', pcapng(PACKETS, { resolution: 0x80 | 30 })],
  ['pcapng, obsolete packet blocks', pcapng(PACKETS, { packetBlock: 'obsolete', interfaces: 3 })],
];

describe('CaptureReader', () => {
  it('delivers bytes, times and lengths as they were captured', () => {
    const first = EXPECTED[0]!;
    expect(EXPECTED).toHaveLength(4);
    expect(first.startsWith(`${EPOCH_MICROS + 1} ${PACKETS[0]!.bytes.length}/${PACKETS[0]!.bytes.length} link 1`)).toBe(
      true,
    );
    expect(EXPECTED[1]).toContain('/1500 ');
  });

  it.each(FORMATS)('reads the same packets from %s', (_name, file) => {
    const { lines, summary } = read(file);
    expect(lines).toEqual(EXPECTED);
    expect(summary).toEqual({ packets: 4, bytes: file.length });
  });

  it.each(FORMATS)('reads the same packets from %s, however it is cut into chunks', (_name, file) => {
    for (const chunk of [1, 3, 7, 16, 61]) expect(read(file, chunk).lines).toEqual(EXPECTED);
  });

  it.each(FORMATS)('delivers everything before the cut of every prefix of %s', (_name, file) => {
    let before = 0;
    for (let length = 0; length < file.length; length++) {
      const { lines, summary } = read(file.subarray(0, length));
      expect(lines).toEqual(EXPECTED.slice(0, lines.length));
      expect(lines.length).toBeGreaterThanOrEqual(before);
      expect(summary.packets).toBe(lines.length);
      before = lines.length;
    }
    expect(before).toBeGreaterThanOrEqual(3);
  });

  it('names the packet that a cut pcap ends in, and where it starts', () => {
    const file = pcap(PACKETS);
    const { summary } = read(file.subarray(0, file.length - 1));
    const offset = 24 + 3 * 16 + PACKETS.slice(0, 3).reduce((sum, packet) => sum + packet.bytes.length, 0);
    expect(summary.damaged).toBe(`the file ends inside packet 4, which starts at offset ${offset}. 3 packets read.`);
  });

  it('finds no damage in any prefix that ends between records', () => {
    const file = pcap(PACKETS);
    expect(read(file.subarray(0, 24)).summary).toEqual({ packets: 0, bytes: 24 });
    const one = 24 + 16 + PACKETS[0]!.bytes.length;
    expect(read(file.subarray(0, one)).summary).toEqual({ packets: 1, bytes: one });
  });

  it('never throws on a damaged file, and never delivers a packet outside its buffer', () => {
    const files = FORMATS.map(([, file]) => file);
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 255, 254, 127, 128), fc.nat(255))), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.constantFrom(5, 64, 100_000),
        (file, damage, chunk) => {
          const broken = Uint8Array.from(file);
          for (const [at, value] of damage) broken[at % broken.length] = value;
          const { lines, summary } = read(broken, chunk);
          expect(summary.packets).toBe(lines.length);
          const whole = read(broken);
          expect(whole.lines).toEqual(lines);
          expect(whole.summary.damaged).toBe(summary.damaged);
        },
      ),
      { numRuns: 800 },
    );
  });

  it('reads a pcapng of several sections, each in its own byte order', () => {
    const both = concat(pcapng(PACKETS, { bigEndian: true }), pcapng(PACKETS));
    expect(read(both).lines).toEqual([...EXPECTED, ...EXPECTED]);
  });

  it('skips blocks it does not know, also such as are longer than its buffer', () => {
    const file = pcapng(PACKETS);
    const long = concat(file, block(0x0a, new Uint8Array(3_000_000)), pcapng(PACKETS));
    for (const chunk of [long.length, 65_536]) expect(read(long, chunk).lines).toEqual([...EXPECTED, ...EXPECTED]);
  });

  it('gives each packet the link type and the clock of its own interface, whatever blocks stand between them', () => {
    const raw = tcp({ payload: 'raw' });
    const packet = (id: number, ticks: bigint, bytes: Uint8Array): Uint8Array => {
      const words = Uint32Array.of(id, Number(ticks >> 32n), Number(ticks & 0xffffffffn), bytes.length, bytes.length);
      return block(6, concat(new Uint8Array(words.buffer), bytes));
    };
    const at = BigInt(EPOCH_MICROS);
    const file = concat(
      sectionHeader(),
      interfaceBlock({ linkType: 1 }),
      block(0x0a, new Uint8Array(40)), // decryption secrets
      packet(0, at, PACKETS[0]!.bytes),
      interfaceBlock({ linkType: 101, resolution: 9 }),
      block(4, new Uint8Array(8)), // name resolution
      packet(1, at * 1_000n + 7_999n, raw),
      block(5, new Uint8Array(24)), // interface statistics
      interfaceBlock({ linkType: 276, resolution: 3, snapLength: 96 }),
      block(0xbad, new Uint8Array(12)), // custom
      packet(2, at / 1_000n + 5n, raw),
      packet(0, at + 9n, PACKETS[0]!.bytes),
    );
    const { lines, summary } = read(file);
    expect(summary.damaged).toBeUndefined();
    expect(lines.map((line) => line.split(' ')[0])).toEqual(
      [0, 7, 5_000, 9].map((micros) => String(EPOCH_MICROS + micros)),
    );
    expect(lines.map((line) => /link (\d+)/.exec(line)?.[1])).toEqual(['1', '101', '276', '1']);
  });

  it('gives simple packet blocks the time of the packet before', () => {
    const file = concat(pcapng(PACKETS.slice(0, 1)), block(3, concat([3, 0, 0, 0], [1, 2, 3])));
    expect(read(file).lines[1]).toMatch(new RegExp(`^${EPOCH_MICROS + 1} 3/3 `));
  });

  it('cuts simple packet blocks at the snap length of their interface', () => {
    const { lines } = read(
      pcapng([{ bytes: new Uint8Array(8), wireLength: 900 }], { packetBlock: 'simple', snapLength: 8 }),
    );
    expect(lines[0]).toMatch(/ 8\/900 /);
  });

  it('takes the link type without what pcap says about frame check sequences beside it', () => {
    expect(read(pcap(PACKETS, { linkType: 0x1400_0001 })).lines).toEqual(EXPECTED);
  });

  it('tells formats apart by their first bytes', () => {
    expect(captureFormat(pcap([]))).toBe('pcap');
    expect(captureFormat(pcapng([]))).toBe('pcapng');
    expect(captureFormat(Uint8Array.of(0x1f, 0x8b, 8, 0))).toBe('gzip');
    expect(captureFormat(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd))).toBe('zstd');
    expect(captureFormat(Buffer.from('GIF89a'))).toBe('other');
    expect(captureFormat(Uint8Array.of(0x1f, 0x8b))).toBe('other');
  });

  it('agrees with pcap-parser on any clean classic pcap', async () => {
    const packet = fc.record({
      bytes: fc.uint8Array({ maxLength: 80 }),
      tsMicros: fc.integer({ min: 0, max: 4_000_000_000_000_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(packet, { maxLength: 8 }), fc.boolean(), async (packets, bigEndian) => {
        const file = pcap(packets, { bigEndian });
        expect(read(file).lines).toEqual(await secondOpinion(file));
      }),
      { numRuns: 60 },
    );
  });
});

interface ParsedPacket {
  readonly header: {
    readonly timestampSeconds: number;
    readonly timestampMicroseconds: number;
    readonly originalLength: number;
  };
  readonly data: Uint8Array;
}
interface PcapParserModule {
  parse(input: Readable): {
    on(event: 'packet', listener: (packet: ParsedPacket) => void): void;
    on(event: 'end', listener: () => void): void;
    on(event: 'error', listener: (error: Error) => void): void;
  };
}

/** What the pcap-parser package reads from the same file. */
function secondOpinion(file: Uint8Array): Promise<string[]> {
  const parser = (createRequire(import.meta.url)('pcap-parser') as PcapParserModule).parse(
    Readable.from([Buffer.from(file)]),
  );
  const log = new PacketLog();
  return new Promise((resolve, reject) => {
    parser.on('packet', ({ header, data }) => {
      const micros = header.timestampSeconds * 1e6 + header.timestampMicroseconds;
      log.packet(data, 0, data.length, micros, header.originalLength, 1);
    });
    parser.on('end', () => resolve(log.lines));
    parser.on('error', reject);
  });
}
