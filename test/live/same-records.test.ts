import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CaptureReader } from '../../sensor/capture/capture-reader.ts';
import { kernelFilter } from '../../sensor/capture/filter.ts';
import { buildPipeline } from '../../sensor/flow/pipeline.ts';
import { DEFAULT_LIMITS } from '../../sensor/flow/tracker.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { EPOCH_MICROS, pcap } from '../build/captures.ts';
import { concat } from '../build/frames.ts';
import { filtered } from '../build/kernel-filter.ts';
import { describeLive, LISTENING, Network, TEST_DRIVERS } from '../build/live-network.ts';

const MINUTES = 60_000;

/** What clients of today said, over TCP and over QUIC, recorded; see pcaps/clients. */
const FRAMES = ['clients-tls12-tls13', 'clients-quic'].flatMap((name) => {
  const frames: Uint8Array[] = [];
  const reader = new CaptureReader({ packet: (bytes, start, end) => void frames.push(bytes.slice(start, end)) });
  reader.push(gunzipSync(readFileSync(`pcaps/clients/${name}.pcap.gz`)));
  return frames;
});

/** The frame with one more VLAN tag, the outermost. */
const tagged = (frame: Uint8Array, type: number, id: number): Uint8Array =>
  concat(frame.subarray(0, 12), [type >> 8, type & 255, id >> 8, id & 255], frame.subarray(12));

/** A record without what depends on when and where it was captured. */
function timeless(record: FlowRecord): unknown {
  const { kind, category, dataset, action } = record.event;
  const { flow_id, first_bytes_at, end_reason, ts_source, ...waybill } = record.waybill;
  const { ingress, ...observer } = record.observer;
  return { ...record, '@timestamp': '', event: { kind, category, dataset, action }, observer, waybill };
}

const ends = (records: readonly FlowRecord[]): unknown[] =>
  records
    .filter((r) => r.event.action === 'flow_end')
    .sort((a, b) => a.network.community_id.localeCompare(b.network.community_id))
    .map(timeless);

function recordsOf(frames: readonly Uint8Array[], isFiltered: boolean): FlowRecord[] {
  const records: FlowRecord[] = [];
  const options = { observer: 'here', communityIdSeed: 0, verbose: true };
  const pipeline = buildPipeline((r) => records.push(r), options, { ...DEFAULT_LIMITS, filtered: isFiltered });
  for (const [i, frame] of frames.entries()) {
    pipeline.packet(frame, 0, frame.length, EPOCH_MICROS + i * 1_000, frame.length, 1);
  }
  pipeline.drain();
  return records;
}

const captureOf = (frames: readonly Uint8Array[]): Uint8Array => pcap(frames.map((bytes) => ({ bytes })));

describeLive('a capture played to an interface', () => {
  let network: Network;
  beforeAll(() => {
    network = new Network();
  });
  afterAll(() => network.remove());

  for (const driver of TEST_DRIVERS) {
    describeLive(
      `with ${driver}`,
      () => {
        it(
          `gives the records that reading the file gives, time and interface apart`,
          async () => {
            const sensor = await network.listen('--driver', driver, '--observer', 'here', '--verbose');
            network.play(captureOf(FRAMES), 1_000);
            await sensor.read(FRAMES.length);
            await sensor.stop();
            expect(ends(sensor.records)).toEqual(ends(recordsOf(FRAMES, false)));
            expect(sensor.records.every((r) => r.observer.ingress?.interface.name === LISTENING)).toBe(true);
            expect(sensor.records.every((r) => (r.waybill.ts_source === 'arrival') === (driver === 'cap'))).toBe(true);
          },
          MINUTES,
        );
        it(
          `gives the records of what the profile lets through, behind two VLAN tags`,
          async () => {
            const inner = FRAMES.map((frame) => tagged(frame, 0x8100, 7));
            const kept = filtered(inner, kernelFilter({ profile: 'handshake', ethernet: true }));
            const outer = (frame: Uint8Array): Uint8Array => tagged(frame, 0x88a8, 100);
            const sensor = await network.listen(
              ...['--driver', driver, '--observer', 'here', '--verbose', '--profile', 'handshake'],
            );
            network.play(captureOf(inner.map(outer)), 1_000);
            await sensor.read(kept.length);
            await sensor.stop();
            expect(sensor.log.at(-1)).toMatchObject({ msg: 'stopped', packets: kept.length });
            expect(ends(sensor.records)).toEqual(ends(recordsOf(kept.map(outer), true)));
          },
          MINUTES,
        );
      },
      driver,
    );
  }

  it(
    'is filtered late, and says so, when the kernel refuses the filter',
    async () => {
      const hosts = Array.from({ length: 200 }, (_, i) => `host fe80::${i}`).join(' or ');
      const sensor = await network.listen('-f', hosts, '--profile', 'handshake');
      const warning = await sensor.until('a warning', () => sensor.log.find((l) => l.level === 'warn'));
      expect(warning.msg).toContain('the kernel refused the filter');
      expect(sensor.status('/readyz')).toMatchObject({ code: 503 });
      await sensor.stop();
    },
    MINUTES,
  );
});
