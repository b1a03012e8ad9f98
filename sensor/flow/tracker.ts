import { anomalyBit } from '../record/anomalies.ts';
import { verifyChecksum } from '../wire/checksum.ts';
import { ACK, FIN, RST, type Segment, SYN, TCP } from '../wire/segment.ts';
import type { Conversation } from './conversation.ts';
import { FlowTable, Phase } from './flow-table.ts';
import { TcpHandshake } from './tcp-handshake.ts';
import { UdpHandshake } from './udp-handshake.ts';

const SECOND = 1_000_000;

export interface TrackerLimits {
  /** Flows followed at once. */
  readonly flows: number;
  /** Handshakes read at once; each holds at most 2 × 128 KiB, most hold 2 KiB. */
  readonly handshakes: number;
  /** Seconds without a packet after which an encrypted flow ends. */
  readonly idleSeconds: number;
  /** The same for a flow that has shown no handshake yet, or a plain one. */
  readonly probeIdleSeconds: number;
  /** Seconds between updates of a live flow. */
  readonly updateSeconds: number;
  /**
   * The capture leaves out bulk payload on purpose. Bytes known from sequence numbers and acknowledgements alone are then
   * no loss: records say `bytes_exact: false` and nothing else.
   */
  readonly filtered?: boolean;
}

export const DEFAULT_LIMITS: TrackerLimits = {
  flows: 1_048_576,
  handshakes: 16_384,
  idleSeconds: 300,
  probeIdleSeconds: 60,
  updateSeconds: 60,
};

/** A closed connection is kept this long for late segments, so that they open no new flow. */
const LINGER = 2 * SECOND;
/** A handshake that has not moved for this long is given up. */
const HANDSHAKE_IDLE = 30 * SECOND;
/** A connection this quiet gives way to a SYN on its ports. */
const REUSE_QUIET = 60 * SECOND;
/** The whole table is looked over once in this much capture time. */
const SWEEP_PERIOD = 5 * SECOND;
/** First upstream volume at which an update is written at once; then at every fourfold. */
const FIRST_VOLUME_STEP = 262_144;
/** A sequence jump beyond this is believed only when the peer has acknowledged past the old end. */
const BELIEVED_JUMP = 1_048_576;
/** An upstream burst below this is no upload chunk. */
const MIN_BURST = 65_536;
/** Server payload below this does not end a burst: window updates and acknowledgements of HTTP/2 are small. */
const MIN_REPLY = 1;

/** What a filtered capture looks like to the reassembly, and is no oddity of the conversation. */
const FILTER_ARTEFACTS = anomalyBit('gap') | anomalyBit('out_of_order');

/** Bits of `FlowTable.bits`; those of direction 1 are one to the left of direction 0's. */
const Bit = {
  seen: 1, // and 2
  fin: 4, // and 8
  syn: 16, // and 32
  reset: 64,
  opened: 128,
  /** Direction 1 is the client. Valid once `clientKnown`. */
  clientIsHigh: 256,
  clientKnown: 512,
  payload: 1024, // and 2048
  closing: 4096,
  duplicates: 8192,
} as const;

export type EndReason = 'fin' | 'reset' | 'idle' | 'over-flows' | 'reused' | 'capture-end';

/** Everything a record of one flow is made from; valid during the call only. */
export interface FlowView {
  readonly table: FlowTable;
  readonly slot: number;
  /** Direction (0 or 1) of the client. */
  readonly client: number;
  readonly conversation: Conversation;
  readonly endReason: EndReason | undefined;
  readonly missedBytes: number;
  readonly exact: boolean;
  /** Further upstream bytes known only from the peer's acknowledgement. */
  readonly tailBytes: readonly [number, number];
  readonly anomalies: number;
}

export type EmitFlow = (action: 'flow_open' | 'flow_update' | 'flow_end', view: FlowView, nowMicros: number) => void;

export interface TrackerCounters {
  segments: number;
  duplicates: number;
  flows: number;
  encryptedFlows: number;
  evictedOverFlows: number;
  evictedHandshakes: number;
  /** Payload bytes acknowledged but never captured, and payload bytes seen: their ratio is the capture loss. */
  missedBytes: number;
  payloadBytes: number;
}

