/** One capture through the sensor, by whichever thread. */
import { readCapture } from '../capture/open-capture.ts';
import { EvidenceKeeper } from '../flow/evidence-keeper.ts';
import { buildLinePipeline, buildPipeline, type Pipeline } from '../flow/pipeline.ts';
import type { RecordOptions } from '../flow/to-record.ts';
import type { TrackerLimits } from '../flow/tracker.ts';
import type { EvidenceDirectory } from '../publish/evidence-directory.ts';
import type { LineWriter } from '../publish/line-writer.ts';
import { eveLines } from '../record/eve.ts';
import { zeekLines } from '../record/zeek.ts';

/** How captures are read; plain data, so that it reaches other threads. */
export interface CaptureReading {
  readonly format: 'ecs' | 'zeek' | 'eve';
  readonly record: RecordOptions;
  readonly limits: TrackerLimits;
}

export interface CaptureReport {
  /** What is wrong with the capture; what came before that was read. */
  readonly damaged?: string;
  /** What was found, in one line. */
  readonly summary: string;
}

/** Writes the records of a capture; resolves when the stream has taken them. */
export async function readOneCapture(
  file: string,
  reading: CaptureReading,
  out: LineWriter,
  directory?: EvidenceDirectory,
): Promise<CaptureReport> {
  const started = performance.now();
  const pipeline = pipelineFor(reading, out, directory);
  const { packets, damaged } = await readCapture(file, pipeline, {
    room: async () => {
      if (out.behind) await out.flush();
    },
  });
  pipeline.drain();
  await out.flush();
  const summary = summaryOf(pipeline, packets, (performance.now() - started) / 1000);
  return { ...(damaged === undefined ? {} : { damaged }), summary };
}

function pipelineFor(
  { format, record, limits }: CaptureReading,
  out: LineWriter,
  directory: EvidenceDirectory | undefined,
): Pipeline {
  const evidence = directory && new EvidenceKeeper((id, pcap) => directory.write(id, pcap), record.communityIdSeed);
  if (format === 'ecs') return buildLinePipeline((line) => out.writeLine(line), record, limits, evidence);
  const linesOf = format === 'zeek' ? zeekLines : eveLines;
  return buildPipeline(
    (flow) => {
      for (const line of linesOf(flow)) out.write(line);
    },
    record,
    limits,
    evidence,
  );
}

function summaryOf(pipeline: Pipeline, packets: number, seconds: number): string {
  const { flows, encryptedFlows, plainFlows, missedBytes } = pipeline.counters;
  const parts = [
    `${packets} packets, ${flows} flows, ${encryptedFlows} encrypted`,
    plainFlows > 0 ? `, ${plainFlows} in plain text recorded` : '',
    missedBytes > 0 ? `, ${missedBytes} payload bytes missed` : '',
    listed('; not readable: ', pipeline.unreadable()),
    listed('; given up: ', pipeline.evictions()),
    listed('; no segment: ', pipeline.skipped()),
    ` (${seconds.toFixed(2)} s)`,
  ];
  return parts.join('');
}

const listed = (before: string, counts: ReadonlyMap<string, number>): string =>
  counts.size === 0 ? '' : before + [...counts].map(([name, n]) => `${name} ${n}`).join(', ');
