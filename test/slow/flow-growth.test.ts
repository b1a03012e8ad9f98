/** p02: packets that are made to be expensive cost no more, each, than others: time grows with an exponent up to 1.3. */
import { describe, expect, it } from 'vitest';
import { buildPipeline } from '../../sensor/flow/pipeline.ts';
import { ACK, PSH, SYN } from '../../sensor/wire/segment.ts';
import { sentFrom } from '../build/flood.ts';
import { concat, ethernet, fragmentIpv4, udp } from '../build/frames.ts';
import { growthOf } from '../build/growth.ts';
import { handshakeRecords } from '../build/hellos.ts';
import type { TimedFrame } from '../build/observe.ts';
import { frames, START_MICROS, TcpConnection, type TcpPacket } from '../build/tcp-connection.ts';
import { applicationData, helloFor, helloMessage, tls13 } from '../build/tls-flights.ts';

const MOST = 1.3;
/** Packets of an input. */
const SIZES = [3_000, 6_000, 12_000, 24_000];

function sense(capture: readonly TimedFrame[]): void {
  const sensor = buildPipeline(() => {}, { observer: 'x', communityIdSeed: 0, verbose: false });
  for (const { bytes, tsMicros } of capture) sensor.packet(bytes, 0, bytes.length, tsMicros, bytes.length, 1);
  sensor.drain();
}

const opened = (): TcpConnection => new TcpConnection().open();
const filler = new Uint8Array(1_400).fill(0x33);

/** `count` segments of one connection, made by `make` from their number. */
function segments(count: number, make: (c: TcpConnection, i: number) => Partial<TcpPacket>): TimedFrame[] {
  const c = opened();
  const base = c.next.client;
  for (let i = 0; i < count; i++) {
    const fields = make(c, i);
    c.inject(c.forge('client', { flags: PSH | ACK, id: i & 0xffff, ...fields, seq: (base + (fields.seq ?? 0)) >>> 0 }));
  }
  return frames(c.packets);
}

const flood = (count: number, c: TcpConnection): TimedFrame[] => {
  const once = frames(
    c.packets.filter(({ who }) => who === 'client'),
    { client: '10.0.0.1' },
  );
  return Array.from({ length: count }, (_, n) =>
    once.map(({ bytes }) => ({ bytes: sentFrom(bytes, n), tsMicros: START_MICROS + n * 100 })),
  ).flat();
};

