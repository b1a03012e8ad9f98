import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { ACK, FIN, PSH, RST, SYN } from '../../sensor/wire/segment.ts';
import { ethernet } from '../build/frames.ts';
import { observe, observeOne, type TimedFrame } from '../build/observe.ts';
import { frames, TcpConnection, type TcpPacket } from '../build/tcp-connection.ts';
import { applicationData, bytesFrom, SERVER_NAME, type Turn, tls12, tls13 } from '../build/tls-flights.ts';

const upload = (bytes: number): Turn => ['client', applicationData(bytes - 5)];
const GIB = 2 ** 30;

interface Counted {
  readonly sent: number;
  readonly received: number;
  readonly exact: boolean;
  readonly missed: number;
}

const counted = ({ source, destination, waybill }: FlowRecord): Counted => ({
  sent: source.bytes,
  received: destination.bytes,
  exact: waybill.bytes_exact,
  missed: waybill.missed_bytes ?? 0,
});

const exactly = (turns: readonly Turn[]): Counted => ({
  sent: bytesFrom('client', turns),
  received: bytesFrom('server', turns),
  exact: true,
  missed: 0,
});

/** A connection whose upload consists of many segments, and where those begin and end in its packets. */
function uploading(segments: number, o: { client?: number } = {}) {
  const turns = tls13();
  const c = new TcpConnection({ mss: 100, ...o }).open().say(turns);
  const first = c.packets.length;
  const data = upload(segments * 100);
  c.say([data]);
  return { c, turns: [...turns, data], first, last: first + segments };
}

const isn = fc.oneof(fc.constant(1_000), fc.integer({ min: 2 ** 32 - 4_000, max: 2 ** 32 - 1 }));

