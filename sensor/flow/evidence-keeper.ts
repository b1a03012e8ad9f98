import { PcapBuffer } from '../capture/pcap-buffer.ts';
import { communityId } from '../record/community-id.ts';
import { type Segment, SYN } from '../wire/segment.ts';
import type { FlowView } from './flow-reports.ts';
import { type FlowTable, Phase } from './flow-table.ts';
import { flowId, words } from './to-record.ts';

export interface EvidenceLimits {
  /** Bytes of pcap kept of one flow. */
  readonly flowBytes: number;
  /** Bytes kept of all flows at once. */
  readonly totalBytes: number;
}

export const EVIDENCE_LIMITS: EvidenceLimits = { flowBytes: 16_384, totalBytes: 64 << 20 };

export interface EvidenceCounters {
  /** Flows handed over to be written. */
  flows: number;
  /** Handshake packets left out because their flow had reached its cap. */
  packetsOverFlow: number;
  /** Flows handed over before their end, or given up undecided, because all had reached theirs. */
  flowsOverTotal: number;
}

/** A frame as the capture delivers it; the same as `PacketSink.packet`. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly tsMicros: number;
  readonly wireLength: number;
  readonly linkType: number;
}

interface Kept {
  readonly firstSeen: number;
  readonly pcap: PcapBuffer;
  /** Known once the flow has been announced as an encrypted one. */
  id: string | undefined;
}

/**
 * Keeps the packets of handshakes (SYNs, hellos, certificates and whatever payload comes before application data) until
 * their flow ends, and then hands them over as one pcap file a flow. Of datagrams in IP fragments the last fragment is
 * kept. Plain flows leave nothing.
 */
export class EvidenceKeeper {
  readonly counters: EvidenceCounters = { flows: 0, packetsOverFlow: 0, flowsOverTotal: 0 };
  private readonly write: (flowId: string, pcap: Uint8Array) => void;
  private readonly seed: number;
  private readonly limits: EvidenceLimits;
  /** By slot of the flow table, oldest first. */
  private readonly kept = new Map<number, Kept>();
  private total = 0;

  /**
   * @param write is given each file once, its bytes valid during the call
   * @param seed of the Community ID that flow ids are made from
   */
  constructor(
    write: (flowId: string, pcap: Uint8Array) => void,
    seed: number,
    limits: EvidenceLimits = EVIDENCE_LIMITS,
  ) {
    this.write = write;
    this.seed = seed;
    this.limits = limits;
  }

  /** Bytes of memory held. */
  get bytes(): number {
    return this.total;
  }

  /** Whether a segment may belong to a handshake. To be asked before the tracker sees it, since that may end the handshake. */
  wants(table: FlowTable, s: Segment): boolean {
    if ((s.flags & SYN) !== 0) return true; // on ports in use it may open another flow
    if (s.payloadLength === 0) return false;
    const slot = table.find(s);
    return slot < 0 || isReading(table.phase[slot]!);
  }

  /** Keeps the frame of a segment that was wanted, once the tracker has seen it. */
  keep(table: FlowTable, s: Segment, frame: Frame): void {
    const slot = table.find(s);
    if (slot < 0) return;
    if (table.phase[slot] === Phase.plain) {
      this.drop(slot);
      return;
    }
    if ((s.flags & SYN) !== 0 && !isReading(table.phase[slot]!)) return;
    const { pcap } = this.entry(slot, table.firstSeen[slot]!, frame.linkType);
    const before = pcap.allocated;
    if (pcap.linkType !== frame.linkType) return;
    if (!pcap.packet(frame.bytes, frame.start, frame.end, frame.tsMicros, frame.wireLength)) {
      this.counters.packetsOverFlow++;
    }
    this.total += pcap.allocated - before;
    while (this.total > this.limits.totalBytes && this.kept.size > 1) this.handOverOldest();
  }

  /** A record is written of the flow. */
  recorded(action: 'flow_open' | 'flow_update' | 'flow_end', view: FlowView): void {
    const kept = this.kept.get(view.slot);
    if (!kept || kept.firstSeen !== view.table.firstSeen[view.slot]) return;
    kept.id ??= idOf(view, this.seed);
    if (action === 'flow_end') this.handOver(view.slot, kept);
  }

  private entry(slot: number, firstSeen: number, linkType: number): Kept {
    const known = this.kept.get(slot);
    if (known?.firstSeen === firstSeen) return known;
    this.drop(slot); // of a flow that ended without ever being encrypted
    const kept: Kept = { firstSeen, pcap: new PcapBuffer(linkType, this.limits.flowBytes), id: undefined };
    this.kept.set(slot, kept);
    this.total += kept.pcap.allocated;
    return kept;
  }

  private handOverOldest(): void {
    const [slot, kept] = this.kept.entries().next().value!;
    this.counters.flowsOverTotal++;
    this.handOver(slot, kept);
  }

  private handOver(slot: number, kept: Kept): void {
    if (kept.id !== undefined && !kept.pcap.empty) {
      this.counters.flows++;
      this.write(kept.id, kept.pcap.bytes);
    }
    this.drop(slot);
  }

  private drop(slot: number): void {
    const kept = this.kept.get(slot);
    if (!kept) return;
    this.kept.delete(slot);
    this.total -= kept.pcap.allocated;
  }
}

const isReading = (phase: number): boolean =>
  phase === Phase.free || phase === Phase.probing || phase === Phase.handshake;

function idOf({ table, slot, client }: FlowView, seed: number): string {
  const tuple = {
    protocol: table.transport(slot),
    src: words(table, slot, client),
    dst: words(table, slot, 1 - client),
    srcPort: table.port(slot, client),
    dstPort: table.port(slot, 1 - client),
  };
  return flowId(communityId(tuple, seed), table.firstSeen[slot]!);
}
