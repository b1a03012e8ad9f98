/**
 * Whole TCP connections as packets that are still open to change: a test cuts, shuffles, copies, drops or forges them,
 * then has them made into frames.
 *
 *     const c = new TcpConnection().open().say(tls13()).close();
 *     observe(frames(c.packets));
 */
import { ACK, FIN, PSH, RST, SYN } from '../../sensor/wire/segment.ts';
import { be16, DST, type ExtensionHeader, ethernet, SRC, tcp } from './frames.ts';
import type { TimedFrame } from './observe.ts';
import type { Turn, Who } from './tls-flights.ts';

export interface TcpPacket {
  readonly who: Who;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly payload: Uint8Array;
  /** IPv4 identification. */
  readonly id: number;
  readonly ttl: number;
  readonly wrongChecksum?: boolean;
  /** Microseconds since the packet before it in the capture. */
  readonly after: number;
}

export interface ConnectionOptions {
  /** Payload bytes of a full segment. */
  readonly mss?: number;
  /** Initial sequence numbers. */
  readonly client?: number;
  readonly server?: number;
  readonly ttl?: number;
}

/** Microseconds between packets unless a test says otherwise. */
const STEP = 1_000;
const NOTHING = new Uint8Array(0);

export class TcpConnection {
  readonly packets: TcpPacket[] = [];
  /** Next sequence number of each side. */
  readonly next: Record<Who, number>;
  private readonly mss: number;
  private readonly ttl: number;
  private readonly ids: Record<Who, number> = { client: 100, server: 7_000 };
  private wait = 0;

  constructor(o: ConnectionOptions = {}) {
    this.mss = o.mss ?? 1_400;
    this.ttl = o.ttl ?? 64;
    this.next = { client: o.client ?? 1_000, server: o.server ?? 900_000 };
  }

  /** SYN, SYN-ACK, ACK. */
  open(): this {
    return this.put('client', { flags: SYN, ack: 0 })
      .put('server', { flags: SYN | ACK })
      .put('client', {});
  }

  /** Every turn in segments of at most the mss, each turn acknowledged by the other side. */
  say(turns: readonly Turn[]): this {
    for (const [who, bytes] of turns) this.send(who, bytes).put(other(who), {});
    return this;
  }

  /** Payload of one side, nobody acknowledging it. */
  send(who: Who, bytes: Uint8Array): this {
    for (let at = 0; at < bytes.length; at += this.mss) {
      this.put(who, { payload: bytes.subarray(at, at + this.mss), flags: PSH | ACK });
    }
    return this;
  }

  /** Payload of one side cut at the given offsets, one segment a piece. */
  sendCut(who: Who, bytes: Uint8Array, cuts: readonly number[]): this {
    const ends = [...new Set([...cuts.filter((cut) => cut > 0 && cut < bytes.length), bytes.length])];
    let at = 0;
    for (const end of ends.sort((a, b) => a - b)) {
      this.put(who, { payload: bytes.subarray(at, end), flags: PSH | ACK });
      at = end;
    }
    return this;
  }

  /** FIN of the client, FIN of the server, last ACK. */
  close(): this {
    return this.put('client', { flags: FIN | ACK })
      .put('server', { flags: FIN | ACK })
      .put('client', {});
  }

  reset(who: Who): this {
    return this.put(who, { flags: RST | ACK });
  }

  /** Nothing happens for so long. */
  pause(seconds: number): this {
    this.wait += seconds * 1e6;
    return this;
  }

  /** One packet, right in everything that `fields` does not change; it moves the connection on. */
  put(who: Who, fields: Partial<TcpPacket>): this {
    const packet = this.forge(who, { id: this.ids[who]++ & 0xffff, ...fields });
    this.inject(packet);
    const control = (packet.flags & (SYN | FIN)) !== 0 ? 1 : 0;
    this.next[who] = (packet.seq + packet.payload.length + control) >>> 0;
    return this;
  }

  /** A packet that looks like one of this connection and is no part of it. */
  forge(who: Who, fields: Partial<TcpPacket>): TcpPacket {
    return {
      who,
      seq: this.next[who],
      ack: this.next[other(who)],
      flags: ACK,
      payload: NOTHING,
      id: 60_000,
      ttl: this.ttl,
      after: STEP,
      ...fields,
    };
  }

  /** Puts a packet made by `forge` into the capture. */
  inject(packet: TcpPacket): this {
    this.packets.push(this.wait === 0 ? packet : { ...packet, after: packet.after + this.wait });
    this.wait = 0;
    return this;
  }
}

export const other = (who: Who): Who => (who === 'client' ? 'server' : 'client');

export interface Ends {
  readonly client?: string;
  readonly server?: string;
  readonly clientPort?: number;
  readonly serverPort?: number;
}

/** How an IP packet travels: the frames it is captured in. */
export type Carrier = (packet: Uint8Array) => readonly Uint8Array[];

export interface FrameOptions extends Ends {
  readonly carrier?: Carrier;
  readonly extensions?: readonly ExtensionHeader[];
  /** Microseconds of the first frame. */
  readonly startMicros?: number;
}

/** 2023-11-14T22:13:20Z, when every test begins. */
export const START_MICROS = 1_700_000_000_000_000;

/** The packets as a capture has them, in the order given. */
export function frames(packets: readonly TcpPacket[], o: FrameOptions = {}): TimedFrame[] {
  const carrier = o.carrier ?? ((packet) => [ethernet(packet)]);
  let tsMicros = o.startMicros ?? START_MICROS;
  return packets.flatMap((packet) => {
    tsMicros += packet.after;
    return carrier(ipPacket(packet, o)).map((bytes) => ({ bytes, tsMicros }));
  });
}

function ipPacket(p: TcpPacket, o: FrameOptions): Uint8Array {
  const client = o.client ?? SRC;
  const server = o.server ?? DST;
  const ports = [o.clientPort ?? 50_000, o.serverPort ?? 443] as const;
  const up = p.who === 'client';
  const packet = tcp({
    src: up ? client : server,
    dst: up ? server : client,
    srcPort: up ? ports[0] : ports[1],
    dstPort: up ? ports[1] : ports[0],
    seq: p.seq,
    ack: p.ack,
    flags: p.flags,
    payload: p.payload,
    id: p.id,
    ttl: p.ttl,
    ...(o.extensions ? { extensions: o.extensions } : {}),
  });
  if (p.wrongChecksum) spoil(packet, p.payload.length);
  return packet;
}

/** Changes the TCP checksum to one that is neither right nor that of an offloading sender. */
function spoil(packet: Uint8Array, payloadBytes: number): void {
  const header = packet.length - payloadBytes - 20;
  const view = new DataView(packet.buffer, packet.byteOffset);
  packet.set(be16(view.getUint16(header + 16) ^ 0x5a5a), header + 16);
}