/**
 * Follows every TCP and UDP conversation of the capture and tells `emit` about the encrypted ones. Synchronous; time is
 * the packets' own. Memory is bounded by the limits; what they cost is counted.
 */
export class FlowTracker {
  readonly counters: TrackerCounters = {
    segments: 0,
    duplicates: 0,
    flows: 0,
    encryptedFlows: 0,
    evictedOverFlows: 0,
    evictedHandshakes: 0,
    missedBytes: 0,
    payloadBytes: 0,
  };
  private readonly table: FlowTable;
  private readonly limits: TrackerLimits;
  private readonly emit: EmitFlow;
  /** By slot: what is being read or has been read of an encrypted conversation. */
  private readonly handshakes: (TcpHandshake | UdpHandshake | undefined)[] = [];
  private readonly conversations: (Conversation | undefined)[] = [];
  private readonly tcpPool: TcpHandshake[] = [];
  private openHandshakes = 0;
  private now = 0;
  private sweptAt = 0;
  private sweepHand = 0;

  constructor(emit: EmitFlow, limits: TrackerLimits = DEFAULT_LIMITS) {
    this.emit = emit;
    this.limits = limits;
    this.table = new FlowTable(limits.flows);
  }

  get flows(): number {
    return this.table.used;
  }

  segment(s: Segment): void {
    const table = this.table;
    this.counters.segments++;
    if (s.tsMicros > this.now) {
      this.now = s.tsMicros;
      if (this.now - this.sweptAt > SWEEP_PERIOD / 64) this.sweep();
    }
    let slot = table.find(s);
    if (slot < 0) {
      slot = this.open(s);
      if (slot < 0) return;
    }
    if (s.transport === TCP) this.tcp(s, slot, slot * 2 + table.direction, table.direction);
    else this.udp(s, slot, slot * 2 + table.direction, table.direction);
  }

  /** Capture time has reached `nowMicros` though no packet came: quiet flows end, updates that are due are written. */
  tick(nowMicros: number): void {
    if (nowMicros <= this.now) return;
    this.now = nowMicros;
    this.sweep();
  }

  /** End of input: every encrypted flow gets its last record. */
  drain(): void {
    const bound = this.table.bound;
    for (let slot = 0; slot < bound; slot++) if (this.table.phase[slot] !== Phase.free) this.end(slot, 'capture-end');
  }

  private tcp(s: Segment, slot: number, d: number, direction: number): void {
    const table = this.table;
    const size = s.payloadLength;
    const ipId = s.ipv4Start < 0 ? 0 : (s.bytes[s.ipv4Start + 4]! << 8) | s.bytes[s.ipv4Start + 5]!;
    const signature = mix(s.seq, s.ack, s.flags, size, ipId);
    // Without an identification field (IPv6) repeated bare acknowledgements cannot be told from copies: they count.
    if (table.signature[d] === signature && (ipId !== 0 || size > 0)) {
      this.counters.duplicates++;
      table.bits[slot]! |= Bit.duplicates;
      return;
    }
    table.signature[d] = signature;
    if ((s.flags & (SYN | FIN | RST)) !== 0) {
      const fresh = this.control(s, slot, d, direction);
      if (fresh !== slot) {
        if (fresh >= 0) this.tcp(s, fresh, fresh * 2 + direction, direction);
        return;
      }
    }
    table.packets[d]!++;
    table.lastSeen[slot] = s.tsMicros;
    if ((s.flags & ACK) !== 0 && (((s.ack | 0) - table.ackEnd[d]!) | 0) > 0) table.ackEnd[d] = s.ack | 0;
    else if ((s.flags & ACK) !== 0 && table.ackEnd[d] === 0) table.ackEnd[d] = s.ack | 0;
    if (size > 0) this.advance(s, slot, d, direction, size);
    const phase = table.phase[slot]!;
    if (phase === Phase.probing || phase === Phase.handshake) this.read(s, slot, d, direction);
    else if (phase === Phase.counting) this.count(slot, direction, size);
  }

