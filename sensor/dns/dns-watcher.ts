import { type IpWords, isIpv4 } from '../base/ip.ts';
import { ACK, FIN, RST, type Segment, SYN, TCP, UDP } from '../wire/segment.ts';
import { AnsweredNames } from './answered-names.ts';
import { parseDnsResponse } from './dns-response.ts';
import { DnsStream } from './dns-stream.ts';

const DNS_PORT = 53;
/** Multicast DNS; some resolvers listen here as well. */
const MDNS_PORT = 5353;
/** Connections to resolvers read at once; each holds at most 16 KiB. The least recently used goes. */
const MAX_STREAMS = 1_024;

export interface DnsCounters {
  messages: number;
  /** Datagrams from a DNS port that are no answer we read. */
  refused: number;
  /** TCP connections given up: a hole, a message over the cap, or too many connections. */
  lostStreams: number;
}

/** True when a segment may carry an answer: the only thing asked of segments that do not. */
export const mayAnswer = (s: Segment): boolean => s.srcPort === DNS_PORT || s.srcPort === MDNS_PORT;

/** Reads the answers of DNS servers, over UDP and TCP, and keeps what clients were told. */
export class DnsWatcher {
  readonly names: AnsweredNames;
  readonly counters: DnsCounters = { messages: 0, refused: 0, lostStreams: 0 };
  private readonly streams = new Map<string, DnsStream>();

  constructor(names = new AnsweredNames()) {
    this.names = names;
  }

  /** A segment of which `mayAnswer` is true. */
  segment(s: Segment): void {
    if (isMulticast(s)) return; // an announcement to all, no answer to one
    if (s.transport === TCP) {
      if (s.srcPort === DNS_PORT) this.tcp(s);
    } else if (s.transport === UDP && s.payloadEnd > s.payloadStart) {
      this.message(s, s.bytes, s.payloadStart, s.payloadEnd);
    }
  }

  private tcp(s: Segment): void {
    const key = `${s.src0},${s.src1},${s.src2},${s.src3},${s.dst0},${s.dst1},${s.dst2},${s.dst3},${s.dstPort}`;
    if ((s.flags & (SYN | ACK)) === (SYN | ACK)) this.streams.delete(key);
    const captured = s.payloadEnd - s.payloadStart;
    if (captured > 0) {
      let stream = this.streams.get(key);
      // Without the SYN-ACK the first segment seen is taken for the beginning of a message; what is none is refused.
      stream ??= new DnsStream((s.flags & SYN) !== 0 ? s.seq + 1 : s.seq);
      this.streams.delete(key);
      this.streams.set(key, stream);
      this.trim();
      const before = stream.lost;
      stream.push((s.flags & SYN) !== 0 ? s.seq + 1 : s.seq, s.bytes, s.payloadStart, s.payloadEnd, (b, from, to) =>
        this.message(s, b, from, to),
      );
      if (stream.lost && !before) this.counters.lostStreams++;
    }
    if ((s.flags & (FIN | RST)) !== 0) this.streams.delete(key);
  }

  private trim(): void {
    if (this.streams.size <= MAX_STREAMS) return;
    this.streams.delete(this.streams.keys().next().value!);
    this.counters.lostStreams++;
  }

  private message(s: Segment, bytes: Uint8Array, start: number, end: number): void {
    const parsed = parseDnsResponse(bytes, start, end);
    if (parsed.kind !== 'ok') {
      this.counters.refused++;
      return;
    }
    this.counters.messages++;
    this.names.learn(clientOf(s), parsed.value, s.tsMicros);
  }
}

const clientOf = (s: Segment): IpWords => [s.dst0, s.dst1, s.dst2, s.dst3];

/** 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291 §2.7). */
const isMulticast = (s: Segment): boolean =>
  isIpv4(s.dst0, s.dst1, s.dst2) ? s.dst3 >>> 28 === 14 : s.dst0 >>> 24 === 0xff;
