/**
 * p04: packets that the server never accepts. Whatever they say, a record has the name that the server got, or it says
 * that two readings were possible.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { ACK, FIN, PSH, RST, SYN } from '../../sensor/wire/segment.ts';
import { ethernet, fragmentIpv4, tcp } from '../build/frames.ts';
import { byFlow, observe, observeOne } from '../build/observe.ts';
import { frames, START_MICROS, TcpConnection, type TcpPacket } from '../build/tcp-connection.ts';
import { applicationData, bytesFrom, helloFor, SERVER_NAME, type Turn, tls13 } from '../build/tls-flights.ts';

const DECOY = 'decoy.example';
const decoy = helloFor(DECOY);
const upload: Turn = ['client', applicationData(2_500)];
const turns = [...tls13(), upload];
const [hello, ...rest] = turns as [Turn, ...Turn[]];
const SENT = bytesFrom('client', turns);

const name = (record: FlowRecord): string | undefined => record.tls?.client?.server_name;
const anomalies = (record: FlowRecord): readonly string[] => record.waybill.anomalies ?? [];

/** The true connection with forged packets put in after its `at`-th packet. */
function withForged(at: number, forge: (c: TcpConnection) => readonly TcpPacket[]): TcpConnection {
  const c = new TcpConnection({ mss: 500 }).open();
  const steps: (() => void)[] = [
    () => c.send(...hello),
    () => c.put('server', {}),
    ...rest.map((turn) => () => c.say([turn])),
    () => c.close(),
  ];
  for (const [i, step] of steps.entries()) {
    if (i === at) for (const packet of forge(c)) c.inject(packet);
    step();
  }
  return c;
}
const BEFORE_HELLO = 0;
const AFTER_HELLO = 1;
const IN_UPLOAD = 4;

const fakeHello = (fields: Partial<TcpPacket>) => (c: TcpConnection) => [
  c.forge('client', { payload: decoy, flags: PSH | ACK, ...fields }),
];

describe('a forged hello in front of the true one (p04)', () => {
  it('with a wrong checksum is not believed, and named', () => {
    const record = observeOne(frames(withForged(BEFORE_HELLO, fakeHello({ wrongChecksum: true })).packets));
    expect(name(record)).toBe(SERVER_NAME);
    expect(anomalies(record)).toContain('doubtful_replaced');
    expect(record.source.bytes).toBe(SENT);
  });

  it('with a time-to-live that does not reach the server is not believed, and named', () => {
    for (const ttl of [3, 30, 128]) {
      const record = observeOne(frames(withForged(BEFORE_HELLO, fakeHello({ ttl })).packets));
      expect(name(record)).toBe(SERVER_NAME);
      expect(anomalies(record)).toContain('doubtful_replaced');
    }
  });

  it.each([-10_000, -1, 1, 600, 10_000, 2 ** 31, 2 ** 30, -(2 ** 30)])(
    'with a sequence number wrong by %i is never silently believed',
    (by) => {
      const forge = (c: TcpConnection) => fakeHello({ seq: (c.next.client + by) >>> 0 })(c);
      const record = observeOne(frames(withForged(BEFORE_HELLO, forge).packets));
      if (name(record) !== SERVER_NAME) expect(anomalies(record)).toContain('overlap_differs');
      // What is far off is no part of the stream at all.
      if (Math.abs(by) >= 10_000) expect(name(record)).toBe(SERVER_NAME);
      if (by < 0 || by > 2 ** 20) expect(record.source.bytes).toBe(SENT);
      if (by === -10_000) expect(anomalies(record)).toContain('overlap_differs');
    },
  );

  it('that nothing tells from the true one is believed, and the contradiction named', () => {
    const record = observeOne(frames(withForged(BEFORE_HELLO, fakeHello({})).packets));
    expect(anomalies(record)).toContain('overlap_differs');
  });

  it('in overlapping IP fragments is named', () => {
    const c = new TcpConnection().open();
    const before = frames(c.packets);
    const [good, bad] = [hello[1], decoy].map((payload) =>
      fragmentIpv4(tcp({ seq: c.next.client, ack: c.next.server, payload, id: 9 }), 64, 9),
    ) as [Uint8Array[], Uint8Array[]];
    const mixed = [...good.slice(0, 1), ...bad.slice(1, -1), ...good.slice(1)];
    const at = (part: Uint8Array) => ({ bytes: ethernet(part), tsMicros: START_MICROS + 50_000 });
    c.send(...hello);
    const after = frames(c.put('server', {}).say(rest).packets.slice(-8), { startMicros: START_MICROS + 60_000 });
    const record = observeOne([...before, ...mixed.map(at), ...after]);
    expect(anomalies(record)).toContain('overlap_differs');
  });
});

describe('a forged hello behind the true one (p04)', () => {
  it.each([
    ['with a wrong checksum', { wrongChecksum: true }],
    ['with a short time-to-live', { ttl: 5 }],
    ['at another place', { seq: 77 }],
    ['with nothing wrong', {}],
  ])('%s changes nothing', (_, fields) => {
    const c = withForged(AFTER_HELLO, (made) => fakeHello({ seq: made.packets[3]!.seq, ...fields })(made));
    const record = observeOne(frames(c.packets));
    expect(name(record)).toBe(SERVER_NAME);
    expect(record.source.bytes).toBe(SENT);
  });

  it('with nothing wrong is named', () => {
    const c = withForged(AFTER_HELLO, (made) => fakeHello({ seq: made.packets[3]!.seq })(made));
    expect(anomalies(observeOne(frames(c.packets)))).toContain('overlap_differs');
  });
});