  private udp(s: Segment, slot: number, d: number, direction: number): void {
    const table = this.table;
    const size = s.payloadLength;
    table.packets[d]!++;
    table.bytes[d]! += size;
    table.lastSeen[slot] = s.tsMicros;
    this.counters.payloadBytes += size;
    const phase = table.phase[slot]!;
    if (phase === Phase.probing || phase === Phase.handshake) {
      let handshake = this.handshakes[slot] as UdpHandshake | undefined;
      if (!handshake) {
        if (!this.admit()) return;
        handshake = new UdpHandshake();
        this.handshakes[slot] = handshake;
      }
      handshake.datagram(direction, s);
      this.settle(slot, handshake.conversation, handshake.status);
    } else if (phase === Phase.counting) this.count(slot, direction, size);
  }

  /** Moves the sequence counters of one direction over `size` payload bytes. */
  private advance(s: Segment, slot: number, d: number, direction: number, size: number): void {
    const table = this.table;
    // A SYN takes one number, so data on it (TCP Fast Open) begins one later.
    const seq = ((s.flags & SYN) !== 0 ? s.seq + 1 : s.seq) | 0;
    const end = (seq + size) | 0;
    const bits = table.bits[slot]!;
    if ((bits & (Bit.seen << direction)) === 0) {
      table.seqEnd[d] = end;
      table.bytes[d]! += size;
      table.bits[slot] = bits | (Bit.seen << direction) | (Bit.payload << direction);
      this.counters.payloadBytes += size;
      return;
    }
    if ((bits & (Bit.payload << direction)) === 0) table.bits[slot] = bits | (Bit.payload << direction);
    const ahead = (seq - table.seqEnd[d]!) | 0;
    if (ahead === 0) {
      table.bytes[d]! += size;
      table.seqEnd[d] = end;
    } else if (ahead > 0) {
      if (ahead > BELIEVED_JUMP && !this.acknowledgedPast(slot, direction)) return;
      table.missing[d]! += ahead;
      table.holeStart[d] = table.seqEnd[d]!;
      table.holeEnd[d] = seq;
      table.bytes[d]! += ahead + size;
      table.seqEnd[d] = end;
    } else {
      const beyond = (end - table.seqEnd[d]!) | 0;
      if (beyond > 0) {
        table.bytes[d]! += beyond;
        table.seqEnd[d] = end;
      }
      if (table.missing[d] !== 0) this.fill(d, seq, end);
      this.counters.payloadBytes += Math.max(0, beyond);
      return;
    }
    this.counters.payloadBytes += size;
  }

  /** A late segment that falls into the newest hole takes its bytes off the missing ones. */
  private fill(d: number, seq: number, end: number): void {
    const table = this.table;
    const from = ((seq - table.holeStart[d]!) | 0) > 0 ? seq : table.holeStart[d]!;
    const to = ((end - table.holeEnd[d]!) | 0) < 0 ? end : table.holeEnd[d]!;
    const filled = (to - from) | 0;
    if (filled <= 0) return;
    table.missing[d] = Math.max(0, table.missing[d]! - filled);
    if (from === table.holeStart[d]) table.holeStart[d] = to;
  }

  /** True when the peer of `direction` has acknowledged past what was seen, or was never seen to acknowledge. */
  private acknowledgedPast(slot: number, direction: number): boolean {
    const peer = slot * 2 + (1 - direction);
    if (this.table.packets[peer] === 0) return true;
    return ((this.table.ackEnd[peer]! - this.table.seqEnd[slot * 2 + direction]!) | 0) > 0;
  }

  /** SYN, FIN and RST. Returns the slot that the segment belongs to: a SYN may open a new flow on the same ports. */
  private control(s: Segment, slot: number, d: number, direction: number): number {
    const table = this.table;
    if ((s.flags & SYN) !== 0) return this.synchronize(s, slot, d, direction);
    if ((s.flags & FIN) !== 0) table.bits[slot]! |= Bit.fin << direction;
    if ((s.flags & RST) !== 0) table.bits[slot]! |= Bit.reset;
    const both = Bit.fin | (Bit.fin << 1);
    if ((table.bits[slot]! & both) === both || (s.flags & RST) !== 0) table.bits[slot]! |= Bit.closing;
    return slot;
  }

