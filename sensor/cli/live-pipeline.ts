import type { PacketSink } from '../capture/packet.ts';
import type { Pipeline } from '../flow/pipeline.ts';
import type { TrackerCounters } from '../flow/tracker.ts';

/** A pipeline that can be begun anew, with counters that go on. */
export class LivePipeline implements PacketSink {
  private readonly build: () => Pipeline;
  private pipeline: Pipeline;
  private readonly counts = new Map<keyof TrackerCounters, number>();
  private readonly skips = new Map<string, number>();

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
    for (const [why, n] of this.pipeline.skipped()) this.skips.set(why, (this.skips.get(why) ?? 0) + n);
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
    const all = new Map(this.skips);
    for (const [why, n] of this.pipeline.skipped()) all.set(why, (all.get(why) ?? 0) + n);
    return all;
  }
}