describe('bytes of a TCP flow', () => {
  it('are exact when what was lost on the way comes again, however many segments those are', () => {
    fc.assert(
      fc.property(isn, fc.uniqueArray(fc.nat(29), { maxLength: 25 }), fc.boolean(), (client, lost, sorted) => {
        const { c, turns, first, last } = uploading(30, { client });
        const packets = c.packets.slice(0, last).filter((_, i) => !lost.includes(i - first));
        const order = sorted ? [...lost].sort((a, b) => a - b) : lost;
        for (const i of order) packets.push({ ...c.packets[first + i]!, id: 20_000 + i });
        packets.push(...c.packets.slice(last));
        expect(counted(observeOne(frames(packets)))).toEqual(exactly(turns));
      }),
      { numRuns: 150 },
    );
  }, 30_000);

  it('are what the sequence numbers say when segments were never captured, and the missing ones are told', () => {
    fc.assert(
      fc.property(isn, fc.uniqueArray(fc.nat(29), { minLength: 1, maxLength: 30 }), (client, lost) => {
        const { c, turns, first } = uploading(30, { client });
        const packets = c.packets.filter((_, i) => !lost.includes(i - first));
        const record = observeOne(frames(packets));
        expect(counted(record)).toEqual({ ...exactly(turns), exact: false, missed: 100 * lost.length });
        expect(record.waybill.anomalies).toContain('missed_bytes');
      }),
      { numRuns: 150 },
    );
  }, 30_000);

  it('are told by a FIN when what stood before it was lost and nobody acknowledged it', () => {
    const { c, turns, first } = uploading(10);
    c.close();
    const packets = c.packets.filter(({ who }, i) => who === 'client' && (i < first + 5 || i >= first + 10));
    const record = observeOne(frames(packets));
    expect(record.source.bytes).toBe(bytesFrom('client', turns));
    expect(record.waybill.missed_bytes).toBe(500 + bytesFrom('server', turns));
  });

  it('do not change when every packet is captured twice: at once, a few packets later, in another VLAN', () => {
    const c = new TcpConnection({ mss: 300 })
      .open()
      .say([...tls12(), upload(3_000)])
      .close();
    const once = observeOne(frames(c.packets));
    const late = c.packets.flatMap((packet, i) => [packet, ...(i >= 2 ? [{ ...c.packets[i - 2]!, after: 1 }] : [])]);
    const twice = (vlans: readonly number[]): TimedFrame[] =>
      frames(c.packets, { carrier: (packet) => [ethernet(packet, { vlans: [10] }), ethernet(packet, { vlans })] });
    for (const capture of [frames(late), twice([10]), twice([20]), twice([])]) {
      const record = observeOne(capture);
      expect(record.source).toEqual(once.source);
      expect(record.destination).toEqual(once.destination);
      expect(record.waybill.anomalies).toEqual(['duplicate_packets']);
    }
  });

  it('do not change with copies in IPv6, which has no identification', () => {
    const ends = { client: '2001:db8::1', server: '2001:db8::2' };
    const c = new TcpConnection()
      .open()
      .say([...tls13(), upload(3_000)])
      .close();
    const copies = c.packets.flatMap((packet) => [packet, { ...packet, after: 20 }]);
    const record = observeOne(frames(copies, ends));
    const once = observeOne(frames(c.packets, ends));
    expect([record.source, record.destination]).toEqual([once.source, once.destination]);
  });

  it('grow past 2^32, told from sequence numbers that wrap', () => {
    const c = new TcpConnection({ client: 4_000_000_000 }).open().say(tls13());
    let sent = bytesFrom('client', tls13());
    for (let i = 0; i < 6; i++) {
      c.next.client = (c.next.client + GIB) >>> 0;
      c.say([upload(1_000)]);
      c.say([upload(1_000)]);
      sent += GIB + 2_000;
    }
    const record = observeOne(frames(c.close().packets));
    expect(record.source.bytes).toBe(sent);
    expect(record.source.bytes).toBeGreaterThan(2 ** 32);
    expect(record.waybill.bytes_exact).toBe(false);
  });

  it('grow past 2^32 in steps that nobody acknowledges in the capture', () => {
    const c = new TcpConnection().open().say(tls13());
    const step = 1_000_000;
    const steps = Math.ceil(2 ** 32 / step) + 5;
    const packets: TcpPacket[] = [...c.packets];
    for (let i = 0; i < steps; i++) {
      c.next.client = (c.next.client + step - 10) >>> 0;
      packets.push(c.forge('client', { payload: new Uint8Array(10), id: i & 0xffff }));
      c.next.client = (c.next.client + 10) >>> 0;
    }
    const record = observeOne(frames(packets));
    expect(record.source.bytes).toBe(bytesFrom('client', tls13()) + steps * step);
  });

  it('do not count SYN, FIN, RST, keep-alives and window probes', () => {
    const turns = [...tls13(), upload(500)];
    const c = new TcpConnection().open().say(turns);
    for (let i = 0; i < 3; i++) {
      const probe = { seq: (c.next.client - 1) >>> 0, id: 40_000 + i };
      c.pause(20).inject(c.forge('client', probe)).inject(c.forge('server', {}));
      c.inject(c.forge('client', { ...probe, id: 41_000 + i, payload: Uint8Array.of(0) }));
    }
    c.put('client', { flags: FIN | ACK });
    c.inject(c.forge('client', { seq: (c.next.client - 1) >>> 0, flags: FIN | ACK, id: 50_000 }));
    c.put('server', {})
      .put('server', { flags: FIN | ACK })
      .reset('client');
    expect(counted(observeOne(frames(c.packets)))).toEqual(exactly(turns));
  });

  it('count data that comes with a FIN', () => {
    const c = new TcpConnection().open().say(tls13());
    c.put('client', { flags: FIN | PSH | ACK, payload: applicationData(95) }).put('server', { flags: FIN | ACK });
    expect(observeOne(frames(c.packets)).source.bytes).toBe(bytesFrom('client', tls13()) + 100);
  });

  it.each([
    ['taken', true],
    ['refused and sent again', false],
  ])('count a hello on the SYN once, whether it is %s (TCP Fast Open)', (_, taken) => {
    const [[, hello], ...rest] = tls13() as [Turn, ...Turn[]];
    const c = new TcpConnection().put('client', { flags: SYN, ack: 0, payload: hello });
    const first = c.packets[0]!;
    c.put('server', { flags: SYN | ACK, ack: (first.seq + 1 + (taken ? hello.length : 0)) >>> 0 }).put('client', {});
    if (!taken) c.inject(c.forge('client', { seq: (first.seq + 1) >>> 0, payload: hello, flags: PSH | ACK }));
    const record = observeOne(frames(c.say(rest).close().packets));
    expect(counted(record)).toEqual(exactly(tls13()));
    expect(record.tls?.client?.server_name).toBe(SERVER_NAME);
  });

  it('are right after two different SYN-ACKs, whichever of them the client takes', () => {
    for (const trueFirst of [true, false]) {
      const c = new TcpConnection().put('client', { flags: SYN, ack: 0 });
      const forged = c.forge('server', { flags: SYN | ACK, seq: 3_000_000_000, ack: c.next.client });
      if (!trueFirst) c.inject(forged);
      c.put('server', { flags: SYN | ACK });
      if (trueFirst) c.inject(forged);
      const record = observeOne(frames(c.put('client', {}).say(tls12()).close().packets));
      expect(counted(record)).toEqual(exactly(tls12()));
      expect(record.tls?.server?.hash?.sha256).toBeDefined();
    }
  });

  it('are not raised by a far sequence number that only one packet claims', () => {
    const { c, turns } = uploading(5);
    for (const seq of [2 ** 31, 3_000_000, 2 ** 32 - 5])
      c.inject(c.forge('client', { seq, payload: new Uint8Array(9) }));
    expect(counted(observeOne(frames(c.say([]).packets)))).toEqual(exactly(turns));
  });

  it('count what the snap length cut off', () => {
    const c = new TcpConnection()
      .open()
      .say([...tls13(), upload(5_000)])
      .close();
    const whole = frames(c.packets);
    const cut = whole.map(({ bytes, tsMicros }, i) =>
      i < 12 ? { bytes, tsMicros } : { bytes: bytes.subarray(0, 60), tsMicros, wireLength: bytes.length },
    );
    expect(counted(observeOne(cut))).toEqual(counted(observeOne(whole)));
  });
});

