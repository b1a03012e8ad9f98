import { describe, expect, it } from 'vitest';
import { CaptureReader } from '../../sensor/capture/capture-reader.ts';
import { EVIDENCE_LIMITS, EvidenceKeeper, type EvidenceLimits } from '../../sensor/flow/evidence-keeper.ts';
import { buildPipeline } from '../../sensor/flow/pipeline.ts';
import { DEFAULT_LIMITS } from '../../sensor/flow/tracker.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { TimedFrame } from '../build/observe.ts';
import { PacketLog } from '../build/packet-log.ts';
import { frames, START_MICROS, TcpConnection } from '../build/tcp-connection.ts';
import { applicationData, helloFor, type Turn, tls12, tls13 } from '../build/tls-flights.ts';

const OPTIONS = { observer: 'probe-1', communityIdSeed: 0, verbose: true };
const UPLOAD: Turn = ['client', applicationData(9_000)];

interface Kept {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly keeper: EvidenceKeeper;
  readonly records: readonly FlowRecord[];
}

function keep(packets: readonly TimedFrame[], limits: Partial<EvidenceLimits> = {}): Kept {
  const files = new Map<string, Uint8Array>();
  const keeper = new EvidenceKeeper((id, pcap) => files.set(id, pcap.slice()), 0, { ...EVIDENCE_LIMITS, ...limits });
  const records: FlowRecord[] = [];
  const sensor = buildPipeline((record) => records.push(record), OPTIONS, DEFAULT_LIMITS, keeper);
  const buffer = new Uint8Array(1 << 16);
  for (const { bytes, tsMicros, wireLength } of packets) {
    buffer.set(bytes, 5);
    sensor.packet(buffer, 5, 5 + bytes.length, tsMicros, wireLength ?? bytes.length, 1);
    buffer.fill(0xee);
  }
  sensor.drain();
  return { files, keeper, records };
}

function readAgain(pcap: Uint8Array): { packets: PacketLog; records: FlowRecord[] } {
  const packets = new PacketLog();
  new CaptureReader(packets).push(Buffer.from(pcap));
  const records: FlowRecord[] = [];
  const sensor = buildPipeline((record) => records.push(record), OPTIONS);
  const reader = new CaptureReader(sensor);
  reader.push(Buffer.from(pcap));
  reader.end();
  sensor.drain();
  return { packets, records };
}

const flow = (port: number, turns: readonly Turn[], startMicros = START_MICROS, client = 1_000): TimedFrame[] =>
  frames(new TcpConnection({ client, server: client * 7 }).open().say(turns).close().packets, {
    clientPort: port,
    startMicros,
  });

describe('evidence of a flow', () => {
  it.each([
    ['TLS 1.2', tls12()],
    ['TLS 1.3', tls13()],
  ])('says of a %s handshake what the whole capture says', (_, turns) => {
    const { files, records } = keep(flow(50_000, [...turns, UPLOAD]));
    const last = records.at(-1)!;
    expect([...files.keys()]).toEqual([last.waybill.flow_id]);
    const again = readAgain(files.get(last.waybill.flow_id)!).records.at(-1)!;
    expect(again.tls?.client).toEqual(last.tls?.client);
    expect(again.tls?.server).toEqual(last.tls?.server);
    expect(again.network.community_id).toBe(last.network.community_id);
  });

  it('has no application data of an upload', () => {
    const { files } = keep(flow(50_000, [...tls13(), ...new Array<Turn>(50).fill(UPLOAD)]));
    const [pcap] = files.values();
    expect(pcap!.length).toBeLessThan(8_000);
  });

  it('is not kept of plain conversations', () => {
    const plain: Turn[] = new Array(30).fill(['client', Buffer.from('GET / HTTP/1.1\r\n\r\n')]);
    const { files, keeper } = keep(flow(50_000, plain));
    expect(files.size).toBe(0);
    expect(keeper.bytes).toBe(0);
  });

  it('stays within its cap, whole packets only, and counts what it left out', () => {
    const long = helloFor(`${'a'.repeat(60)}.example`);
    const { files, keeper } = keep(flow(50_000, tls12(long)), { flowBytes: 600 });
    const [pcap] = files.values();
    expect(pcap!.length).toBeLessThanOrEqual(600);
    expect(keeper.counters.packetsOverFlow).toBeGreaterThan(0);
    expect(() => readAgain(pcap!)).not.toThrow();
  });

  it('has no packets of a conversation that went silent undecided in its place', () => {
    const silent = frames(new TcpConnection().open().send('client', Buffer.from('?')).packets, { clientPort: 40_000 });
    const later = flow(50_000, tls13(), START_MICROS + 600e6);
    const alone = keep(later);
    const after = keep([...silent, ...later]);
    expect([...after.files.values()]).toEqual([...alone.files.values()]);
  });

  it('is told apart when ports are used again', () => {
    const first = flow(50_000, tls13(helloFor('first.example')));
    const second = flow(50_000, tls13(helloFor('second.example')), START_MICROS + 1e6, 88_000);
    const { files } = keep([...first, ...second]);
    const sizes = [...files.values()].map((pcap) => readAgain(pcap).packets.lines.length);
    expect(sizes[0]).toBe(sizes[1]);
    const names = [...files.values()].map((pcap) => readAgain(pcap).records.at(-1)!.destination.domain);
    expect(names).toEqual(['first.example', 'second.example']);
  });
});

describe('evidence of many flows', () => {
  const openFlows = (count: number): TimedFrame[] =>
    Array.from({ length: count }, (_, i) =>
      frames(new TcpConnection().open().say(tls13()).packets, {
        clientPort: 20_000 + i,
        startMicros: START_MICROS + i * 1_000,
      }),
    ).flat();

  it('stays within the cap of all: the oldest are handed over before their end, none is lost', () => {
    const { files, keeper, records } = keep(openFlows(200), { totalBytes: 65_536 });
    expect(files.size).toBe(200);
    expect(new Set(records.map((record) => record.waybill.flow_id))).toEqual(new Set(files.keys()));
    expect(keeper.counters.flowsOverTotal).toBeGreaterThan(150);
    expect(keeper.counters.flows).toBe(200);
  });

  it('never holds more than that cap and one flow', () => {
    const limits = { flowBytes: 4_096, totalBytes: 32_768 };
    let most = 0;
    const keeper = new EvidenceKeeper(() => {}, 0, limits);
    const sensor = buildPipeline(() => {}, OPTIONS, DEFAULT_LIMITS, keeper);
    for (const { bytes, tsMicros } of openFlows(100)) {
      sensor.packet(bytes, 0, bytes.length, tsMicros, bytes.length, 1);
      most = Math.max(most, keeper.bytes);
    }
    expect(most).toBeLessThanOrEqual(32_768);
    sensor.drain();
    expect(keeper.bytes).toBe(0);
  });
});
