import { type FlowTable, Phase } from './flow-table.ts';

const SECOND = 1_000_000;
/** The whole table is looked over once in this much capture time. */
const SWEEP_PERIOD = 5 * SECOND;
/** Slots that one packet may cause to be looked over, however far its time has jumped. */
const SWEEP_PER_PACKET = 1_024;
/** A packet this much older than the latest means that the clock was set back, or that another capture begins. */
const CLOCK_STEP = 10 * SECOND;
/**
 * The packets' clock, and the walk over the flow table that follows it: every slot is looked at once in SWEEP_PERIOD, a few
 * with each packet.
 */
export class TableSweep {
  /** Capture time, microseconds. */
  now = 0;
  private readonly table: FlowTable;
  private readonly expire: (slot: number) => void;
  private sweptAt = 0;
  private hand = 0;

  /** @param expire looks at a slot that is in use */
  constructor(table: FlowTable, expire: (slot: number) => void) {
    this.table = table;
    this.expire = expire;
  }

  /** A packet of this time. */
  follow(tsMicros: number): void {
    if (tsMicros > this.now) {
      this.now = tsMicros;
      if (this.now - this.sweptAt > SWEEP_PERIOD / 64) this.sweep(SWEEP_PER_PACKET);
    } else if (tsMicros < this.now - CLOCK_STEP) {
      this.now = tsMicros;
      this.sweptAt = tsMicros;
    }
  }

  /** The time is `nowMicros` though no packet came. */
  tick(nowMicros: number): void {
    if (nowMicros <= this.now) return;
    this.now = nowMicros;
    this.sweep(this.table.bound);
  }

  /** Looks over a part of the table proportional to the capture time that has passed, at most `cap` slots. */
  private sweep(cap: number): void {
    const elapsed = this.now - this.sweptAt;
    this.sweptAt = this.now;
    const { bound, phase } = this.table;
    let count = Math.min(cap, elapsed >= SWEEP_PERIOD ? bound : Math.ceil((bound * elapsed) / SWEEP_PERIOD));
    while (count-- > 0) {
      if (this.hand >= bound) this.hand = 0;
      const slot = this.hand++;
      if (phase[slot] !== Phase.free) this.expire(slot);
    }
  }
}
