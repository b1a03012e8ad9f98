/** What a live sensor tells Prometheus, and when it calls itself degraded. */
import { monotonicMillis } from '../base/clock.ts';
import type { MetricSpec } from '../base/metrics.ts';
import { interfaceCounts } from '../capture/live-interface.ts';
import type { RecordLines } from '../publish/record-lines.ts';
import { FILTERS_LATE, type LiveSensor } from './live-sensor.ts';

/** Share of packets or payload lost in the last minute beyond which the sensor is degraded. */
const DEGRADED_LOSS = 0.01;

const MINUTE_MILLIS = 60_000;

export function liveMetrics(sensor: LiveSensor, records: RecordLines, interfaceName: string): MetricSpec[] {
  const { capture } = sensor;
  const counter = (name: string, help: string, read: MetricSpec['read']): MetricSpec => ({
    name: `waybill_sensor_${name}_total`,
    type: 'counter',
    help,
    read,
  });
  const gauge = (name: string, help: string, read: MetricSpec['read']): MetricSpec => ({
    name: `waybill_sensor_${name}`,
    type: 'gauge',
    help,
    read,
  });
  const kernel = (n: number): number | undefined => (capture.kernel.known ? n : undefined);
  return [
    gauge('capture_up', 'Whether packets of the interface are being captured.', () => (capture.up ? 1 : 0)),
    counter('capture_restarts', 'Capture programs started after the first.', () => capture.restarts),
    counter('capture_gap_seconds', 'Time without capture since it first was up, the present gap included.', () =>
      seconds(capture.gapMillis + capture.openGapMillis),
    ),
    counter('packets', 'Packets captured and read.', () => capture.packets),
    counter('capture_bytes', 'Bytes of capture format read.', () => capture.bytes),
    counter('kernel_packets', 'Packets that passed the kernel filter, dropped ones included.', () =>
      kernel(capture.kernel.received),
    ),
    counter('kernel_dropped', 'Packets the kernel had no room for.', () => kernel(capture.kernel.dropped)),
    counter(
      'interface_frames',
      'Frames the interface received and sent, whatever the filter (from /sys/class/net).',
      () => interfaceCounts(interfaceName)?.frames,
    ),
    counter(
      'interface_dropped',
      'Frames the network card or its driver dropped (from /sys/class/net).',
      () => interfaceCounts(interfaceName)?.dropped,
    ),
    counter('frames_skipped', 'Frames without a TCP or UDP segment, by reason.', () => ({
      label: 'reason',
      values: sensor.skipped(),
    })),
    counter('segments', 'TCP segments and UDP datagrams read.', () => sensor.count('segments')),
    counter('duplicates', 'Segments captured more than once.', () => sensor.count('duplicates')),
    counter('payload_bytes', 'Payload bytes captured.', () => sensor.count('payloadBytes')),
    counter('missed_bytes', 'Payload bytes acknowledged but never captured, of flows that have ended.', () =>
      sensor.count('missedBytes'),
    ),
    gauge('loss_ratio', 'Share lost in the last minute: of packets by the kernel or of payload, the larger.', () =>
      round(sensor.loss.worst),
    ),
    gauge('flows', 'Conversations being followed.', () => sensor.flows),
    counter('flows', 'Conversations seen.', () => sensor.count('flows')),
    counter('encrypted_flows', 'Encrypted conversations seen.', () => sensor.count('encryptedFlows')),
    counter('plain_flows', 'Connections in plain text that were recorded for what they sent.', () =>
      sensor.count('plainFlows'),
    ),
    counter('evicted', 'Given up because a table was full or nothing more came in time, by table and reason.', () => ({
      label: 'reason',
      values: sensor.evictions(),
    })),
    counter('unreadable', 'Conversations of encrypted tunnels whose handshake tells nothing, by protocol.', () => ({
      label: 'protocol',
      values: sensor.unreadable(),
    })),
    counter('records', 'Flow records written.', () => records.written),
    counter('records_dropped', 'Flow records not written because their reader was too slow.', () => records.dropped),
    counter('clock_steps', 'Times the wall clock was set.', () => sensor.clockSteps),
    gauge('event_loop_delay_p99_seconds', 'Delay of the event loop, 99th percentile since the start.', () =>
      round(sensor.eventLoop.percentile(99) / 1e9),
    ),
    gauge('resident_memory_bytes', 'Resident memory of the parsing process.', () => process.memoryUsage.rss()),
  ];
}

/** Why a live sensor is degraded, one line each. */
export function liveComplaints(sensor: LiveSensor, records: RecordLines): string[] {
  const complaints: string[] = [];
  if (!sensor.capture.up) complaints.push(`capture is down: ${sensor.capture.why}`);
  if (sensor.capture.filtersLate) complaints.push(FILTERS_LATE);
  const { kernel, payload } = sensor.loss;
  if (kernel !== undefined && kernel > DEGRADED_LOSS) {
    complaints.push(`the kernel dropped ${percent(kernel)} of the packets of the last minute`);
  }
  if (payload !== undefined && payload > DEGRADED_LOSS) {
    complaints.push(
      `${percent(payload)} of the payload that ended in the last minute was acknowledged but not captured`,
    );
  }
  if (monotonicMillis() - records.droppedAt < MINUTE_MILLIS) {
    complaints.push('records were dropped in the last minute: whoever reads them is too slow');
  }
  return complaints;
}

export const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 2 : 1)} %`;

const seconds = (millis: number): number => Math.round(millis) / 1000;
const round = (n: number): number => Math.round(n * 1e6) / 1e6;
