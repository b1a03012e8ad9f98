import { anomalyBit } from '../record/anomalies.ts';
import { verifyChecksum } from '../wire/checksum.ts';
import { ACK, FIN, RST, type Segment, SYN, TCP } from '../wire/segment.ts';
import { ByteCounter } from './byte-counter.ts';
import type { Conversation } from './conversation.ts';
import { type EmitFlow, type EndReason, FlowReports } from './flow-reports.ts';
import { FlowBit, FlowTable, Phase } from './flow-table.ts';
import { OpenHandshakes } from './open-handshakes.ts';
import { isCopy } from './packet-copies.ts';
import { type PathOfPackets, plainConversation } from './plain-conversation.ts';
import { isDtlsClientHello, MAX_UNRECOGNISED } from './recognise-datagram.ts';
import { TableSweep } from './table-sweep.ts';
import { TcpControl } from './tcp-control.ts';
import type { TcpHandshake } from './tcp-handshake.ts';
import { mayBeginHandshake, type UdpHandshake } from './udp-handshake.ts';
import { type Unreadable, unreadableTunnel } from './unreadable.ts';

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
  /** Records tell what clients offer as it was sent: it is kept as long as the flow. */
  readonly inFull?: boolean;
  /**
   * Payload bytes after which an unencrypted TCP connection is recorded from then on, when the client sent them; 0 or absent:
   * never. A tool may send what was packed beside its encrypted connection in plain text.
   */
  readonly plainBytes?: number;
}

/**
 * As many flows as 300 MB hold when all are encrypted and open at once: about 270 bytes of columns each. A handshake that
 * is being read takes 8 KiB.
 */
export const DEFAULT_LIMITS: TrackerLimits = {
  flows: 393_216,
  handshakes: 4_096,
  idleSeconds: 300,
  probeIdleSeconds: 60,
  updateSeconds: 60,
};

