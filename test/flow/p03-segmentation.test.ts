/** p03: one handshake, however it was cut, ordered, repeated and carried, makes one record. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { ACK, PSH } from '../../sensor/wire/segment.ts';
import { linkOf, PLAIN, WAYS, type Way } from '../build/carriers.ts';
import { handshakeRecords } from '../build/hellos.ts';
import { observeOne } from '../build/observe.ts';
import { frames, other, TcpConnection, type TcpPacket } from '../build/tcp-connection.ts';
import { applicationData, helloMessage, SERVER_NAME, type Turn, tls12, tls13 } from '../build/tls-flights.ts';

/** What must not depend on how the bytes travelled. */
function told(record: FlowRecord) {
  const { tls, source, destination, waybill } = record;
  return {
    domain: destination.domain,
    tls,
    sent: source.bytes,
    received: destination.bytes,
    exact: waybill.bytes_exact,
    missed: waybill.missed_bytes,
  };
}

const upload: Turn = ['client', applicationData(5_000)];
const plainly = (turns: readonly Turn[]): FlowRecord =>
  observeOne(frames(new TcpConnection().open().say(turns).close().packets));

const HANDSHAKES = { 'TLS 1.2': [...tls12(), upload], 'TLS 1.3': [...tls13(), upload] } as const;
const PLAIN_RECORDS = {
  'TLS 1.2': told(plainly(HANDSHAKES['TLS 1.2'])),
  'TLS 1.3': told(plainly(HANDSHAKES['TLS 1.3'])),
};

/** How one turn is sent: where it is cut, what of it comes again, and in which order. */
interface Manner {
  readonly cuts: readonly number[];
  /** Further segments with bytes [from, to) of the turn. */
  readonly again: readonly (readonly [from: number, to: number])[];
  /** Packets that a span port delivers twice. */
  readonly copies: readonly number[];
  readonly shuffle: boolean;
}

const offset = fc.nat(2_500);
const manner: fc.Arbitrary<Manner> = fc.record({
  cuts: fc.array(offset, { maxLength: 12 }),
  again: fc.array(fc.tuple(offset, offset), { maxLength: 4 }),
  copies: fc.array(fc.nat(20), { maxLength: 3 }),
  shuffle: fc.boolean(),
});
const AS_IT_IS: Manner = { cuts: [], again: [], copies: [], shuffle: false };

/** Sends a turn in its manner; `rank` decides the order when it is shuffled. */
function sendTurn(c: TcpConnection, [who, bytes]: Turn, how: Manner, rank: () => number): void {
  const before = c.packets.length;
  const start = c.next[who];
  c.sendCut(who, bytes, how.cuts);
  let id = 30_000;
  for (const [a, b] of how.again) {
    const [from, to] = [Math.min(a, b) % bytes.length, Math.max(a, b) % bytes.length];
    const payload = bytes.subarray(from, to + 1);
    c.inject(c.forge(who, { seq: (start + from) >>> 0, payload, flags: PSH | ACK, id: id++ }));
  }
  const turn = c.packets.splice(before);
  const ordered = how.shuffle ? shuffled(turn, rank) : turn;
  for (const [i, packet] of ordered.entries()) {
    c.inject(packet);
    if (how.copies.includes(i)) c.inject(packet);
  }
  c.put(other(who), {});
}

const shuffled = (packets: readonly TcpPacket[], rank: () => number): TcpPacket[] =>
  packets
    .map((packet) => ({ packet, rank: rank() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ packet }) => packet);

const isn = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 2 ** 32 - 3_000, max: 2 ** 32 - 1 }));

/** How a test would have to find out what happened, and what the record says of it. */
const said = (record: FlowRecord, name: string): boolean => record.waybill.anomalies?.includes(name) === true;
const ODDITIES = ['overlap_differs', 'doubtful_replaced', 'bad_checksum', 'gap', 'over_cap', 'hello_incomplete'];

