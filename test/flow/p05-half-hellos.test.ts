/** p05: a flood of hellos that never become whole leaves room for true ones. */
import { describe, expect, it } from 'vitest';
import { buildPipeline } from '../../sensor/flow/pipeline.ts';
import { DEFAULT_LIMITS } from '../../sensor/flow/tracker.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { sentFrom } from '../build/flood.ts';
import { frames, START_MICROS, TcpConnection } from '../build/tcp-connection.ts';
import { applicationData, bytesFrom, helloFor, SERVER_NAME, type Turn, tls13 } from '../build/tls-flights.ts';

const LIMITS = { ...DEFAULT_LIMITS, flows: 1_000, handshakes: 100 };
const halfHello = helloFor('half.example').subarray(0, 150);
const FLOOD = frames(
  new TcpConnection()
    .open()
    .send('client', halfHello)
    .packets.filter(({ who }) => who === 'client'),
  {
    client: '10.0.0.1',
  },
).map(({ bytes }) => bytes);
const turns: Turn[] = [...tls13(), ['client', applicationData(500)]];

/** So many half hellos, between each two of them a packet of one of the true connections. */
function flooded(halves: number, clients: number, between: number) {
  const records: FlowRecord[] = [];
  const sensor = buildPipeline((r) => records.push(r), { observer: 'x', communityIdSeed: 0, verbose: false }, LIMITS);
  const real = Array.from({ length: clients }, (_, i) =>
    frames(new TcpConnection().open().say(turns).close().packets, { clientPort: 20_000 + i }),
  ).flat();
  let most = 0;
  let next = 0;
  for (let n = 0; n < halves; n++) {
    const tsMicros = START_MICROS + n * 20;
    for (const frame of FLOOD) {
      const bytes = sentFrom(frame, n);
      sensor.packet(bytes, 0, bytes.length, tsMicros, bytes.length, 1);
    }
    const packet = n % between === 0 ? real[next++] : undefined;
    if (packet) sensor.packet(packet.bytes, 0, packet.bytes.length, tsMicros, packet.bytes.length, 1);
    most = Math.max(most, sensor.flows);
  }
  sensor.drain();
  expect(next).toBeGreaterThanOrEqual(real.length);
  return { records, counters: sensor.counters, most };
}

describe('a flood of half hellos (p05)', () => {
  const { records, counters, most } = flooded(6_000, 120, 2);
  const ends = records.filter(({ event }) => event.action === 'flow_end');
  const real = ends.filter(({ source }) => source.ip === '192.0.2.10');

  it('costs no true connection its name or a byte', () => {
    expect(real.map(({ tls }) => tls?.client?.server_name)).toEqual(new Array(120).fill(SERVER_NAME));
    expect(real.map(({ source }) => source.bytes)).toEqual(new Array(120).fill(bytesFrom('client', turns)));
    expect(new Set(real.map(({ source }) => source.port)).size).toBe(120);
  });

  it('stays within the caps, and what had to go is counted', () => {
    expect(most).toBeLessThanOrEqual(LIMITS.flows);
    expect(counters.flows).toBe(6_120);
    expect(counters.evictedOverFlows).toBeGreaterThan(4_000);
    expect(counters.evictedHandshakes).toBeGreaterThan(4_000);
  });

  it('leaves a record of every half hello that says what it was', () => {
    const half = ends.filter(({ source }) => source.ip !== '192.0.2.10');
    expect(half).toHaveLength(6_000);
    for (const { tls, waybill } of half) {
      expect(tls).toEqual({ established: false });
      expect(waybill.anomalies).toContain('hello_incomplete');
    }
  });
});
