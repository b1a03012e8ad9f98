/** The recordings of pcaps/: what tshark and the recorder say of every flow, the sensor's records say too. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CaptureReader } from '../sensor/capture/capture-reader.ts';
import { buildPipeline } from '../sensor/flow/pipeline.ts';
import type { Endpoint, FlowRecord } from '../sensor/record/flow-record.ts';

interface Side {
  readonly ip: string;
  readonly port: number;
  readonly bytes: number;
}

/** One entry of `flows` in a NAME.json (pcaps/README.md). */
interface StatedFlow {
  readonly start: string;
  readonly transport: string;
  readonly client: Side;
  readonly server: Side;
  readonly tls: {
    readonly serverName?: string;
    readonly version: string;
    readonly ja3: string;
    readonly ja3s: string;
    readonly certificateSha256?: string;
  };
}

interface Recording {
  readonly name: string;
  readonly capture: Uint8Array;
  readonly flows: readonly StatedFlow[];
}

const recordings = readdirSync('pcaps', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .map((file) => join('pcaps', file.slice(0, -'.json'.length)))
  .flatMap((path): Recording[] => {
    const { flows } = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as { flows?: StatedFlow[] };
    const capture = captureAt(path);
    return flows && capture ? [{ name: path, capture, flows }] : [];
  });

function captureAt(path: string): Uint8Array | undefined {
  if (existsSync(`${path}.pcap`)) return readFileSync(`${path}.pcap`);
  return existsSync(`${path}.pcap.gz`) ? gunzipSync(readFileSync(`${path}.pcap.gz`)) : undefined;
}

/** The last record of every flow. */
function sense(capture: Uint8Array): FlowRecord[] {
  const ends: FlowRecord[] = [];
  const emit = (record: FlowRecord) => record.event.action === 'flow_end' && ends.push(record);
  const sensor = buildPipeline(emit, { observer: 'golden', communityIdSeed: 0, verbose: false });
  const reader = new CaptureReader(sensor);
  reader.push(capture);
  sensor.drain();
  return ends;
}

const side = ({ ip, port, bytes }: Endpoint): Side => ({ ip, port, bytes });

/** The record in the words of the recordings; absent where the recording states nothing. */
function asStated(record: FlowRecord): StatedFlow {
  const { tls } = record;
  const name = tls?.client?.server_name;
  const certificate = tls?.server?.hash?.sha256;
  return {
    start: record.event.start,
    transport: record.network.transport,
    client: side(record.source),
    server: side(record.destination),
    tls: {
      ...(name === undefined ? {} : { serverName: name }),
      version: tls?.version ?? '',
      ja3: tls?.client?.ja3 ?? '',
      ja3s: tls?.server?.ja3s ?? '',
      ...(certificate === undefined ? {} : { certificateSha256: certificate }),
    },
  };
}

const sorted = (flows: readonly StatedFlow[]): StatedFlow[] =>
  flows
    .map(({ start, transport, client, server, tls }) => ({ start, transport, client, server, tls }))
    .sort((a, b) => (a.start + a.client.port < b.start + b.client.port ? -1 : 1));

describe('the recordings', () => {
  it('are there', () => {
    expect(recordings.length).toBeGreaterThanOrEqual(13);
    expect(recordings.reduce((sum, { flows }) => sum + flows.length, 0)).toBeGreaterThanOrEqual(80);
  });

  describe.each(recordings)('$name', ({ capture, flows }) => {
    const records = sense(capture);

    it('has the flows that are stated, with their names, fingerprints, certificates and bytes, and no others', () => {
      expect(sorted(records.map(asStated))).toEqual(sorted(flows));
    });

    it('has nothing missing and nothing odd about its packets', () => {
      for (const { waybill } of records) {
        expect(waybill.bytes_exact).toBe(true);
        for (const oddity of [
          'missed_bytes',
          'gap',
          'overlap_differs',
          'duplicate_packets',
          'midstream',
          'one_sided',
        ]) {
          expect(waybill.anomalies ?? []).not.toContain(oddity);
        }
      }
    });
  });
});
