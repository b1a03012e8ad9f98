import { describe, expect, it } from 'vitest';
import { buildPipeline } from '../../sensor/flow/pipeline.ts';
import { DEFAULT_LIMITS } from '../../sensor/flow/tracker.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { ACK, PSH } from '../../sensor/wire/segment.ts';
import { byFlow, observe, observeLines, observeOne } from '../build/observe.ts';
import { frames, START_MICROS, TcpConnection } from '../build/tcp-connection.ts';
import { applicationData, bytesFrom, helloFor, SERVER_NAME, type Turn, tls12, tls13 } from '../build/tls-flights.ts';

const KIB = 1024;
const upload = (bytes: number): Turn => ['client', applicationData(bytes - 5)];
const actions = (records: readonly FlowRecord[]): string[] => records.map(({ event }) => event.action);
const secondsIn = (record: FlowRecord): number => Date.parse(record['@timestamp']) / 1000 - START_MICROS / 1e6;

/** A connection of another host that keeps the capture's clock going. */
function clock(seconds: number): TcpConnection {
  const c = new TcpConnection().open();
  for (let i = 0; i < seconds; i++) c.pause(1).put('client', { payload: Uint8Array.of(1) });
  return c;
}
const clockFrames = (seconds: number, after: number) =>
  frames(clock(seconds).packets, { client: '192.0.2.99', startMicros: START_MICROS + after * 1e6 });