describe('one handshake (p03)', () => {
  it('makes one record, however its turns are cut, shuffled, repeated, overlapped and carried', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('TLS 1.2' as const, 'TLS 1.3' as const),
        fc.array(manner, { minLength: 3, maxLength: 3 }),
        fc.constantFrom(...WAYS),
        fc.infiniteStream(fc.nat(1_000)),
        fc.record({ client: isn, server: isn }),
        (version, manners, way, ranks, numbers) => {
          const c = new TcpConnection(numbers).open();
          for (const [i, turn] of HANDSHAKES[version].entries()) {
            sendTurn(c, turn, manners[i] ?? AS_IT_IS, () => ranks.next().value!);
          }
          const record = observeOne(frames(c.close().packets, way.options), linkOf(way));
          expect(told(record)).toEqual(PLAIN_RECORDS[version]);
          for (const name of ODDITIES) expect(said(record, name)).toBe(false);
          expectCarrierNamed(record, way);
        },
      ),
      { numRuns: 200 },
    );
  }, 30_000);

  it('makes one record of one-byte segments, forwards and backwards', () => {
    for (const backwards of [false, true]) {
      const c = new TcpConnection().open();
      for (const turn of HANDSHAKES['TLS 1.2'].slice(0, 4)) {
        const cuts = Array.from(turn[1], (_, i) => i);
        let down = 1e6;
        sendTurn(c, turn, { ...AS_IT_IS, cuts, shuffle: backwards }, () => down--);
      }
      const record = observeOne(frames(c.say([upload]).close().packets));
      expect(told(record)).toEqual(PLAIN_RECORDS['TLS 1.2']);
      expect(said(record, 'out_of_order')).toBe(backwards);
    }
  });

  it('makes the same fingerprints when its hello is spread over records of any size', () => {
    const message = helloMessage();
    fc.assert(
      fc.property(
        fc.array(fc.nat(message.length), { maxLength: 20 }),
        fc.array(offset, { maxLength: 5 }),
        (records, cuts) => {
          const hello = handshakeRecords(message, records);
          const [, ...rest] = HANDSHAKES['TLS 1.3'];
          const c = new TcpConnection().open();
          sendTurn(c, ['client', hello], { ...AS_IT_IS, cuts }, () => 0);
          const { tls } = observeOne(frames(c.say(rest).close().packets));
          expect(tls).toEqual(PLAIN_RECORDS['TLS 1.3'].tls);
        },
      ),
      { numRuns: 60 },
    );
  }, 30_000);

  it('is recorded with one byte of hello in each record', () => {
    const message = helloMessage();
    const hello = handshakeRecords(
      message,
      Array.from(message, (_, i) => i),
    );
    const { tls } = plainly(tls13(hello));
    expect(tls?.client).toEqual(PLAIN_RECORDS['TLS 1.3'].tls?.client);
  });

  it.each(WAYS)('is read in $name', (way) => {
    const c = new TcpConnection().open().say(HANDSHAKES['TLS 1.2']).close();
    const record = observeOne(frames(c.packets, way.options), linkOf(way));
    expect(told(record)).toEqual(PLAIN_RECORDS['TLS 1.2']);
    expect(record.tls?.client?.server_name).toBe(SERVER_NAME);
    expect(record.waybill.anomalies).toBeUndefined();
    expectCarrierNamed(record, way);
  });

  it('says when segments came out of order, and not otherwise', () => {
    for (const swap of [false, true]) {
      const c = new TcpConnection({ mss: 100 }).open().say(HANDSHAKES['TLS 1.3']);
      if (swap) [c.packets[3], c.packets[4]] = [c.packets[4]!, c.packets[3]!];
      expect(said(observeOne(frames(c.packets)), 'out_of_order')).toBe(swap);
    }
  });

  it('says when packets were captured twice, and not when they were sent again', () => {
    const c = new TcpConnection().open().say(HANDSHAKES['TLS 1.3']);
    const copied = observeOne(frames(c.packets.flatMap((packet) => [packet, packet])));
    expect(copied.waybill.anomalies).toEqual(['duplicate_packets']);
    const sentAgain = observeOne(
      frames(c.packets.flatMap((packet) => [packet, { ...packet, id: packet.id + 20_000 }])),
    );
    expect(sentAgain.waybill.anomalies).toBeUndefined();
    expect(sentAgain.source.packets).toBe(2 * copied.source.packets);
  });
});

function expectCarrierNamed(record: FlowRecord, way: Way): void {
  expect(record.network.vlan?.id).toBe(way.vlan);
  expect(record.waybill.tunnel).toEqual(way.tunnel);
  expect(record.network.type).toBe(way.options.client ? 'ipv6' : 'ipv4');
}

describe('the two sides of one property', () => {
  it('are told apart: a handshake that says something else is not the same record', () => {
    const c = new TcpConnection()
      .open()
      .say(tls13(handshakeRecords(helloMessage({ suites: [0x1301] }))))
      .close();
    expect(told(observeOne(frames(c.packets, PLAIN.options)))).not.toEqual(PLAIN_RECORDS['TLS 1.3']);
  });
});
