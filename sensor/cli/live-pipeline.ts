import type { PacketSink } from '../capture/packet.ts';
import type { Pipeline } from '../flow/pipeline.ts';
import type { TrackerCounters } from '../flow/tracker.ts';

/** A pipeline that can be begun anew, with counters that go on. */
export class LivePipeline implements PacketSink {
  private readonly build: () => Pipeline;
  private pipeline: Pipeline;
  private readonly counts = new Map<keyof TrackerCounters, number>();
  private readonly skips = new Map<string, number>();
  private readonly evicted = new Map<string, number>();
  private readonly unread = new Map<string, number>();

  constructor(build: () => Pipeline) {
    this.build = build;
    this.pipeline = build();
  }

  packet(bytes: Uint8Array, start: number, end: number, tsMicros: number, wireLength: number, linkType: number): void {
    this.pipeline.packet(bytes, start, end, tsMicros, wireLength, linkType);
  }

  tick(nowMicros: number): void {
    this.pipeline.tick(nowMicros);
  }

  drain(): void {
    this.pipeline.drain();
  }

  /** Ends every flow; what comes next belongs to new ones, whatever its time. */
  restart(): void {
    this.pipeline.drain();
    for (const name of Object.keys(this.pipeline.counters) as (keyof TrackerCounters)[]) {
      this.counts.set(name, this.count(name));
    }
    addTo(this.skips, this.pipeline.skipped());
    addTo(this.evicted, this.pipeline.evictions());
    addTo(this.unread, this.pipeline.unreadable());
    this.pipeline = this.build();
  }

  get flows(): number {
    return this.pipeline.flows;
  }

  /** A counter of the flow tracker since the start. */
  count(name: keyof TrackerCounters): number {
    return (this.counts.get(name) ?? 0) + this.pipeline.counters[name];
  }

  /** Frames without a TCP or UDP segment since the start, by reason. */
  skipped(): Map<string, number> {
    return addTo(new Map(this.skips), this.pipeline.skipped());
  }

  /** What was given up since the start, by table and reason. */
  evictions(): Map<string, number> {
    return addTo(new Map(this.evicted), this.pipeline.evictions());
  }

  /** Conversations of tunnels that cannot be read since the start, by what they are. */
  unreadable(): Map<string, number> {
    return addTo(new Map(this.unread), this.pipeline.unreadable());
  }
}

function addTo(sums: Map<string, number>, counts: ReadonlyMap<string, number>): Map<string, number> {
  for (const [name, n] of counts) sums.set(name, (sums.get(name) ?? 0) + n);
  return sums;
}