  /**
   * A SYN opens a flow, or another one on ports in use. The latter is believed at once when the old connection is closing
   * or quiet; else only when the server answers it, so that a forged SYN ends nothing.
   */
  private synchronize(s: Segment, slot: number, d: number, direction: number): number {
    const table = this.table;
    const bits = table.bits[slot]!;
    const isn = (s.seq + 1) | 0;
    const answers = (s.flags & ACK) !== 0;
    if ((bits & (Bit.seen << direction)) === 0) {
      table.seqEnd[d] = isn;
      table.bits[slot] = bits | (Bit.seen << direction) | (Bit.syn << direction);
      if (!answers) this.setClient(slot, direction);
      else if ((bits & Bit.clientKnown) === 0) this.setClient(slot, 1 - direction);
      return slot;
    }
    const sinceStart = (table.seqEnd[d]! - isn) | 0;
    if (sinceStart === table.bytes[d]! || sinceStart >>> 0 === table.bytes[d]! % 2 ** 32) return slot;
    if (table.bytes[slot * 2]! + table.bytes[slot * 2 + 1]! === 0) {
      table.seqEnd[d] = isn;
      return slot;
    }
    const over = (bits & Bit.closing) !== 0 || s.tsMicros - table.lastSeen[slot]! > REUSE_QUIET;
    if (!over && !answers) return slot;
    this.end(slot, 'reused');
    table.find(s); // sets the direction again
    return this.open(s);
  }

  private setClient(slot: number, direction: number): void {
    const bits = this.table.bits[slot]! & ~Bit.clientIsHigh;
    this.table.bits[slot] = bits | Bit.clientKnown | (direction === 1 ? Bit.clientIsHigh : 0);
  }

  private open(s: Segment): number {
    let slot = this.table.add(s);
    if (slot < 0) {
      const victim = this.table.victim();
      if (victim < 0) return -1;
      this.counters.evictedOverFlows++;
      this.end(victim, 'over-flows');
      this.table.find(s); // sets the direction again
      slot = this.table.add(s);
    }
    this.counters.flows++;
    return slot;
  }

  /** Payload, or an acknowledgement that may release held payload, of a TCP flow whose handshake is being read. */
  private read(s: Segment, slot: number, d: number, direction: number): void {
    let handshake = this.handshakes[slot] as TcpHandshake | undefined;
    if (!handshake) {
      if (s.payloadLength === 0) return;
      if (!this.admit()) return;
      handshake = this.tcpPool.pop() ?? new TcpHandshake();
      this.handshakes[slot] = handshake;
      const bits = this.table.bits[slot]!;
      handshake.initiator = (bits & Bit.clientKnown) === 0 ? -1 : (bits & Bit.clientIsHigh) !== 0 ? 1 : 0;
      for (const side of [0, 1] as const) {
        if ((bits & (Bit.syn << side)) !== 0) {
          const own = side === direction ? this.table.bytes[d]! | 0 : 0;
          handshake.startAt(side, (this.table.seqEnd[slot * 2 + side]! - own) | 0);
        }
      }
    }
    if (s.payloadLength > 0) {
      const captured = s.payloadEnd - s.payloadStart;
      if (captured < s.payloadLength) handshake.note(anomalyBit('truncated'));
      handshake.payload(direction, s, captured > 0 && !verifyChecksum(s));
    }
    if ((s.flags & ACK) !== 0) handshake.acknowledged(1 - direction, s.ack);
    // Handshake bytes that the kernel filter left out never come: application data shows that the handshake is over.
    const c = handshake.conversation;
    const over = this.limits.filtered === true && c.established && c.readyToOpen;
    this.settle(slot, c, over ? 'done' : handshake.status);
  }