const hello = helloFor('a.example');
const begun = concat(hello.subarray(0, 40));
const INPUTS: readonly (readonly [string, (size: number) => TimedFrame[]])[] = [
  ['an upload in full segments', (n) => segments(n, (_, i) => ({ seq: i * 1_400, payload: filler }))],
  ['one-byte segments', (n) => segments(n, (_, i) => ({ seq: i, payload: filler.subarray(0, 1) }))],
  [
    'one-byte segments of a hello',
    (n) => segments(n, (_, i) => ({ seq: i, payload: i < 40 ? begun.subarray(i, i + 1) : filler.subarray(0, 1) })),
  ],
  ['segments behind a hole', (n) => segments(n, (_, i) => ({ seq: 1 + i * 100, payload: filler.subarray(0, 100) }))],
  ['segments that leave a hole each', (n) => segments(n, (_, i) => ({ seq: i * 20, payload: filler.subarray(0, 10) }))],
  [
    'holes in an established connection',
    (n) => {
      const c = opened().say(tls13());
      for (let i = 0; i < n; i++) {
        c.next.client = (c.next.client + 10) >>> 0;
        c.put('client', { payload: filler.subarray(0, 10) });
      }
      return frames(c.packets);
    },
  ],
  [
    'segments at one place, each longer',
    (n) => segments(n, (_, i) => ({ seq: 9, payload: filler.subarray(0, 1 + (i % 1_400)) })),
  ],
  [
    'segments in doubt with acknowledgements',
    (n) => {
      const c = opened();
      for (let i = 0; i < n / 2; i++) {
        c.inject(
          c.forge('client', {
            seq: c.next.client + 50 + i,
            payload: filler.subarray(0, 9),
            wrongChecksum: true,
            id: i,
          }),
        );
        c.inject(c.forge('server', { ack: c.next.client + (i & 31), id: i }));
      }
      return frames(c.packets);
    },
  ],
  ['duplicates', (n) => segments(n, () => ({ seq: 0, payload: begun }))],
  [
    'SYNs on ports in use',
    (n) => [...frames(opened().say(tls13()).packets), ...segments(n, (_, i) => ({ seq: i * 999_983, flags: SYN }))],
  ],
  [
    'empty records',
    (n) => segments(n, (_, i) => ({ seq: i * 10, payload: concat(...new Array(2).fill([22, 3, 1, 0, 0])) })),
  ],
  [
    'records of one byte',
    (n) => {
      const message = helloMessage();
      const records = handshakeRecords(
        message,
        Array.from(message, (_, i) => i),
      ).subarray(0, 600);
      return flood(n / 2, opened().send('client', records));
    },
  ],
  ['a flood of SYNs', (n) => flood(n, new TcpConnection().put('client', { flags: SYN, ack: 0 }))],
  ['a flood of half hellos', (n) => flood(n / 3, opened().send('client', begun))],
  [
    'a talk that never turns to TLS',
    (n) =>
      segments(n, (_, i) => ({ seq: i * 30, payload: Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 ').subarray(0, 30) })),
  ],
  [
    'fragments without an end',
    (n) => {
      const packet = udp({ payload: new Uint8Array(4_000) });
      return Array.from({ length: n / 4 }, (_, i) =>
        fragmentIpv4(packet, 800, i & 0xffff)
          .slice(0, 4)
          .map((part) => ({ bytes: ethernet(part), tsMicros: START_MICROS + i })),
      ).flat();
    },
  ],
  [
    'records of application data from nowhere',
    (n) => {
      const c = new TcpConnection();
      for (let i = 0; i < n; i++) c.put('client', { payload: applicationData(20) });
      return frames(c.packets);
    },
  ],
  [
    'time that jumps',
    (n) => segments(n, (_, i) => ({ seq: i * 9, payload: filler.subarray(0, 9), after: i % 2 ? 1e9 : -9e8 })),
  ],
];

describe('the measure', () => {
  const sizes = [400, 800, 1_600, 3_200];
  const numbers = (size: number) => Array.from({ length: size }, (_, i) => i);
  let sink = 0;

  it('finds linear code linear', () => {
    const k = growthOf(
      sizes.map((size) => size * 500),
      numbers,
      (list) =>
        list.forEach((each) => {
          sink += each & 3;
        }),
    );
    expect(k).toBeLessThan(MOST);
    expect(k).toBeGreaterThan(0.7);
  });

  it('finds quadratic code quadratic', () => {
    const k = growthOf(sizes, numbers, (list) =>
      list.forEach((each) => {
        sink += list.indexOf(list.length - 1 - (each & 1));
      }),
    );
    expect(k).toBeGreaterThan(1.7);
    expect(sink).toBeGreaterThan(0);
  });
});

describe('time against packets (p02)', () => {
  it.each(INPUTS)(
    'grows linearly for %s',
    (_, make) => {
      expect(growthOf(SIZES, make, sense)).toBeLessThanOrEqual(MOST);
    },
    120_000,
  );

  it('grows linearly while segments wait in reverse order, as many as may', () => {
    const reversed = (count: number) => segments(count, (_, i) => ({ seq: count - i, payload: filler.subarray(0, 1) }));
    const run = (capture: readonly TimedFrame[]): void => {
      for (let i = 0; i < 20; i++) sense(capture);
    };
    expect(growthOf([180, 360, 720, 1_440], reversed, run)).toBeLessThanOrEqual(MOST);
  }, 120_000);
});
