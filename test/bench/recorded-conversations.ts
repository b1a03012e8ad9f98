/** Real TLS conversations out of the recordings in pcaps/, as what the two sides said in turn. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readCapture } from '../../sensor/capture/open-capture.ts';
import { FrameDecoder } from '../../sensor/wire/decode-frame.ts';
import { ACK, Segment, SYN, TCP } from '../../sensor/wire/segment.ts';
import { Verdict } from '../../sensor/wire/verdict.ts';
import { type HelloRecord, readHelloRecord } from './hello-record.ts';

/** What one side said before the other answered. */
export interface Turn {
  readonly fromClient: boolean;
  readonly bytes: Uint8Array;
}

export interface RecordedConversation {
  readonly hello: HelloRecord;
  /** The server's flight, the client's, and what followed. */
  readonly rest: readonly Turn[];
  readonly tls13: boolean;
  /** The hello needs two segments. */
  readonly postQuantum: boolean;
}

/** Turns kept after the hello: the handshake and the first application data. */
const MAX_TURNS = 3;
const MAX_TURN_BYTES = 6_000;
const ONE_SEGMENT_BYTES = 1_400;
const RETRY_RANDOM = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c';

/** Every conversation in the captures of `directory` that begins with one whole ClientHello and an answer to it. */
export async function readConversations(directory: string): Promise<RecordedConversation[]> {
  const captures = readdirSync(directory)
    .filter((name) => /\.pcap(\.gz)?$/.test(name))
    .sort();
  const found: RecordedConversation[] = [];
  for (const name of captures) {
    for (const turns of await readTurns(join(directory, name))) {
      const conversation = conversationOf(turns);
      if (conversation) found.push(conversation);
    }
  }
  return found;
}

function conversationOf(turns: readonly Turn[]): RecordedConversation | undefined {
  const [first, answer] = turns;
  if (!first?.fromClient || !answer || answer.bytes[0] !== 22 || answer.bytes[5] !== 2) return undefined;
  const hello = readHelloRecord(first.bytes);
  const serverRandom = Buffer.from(answer.bytes.subarray(11, 43)).toString('hex');
  if (!hello || serverRandom === RETRY_RANDOM) return undefined;
  const rest = turns.slice(1, 1 + MAX_TURNS).map((t) => ({ ...t, bytes: t.bytes.subarray(0, MAX_TURN_BYTES) }));
  return { hello, rest, tls13: isTls13(answer.bytes), postQuantum: first.bytes.length > ONE_SEGMENT_BYTES };
}

/** The selected version is the extension 002b 0002 0304 of the ServerHello. */
function isTls13(serverFlight: Uint8Array): boolean {
  const recordEnd = 5 + ((serverFlight[3]! << 8) | serverFlight[4]!);
  return Buffer.from(serverFlight.subarray(0, recordEnd)).includes(Buffer.from('002b00020304', 'hex'));
}

interface Stream {
  client: string;
  /** Next sequence number of each side; -1 before its SYN. */
  next: Map<string, number>;
  turns: { fromClient: boolean; chunks: Uint8Array[] }[];
}

async function readTurns(path: string): Promise<Turn[][]> {
  const streams = new Map<string, Stream>();
  const decoder = new FrameDecoder();
  const segment = new Segment();
  await readCapture(path, {
    packet(bytes, start, end, tsMicros, wireLength, linkType) {
      const verdict = decoder.decode(bytes, start, end, tsMicros, wireLength, linkType, segment);
      if (verdict === Verdict.segment && segment.transport === TCP) follow(streams, segment);
    },
  });
  return [...streams.values()].map(({ turns }) =>
    turns.map(({ fromClient, chunks }) => ({ fromClient, bytes: Uint8Array.from(Buffer.concat(chunks)) })),
  );
}

/** Our recordings lose and reorder nothing, so a segment that does not come next is a copy. */
function follow(streams: Map<string, Stream>, s: Segment): void {
  const from = `${s.src0},${s.src1},${s.src2},${s.src3}:${s.srcPort}`;
  const to = `${s.dst0},${s.dst1},${s.dst2},${s.dst3}:${s.dstPort}`;
  const key = from < to ? `${from}-${to}` : `${to}-${from}`;
  if ((s.flags & (SYN | ACK)) === SYN) streams.set(key, { client: from, next: new Map(), turns: [] });
  const stream = streams.get(key);
  if (!stream) return;
  if ((s.flags & SYN) !== 0) stream.next.set(from, (s.seq + 1) >>> 0);
  if (s.payloadLength === 0 || stream.next.get(from) !== s.seq) return;
  stream.next.set(from, (s.seq + s.payloadLength) >>> 0);
  const fromClient = from === stream.client;
  const last = stream.turns.at(-1);
  const chunk = s.bytes.slice(s.payloadStart, s.payloadEnd);
  if (last?.fromClient === fromClient) last.chunks.push(chunk);
  else stream.turns.push({ fromClient, chunks: [chunk] });
}
