import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CaptureReader } from '../../sensor/capture/capture-reader.ts';
import { buildPipeline } from '../../sensor/flow/pipeline.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { describeLive, Network, type RunningSensor, TEST_DRIVERS } from '../build/live-network.ts';

const MINUTES = 60_000;

/** What clients of today said, recorded; see pcaps/clients. */
const CAPTURE = gunzipSync(readFileSync('pcaps/clients/clients-tls12-tls13.pcap.gz'));

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

function recordsOfFile(): { records: FlowRecord[]; packets: number } {
  const records: FlowRecord[] = [];
  const pipeline = buildPipeline((r) => records.push(r), { observer: 'here', communityIdSeed: 0, verbose: true });
  const reader = new CaptureReader(pipeline);
  reader.push(CAPTURE);
  const { packets } = reader.end();
  pipeline.drain();
  return { records, packets };
}

for (const driver of TEST_DRIVERS) {
  describeLive(
    `a capture played to an interface (${driver})`,
    () => {
      let network: Network;
      let sensor: RunningSensor;
      beforeAll(async () => {
        network = new Network();
        sensor = await network.listen('--driver', driver, '--observer', 'here', '--verbose');
      }, 2 * MINUTES);
      afterAll(() => network.remove());

      it(
        'gives the records that reading the file gives, time and interface apart',
        async () => {
          const expected = recordsOfFile();
          network.play(CAPTURE, 1_000);
          await sensor.read(expected.packets);
          await sensor.stop();
          expect(ends(sensor.records)).toEqual(ends(expected.records));
          expect(sensor.records.every((r) => r.observer.ingress?.interface.name === 'wrx')).toBe(true);
          expect(sensor.records.every((r) => (r.waybill.ts_source === 'arrival') === (driver === 'cap'))).toBe(true);
        },
        MINUTES,
      );
    },
    driver,
  );
}
