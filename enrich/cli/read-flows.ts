import { readCapture } from '../../sensor/capture/open-capture.ts';
import { EvidenceKeeper } from '../../sensor/flow/evidence-keeper.ts';
import { buildPipeline } from '../../sensor/flow/pipeline.ts';
import { DEFAULT_LIMITS } from '../../sensor/flow/tracker.ts';
import type { EvidenceDirectory } from '../../sensor/publish/evidence-directory.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { PLAIN_BYTES } from '../../sensor/record/plain-bytes.ts';
import { FLOW_BATCH, FlowQueue } from './flow-queue.ts';

/**
 * Reads a capture through the sensor and hands on the last record of every flow, which says all. The reading waits while
 * too many of them wait for the store.
 * @param put stores a batch; called with one at a time, and what it rejects with ends the reading
 * @returns one line when the capture is damaged
 */
export async function readFlows(
  file: string,
  put: (records: readonly FlowRecord[]) => Promise<void>,
  evidence?: EvidenceDirectory,
): Promise<readonly string[]> {
  const queue = new FlowQueue(put);
  const pipeline = buildPipeline(
    (record) => {
      if (record.event.action === 'flow_end') queue.add(record);
    },
    { observer: 'replay', communityIdSeed: 0, verbose: false },
    { ...DEFAULT_LIMITS, plainBytes: PLAIN_BYTES },
    evidence && new EvidenceKeeper((id, pcap) => evidence.write(id, pcap), 0),
  );
  const summary = await readCapture(file, pipeline, { signal: queue.signal, room: () => queue.room() });
  while (!queue.signal.aborted && !pipeline.drain(FLOW_BATCH)) await queue.room();
  await queue.end();
  return summary.damaged === undefined ? [] : [`${file}: ${summary.damaged}`];
}
