/** A TLS 1.3 conversation as frames: handshake, an upload, and an orderly end; sequence numbers and checksums are right. */
import { ethernet, tcp } from './frames.ts';
import { clientHelloBody, concat, extension, handshake, record, serverHelloBody } from './hellos.ts';

const [FIN, SYN, PSH, ACK] = [0x01, 0x02, 0x08, 0x10] as const;

export interface ConversationOptions {
  readonly serverName: string;
  readonly client?: string;
  readonly server?: string;
  readonly clientPort?: number;
  readonly serverPort?: number;
  /** Bytes of application data the client sends after its Finished. */
  readonly upload?: number;
  /** The same of the server. */
  readonly download?: number;
  /** Bytes of key share in the hello: 1,216 is what X25519MLKEM768 takes, which makes two segments of it. */
  readonly keyShareBytes?: number;
  readonly segmentBytes?: number;
  readonly vlans?: readonly number[];
  /** The last packets: FIN of both sides. */
  readonly ends?: boolean;
}

export interface BuiltConversation {
  readonly frames: readonly Uint8Array[];
  /** Payload bytes of each side. */
  readonly clientBytes: number;
  readonly serverBytes: number;
}

export function conversation(o: ConversationOptions): BuiltConversation {
  const frames: Uint8Array[] = [];
  const mss = o.segmentBytes ?? 1_448;
  const ports = { client: o.clientPort ?? 50_000, server: o.serverPort ?? 443 };
  const ends = {
    client: {
      src: o.client ?? '192.0.2.10',
      dst: o.server ?? '198.51.100.20',
      srcPort: ports.client,
      dstPort: ports.server,
    },
    server: {
      src: o.server ?? '198.51.100.20',
      dst: o.client ?? '192.0.2.10',
      srcPort: ports.server,
      dstPort: ports.client,
    },
  };
  const seq = { client: 1_000, server: 9_000_000 };
  let id = 1;
  const put = (who: 'client' | 'server', flags: number, payload?: Uint8Array): void => {
    const other = who === 'client' ? 'server' : 'client';
    const ack = (flags & ACK) !== 0 ? seq[other] : 0;
    const packet = tcp({
      ...ends[who],
      seq: seq[who],
      ack,
      flags,
      id: id++ & 0xffff,
      payload: payload ?? new Uint8Array(0),
    });
    frames.push(ethernet(packet, { vlans: o.vlans ?? [] }));
    seq[who] = (seq[who] + (payload?.length ?? 0) + (flags & (SYN | FIN) ? 1 : 0)) >>> 0;
  };
  const send = (who: 'client' | 'server', bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; at += mss) {
      const last = at + mss >= bytes.length;
      put(who, ACK | (last ? PSH : 0), bytes.subarray(at, at + mss));
      if (last || (at / mss) % 2 === 1) put(who === 'client' ? 'server' : 'client', ACK);
    }
  };
  const start = { client: seq.client + 1, server: seq.server + 1 };
  put('client', SYN);
  put('server', SYN | ACK);
  put('client', ACK);
  send('client', hello(o));
  send(
    'server',
    concat([
      record(
        22,
        handshake(2, serverHelloBody({ suite: 0x1301, extensions: [extension.selectedVersion(0x0304)] })),
        0x0303,
      ),
      record(20, [1], 0x0303),
      applicationData(900),
    ]),
  );
  send('client', concat([record(20, [1], 0x0303), applicationData(53)]));
  if (o.upload) send('client', records(o.upload));
  if (o.download) send('server', records(o.download));
  const sent = { client: seq.client - start.client, server: seq.server - start.server };
  if (o.ends ?? true) {
    put('client', FIN | ACK);
    put('server', FIN | ACK);
    put('client', ACK);
  }
  return { frames, clientBytes: sent.client, serverBytes: sent.server };
}

function hello(o: ConversationOptions): Uint8Array {
  const body = clientHelloBody({
    sessionId: Array.from({ length: 32 }, (_, i) => i),
    suites: [0x1301, 0x1302, 0x1303],
    extensions: [
      extension.serverName(o.serverName),
      extension.supportedVersions(0x0304),
      extension.of(51, pseudoRandom(o.keyShareBytes ?? 40)),
    ],
  });
  return record(22, handshake(1, body));
}

/** `bytes` of application data as full records, filled like ciphertext. */
function records(bytes: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let left = bytes; left > 0; left -= 16_389) parts.push(applicationData(Math.max(1, Math.min(left, 16_389) - 5)));
  return concat(parts);
}

const applicationData = (bytes: number): Uint8Array => record(23, pseudoRandom(bytes), 0x0303);

function pseudoRandom(count: number): number[] {
  let state = 0x2545f491 ^ count;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> 24;
  });
}