describe('the first record of a flow', () => {
  it('is written when the handshake is complete, with what is known then', () => {
    const c = new TcpConnection().open().say(tls12());
    const { records } = observe(frames(c.packets), { live: true });
    expect(actions(records)).toEqual(['flow_open']);
    expect(records[0]).toMatchObject({
      network: { transport: 'tcp', protocol: 'tls', type: 'ipv4' },
      source: { ip: '192.0.2.10', port: 50_000 },
      destination: { ip: '198.51.100.20', port: 443, domain: SERVER_NAME },
      tls: {
        version: '1.2',
        resumed: false,
        client: { server_name: SERVER_NAME },
        server: { subject: 'CN=files.example' },
      },
    });
  });

  it('is written before the upload, not after it', () => {
    const c = new TcpConnection().open().say(tls13());
    const handshake = bytesFrom('client', tls13());
    c.say([upload(50 * KIB)]);
    const [open] = observe(frames(c.packets)).records;
    expect(open!.source.bytes).toBeLessThanOrEqual(handshake);
  });

  it('is written at the end for a hello that nobody answered', () => {
    const c = new TcpConnection().open().send('client', helloFor(SERVER_NAME)).close();
    const { records } = observe(frames(c.packets));
    expect(actions(records)).toEqual(['flow_open', 'flow_end']);
    expect(records[1]!.tls?.client?.server_name).toBe(SERVER_NAME);
    expect(records[1]!.waybill.anomalies).toEqual(['not_established']);
  });

  it('is never written for what is not encrypted', () => {
    const get = Buffer.from('GET / HTTP/1.1\r\nHost: files.example\r\n\r\n');
    const page = Buffer.from(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(3_000)}`);
    const c = new TcpConnection()
      .open()
      .say([
        ['client', get],
        ['server', page],
      ])
      .close();
    expect(observe(frames(c.packets)).records).toEqual([]);
  });
});

describe('updates of a live flow', () => {
  it('are written at 256 KiB sent, and at every twofold of it', () => {
    const c = new TcpConnection({ mss: 60_000 }).open().say(tls13());
    for (let i = 0; i < 90; i++)
      c.say([
        ['client', applicationData(16_000)],
        ['client', applicationData(16_000)],
      ]);
    c.close();
    const updates = observe(frames(c.packets)).records.filter(({ event }) => event.action === 'flow_update');
    const steps = [256 * KIB, 512 * KIB, 1_024 * KIB, 2_048 * KIB];
    expect(updates).toHaveLength(steps.length);
    for (const [i, step] of steps.entries()) {
      expect(updates[i]!.source.bytes).toBeGreaterThanOrEqual(step);
      expect(updates[i]!.source.bytes).toBeLessThan(step + 61_000);
    }
  });

  it('are written every 60 seconds while bytes flow', () => {
    const c = new TcpConnection().open().say(tls13());
    for (let i = 0; i < 200; i++) c.pause(1).say([upload(100)]);
    const { records } = observe(frames(c.close().packets));
    expect(actions(records)).toEqual(['flow_open', 'flow_update', 'flow_update', 'flow_update', 'flow_end']);
    const times = records.map(secondsIn);
    for (let i = 1; i < 4; i++) expect(times[i]! - times[i - 1]!).toBeCloseTo(60, -0.5);
  });

  it('tell what a flow sent that then fell silent, while others go on', () => {
    const c = new TcpConnection()
      .open()
      .say(tls13())
      .pause(2)
      .say([upload(5 * KIB)]);
    const { records } = observe([...frames(c.packets), ...clockFrames(100, 3)], { live: true });
    const updates = records.filter(({ event }) => event.action === 'flow_update');
    expect(updates).toHaveLength(1);
    expect(updates[0]!.source.bytes).toBe(bytesFrom('client', tls13()) + 5 * KIB);
    expect(secondsIn(updates[0]!)).toBeGreaterThan(60);
    expect(secondsIn(updates[0]!)).toBeLessThan(70);
  });

  it('tell it when no packet comes at all and the clock is told', () => {
    const records: FlowRecord[] = [];
    const sensor = buildPipeline((r) => records.push(r), { observer: 'x', communityIdSeed: 0, verbose: false });
    for (const { bytes, tsMicros } of frames(new TcpConnection().open().say([...tls13(), upload(900)]).packets)) {
      sensor.packet(bytes, 0, bytes.length, tsMicros, bytes.length, 1);
    }
    sensor.tick(START_MICROS + 50e6);
    expect(actions(records)).toEqual(['flow_open']);
    sensor.tick(START_MICROS + 62e6);
    expect(actions(records)).toEqual(['flow_open', 'flow_update']);
    sensor.tick(START_MICROS + (DEFAULT_LIMITS.idleSeconds + 2) * 1e6);
    expect(actions(records)).toEqual(['flow_open', 'flow_update', 'flow_end']);
    expect(records[2]!.waybill.end_reason).toBe('idle');
    expect(sensor.flows).toBe(0);
  });

  it('is written a few flows at a time when whoever takes the records asks for that', () => {
    const records: FlowRecord[] = [];
    const sensor = buildPipeline((r) => records.push(r), { observer: 'x', communityIdSeed: 0, verbose: false });
    for (let host = 1; host <= 5; host++) {
      const { packets } = new TcpConnection().open().say(tls13());
      for (const { bytes, tsMicros } of frames(packets, { client: `192.0.2.${host}` })) {
        sensor.packet(bytes, 0, bytes.length, tsMicros, bytes.length, 1);
      }
    }
    const ended = () => actions(records).filter((action) => action === 'flow_end').length;
    expect([sensor.drain(2), ended()]).toEqual([false, 2]);
    expect([sensor.drain(2), ended()]).toEqual([false, 4]);
    expect([sensor.drain(2), ended()]).toEqual([true, 5]);
    expect([sensor.drain(), ended(), sensor.flows]).toEqual([true, 5, 0]);
  });
});

describe('the last record of a flow', () => {
  const established = () =>
    new TcpConnection()
      .open()
      .say(tls13())
      .say([upload(300)]);

  it.each([
    ['fin', established().close()],
    ['reset', established().reset('server')],
    ['capture-end', established()],
  ])('says %s', (reason, c) => {
    expect(observeOne(frames(c.packets)).waybill.end_reason).toBe(reason);
  });

  it('comes two seconds after the FINs, so that late segments open no flow', () => {
    const c = established().close();
    c.pause(1).inject({ ...c.packets.at(-2)!, id: 9_999 });
    const { records, counters } = observe([...frames(c.packets), ...clockFrames(10, 2)], { live: true });
    expect(actions(records)).toEqual(['flow_open', 'flow_end']);
    expect(records[1]!.waybill.end_reason).toBe('fin');
    expect(counters.flows).toBe(2);
  });

  it('comes after five minutes without a packet, and not before', () => {
    for (const [seconds, ended] of [
      [295, false],
      [320, true],
    ] as const) {
      const { records } = observe([...frames(established().packets), ...clockFrames(seconds, 1)], { live: true });
      expect(records.at(-1)!.event.action).toBe(ended ? 'flow_end' : 'flow_update');
      if (ended) expect(records.at(-1)!.waybill.end_reason).toBe('idle');
    }
  });

  it('does not come while keep-alives say that the connection lives', () => {
    const c = established();
    for (let i = 0; i < 20; i++) {
      c.pause(75)
        .inject(c.forge('client', { seq: (c.next.client - 1) >>> 0, id: i }))
        .inject(c.forge('server', { id: i }));
    }
    expect(observeOne(frames(c.say([upload(77)]).close().packets)).waybill.end_reason).toBe('fin');
  });

  it('gives when the flow was, to the microsecond, and how long', () => {
    const c = established().close();
    const seen = frames(c.packets);
    const record = observeOne(seen);
    const micros = (text: string) => Date.parse(`${text.slice(0, 19)}Z`) * 1000 + Number(text.slice(20, 26));
    expect(micros(record.event.start)).toBe(seen[0]!.tsMicros);
    expect(micros(record.event.end)).toBe(seen.at(-1)!.tsMicros);
    expect(record.event.duration).toBe((seen.at(-1)!.tsMicros - seen[0]!.tsMicros) * 1000);
  });
});

describe('a capture whose clock jumps', () => {
  it('back by an hour goes on following its flows', () => {
    const [before, after] = [new TcpConnection().open().say(tls13()), new TcpConnection().open().say(tls13()).close()];
    const { records } = observe(
      [
        ...frames(before.packets, { clientPort: 1_111 }),
        ...frames(after.packets, { clientPort: 2_222, startMicros: START_MICROS - 3600e6 }),
        ...frames(clock(400).packets, { client: '192.0.2.99', startMicros: START_MICROS - 3590e6 }),
      ],
      { live: true },
    );
    expect(records.filter(({ source }) => source.port === 2_222).map(({ event }) => event.action)).toEqual([
      'flow_open',
      'flow_end',
    ]);
  });

  it('forward ends what has been silent that long, in a look at each slot and no more', () => {
    const c = new TcpConnection().open().say(tls13());
    const { records } = observe([...frames(c.packets), ...clockFrames(2, 100_000)], { live: true });
    expect(records.at(-1)!.waybill.end_reason).toBe('idle');
  });
});

describe('what leaves the sensor', () => {
  it('is, line by line, what the records say', () => {
    const c = new TcpConnection().open().say(tls12());
    for (let i = 0; i < 100; i++) c.pause(1).say([upload(9_000)]);
    const capture = [
      ...frames(c.close().packets),
      ...frames(clock(5).say(tls13(helloFor('a"\\b\n\x1b'))).packets, { client: '2001:db8::1', server: '2001:db8::2' }),
    ];
    const { records } = observe(capture);
    expect(byFlow(records).size).toBe(2);
    expect(observeLines(capture)).toEqual(records.map((record) => `${JSON.stringify(record)}\n`));
  });
});

describe('a full table', () => {
  it('ends the flow that was seen longest ago with a record that says so', () => {
    const limits = { flows: 16 };
    const capture = Array.from({ length: 40 }, (_, i) =>
      frames(
        new TcpConnection()
          .open()
          .say(tls13())
          .say([upload(100 + i)]).packets,
        {
          clientPort: 2_000 + i,
          startMicros: START_MICROS + i * 1e6,
        },
      ),
    ).flat();
    const { ends, counters } = observe(capture, { limits });
    expect(counters.evictedOverFlows).toBe(24);
    expect(ends).toHaveLength(40);
    expect(ends.filter(({ waybill }) => waybill.end_reason === 'over-flows')).toHaveLength(24);
    for (const { source } of ends) expect(source.bytes).toBe(bytesFrom('client', tls13()) + 100 + source.port - 2_000);
  });

  it('gives up plain flows first', () => {
    const c = new TcpConnection().open().say(tls13());
    const plain = Array.from({ length: 60 }, (_, i) =>
      frames(
        new TcpConnection().open().put('client', { payload: Buffer.from('GET / HTTP/1.1\r\n\r\n'), flags: PSH | ACK })
          .packets,
        { clientPort: 3_000 + i, startMicros: START_MICROS + 1e6 + i * 1e4 },
      ),
    ).flat();
    const later = frames(
      c
        .say([upload(100)])
        .close()
        .packets.slice(-5),
      { startMicros: START_MICROS + 5e6 },
    );
    const { ends, counters } = observe([...frames(c.packets.slice(0, -5)), ...plain, ...later], {
      limits: { flows: 16 },
    });
    expect(counters.evictedOverFlows).toBeGreaterThan(40);
    expect(ends.map(({ waybill }) => waybill.end_reason)).toEqual(['fin']);
  });
});
