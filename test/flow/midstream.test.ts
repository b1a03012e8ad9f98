/** Captures that begin in the middle, and connections that stop there. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { concat } from '../build/frames.ts';
import { observe, observeOne } from '../build/observe.ts';
import { type FrameOptions, frames, TcpConnection } from '../build/tcp-connection.ts';
import { applicationData, bytesFrom, helloFor, SERVER_NAME, type Turn, tls12, tls13 } from '../build/tls-flights.ts';

const anomalies = (record: FlowRecord): readonly string[] => record.waybill.anomalies ?? [];
/** Records of 16 KiB, which no segment begins with but by chance. */
const bulk = (records: number): Turn => ['client', concat(...new Array(records).fill(applicationData(16_384)))];
const small = (count: number): Turn[] =>
  Array.from({ length: count }, (_, i) => [i % 2 ? 'server' : 'client', applicationData(80 + i)]);

describe('a capture that begins in the middle of a connection', () => {
  it('tells of an upload, without names, and how much of it was seen', () => {
    const c = new TcpConnection().open().say(tls13());
    const before = c.packets.length + 3;
    c.say([bulk(8)]).close();
    const seen = c.packets.slice(before);
    const record = observeOne(frames(seen));
    expect(record).toMatchObject({
      network: { protocol: 'tls' },
      source: { ip: '192.0.2.10' },
      tls: { established: true },
    });
    expect(record.tls?.client).toBeUndefined();
    expect(record.source.bytes).toBe(
      seen.reduce((sum, { who, payload }) => sum + (who === 'client' ? payload.length : 0), 0),
    );
    expect(anomalies(record)).toContain('midstream');
  });

  it('tells of a conversation in small records', () => {
    const c = new TcpConnection().open().say(tls12());
    const before = c.packets.length;
    const turns = small(12);
    c.say(turns);
    const record = observeOne(frames(c.packets.slice(before)));
    expect([record.source.bytes, record.destination.bytes]).toEqual([
      bytesFrom('client', turns),
      bytesFrom('server', turns),
    ]);
    expect(anomalies(record)).toContain('midstream');
  });

  it.each([
    ['a server’s port', { client: '203.0.113.9', clientPort: 50_123, server: '10.0.0.9', serverPort: 993 }],
    [
      'a port as clients get them',
      { client: '203.0.113.9', clientPort: 50_123, server: '10.0.0.9', serverPort: 8_443 },
    ],
    ['an address at home', { client: '192.168.3.4', clientPort: 50_123, server: '104.16.0.1', serverPort: 50_000 }],
  ] as [string, FrameOptions][])('knows the client by %s', (_, ends) => {
    const c = new TcpConnection().open().say(tls13());
    const before = c.packets.length;
    c.say([['server', applicationData(90)], ...small(6)]);
    const record = observeOne(frames(c.packets.slice(before), ends));
    expect(record.source.ip).toBe(ends.client);
    expect(record.destination.ip).toBe(ends.server);
  });

  it('between hello and answer has the server’s part of the handshake', () => {
    const c = new TcpConnection()
      .open()
      .say([...tls12(), bulk(1)])
      .close();
    const record = observeOne(frames(c.packets.slice(5)));
    expect(record.source.ip).toBe('192.0.2.10');
    expect(record.tls?.server?.subject).toBe('CN=files.example');
    expect(anomalies(record)).toContain('hello_incomplete');
  });

  it('without its SYNs reads the hello all the same', () => {
    const c = new TcpConnection()
      .open()
      .say([...tls13(), bulk(1)])
      .close();
    const record = observeOne(frames(c.packets.slice(3)));
    expect(record.tls?.client?.server_name).toBe(SERVER_NAME);
    expect(record.waybill.anomalies).toBeUndefined();
    expect(record.source.bytes).toBe(bytesFrom('client', [...tls13(), bulk(1)]));
  });

  it('does not take other bytes for TLS', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 900 }), { maxLength: 12 }), (chunks) => {
        const c = new TcpConnection();
        for (const chunk of chunks) c.send('client', chunk);
        for (const { tls, waybill } of observe(frames(c.packets)).records) {
          expect(tls?.client).toBeUndefined();
          expect(waybill.anomalies).not.toContain('midstream');
        }
      }),
      { numRuns: 100 },
    );
  });

  it('does not take a connection for TLS that began otherwise', () => {
    const plain: Turn = ['client', Buffer.from('PUT /capture.pcap HTTP/1.1\r\n\r\n')];
    const c = new TcpConnection()
      .open()
      .say([plain, ...small(8)])
      .close();
    expect(observe(frames(c.packets)).records).toEqual([]);
  });
});

describe('a connection that stops in the middle', () => {
  it('of its hello says so and publishes no part of it', () => {
    const hello = helloFor(SERVER_NAME);
    for (let size = 20; size < hello.length; size += 13) {
      const c = new TcpConnection().open().send('client', hello.subarray(0, size)).close();
      const record = observeOne(frames(c.packets));
      expect(record.tls).toEqual({ established: false });
      expect(record.destination.domain).toBeUndefined();
      expect(anomalies(record)).toEqual(['hello_incomplete', 'not_established']);
      expect(record.source.bytes).toBe(size);
    }
  });

  it('of its hello is found out after half a minute, or when the connection ends', () => {
    const c = new TcpConnection().open().send('client', helloFor(SERVER_NAME).subarray(0, 100));
    const clock = new TcpConnection().open();
    for (let i = 0; i < 40; i++) clock.pause(1).put('client', { payload: Uint8Array.of(1) });
    const { records } = observe([...frames(c.packets), ...frames(clock.packets, { clientPort: 9 })], { live: true });
    expect(records.map(({ event }) => event.action)).toEqual(['flow_open']);
  });

  it('of its hello because the capture missed a segment says so', () => {
    const c = new TcpConnection({ mss: 100 })
      .open()
      .say([...tls12(), bulk(1)])
      .close();
    const record = observeOne(frames(c.packets.filter((_, i) => i !== 4)));
    expect(record.tls?.client).toBeUndefined();
    expect(record.tls?.server?.subject).toBe('CN=files.example');
    expect(anomalies(record)).toEqual(expect.arrayContaining(['hello_incomplete', 'gap', 'missed_bytes']));
  });

  it('of its certificate because the capture missed a segment has the names that came before', () => {
    const c = new TcpConnection({ mss: 100 })
      .open()
      .say([...tls12(), bulk(3)])
      .close();
    const cut = c.packets.findIndex(({ who, payload }) => who === 'server' && payload.length > 0) + 2;
    const record = observeOne(frames(c.packets.filter((_, i) => i !== cut)));
    expect(record.tls?.client?.server_name).toBe(SERVER_NAME);
    expect(record.tls?.server?.ja3s).toBeDefined();
    expect(record.tls?.server?.subject).toBeUndefined();
    expect(anomalies(record)).toContain('gap');
  });

  it('of a segment that the snap length cut says so', () => {
    const c = new TcpConnection()
      .open()
      .say([...tls13(), bulk(1)])
      .close();
    const short = frames(c.packets).map(({ bytes, tsMicros }) => ({
      bytes: bytes.subarray(0, 128),
      tsMicros,
      wireLength: bytes.length,
    }));
    const record = observeOne(short);
    expect(record.tls?.client).toBeUndefined();
    expect(record.source.bytes).toBe(bytesFrom('client', [...tls13(), bulk(1)]));
    expect(anomalies(record)).toEqual(expect.arrayContaining(['truncated', 'hello_incomplete']));
  });
});
