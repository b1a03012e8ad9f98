import type { FlowTable } from './flow-table.ts';
import { TcpHandshake } from './tcp-handshake.ts';
import { UdpHandshake } from './udp-handshake.ts';

/** When all places are taken, the least recently heard of this many gives way (sampled LRU). */
const SAMPLE = 16;
/** Bytes that all TCP readers together may hold of segments that wait for their turn. */
const MAX_HELD_BYTES = 268_435_456;
/** TCP readers kept for the next connection. */
const POOL = 256;

export type Handshake = TcpHandshake | UdpHandshake;

/** The handshakes being read, by slot of their flow. At most `cap` at once. */
export class OpenHandshakes {
  readonly cap: number;
  count = 0;
  private readonly table: FlowTable;
  private readonly bySlot: (Handshake | undefined)[] = [];
  /** Slots of the `count` open ones, in no order; each handshake knows its place here. */
  private readonly slots: Int32Array;
  private readonly pool: TcpHandshake[] = [];
  private readonly memory = { held: 0, cap: MAX_HELD_BYTES };
  private readonly inFull: boolean;
  private hand = 0;

  /** @param inFull conversations keep what clients offer as it was sent */
  constructor(table: FlowTable, cap: number, inFull = false) {
    this.table = table;
    this.inFull = inFull;
    this.cap = Math.max(1, cap);
    this.slots = new Int32Array(this.cap);
  }

  of(slot: number): Handshake | undefined {
    return this.bySlot[slot];
  }

  /** Slot of the handshake that has to make room for another one; -1 while there is some. */
  victim(): number {
    if (this.count < this.cap && this.memory.held < this.memory.cap / 2) return -1;
    let best = this.slots[0]!;
    for (let i = 0; i < Math.min(SAMPLE, this.count); i++) {
      this.hand = this.hand + 1 < this.count ? this.hand + 1 : 0;
      const slot = this.slots[this.hand]!;
      if (this.table.lastSeen[slot]! < this.table.lastSeen[best]!) best = slot;
    }
    return best;
  }

  openTcp(slot: number): TcpHandshake {
    const handshake = this.pool.pop() ?? new TcpHandshake(this.memory, this.inFull);
    this.keep(slot, handshake);
    return handshake;
  }

  openUdp(slot: number): UdpHandshake {
    const handshake = new UdpHandshake(this.inFull);
    this.keep(slot, handshake);
    return handshake;
  }

  close(slot: number): void {
    const handshake = this.bySlot[slot];
    if (handshake === undefined) return;
    const last = this.slots[--this.count]!;
    this.slots[handshake.place] = last;
    this.bySlot[last]!.place = handshake.place;
    this.bySlot[slot] = undefined;
    if (handshake instanceof TcpHandshake && this.pool.length < POOL) {
      handshake.reset();
      this.pool.push(handshake);
    }
  }

  private keep(slot: number, handshake: Handshake): void {
    this.bySlot[slot] = handshake;
    handshake.place = this.count;
    this.slots[this.count++] = slot;
  }
}