  /** Acts on what a handshake reader now says. */
  private settle(slot: number, conversation: Conversation, status: 'reading' | 'done' | 'plain'): void {
    const table = this.table;
    if (status === 'plain') {
      this.closeHandshake(slot);
      table.phase[slot] = Phase.plain;
      return;
    }
    if (conversation.protocol !== undefined && this.conversations[slot] === undefined) {
      this.conversations[slot] = conversation;
      table.phase[slot] = Phase.handshake;
      this.counters.encryptedFlows++;
    }
    if (conversation.client >= 0) {
      const bits = table.bits[slot]!;
      const initiator = (bits & Bit.clientKnown) === 0 ? -1 : (bits & Bit.clientIsHigh) !== 0 ? 1 : 0;
      if (initiator !== conversation.client) {
        if (initiator >= 0) conversation.note(anomalyBit('server_is_initiator'));
        this.setClient(slot, conversation.client);
      }
    }
    if (conversation.readyToOpen && (table.bits[slot]! & Bit.opened) === 0) this.announce(slot);
    if (status === 'done') {
      this.closeHandshake(slot);
      table.phase[slot] = Phase.counting;
      table.burst[slot] = 0;
      if ((table.bits[slot]! & Bit.opened) === 0) this.announce(slot);
    }
  }

  private announce(slot: number): void {
    const table = this.table;
    table.bits[slot]! |= Bit.opened;
    table.recordedAt[slot] = table.lastSeen[slot]!;
    table.nextVolume[slot] = FIRST_VOLUME_STEP;
    this.emit('flow_open', this.view(slot, undefined), table.lastSeen[slot]!);
  }

  /** A packet of an encrypted flow whose handshake is over. */
  private count(slot: number, direction: number, size: number): void {
    const table = this.table;
    const client = (table.bits[slot]! & Bit.clientIsHigh) !== 0 ? 1 : 0;
    if (size > 0) {
      if (direction === client) {
        const burst = table.burst[slot]!;
        table.burst[slot] = burst + size;
        const conversation = this.conversations[slot]!;
        if (burst === 0 && conversation.firstBytesAt === 0) conversation.firstBytesAt = table.lastSeen[slot]!;
      } else if (table.burst[slot] !== 0 && size >= MIN_REPLY) {
        if (table.burst[slot]! >= MIN_BURST) this.conversations[slot]!.burst(table.burst[slot]!);
        table.burst[slot] = 0;
      }
    }
    const now = table.lastSeen[slot]!;
    if (table.bytes[slot * 2 + client]! >= table.nextVolume[slot]!) {
      while (table.nextVolume[slot]! <= table.bytes[slot * 2 + client]!) table.nextVolume[slot]! *= 4;
      table.recordedAt[slot] = now;
      this.emit('flow_update', this.view(slot, undefined), now);
    } else if (now - table.recordedAt[slot]! >= this.limits.updateSeconds * SECOND) {
      table.recordedAt[slot] = now;
      this.emit('flow_update', this.view(slot, undefined), now);
    }
  }

  /** True when one more handshake may be read; when the cap is reached the flow is only counted. */
  private admit(): boolean {
    if (this.openHandshakes >= this.limits.handshakes) {
      this.counters.evictedHandshakes++;
      return false;
    }
    this.openHandshakes++;
    return true;
  }

  private closeHandshake(slot: number): void {
    const handshake = this.handshakes[slot];
    if (!handshake) return;
    this.handshakes[slot] = undefined;
    this.openHandshakes--;
    if (handshake instanceof TcpHandshake && this.tcpPool.length < 256) {
      handshake.reset();
      this.tcpPool.push(handshake);
    }
  }

  private end(slot: number, reason: EndReason): void {
    const handshake = this.handshakes[slot];
    if (handshake) {
      handshake.finish();
      this.settle(slot, handshake.conversation, handshake.conversation.protocol === undefined ? 'plain' : 'done');
    }
    const conversation = this.conversations[slot];
    if (conversation) {
      const view = this.view(slot, reason);
      this.counters.missedBytes += view.missedBytes;
      if (this.table.burst[slot]! >= MIN_BURST) conversation.burst(this.table.burst[slot]!);
      this.emit('flow_end', view, Math.max(this.table.lastSeen[slot]!, this.table.recordedAt[slot]!));
      this.conversations[slot] = undefined;
    }
    this.table.remove(slot);
  }