describe('a capture of one direction', () => {
  const turns = [...tls12(), upload(5_000)];
  const c = new TcpConnection().open().say(turns).close();
  const only = (who: 'client' | 'server') => observeOne(frames(c.packets.filter((packet) => packet.who === who)));

  it('of the client tells what both sent, the server from its acknowledgements', () => {
    const record = only('client');
    expect(record.source).toMatchObject({ ip: '192.0.2.10', bytes: bytesFrom('client', turns) });
    expect(record.destination.bytes).toBe(bytesFrom('server', turns));
    expect(record.destination.packets).toBe(0);
    expect(record.tls?.client?.server_name).toBe(SERVER_NAME);
    expect(record.waybill).toMatchObject({ bytes_exact: false, missed_bytes: bytesFrom('server', turns) });
    expect(record.waybill.anomalies).toContain('one_sided');
  });

  it('of the server tells how much the client sent, and who it is', () => {
    const record = only('server');
    expect(record.source).toMatchObject({
      ip: '192.0.2.10',
      port: 50_000,
      bytes: bytesFrom('client', turns),
      packets: 0,
    });
    expect(record.destination.bytes).toBe(bytesFrom('server', turns));
    expect(record.tls?.client).toBeUndefined();
    expect(record.tls?.server?.subject).toBe('CN=files.example');
    expect(record.waybill.anomalies).toContain('one_sided');
    expect(record.waybill.bytes_exact).toBe(false);
  });
});

describe('ports used again', () => {
  it('by a new SYN after the end make a second flow', () => {
    const first = new TcpConnection()
      .open()
      .say([...tls13(), upload(400)])
      .close();
    const second = new TcpConnection({ client: 77_777_777, server: 5 })
      .open()
      .say([...tls13(), upload(900)])
      .close();
    const { ends } = observe(frames([...first.packets, ...second.packets]));
    expect(ends.map(({ source }) => source.bytes)).toEqual([400, 900].map((n) => n + bytesFrom('client', tls13())));
    expect(new Set(ends.map(({ waybill }) => waybill.flow_id)).size).toBe(2);
    expect(ends.map(({ waybill }) => waybill.end_reason)).toEqual(['reused', 'fin']);
  });

  it.each([
    ['that the server answers', false, 0],
    ['after a reset', true, 0],
    ['after a minute of silence', false, 61],
  ])('by a SYN %s make a second flow, though the first never ended', (_, reset, seconds) => {
    const first = new TcpConnection().open().say([...tls13(), upload(400)]);
    if (reset) first.put('client', { flags: RST | ACK });
    const second = new TcpConnection({ client: 77_777_777, server: 5 }).pause(seconds).open().say(tls13()).close();
    const { ends } = observe(frames([...first.packets, ...second.packets]));
    expect(ends.map(({ tls }) => tls?.client?.server_name)).toEqual([SERVER_NAME, SERVER_NAME]);
    expect(ends.map(({ waybill }) => waybill.bytes_exact)).toEqual([true, true]);
  });

  it('by retransmitted SYNs and SYN-ACKs make no second flow', () => {
    const c = new TcpConnection().put('client', { flags: SYN, ack: 0 });
    c.pause(1)
      .inject({ ...c.packets[0]!, id: 5 })
      .put('server', { flags: SYN | ACK });
    c.inject({ ...c.packets.at(-1)!, id: 6 })
      .put('client', {})
      .say(tls13());
    c.inject({ ...c.packets[2]!, id: 7 });
    expect(counted(observeOne(frames(c.close().packets)))).toEqual(exactly(tls13()));
  });
});

describe('what the client sends at a stretch', () => {
  it('is told by the largest stretches, counting retransmitted bytes once', () => {
    const c = new TcpConnection().open().say(tls13());
    const reply: Turn = ['server', applicationData(200)];
    c.say([['client', applicationData(100)], reply]);
    const before = c.packets.length;
    c.say([
      ['client', applicationData(16_000)],
      ['client', applicationData(16_000)],
    ]);
    for (let i = 0; i < 4; i++) c.say([['client', applicationData(16_000)]]);
    const sent = c.packets.slice(before).filter(({ payload }) => payload.length > 0);
    for (const [i, packet] of sent.entries()) c.inject({ ...packet, id: 30_000 + i });
    c.say([reply, ['client', applicationData(500)], reply]);
    const record = observeOne(frames(c.packets));
    expect(record.waybill.upstream_bursts).toEqual([6 * 16_005]);
  });

  it('begins when the first byte after the handshake is seen', () => {
    const c = new TcpConnection()
      .open()
      .say(tls13())
      .pause(7)
      .say([upload(300)]);
    const record = observeOne(frames(c.packets));
    const at = Date.parse(record.waybill.first_bytes_at!) - Date.parse(record.event.start);
    expect(at).toBeGreaterThanOrEqual(7_000);
    expect(at).toBeLessThan(7_100);
  });
});
