import type { PacketSink } from '../capture/packet.ts';
import { DnsWatcher, mayAnswer } from '../dns/dns-watcher.ts';
import type { FlowRecord } from '../record/flow-record.ts';
import { FrameDecoder } from '../wire/decode-frame.ts';
import { Segment } from '../wire/segment.ts';
import { VERDICT_NAMES, Verdict } from '../wire/verdict.ts';
import { addDnsContext } from './dns-context.ts';
import type { EvidenceKeeper } from './evidence-keeper.ts';
import { RecordPrinter } from './record-printer.ts';
import { type RecordOptions, toRecord } from './to-record.ts';
import { DEFAULT_LIMITS, type EmitFlow, FlowTracker, type TrackerCounters, type TrackerLimits } from './tracker.ts';

export interface Pipeline extends PacketSink {
  /** No packet came and the capture's clock shows `nowMicros`: ends quiet flows, writes the updates that are due. */
  tick(nowMicros: number): void;
  /** Flows being followed. */
  readonly flows: number;
  /** End of input: writes the last record of every flow. */
  drain(): void;
  readonly counters: TrackerCounters;
  /** Frames that carried no TCP or UDP, by reason. */
  skipped(): Map<string, number>;
}

/**
 * The sensor: frame → segment → flow → handshake → record, with what DNS answers before it said. The live sensor, `replay`
 * and the tests assemble this one.
 */
export function buildPipeline(
  emit: (record: FlowRecord) => void,
  options: RecordOptions,
  limits: TrackerLimits = DEFAULT_LIMITS,
  evidence?: EvidenceKeeper,
): Pipeline {
  return assemble(
    (action, view, now) => emit(toRecord(action, view, now, options)),
    { ...limits, inFull: options.verbose },
    evidence,
  );
}

/**
 * The same, with each record as a line of JSON that ends in a line feed: for whoever only passes records on. The bytes are
 * valid until `emit` returns.
 */
export function buildLinePipeline(
  emit: (line: Uint8Array) => void,
  options: RecordOptions,
  limits: TrackerLimits = DEFAULT_LIMITS,
  evidence?: EvidenceKeeper,
): Pipeline {
  const printer = new RecordPrinter(options);
  return assemble(
    (action, view, now) => emit(printer.print(action, view, now)),
    { ...limits, inFull: options.verbose },
    evidence,
  );
}

function assemble(emit: EmitFlow, limits: TrackerLimits, evidence: EvidenceKeeper | undefined): Pipeline {
  const segment = new Segment();
  const decoder = new FrameDecoder();
  const skips = new Float64Array(VERDICT_NAMES.length);
  const dns = new DnsWatcher();
  const tracker = new FlowTracker((action, view, now) => {
    if (action === 'flow_open') addDnsContext(view, dns.names);
    emit(action, view, now);
    evidence?.recorded(action, view);
  }, limits);
  return {
    packet(bytes, start, end, tsMicros, wireLength, linkType) {
      const verdict = decoder.decode(bytes, start, end, tsMicros, wireLength, linkType, segment);
      if (verdict === Verdict.segment) {
        if (mayAnswer(segment)) dns.segment(segment);
        const kept = evidence?.wants(tracker.table, segment);
        tracker.segment(segment);
        if (kept) evidence!.keep(tracker.table, segment, { bytes, start, end, tsMicros, wireLength, linkType });
      } else skips[verdict]!++;
    },
    tick: (nowMicros) => tracker.tick(nowMicros),
    get flows() {
      return tracker.flows;
    },
    drain: () => tracker.drain(),
    counters: tracker.counters,
    skipped: () => new Map([...skips].map((n, i): [string, number] => [VERDICT_NAMES[i]!, n]).filter(([, n]) => n > 0)),
  };
}