describe('a forged RST (p04)', () => {
  it.each([BEFORE_HELLO, AFTER_HELLO, IN_UPLOAD])('does not end the record, at step %i', (at) => {
    const c = withForged(at, (made) => [made.forge('client', { flags: RST | ACK, ttl: 3 })]);
    const record = observeOne(frames(c.packets));
    expect(name(record)).toBe(SERVER_NAME);
    expect(record.source.bytes).toBe(SENT);
    expect(record.waybill.end_reason).toBe('fin');
    expect(anomalies(record)).toContain('data_after_reset');
  });

  it('that does not know where the connection stands is ignored', () => {
    for (const seq of [0, 12, 2 ** 31]) {
      const c = withForged(IN_UPLOAD, (made) => [made.forge('server', { flags: RST, seq, ack: 0 })]);
      const record = observeOne(frames(c.packets));
      expect(record.source.bytes).toBe(SENT);
      expect(record.waybill.end_reason).toBe('fin');
      expect(record.waybill.anomalies).toBeUndefined();
    }
  });

  it('and a FIN, both from one side, do not end the record', () => {
    const c = withForged(IN_UPLOAD, (made) => [
      made.forge('client', { flags: FIN | ACK, ttl: 3 }),
      made.forge('client', { flags: RST | ACK, ttl: 3 }),
    ]);
    expect(observeOne(frames(c.packets)).source.bytes).toBe(SENT);
  });
});

describe('a forged SYN (p04)', () => {
  it.each([BEFORE_HELLO, AFTER_HELLO, IN_UPLOAD])('in the middle of a connection opens no other, at step %i', (at) => {
    const c = withForged(at, (made) => [made.forge('client', { flags: SYN, seq: 3_333_333_333, ack: 0 })]);
    const record = observeOne(frames(c.packets));
    expect(name(record)).toBe(SERVER_NAME);
    expect(record.source.bytes).toBe(SENT);
    expect(record.waybill.bytes_exact).toBe(true);
  });

  it.each([BEFORE_HELLO, AFTER_HELLO, IN_UPLOAD])('with a forged answer opens no other, at step %i', (at) => {
    const c = withForged(at, (made) => [
      made.forge('client', { flags: SYN, seq: 3_333_333_333, ack: 0 }),
      made.forge('server', { flags: SYN | ACK, seq: 2_222_222_222, ack: 5 }),
    ]);
    const { ends } = observe(frames(c.packets));
    expect(ends.map(name)).toEqual([SERVER_NAME]);
    expect(ends[0]!.source.bytes).toBe(SENT);
  });

  it('in front of the true one does not hide the hello', () => {
    const forged = new TcpConnection().forge('client', { flags: SYN, seq: 3_333_333_333, ack: 0 });
    const c = new TcpConnection().open().say(turns).close();
    const record = observeOne(frames([forged, ...c.packets]));
    expect(name(record)).toBe(SERVER_NAME);
    expect(record.source.bytes).toBe(SENT);
  });

  it('behind a forged RST does not hide the hello', () => {
    const c = withForged(BEFORE_HELLO, (made) => [
      made.forge('client', { flags: RST | ACK, ttl: 3 }),
      made.forge('client', { flags: SYN, seq: 3_333_333_333, ack: 0, ttl: 3 }),
    ]);
    const { ends } = observe(frames(c.packets));
    expect(ends.map(name)).toEqual([SERVER_NAME]);
    expect(ends[0]!.source.bytes).toBe(SENT);
  });

  it('in a capture of the client alone does not hide the hello', () => {
    const c = withForged(BEFORE_HELLO, (made) => [made.forge('client', { flags: SYN, seq: 3_333_333_333, ack: 0 })]);
    const record = observeOne(frames(c.packets.filter(({ who }) => who === 'client')));
    expect(name(record)).toBe(SERVER_NAME);
  });
});

describe('forged acknowledgements (p04)', () => {
  it('far ahead add no bytes to what was sent', () => {
    const c = withForged(IN_UPLOAD, (made) => [made.forge('server', { ack: (made.next.client + 1e9) >>> 0 })]);
    const record = observeOne(frames(c.packets));
    expect(record.source.bytes).toBe(SENT);
    expect(record.waybill.bytes_exact).toBe(true);
  });
});

describe('any mixture of forged packets (p04)', () => {
  const fields = fc.record(
    {
      seq: fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 900, max: 1_500 })),
      ack: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      flags: fc.constantFrom(PSH | ACK, ACK, RST, RST | ACK, SYN, FIN | ACK),
      part: fc.constantFrom([0, 999] as const, [0, 40] as const, [40, 999] as const, [0, 0] as const),
      ttl: fc.constantFrom(64, 63, 4),
      wrongChecksum: fc.boolean(),
    },
    { requiredKeys: ['part', 'flags'] },
  );
  const forgeries = fc.array(fc.tuple(fc.nat(20), fields), { minLength: 1, maxLength: 5 });

  it('leaves the true name on the record, or says that there were two readings', () => {
    fc.assert(
      fc.property(forgeries, (made) => {
        const c = new TcpConnection({ mss: 300 }).open().say(turns).close();
        const packets = [...c.packets];
        const forged = made.map(([at, { part, ...each }]) => ({
          at: 3 + (at % (packets.length - 3)),
          packet: c.forge('client', { ...each, payload: decoy.subarray(...part) }),
        }));
        for (const { at, packet } of forged) packets.splice(at, 0, packet);
        const { records } = observe(frames(packets));
        expect(records.length).toBeGreaterThan(0);
        for (const flow of byFlow(records).values()) {
          const last = flow.at(-1)!;
          if (name(last) === SERVER_NAME) continue;
          const warned = [
            'overlap_differs',
            'doubtful_replaced',
            'gap',
            'hello_incomplete',
            'hello_malformed',
            'midstream',
          ];
          expect(anomalies(last).some((each) => warned.includes(each))).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  }, 30_000);
});