/** A closed connection is kept this long for late segments, so that they open no new flow. */
const LINGER = 2 * SECOND;
/** Times `plainBytes` that a client may send while we still look for a handshake, as after a long talk with a proxy. */
const PATIENCE = 4;
/** A handshake that has not moved for this long is given up. */
const HANDSHAKE_IDLE = 30 * SECOND;
export interface TrackerCounters {
  segments: number;
  duplicates: number;
  flows: number;
  encryptedFlows: number;
  /** Unencrypted connections that were recorded for what they sent. */
  plainFlows: number;
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
    plainFlows: 0,
    evictedOverFlows: 0,
    evictedHandshakes: 0,
    missedBytes: 0,
    payloadBytes: 0,
  };
  /** Conversations that make no record because their handshake tells nothing, by what they are. */
  readonly unreadable = new Map<Unreadable, number>();
  readonly table: FlowTable;
  private readonly counter: ByteCounter;
  private readonly control: TcpControl;
  private readonly limits: TrackerLimits;
  private readonly plainBytes: number;
  private readonly handshakes: OpenHandshakes;
  private readonly reports: FlowReports;
  private readonly sweep: TableSweep;
  /** Slots below have been drained. */
  private drained = 0;

  constructor(emit: EmitFlow, limits: TrackerLimits = DEFAULT_LIMITS) {
    const filtered = limits.filtered === true;
    this.limits = limits;
    this.plainBytes = limits.plainBytes || Number.POSITIVE_INFINITY;
    this.table = new FlowTable(limits.flows);
    this.counter = new ByteCounter(this.table, filtered);
    this.control = new TcpControl(this.table, this.counter);
    this.handshakes = new OpenHandshakes(this.table, limits.handshakes, limits.inFull);
    const updateMicros = limits.updateSeconds * SECOND;
    this.reports = new FlowReports(this.table, this.handshakes, emit, { filtered, updateMicros });
    this.sweep = new TableSweep(this.table, (slot) => this.expire(slot));
  }

  get flows(): number {
    return this.table.used;
  }

  segment(s: Segment): void {
    const table = this.table;
    this.counters.segments++;
    this.sweep.follow(s.tsMicros);
    let slot = table.find(s);
    if (slot < 0) {
      slot = this.open(s);
      if (slot < 0) return;
    }
    const direction = table.direction;
    const d = slot * 2 + direction;
    if (isCopy(table, s, slot, d)) {
      this.counters.duplicates++;
      table.bits[slot]! |= FlowBit.duplicates;
      return;
    }
    if (s.transport === TCP) this.tcp(s, slot, direction);
    else this.udp(s, slot, direction);
  }

  /** Capture time has reached `nowMicros` though no packet came: quiet flows end, updates that are due are written. */
  tick(nowMicros: number): void {
    this.sweep.tick(nowMicros);
  }

  /**
   * End of input: every encrypted flow gets its last record.
   * @param most flows looked at by this call; the next goes on where it stopped
   * @returns whether all have ended
   */
  drain(most = Number.POSITIVE_INFINITY): boolean {
    const { bound, phase } = this.table;
    const stop = Math.min(bound, this.drained + most);
    for (; this.drained < stop; this.drained++) {
      const slot = this.drained;
      if (phase[slot] !== Phase.free) this.end(slot, this.closedBy(slot) ?? 'capture-end');
    }
    if (this.drained < bound) return false;
    this.drained = 0;
    return true;
  }

  private tcp(s: Segment, slot: number, direction: 0 | 1): void {
    const table = this.table;
    const { flags } = s;
    if ((flags & (SYN | FIN | RST)) !== 0 && this.control.beginsAnother(s, slot, direction)) {
      this.end(slot, 'reused');
      table.find(s); // sets the direction again
      const next = this.open(s);
      if (next >= 0) this.tcp(s, next, table.direction);
      return;
    }
    this.seen(s, slot, direction);
    let fresh = 0;
    if (s.payloadLength > 0 || (flags & FIN) !== 0) {
      // A SYN takes one number, so data on it (TCP Fast Open) begins one later.
      const seq = ((flags & SYN) !== 0 ? s.seq + 1 : s.seq) | 0;
      fresh = this.counter.payload(slot, direction, seq, s.payloadLength);
      this.counters.payloadBytes += fresh;
      if (fresh > 0 && (table.bits[slot]! & (FlowBit.reset << direction)) !== 0) this.control.survive(slot, direction);
    }
    if ((flags & (ACK | RST | SYN)) === ACK) this.counter.acknowledged(slot, 1 - direction, s.ack | 0);
    const phase = table.phase[slot]!;
    if (phase === Phase.probing || phase === Phase.handshake) {
      this.read(s, slot, direction);
      if (table.bytes[slot * 2 + direction]! >= PATIENCE * this.plainBytes) this.stopProbing(slot, direction);
    } else if (phase === Phase.counting) this.reports.count(slot, direction, fresh);
    else if (fresh > 0 && table.bytes[slot * 2 + direction]! >= this.plainBytes) this.recordPlain(slot, s);
  }

  /** A client that has sent so much and nothing of a handshake will not begin one: it may be recorded as what it is. */
  private stopProbing(slot: number, direction: 0 | 1): void {
    if (this.table.phase[slot] === Phase.probing && this.clientOf(slot) === direction) this.giveUp(slot);
  }

  private clientOf(slot: number): 0 | 1 {
    const known = this.control.client(slot);
    return known === -1 ? this.control.likelyClient(slot) : known;
  }

  /** Records an unencrypted connection from now on if its client has sent enough; what its server sent is a download. */
  private recordPlain(slot: number, path: PathOfPackets): void {
    const client = this.clientOf(slot);
    if (this.table.bytes[slot * 2 + client]! < this.plainBytes) return;
    this.control.setClient(slot, client);
    this.table.phase[slot] = Phase.counting;
    this.counters.plainFlows++;
    const conversation = plainConversation(client, path);
    this.reports.announce(slot, conversation);
    this.reports.settle(slot, conversation);
  }

  private udp(s: Segment, slot: number, direction: 0 | 1): void {
    const table = this.table;
    const size = s.payloadLength;
    const phase = table.phase[slot]!;
    if (phase !== Phase.plain && this.isHelloOfServer(s, slot, direction)) {
      this.end(slot, 'reused');
      table.find(s); // sets the direction again
      const next = this.open(s);
      if (next >= 0) this.udp(s, next, table.direction);
      return;
    }
    this.seen(s, slot, direction);
    table.bytes[slot * 2 + direction]! += size;
    this.counters.payloadBytes += size;
    if (phase === Phase.probing || phase === Phase.handshake) {
      const handshake = (this.handshakes.of(slot) as UdpHandshake | undefined) ?? this.beginUdp(s, slot);
      if (!handshake) return;
      handshake.datagram(direction, s);
      this.settle(slot, handshake.conversation, handshake.status);
    } else if (phase === Phase.counting) this.reports.count(slot, direction, size);
  }

  /** A DTLS hello of the side that answered one so far: both ends of a call may be clients, one after the other. */
  private isHelloOfServer(s: Segment, slot: number, direction: number): boolean {
    // The first byte tells for nearly all.
    if (!isDtlsClientHello(s.bytes, s.payloadStart, s.payloadEnd)) return false;
    const client = this.handshakes.of(slot)?.conversation.client ?? this.control.client(slot);
    return client >= 0 && client !== direction;
  }

  /** A reader for a conversation whose datagram may begin a handshake. */
  private beginUdp(s: Segment, slot: number): UdpHandshake | undefined {
    const { table } = this;
    if (mayBeginHandshake(s)) {
      this.makeRoom();
      return this.handshakes.openUdp(slot);
    }
    const seen = table.packets[slot * 2]! + table.packets[slot * 2 + 1]!;
    const tunnel = seen === 1 ? unreadableTunnel(s.bytes, s.payloadStart, s.payloadEnd, s.dstPort) : undefined;
    if (tunnel !== undefined) this.unreadable.set(tunnel, (this.unreadable.get(tunnel) ?? 0) + 1);
    if (tunnel !== undefined || seen >= MAX_UNRECOGNISED) table.phase[slot] = Phase.plain;
    return undefined;
  }

  /** A packet that counts. */
  private seen(s: Segment, slot: number, direction: 0 | 1): void {
    const table = this.table;
    const d = slot * 2 + direction;
    if (table.packets[d]!++ === 0) table.ttl[d] = s.ttl;
    if (s.tsMicros > table.lastSeen[slot]!) table.lastSeen[slot] = s.tsMicros;
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
  private read(s: Segment, slot: number, direction: 0 | 1): void {
    let handshake = this.handshakes.of(slot) as TcpHandshake | undefined;
    if (!handshake) {
      if (s.payloadLength === 0) return;
      handshake = this.beginTcp(slot);
    }
    if (s.payloadLength > 0) {
      const captured = s.payloadEnd - s.payloadStart;
      if (captured < s.payloadLength) handshake.note(anomalyBit('truncated'));
      handshake.payload(direction, s, captured > 0 && !verifyChecksum(s));
    }
    if ((s.flags & (ACK | RST)) === ACK) handshake.acknowledged(direction === 0 ? 1 : 0, s.ack);
    // Handshake bytes that the kernel filter left out never come: application data shows that the handshake is over.
    const c = handshake.conversation;
    const over = this.limits.filtered === true && c.established && c.readyToOpen;
    this.settle(slot, c, over ? 'done' : handshake.status);
  }

  private beginTcp(slot: number): TcpHandshake {
    const { table } = this;
    this.makeRoom();
    const handshake = this.handshakes.openTcp(slot);
    const client = this.control.client(slot);
    handshake.initiator = client < 0 ? this.control.likelyClient(slot) : client;
    for (const side of [0, 1] as const) {
      handshake.expectTtl(side, table.ttl[slot * 2 + side]!);
      if ((table.bits[slot]! & (FlowBit.syn << side)) !== 0) {
        handshake.startAt(side, this.counter.startOf(slot, side));
      }
    }
    return handshake;
  }

  /** Acts on what a handshake reader now says. */
  private settle(slot: number, conversation: Conversation, status: 'reading' | 'done' | 'plain'): void {
    const table = this.table;
    if (status === 'plain') {
      const { vlan, tunnels } = conversation; // of others, once the reader is closed
      this.handshakes.close(slot);
      table.phase[slot] = Phase.plain;
      if (table.transport(slot) === TCP) this.recordPlain(slot, { vlan, tunnels });
      return;
    }
    if (conversation.protocol !== undefined && table.phase[slot] === Phase.probing) {
      table.phase[slot] = Phase.handshake;
      this.counters.encryptedFlows++;
    }
    if (conversation.client >= 0) {
      const initiator = this.control.client(slot);
      if (initiator !== conversation.client) {
        if (initiator >= 0) conversation.note(anomalyBit('server_is_initiator'));
        this.control.setClient(slot, conversation.client);
      }
    }
    const isDone = status === 'done';
    if ((conversation.readyToOpen || isDone) && (table.bits[slot]! & FlowBit.opened) === 0) this.reports.announce(slot);
    if (isDone) {
      table.phase[slot] = Phase.counting;
      this.reports.settle(slot, conversation);
      this.handshakes.close(slot);
    }
  }

  /** When as many handshakes are read as may be, the one heard of least recently is given up: its flow is only counted. */
  private makeRoom(): void {
    const victim = this.handshakes.victim();
    if (victim < 0) return;
    this.counters.evictedHandshakes++;
    this.giveUp(victim);
  }

  private giveUp(slot: number): void {
    const handshake = this.handshakes.of(slot);
    if (!handshake) return;
    handshake.finish();
    this.settle(slot, handshake.conversation, handshake.conversation.protocol === undefined ? 'plain' : 'done');
  }

  private end(slot: number, reason: EndReason): void {
    this.giveUp(slot);
    const { table } = this;
    if (table.phase[slot] === Phase.counting) this.counters.missedBytes += this.reports.end(slot, reason);
    this.counter.forget(slot);
    table.remove(slot);
  }

  /** How the connection was closed, as far as it was. */
  private closedBy(slot: number): 'fin' | 'reset' | undefined {
    const bits = this.table.bits[slot]!;
    if ((bits & FlowBit.closing) === 0) return undefined;
    return (bits & (FlowBit.reset | (FlowBit.reset << 1))) !== 0 ? 'reset' : 'fin';
  }

  private expire(slot: number): void {
    const table = this.table;
    const idle = this.sweep.now - table.lastSeen[slot]!;
    const closed = this.closedBy(slot);
    if (closed !== undefined) {
      if (idle > LINGER) this.end(slot, closed);
      return;
    }
    const phase = table.phase[slot]!;
    if (phase === Phase.counting) {
      if (idle > this.limits.idleSeconds * SECOND) this.end(slot, 'idle');
      else this.reports.updateIfDue(slot, this.sweep.now);
    } else if (phase === Phase.handshake) {
      if (idle > HANDSHAKE_IDLE) this.giveUp(slot);
    } else if (idle > this.limits.probeIdleSeconds * SECOND) this.end(slot, 'idle');
  }
}
