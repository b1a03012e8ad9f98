import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptureReader } from '../../sensor/capture/capture-reader.ts';
import { PcapWriter } from '../../sensor/capture/pcap-writer.ts';

const SNAPLEN = 65_535;

interface Seen {
  readonly bytes: Uint8Array;
  readonly tsMicros: number;
  readonly linkType: number;
}

/** Writes packets and reads back what came out. */
function roundTrip(packets: readonly { bytes: Uint8Array; tsMicros: number }[], linkType = 1): Seen[] {
  const seen: Seen[] = [];
  const reader = new CaptureReader({
    packet: (bytes, start, end, tsMicros, _wire, type) => {
      seen.push({ bytes: bytes.slice(start, end), tsMicros, linkType: type });
    },
  });
  const writer = new PcapWriter(linkType, SNAPLEN, (chunk) => void reader.push(chunk));
  for (const { bytes, tsMicros } of packets) writer.packet(bytes, bytes.length, tsMicros);
  writer.flush();
  expect(reader.end().damaged).toBeUndefined();
  return seen;
}

describe('pcap as the cap child writes it', () => {
  it('is read back packet by packet with its microseconds', () => {
    const packet = fc.record({
      bytes: fc.uint8Array({ maxLength: 2_000 }),
      tsMicros: fc.integer({ min: 0, max: 4_000_000_000_000_000 }),
    });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 300 }), fc.constantFrom(1, 101, 113), (packets, linkType) => {
        expect(roundTrip(packets, linkType)).toEqual(packets.map((p) => ({ ...p, linkType })));
      }),
      { numRuns: 30 },
    );
  });
  it('holds the longest packet at every place in a chunk', () => {
    const longest = { bytes: new Uint8Array(SNAPLEN).fill(7), tsMicros: 1 };
    expect(roundTrip(new Array(20).fill(longest))).toHaveLength(20);
  });
  it('begins with the file header even when no packet comes', () => {
    const chunks: number[] = [];
    new PcapWriter(1, SNAPLEN, (chunk) => void chunks.push(chunk.length)).flush();
    expect(chunks).toEqual([24]);
  });
});
