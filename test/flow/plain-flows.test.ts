import { describe, expect, it } from 'vitest';
import { eveLines } from '../../sensor/record/eve.ts';
import { zeekLines } from '../../sensor/record/zeek.ts';
import { answerFor } from '../build/dns.ts';
import { ethernet, SRC, udp } from '../build/frames.ts';
import { observe, observeLines, observeOne } from '../build/observe.ts';
import { frames, START_MICROS, TcpConnection } from '../build/tcp-connection.ts';
import { applicationData, tls13 } from '../build/tls-flights.ts';

const KIB = 1024;
const PLAIN = { limits: { plainBytes: 64 * KIB } };

/** An HTTP upload or download of so many bytes behind a short head. */
function http(sent: number, received: number, o: { midway?: boolean } = {}): TcpConnection {
  const c = new TcpConnection();
  if (!o.midway) c.open();
  const post = Buffer.from('POST /in HTTP/1.1\r\nHost: files.example\r\n\r\n');
  const head = Buffer.from('HTTP/1.1 200 OK\r\n\r\n');
  return c.say([
    ['client', Buffer.concat([post, Buffer.alloc(sent - post.length, 'u')])],
    ['server', Buffer.concat([head, Buffer.alloc(received - head.length, 'd')])],
  ]);
}

describe('a connection in plain text', () => {
  it('is recorded from the byte at which it has sent enough, with what it sent and no word on encryption', () => {
    const record = observeOne(frames(http(200 * KIB, 100).close().packets), PLAIN);
    expect(record).toMatchObject({
      source: { ip: '192.0.2.10', port: 50_000, bytes: 200 * KIB },
      destination: { ip: '198.51.100.20', port: 443, bytes: 100 },
      waybill: { bytes_exact: true, end_reason: 'fin' },
    });
    expect(record.network).not.toHaveProperty('protocol');
    expect(record).not.toHaveProperty('tls');
    expect(record.waybill).not.toHaveProperty('anomalies');
  });

  it('is told of while it goes on, like an encrypted one', () => {
    const c = new TcpConnection()
      .open()
      .say([['client', Buffer.alloc(1100 * KIB, 'u')]])
      .close();
    const { records, counters } = observe(frames(c.packets), PLAIN);
    const updates = ['flow_update', 'flow_update', 'flow_update'];
    expect(records.map(({ event }) => event.action)).toEqual(['flow_open', ...updates, 'flow_end']);
    expect(records[0]!.source.bytes).toBeLessThan(66 * KIB);
    expect(counters).toMatchObject({ encryptedFlows: 0, plainFlows: 1 });
  });

  it('is recorded within four times as much where it began like the talk before a handshake', () => {
    const { records } = observe(frames(http(1100 * KIB, 100).close().packets), PLAIN);
    expect(records.map(({ event }) => event.action)).toEqual(['flow_open', 'flow_update', 'flow_update', 'flow_end']);
    expect(records[0]!.source.bytes).toBeLessThan(258 * KIB);
  });

  it('is not recorded below that, nor for what its server sends', () => {
    expect(observe(frames(http(63 * KIB, 100).close().packets), PLAIN).records).toEqual([]);
    expect(observe(frames(http(100, 500 * KIB).close().packets), PLAIN).records).toEqual([]);
  });

  it('is not recorded unless that is asked for', () => {
    expect(observe(frames(http(500 * KIB, 100).close().packets)).records).toEqual([]);
    expect(observe(frames(http(500 * KIB, 100).close().packets), { limits: { plainBytes: 0 } }).records).toEqual([]);
  });

  it('whose beginning was not captured is taken to come from the side with the port of a client', () => {
    const up = observeOne(frames(http(200 * KIB, 100, { midway: true }).packets), PLAIN);
    expect(up.source).toMatchObject({ ip: '192.0.2.10', port: 50_000 });
    expect(observe(frames(http(100, 200 * KIB, { midway: true }).packets), PLAIN).records).toEqual([]);
  });

  it('has the name that its client had looked up for the address', () => {
    const payload = answerFor('files.example', '198.51.100.20');
    const answer = ethernet(udp({ src: '192.0.2.53', dst: SRC, srcPort: 53, dstPort: 40_000, payload }));
    const shown = frames(http(200 * KIB, 100).close().packets);
    const record = observeOne([{ bytes: answer, tsMicros: START_MICROS - 1e6 }, ...shown], PLAIN);
    expect(record.destination.domain).toBe('files.example');
    expect(record.waybill.domain_source).toBe('dns');
  });

  it('changes nothing for encrypted ones', () => {
    const c = new TcpConnection().open().say(tls13());
    for (let i = 0; i < 20; i++) c.say([['client', applicationData(16_000)]]);
    c.close();
    expect(observeLines(frames(c.packets), PLAIN)).toEqual(observeLines(frames(c.packets)));
  });

  it('is printed as its record says, and as a connection without handshake in the logs of other sensors', () => {
    const shown = frames(http(200 * KIB, 100).close().packets);
    const { records } = observe(shown, PLAIN);
    expect(observeLines(shown, PLAIN).map((line) => JSON.parse(line))).toEqual(records);
    expect(records.flatMap(zeekLines).map(({ _path, service }) => [_path, service])).toEqual([['conn', undefined]]);
    expect(records.flatMap(eveLines).map(({ event_type }) => event_type)).toEqual(['flow']);
  });
});
