import { type Anomaly, anomalyBit } from '../record/anomalies.ts';
import { TCP } from '../wire/segment.ts';
import type { Conversation } from './conversation.ts';
import { FlowBit, type FlowTable } from './flow-table.ts';
import type { OpenHandshakes } from './open-handshakes.ts';
import { SettledConversations } from './settled-conversations.ts';

/** First upstream volume at which an update is written at once; then at every twofold: 23 of them to a tebibyte. */
const FIRST_VOLUME_STEP = 262_144;
const STEP_FACTOR = 2;
/** An upstream burst below this is no upload chunk. */
const MIN_BURST = 65_536;

/** What a filtered capture looks like to the reassembly, and is no oddity of the conversation. */
const FILTER_ARTEFACTS = anomalyBit('gap') | anomalyBit('out_of_order');

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
  readonly anomalies: number;
}

export type EmitFlow = (action: 'flow_open' | 'flow_update' | 'flow_end', view: FlowView, nowMicros: number) => void;

export interface ReportOptions {
  /** The capture leaves out bulk payload on purpose. */
  readonly filtered: boolean;
  /** Microseconds between updates of a live flow. */
  readonly updateMicros: number;
}

/** Tells `emit` of encrypted flows: when they open, while they live by time and volume, and when they end. */
export class FlowReports {
  private readonly table: FlowTable;
  private readonly handshakes: OpenHandshakes;
  private readonly emit: EmitFlow;
  private readonly filtered: boolean;
  private readonly updateMicros: number;
  /** Of flows in `Phase.counting`. */
  private readonly settled: SettledConversations;

  constructor(table: FlowTable, handshakes: OpenHandshakes, emit: EmitFlow, options: ReportOptions) {
    this.table = table;
    this.handshakes = handshakes;
    this.emit = emit;
    this.filtered = options.filtered;
    this.updateMicros = options.updateMicros;
    this.settled = new SettledConversations(table.cap);
  }

  /** The first record of a flow; what is told of its conversation by whoever emits it stays with the conversation. */
  announce(slot: number, conversation = this.conversationOf(slot)): void {
    const table = this.table;
    table.bits[slot]! |= FlowBit.opened;
    table.nextVolume[slot] = FIRST_VOLUME_STEP;
    this.passVolumeSteps(slot, table.bytes[slot * 2 + Math.max(0, conversation.client)]!);
    this.record('flow_open', slot, table.lastSeen[slot]!, conversation);
  }

  /** The handshake is over: what it told is kept until the flow ends. */
  settle(slot: number, conversation: Conversation): void {
    this.table.burst[slot] = 0;
    this.settled.keep(slot, conversation);
  }

  /** A packet of an encrypted flow whose handshake is over; `fresh` of its payload bytes were not seen before. */
  count(slot: number, direction: number, fresh: number): void {
    const table = this.table;
    const client = (table.bits[slot]! & FlowBit.clientIsHigh) !== 0 ? 1 : 0;
    if (fresh > 0) {
      if (direction === client) {
        const burst = table.burst[slot]!;
        table.burst[slot] = burst + fresh;
        const { firstBytesAt } = this.settled;
        if (burst === 0 && firstBytesAt[slot] === 0) firstBytesAt[slot] = table.lastSeen[slot]!;
      } else if (table.burst[slot] !== 0) {
        if (table.burst[slot]! >= MIN_BURST) this.settled.burst(slot, table.burst[slot]!);
        table.burst[slot] = 0;
      }
    }
    const recordedAt = table.recordedAt[slot]!;
    const now = Math.max(table.lastSeen[slot]!, recordedAt);
    const sent = table.bytes[slot * 2 + client]!;
    if (sent >= table.nextVolume[slot]!) {
      this.passVolumeSteps(slot, sent);
      this.record('flow_update', slot, now);
    } else if (now - recordedAt >= this.updateMicros) this.record('flow_update', slot, now);
  }

  private passVolumeSteps(slot: number, sent: number): void {
    const { nextVolume } = this.table;
    while (nextVolume[slot]! <= sent) nextVolume[slot]! *= STEP_FACTOR;
  }

  /** The update of a flow that has gone quiet with bytes no record has told of. */
  updateIfDue(slot: number, now: number): void {
    const recordedAt = this.table.recordedAt[slot]!;
    if (this.table.lastSeen[slot]! <= recordedAt || now - recordedAt < this.updateMicros) return;
    this.record('flow_update', slot, now);
  }

  /** The last record of a flow whose handshake is over. Returns the payload bytes that were missed of it. */
  end(slot: number, reason: EndReason): number {
    const { table } = this;
    if (table.burst[slot]! >= MIN_BURST) this.settled.burst(slot, table.burst[slot]!);
    const view = this.view(slot, reason, this.conversationOf(slot));
    this.emit('flow_end', view, Math.max(table.lastSeen[slot]!, table.recordedAt[slot]!));
    this.settled.drop(slot);
    return view.missedBytes;
  }

  private record(action: 'flow_open' | 'flow_update', slot: number, now: number, of = this.conversationOf(slot)): void {
    this.table.recordedAt[slot] = now;
    this.emit(action, this.view(slot, undefined, of), now);
  }

  /** What is known of an encrypted flow, while its handshake is read or after it; valid until the next call. */
  private conversationOf(slot: number): Conversation {
    return this.handshakes.of(slot)?.conversation ?? this.settled.load(slot);
  }

  private view(slot: number, endReason: EndReason | undefined, conversation: Conversation): FlowView {
    const table = this.table;
    const bits = table.bits[slot]!;
    const unseen = table.missing[slot * 2]! + table.missing[slot * 2 + 1]!;
    const { filtered } = this;
    const missed = filtered ? 0 : unseen;
    let anomalies = conversation.anomalies;
    const mark = (name: Anomaly): void => {
      anomalies |= anomalyBit(name);
    };
    if (filtered) anomalies &= ~FILTER_ARTEFACTS;
    if (missed > 0) mark('missed_bytes');
    if ((bits & FlowBit.duplicates) !== 0) mark('duplicate_packets');
    if ((bits & FlowBit.survivedReset) !== 0) mark('data_after_reset');
    if (endReason !== undefined) {
      if (table.packets[slot * 2] === 0 || table.packets[slot * 2 + 1] === 0) mark('one_sided');
      if (!conversation.established) mark('not_established');
    }
    return {
      table,
      slot,
      client: (bits & FlowBit.clientIsHigh) !== 0 ? 1 : 0,
      conversation,
      endReason,
      missedBytes: missed,
      // What a filter left out of a UDP flow leaves no trace.
      exact: unseen === 0 && !(filtered && table.transport(slot) !== TCP),
      anomalies,
    };
  }
}
