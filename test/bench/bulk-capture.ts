/** Few large flows: TLS uploads and downloads in full segments, every second one acknowledged. */
import { type CaptureFacts, START_MICROS } from './capture-facts.ts';
import { CaptureWriter } from './capture-writer.ts';
import { anotherHello } from './hello-record.ts';
import { Random } from './random.ts';
import type { RecordedConversation, Turn } from './recorded-conversations.ts';
import { interleave, SEGMENT_BYTES, type Session, TcpSession } from './sessions.ts';

const PACKETS_PER_FLOW = 5_000;
const AT_ONCE = 40;
const UPLOAD_SHARE = 0.3;
/** 100,000 packets a second: 0.8 Gbit/s. */
const MEAN_GAP_MICROS = 10;
const RECORD_BYTES = 16_400;
/** Data segments and the acknowledgement behind them. */
const BURST_SEGMENTS = 2;

/** Writes a capture of about `packets` packets to `path`. */
export function writeBulkCapture(
  path: string,
  packets: number,
  recorded: readonly RecordedConversation[],
  seed: number,
): CaptureFacts {
  const random = new Random(seed);
  const writer = new CaptureWriter(path);
  const total = Math.max(1, Math.round(packets / PACKETS_PER_FLOW));
  const data = recordStream(random);
  const facts = { flows: 0, tlsHellos: 0, splitHellos: 0, quicHellos: 0 };
  const open = (): Session | undefined => {
    if (facts.flows === total) return undefined;
    const { hello, rest, tls13, postQuantum } = random.pick(recorded);
    facts.tlsHellos++;
    if (postQuantum) facts.splitHellos++;
    const turns = [{ fromClient: true, bytes: anotherHello(hello, random, tls13) }, ...rest];
    const client = { address: Uint8Array.of(10, 2, facts.flows >> 8, facts.flows & 255), port: 40_000 };
    const server = { address: Uint8Array.of(198, 19, 0, random.below(250)), port: 443 };
    facts.flows++;
    return new TcpSession(client, server, [...turns, ...transfer(data, random.chance(UPLOAD_SHARE))], random);
  };
  interleave(open, writer, random, { atOnce: AT_ONCE, startMicros: START_MICROS, meanGapMicros: MEAN_GAP_MICROS });
  writer.end();
  return { packets: writer.packets, bytes: writer.frameBytes, ...facts };
}

/** Application data records in a row; it begins at a record's header. */
function recordStream(random: Random): Uint8Array {
  const stream = new Uint8Array(Math.ceil((PACKETS_PER_FLOW * SEGMENT_BYTES) / RECORD_BYTES) * (RECORD_BYTES + 5));
  random.fill(stream, 0, stream.length);
  for (let at = 0; at < stream.length; at += RECORD_BYTES + 5) {
    stream.set([23, 3, 3, RECORD_BYTES >> 8, RECORD_BYTES & 255], at);
  }
  return stream;
}

/** The whole stream from one side, acknowledged in bursts by the other. */
function transfer(data: Uint8Array, upload: boolean): Turn[] {
  const turns: Turn[] = [];
  const burst = BURST_SEGMENTS * SEGMENT_BYTES;
  const bytes = Math.floor(((PACKETS_PER_FLOW * BURST_SEGMENTS) / (BURST_SEGMENTS + 1)) * SEGMENT_BYTES);
  for (let at = 0; at < bytes; at += burst) turns.push({ fromClient: upload, bytes: data.subarray(at, at + burst) });
  return turns;
}
