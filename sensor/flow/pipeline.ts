import type { PacketSink } from '../capture/packet.ts';
import { DnsWatcher, mayAnswer } from '../dns/dns-watcher.ts';
import type { FlowRecord } from '../record/flow-record.ts';
import { FrameDecoder } from '../wire/decode-frame.ts';
import { linkTypeName } from '../wire/link-types.ts';
import { Segment } from '../wire/segment.ts';
import { VERDICT_NAMES, Verdict } from '../wire/verdict.ts';
import { addDnsContext } from './dns-context.ts';
import { evictions } from './evictions.ts';
import type { EvidenceKeeper } from './evidence-keeper.ts';
import type { EmitFlow } from './flow-reports.ts';
import { RecordPrinter } from './record-printer.ts';
import { type RecordOptions, toRecord } from './to-record.ts';
import { DEFAULT_LIMITS, FlowTracker, type TrackerCounters, type TrackerLimits } from './tracker.ts';

export interface Pipeline extends PacketSink {
  /** No packet came and the capture's clock shows `nowMicros`: ends quiet flows, writes the updates that are due. */
  tick(nowMicros: number): void;
  /** Flows being followed. */
  readonly flows: number;
  /** End of input: writes the last record of every flow, of at most `most` in this call. True when none is left. */
  drain(most?: number): boolean;
  readonly counters: TrackerCounters;
  /** Frames that carried no TCP or UDP, by reason; of link types that are not decoded the name is part of it. */
  skipped(): Map<string, number>;
  /** What was given up because a table was full, or nothing more came in time; by table and reason. */
  evictions(): Map<string, number>;
  /** Conversations of tunnels whose handshake tells nothing, by what they are. */
  unreadable(): Map<string, number>;
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

/** Link types counted by name; a capture of more is no capture of a network. */
const MAX_LINK_TYPES = 16;

function assemble(emit: EmitFlow, limits: TrackerLimits, evidence: EvidenceKeeper | undefined): Pipeline {
  const segment = new Segment();
  const decoder = new FrameDecoder();
  const skips = new Float64Array(VERDICT_NAMES.length);
  /** Frames by link type that is not decoded, for the first such types. */
  const refused = new Map<number, number>();
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
      } else if (verdict === Verdict.unsupportedLink && (refused.has(linkType) || refused.size < MAX_LINK_TYPES)) {
        refused.set(linkType, (refused.get(linkType) ?? 0) + 1);
      } else skips[verdict]!++;
    },
    tick: (nowMicros) => tracker.tick(nowMicros),
    get flows() {
      return tracker.flows;
    },
    drain: (most) => tracker.drain(most),
    counters: tracker.counters,
    evictions: () => evictions({ tracker: tracker.counters, fragments: decoder.fragments, dns, evidence }),
    unreadable: () => new Map(tracker.unreadable),
    skipped: () => {
      const named = [...skips].map((n, i): [string, number] => [VERDICT_NAMES[i]!, n]);
      const links = [...refused].map(([type, n]): [string, number] => [`unsupported-link (${linkTypeName(type)})`, n]);
      return new Map([...named, ...links].filter(([, n]) => n > 0));
    },
  };
}
