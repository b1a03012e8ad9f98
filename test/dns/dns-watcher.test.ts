import { describe, expect, it } from 'vitest';
import { DnsWatcher } from '../../sensor/dns/dns-watcher.ts';
import { Segment, TCP, UDP } from '../../sensor/wire/segment.ts';
import { answerFor } from '../build/dns.ts';

const MESSAGE = answerFor('files.example', '198.51.100.20');

function segment(fields: Partial<Segment>, payload: Uint8Array = MESSAGE): Segment {
  return Object.assign(new Segment(), {
    bytes: payload,
    payloadEnd: payload.length,
    payloadLength: payload.length,
    transport: UDP,
    src2: 0xffff,
    src3: 1,
    dst2: 0xffff,
    dst3: 2,
    srcPort: 53,
    dstPort: 40_000,
    ...fields,
  });
}

describe('the watcher of DNS', () => {
  it('learns from datagrams to one host and from none to a multicast group', () => {
    const watcher = new DnsWatcher();
    watcher.segment(segment({ dst3: 0xe00000fb | 0, srcPort: 5353 }));
    watcher.segment(segment({ dst0: 0xff020000 | 0, dst2: 0, dst3: 0xfb, srcPort: 5353 }));
    expect(watcher.names.size).toBe(0);
    watcher.segment(segment({}));
    expect(watcher.names.counters.answers).toBe(1);
  });

  it('counts what it does not read', () => {
    const watcher = new DnsWatcher();
    watcher.segment(segment({}, MESSAGE.subarray(0, 20)));
    watcher.segment(segment({}, new Uint8Array(0)));
    expect(watcher.counters).toEqual({ messages: 0, refused: 1, lostStreams: 0 });
  });

  it('reads so many connections at once and gives the oldest up beyond', () => {
    const watcher = new DnsWatcher();
    for (let dstPort = 1; dstPort <= 1_030; dstPort++) {
      watcher.segment(segment({ transport: TCP, dstPort, seq: 1 }, Uint8Array.of(0)));
    }
    expect(watcher.counters.lostStreams).toBe(6);
  });
});
