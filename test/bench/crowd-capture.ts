/** One flow after another that sends its ClientHello and then nothing: all of them are open when the capture ends. */
import { ACK, PSH, SYN } from '../../sensor/wire/segment.ts';
import { type CaptureFacts, START_MICROS } from './capture-facts.ts';
import { CaptureWriter } from './capture-writer.ts';
import { anotherHello } from './hello-record.ts';
import { Random } from './random.ts';
import type { RecordedConversation } from './recorded-conversations.ts';
import { SEGMENT_BYTES } from './sessions.ts';

/** A million flows in 25 s: nothing has been idle for long when the capture ends. */
const FLOW_GAP_MICROS = 25;
const POST_QUANTUM_SHARE = 0.1;
const NOTHING = new Uint8Array(0);

/** Writes a capture of `flows` flows, a SYN and a ClientHello each, to `path`. */
export function writeCrowdCapture(
  path: string,
  flows: number,
  recorded: readonly RecordedConversation[],
  seed: number,
): CaptureFacts {
  const random = new Random(seed);
  const writer = new CaptureWriter(path);
  const split = recorded.filter((c) => c.postQuantum);
  const whole = recorded.filter((c) => !c.postQuantum);
  let splitHellos = 0;
  let now = START_MICROS;
  for (let i = 0; i < flows; i++, now += FLOW_GAP_MICROS) {
    const isSplit = random.chance(POST_QUANTUM_SHARE);
    if (isSplit) splitHellos++;
    const { hello, tls13 } = random.pick(isSplit ? split : whole);
    const bytes = anotherHello(hello, random, tls13);
    const client = { address: Uint8Array.of(10, 3, (i >> 8) & 255, i & 255), port: 20_000 + (i >> 16) };
    const server = { address: Uint8Array.of(198, 19, random.below(16), random.below(250)), port: 443 };
    const seq = random.next();
    writer.tcp(now, client, server, { seq, ack: 0, flags: SYN, id: 1 }, NOTHING, 0, 0);
    for (let start = 0; start < bytes.length; start += SEGMENT_BYTES) {
      const end = Math.min(start + SEGMENT_BYTES, bytes.length);
      const fields = { seq: (seq + 1 + start) >>> 0, ack: 1, flags: PSH | ACK, id: 2 + start };
      writer.tcp(now + 5 + (start > 0 ? 5 : 0), client, server, fields, bytes, start, end);
    }
  }
  writer.end();
  return { packets: writer.packets, bytes: writer.frameBytes, flows, tlsHellos: flows, splitHellos, quicHellos: 0 };
}
