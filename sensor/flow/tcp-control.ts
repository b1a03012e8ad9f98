import { isPrivate } from '../base/ip.ts';
import { ACK, FIN, RST, type Segment, SYN } from '../wire/segment.ts';
import type { ByteCounter } from './byte-counter.ts';
import { FlowBit, type FlowTable } from './flow-table.ts';

/** Ports that servers listen on (RFC 6335 §6), and the first that Linux gives to clients. */
const WELL_KNOWN_PORTS = 1_024;
const FIRST_CLIENT_PORT = 32_768;
/** A connection this quiet gives way to a SYN on its ports, microseconds. */
const REUSE_QUIET = 60_000_000;

/** SYN, FIN and RST: where connections begin and end, and whether to believe it. */
export class TcpControl {
  private readonly table: FlowTable;
  private readonly counter: ByteCounter;

  constructor(table: FlowTable, counter: ByteCounter) {
    this.table = table;
    this.counter = counter;
  }

  /** Takes note of the flags. True when the segment begins another connection on the same ports: the flow is over. */
  beginsAnother(s: Segment, slot: number, side: number): boolean {
    const { table } = this;
    if ((s.flags & SYN) !== 0) return this.synchronize(s, slot, side);
    // Whoever tears a connection down knows where it stands (RFC 5961 §3.2); who only guesses is ignored.
    if ((s.flags & FIN) !== 0 && this.counter.isNext(slot, side, (s.seq + s.payloadLength) | 0)) {
      table.bits[slot]! |= FlowBit.fin << side;
    }
    if ((s.flags & RST) !== 0 && this.counter.isNext(slot, side, s.seq | 0)) {
      table.bits[slot]! |= (FlowBit.reset << side) | FlowBit.closing;
    }
    if ((table.bits[slot]! & BOTH_FIN) === BOTH_FIN) table.bits[slot]! |= FlowBit.closing;
    return false;
  }

  /** New data came from the side that sent RST: the reset was forged, and the connection lives. */
  survive(slot: number, side: number): void {
    const { table } = this;
    table.bits[slot] = (table.bits[slot]! & ~(FlowBit.reset << side)) | FlowBit.survivedReset;
    const over = (table.bits[slot]! & BOTH_FIN) === BOTH_FIN || (table.bits[slot]! & EITHER_RESET) !== 0;
    if (!over) table.bits[slot]! &= ~FlowBit.closing;
  }

  setClient(slot: number, side: number): void {
    const bits = this.table.bits[slot]! & ~FlowBit.clientIsHigh;
    this.table.bits[slot] = bits | FlowBit.clientKnown | (side === 1 ? FlowBit.clientIsHigh : 0);
  }

  /** Side that is the client, or -1 while that is not known. */
  client(slot: number): -1 | 0 | 1 {
    const bits = this.table.bits[slot]!;
    if ((bits & FlowBit.clientKnown) === 0) return -1;
    return (bits & FlowBit.clientIsHigh) !== 0 ? 1 : 0;
  }

  /** Who is probably the client where no SYN and no hello tells: the side with a port as clients get them, or at home. */
  likelyClient(slot: number): 0 | 1 {
    const { table } = this;
    const [low, high] = [table.port(slot, 0), table.port(slot, 1)];
    if (low < WELL_KNOWN_PORTS !== high < WELL_KNOWN_PORTS) return low < WELL_KNOWN_PORTS ? 1 : 0;
    if (low < FIRST_CLIENT_PORT !== high < FIRST_CLIENT_PORT) return low < FIRST_CLIENT_PORT ? 1 : 0;
    const [lowAtHome, highAtHome] = [isPrivate(...table.address(slot, 0)), isPrivate(...table.address(slot, 1))];
    return highAtHome && !lowAtHome ? 1 : 0;
  }

  private synchronize(s: Segment, slot: number, side: number): boolean {
    const { table, counter } = this;
    const d = slot * 2 + side;
    const answers = (s.flags & ACK) !== 0;
    const first = (s.seq + 1) | 0;
    const began = (table.bits[slot]! & (FlowBit.syn << side)) !== 0;
    const closing = (table.bits[slot]! & FlowBit.closing) !== 0;
    const silent = table.bytes[slot * 2]! + table.bytes[slot * 2 + 1]! === 0 && !closing;
    if ((!began && table.bytes[d] === 0) || silent) {
      // Of two different first packets the one that the other side has acknowledged counts, else the later.
      if (!began || (table.bits[slot]! & (FlowBit.acked << side)) === 0) counter.startAt(slot, side, first);
      this.learnClient(slot, side, answers);
      if (answers) this.answered(slot, 1 - side, s.ack | 0);
      return false;
    }
    if (first === counter.startOf(slot, side)) {
      this.learnClient(slot, side, answers);
      return false;
    }
    return this.isOver(s, slot, side) || this.isAgreed(s, slot, side, first);
  }

  /** The first answer to a SYN names the number that its sender really began with. */
  private answered(slot: number, side: number, first: number): void {
    const { table } = this;
    if (table.bytes[slot * 2 + side] !== 0 || (table.bits[slot]! & (FlowBit.acked << side)) !== 0) return;
    this.counter.startAt(slot, side, first);
    table.bits[slot]! |= FlowBit.acked << side;
  }

  private learnClient(slot: number, side: number, answers: boolean): void {
    if (!answers) this.setClient(slot, side);
    else if (this.client(slot) < 0) this.setClient(slot, 1 - side);
  }

  /** The old connection has ended: both sides said so, or the only one that is captured did, or fell silent. */
  private isOver(s: Segment, slot: number, side: number): boolean {
    const { table } = this;
    const bits = table.bits[slot]!;
    if ((bits & BOTH_FIN) === BOTH_FIN) return true;
    if (table.packets[slot * 2 + 1 - side] !== 0) return false;
    return (bits & (FlowBit.closing | (FlowBit.fin << side))) !== 0 || s.tsMicros - table.lastSeen[slot]! > REUSE_QUIET;
  }

  /** Any other SYN may be forged; it is believed when the other side answers that very one. */
  private isAgreed(s: Segment, slot: number, side: number, first: number): boolean {
    if ((s.flags & ACK) !== 0) return this.counter.rivalOf(slot, 1 - side) === (s.ack | 0);
    this.counter.addRival(slot, side, first);
    return false;
  }
}

const BOTH_FIN = FlowBit.fin | (FlowBit.fin << 1);
const EITHER_RESET = FlowBit.reset | (FlowBit.reset << 1);