  private view(slot: number, endReason: EndReason | undefined): FlowView {
    const table = this.table;
    const bits = table.bits[slot]!;
    const conversation = this.conversations[slot]!;
    const tails: [number, number] = [this.tail(slot, 0), this.tail(slot, 1)];
    const unseen = table.missing[slot * 2]! + table.missing[slot * 2 + 1]! + tails[0] + tails[1];
    const filtered = this.limits.filtered === true;
    const missed = filtered ? 0 : unseen;
    let anomalies = conversation.anomalies;
    if (filtered) anomalies &= ~FILTER_ARTEFACTS;
    if (missed > 0) anomalies |= anomalyBit('missed_bytes');
    if ((bits & Bit.duplicates) !== 0) anomalies |= anomalyBit('duplicate_packets');
    if (endReason !== undefined && (table.packets[slot * 2] === 0 || table.packets[slot * 2 + 1] === 0)) {
      anomalies |= anomalyBit('one_sided');
    }
    return {
      table,
      slot,
      client: (bits & Bit.clientIsHigh) !== 0 ? 1 : 0,
      conversation,
      endReason,
      missedBytes: missed,
      // What a filter left out of a UDP flow leaves no trace.
      exact: unseen === 0 && !(filtered && table.transport(slot) !== TCP),
      tailBytes: tails,
      anomalies,
    };
  }

  /** Payload of a direction that its peer acknowledged beyond the last byte captured. */
  private tail(slot: number, direction: number): number {
    const table = this.table;
    const peer = slot * 2 + (1 - direction);
    const bits = table.bits[slot]!;
    if (table.transport(slot) !== TCP || table.packets[peer] === 0 || (bits & (Bit.seen << direction)) === 0) return 0;
    const beyond = (table.ackEnd[peer]! - table.seqEnd[slot * 2 + direction]!) | 0;
    if (table.ackEnd[peer] === 0 || beyond <= 1) return 0;
    return (bits & (Bit.fin << direction)) !== 0 ? beyond - 1 : beyond;
  }

  /** The update of a flow that has gone quiet with bytes no record has told of. */
  private updateIfDue(slot: number): void {
    const table = this.table;
    const recordedAt = table.recordedAt[slot]!;
    if (table.lastSeen[slot]! <= recordedAt || this.now - recordedAt < this.limits.updateSeconds * SECOND) return;
    table.recordedAt[slot] = this.now;
    this.emit('flow_update', this.view(slot, undefined), this.now);
  }

  /** Looks over a part of the table proportional to the capture time that has passed. */
  private sweep(): void {
    const elapsed = this.now - this.sweptAt;
    this.sweptAt = this.now;
    const bound = this.table.bound;
    let count = elapsed >= SWEEP_PERIOD ? bound : Math.ceil((bound * elapsed) / SWEEP_PERIOD);
    const phase = this.table.phase;
    while (count-- > 0) {
      if (this.sweepHand >= bound) this.sweepHand = 0;
      const slot = this.sweepHand++;
      if (phase[slot] !== Phase.free) this.expire(slot);
    }
  }

  private expire(slot: number): void {
    const table = this.table;
    const idle = this.now - table.lastSeen[slot]!;
    const bits = table.bits[slot]!;
    if ((bits & Bit.closing) !== 0) {
      if (idle > LINGER) this.end(slot, (bits & Bit.reset) !== 0 ? 'reset' : 'fin');
      return;
    }
    const phase = table.phase[slot]!;
    if (phase === Phase.counting) {
      if (idle > this.limits.idleSeconds * SECOND) this.end(slot, 'idle');
      else this.updateIfDue(slot);
    } else if (phase === Phase.handshake) {
      if (idle > HANDSHAKE_IDLE && this.handshakes[slot]) {
        this.handshakes[slot]!.finish();
        this.settle(slot, this.conversations[slot]!, 'done');
      }
    } else if (idle > this.limits.probeIdleSeconds * SECOND) this.end(slot, 'idle');
  }
}

/** Identifies one packet among its neighbours: a span port may deliver it twice. Never 0. */
function mix(seq: number, ack: number, flags: number, size: number, ipId: number): number {
  let h = Math.imul(seq ^ 0x9e3779b1, 0x85ebca6b) ^ ack;
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35) ^ ((flags << 24) | (size & 0xffff)) ^ Math.imul(ipId + 1, 0x27d4eb2f);
  return h ^ (h >>> 13) || 1;
}
