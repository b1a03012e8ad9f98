/** Conversations being played into a capture, one packet at a time, so that hundreds can be interleaved. */
import { ACK, FIN, PSH, SYN } from '../../sensor/wire/segment.ts';
import type { CaptureWriter, End } from './capture-writer.ts';
import type { Random } from './random.ts';
import type { Turn } from './recorded-conversations.ts';

/** Payload bytes of a full segment. */
export const SEGMENT_BYTES = 1_400;

export interface Session {
  /** Writes the next packet; false when it was the last one. */
  step(writer: CaptureWriter, tsMicros: number): boolean;
}

const NOTHING = new Uint8Array(0);

interface Packet {
  readonly fromClient: boolean;
  readonly flags: number;
  readonly payload: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const bare = (fromClient: boolean, flags: number): Packet => ({
  fromClient,
  flags,
  payload: NOTHING,
  start: 0,
  end: 0,
});

/** A TCP connection from SYN to FIN. Each turn of more than one segment is acknowledged before it is answered. */
export class TcpSession implements Session {
  private readonly ends: readonly [client: End, server: End];
  private readonly packets: Packet[] = [bare(true, SYN), bare(false, SYN | ACK), bare(true, ACK)];
  private readonly next: [number, number];
  private readonly ids: [number, number];
  private at = 0;

  constructor(client: End, server: End, turns: readonly Turn[], random: Random) {
    this.ends = [client, server];
    this.next = [random.next(), random.next()];
    this.ids = [random.below(65_536), random.below(65_536)];
    for (const { fromClient, bytes } of turns) {
      for (let start = 0; start < bytes.length; start += SEGMENT_BYTES) {
        const end = Math.min(start + SEGMENT_BYTES, bytes.length);
        this.packets.push({ fromClient, flags: end === bytes.length ? PSH | ACK : ACK, payload: bytes, start, end });
      }
      if (bytes.length > SEGMENT_BYTES) this.packets.push(bare(!fromClient, ACK));
    }
    this.packets.push(bare(true, FIN | ACK), bare(false, FIN | ACK), bare(true, ACK));
  }

  step(writer: CaptureWriter, tsMicros: number): boolean {
    const { fromClient, flags, payload, start, end } = this.packets[this.at++]!;
    const own = fromClient ? 0 : 1;
    const fields = {
      seq: this.next[own],
      ack: (flags & ACK) !== 0 ? this.next[1 - own]! : 0,
      flags,
      id: this.ids[own]++,
    };
    writer.tcp(tsMicros, this.ends[own], this.ends[1 - own]!, fields, payload, start, end);
    this.next[own] = (this.next[own] + end - start + ((flags & (SYN | FIN)) !== 0 ? 1 : 0)) >>> 0;
    return this.at < this.packets.length;
  }
}

/** UDP datagrams in turn. */
export class UdpSession implements Session {
  private readonly client: End;
  private readonly server: End;
  private readonly turns: readonly Turn[];
  private id: number;
  private at = 0;

  constructor(client: End, server: End, turns: readonly Turn[], random: Random) {
    this.client = client;
    this.server = server;
    this.turns = turns;
    this.id = random.below(65_536);
  }

  step(writer: CaptureWriter, tsMicros: number): boolean {
    const { fromClient, bytes } = this.turns[this.at++]!;
    const [from, to] = fromClient ? [this.client, this.server] : [this.server, this.client];
    writer.udp(tsMicros, from, to, this.id++, bytes);
    return this.at < this.turns.length;
  }
}

/** Plays sessions from `open` side by side until it has no more, in random order. Returns the capture time at the end. */
export function interleave(
  open: () => Session | undefined,
  writer: CaptureWriter,
  random: Random,
  options: { readonly atOnce: number; readonly startMicros: number; readonly meanGapMicros: number },
): number {
  const active: Session[] = [];
  let now = options.startMicros;
  let more = true;
  for (;;) {
    while (more && active.length < options.atOnce) {
      const session = open();
      if (session) active.push(session);
      else more = false;
    }
    if (active.length === 0) return now;
    const i = random.below(active.length);
    if (!active[i]!.step(writer, now)) {
      active[i] = active[active.length - 1]!;
      active.pop();
    }
    now += random.below(2 * options.meanGapMicros + 1);
  }
}
