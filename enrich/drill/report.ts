import { z } from 'zod';
import { inspectText } from '../alert/terminal-text.ts';
import { formatBytes } from '../score/format.ts';

/** The points at which a theft leaves evidence, in the order in which it does. */
export const POINTS = ['process', 'archive', 'connection', 'flow', 'join', 'alert'] as const;
export type Point = (typeof POINTS)[number];

const text = z.string().max(1_000);
const time = z.iso.datetime();

/** What a drill found. Times are ISO 8601 by the clock of the host that drilled; kept by the service as history. */
export const DrillReport = z.strictObject({
  id: text,
  at: time,
  host: text,
  /** Program that sent, its pid, and where to. */
  program: text,
  pid: z.number().int(),
  to: text,
  archive_bytes: z.number(),
  sent_bytes: z.number(),
  /** The alert came. */
  passed: z.boolean(),
  alert: text.optional(),
  /** From the opening of the connection to the alert. */
  seconds_to_alert: z.number().optional(),
  points: z
    .array(
      z.strictObject({
        point: z.enum(POINTS),
        seen: z.boolean(),
        /** When it happened here. */
        at: time,
        /** From then until the service had it; steps of a poll. */
        late_seconds: z.number().optional(),
        detail: text,
        /** What to do about a missing one. */
        mend: text.optional(),
      }),
    )
    .max(POINTS.length),
});
export type DrillReport = z.infer<typeof DrillReport>;
export type PointReport = DrillReport['points'][number];

/** What to do when a point is missing; `seen` are those that arrived. */
export function mendingOf(point: Point, seen: ReadonlySet<Point>): string {
  switch (point) {
    case 'process':
      return 'let the endpoint feed send process starts with command lines (Sysmon 1, Security 4688, EDR process events), and check them with waybill normalize';
    case 'archive':
      return 'let the endpoint feed send file writes with sizes (Sysmon 11 has none, EDR file events do); see that *.zip and the temporary folder are not filtered out';
    case 'connection':
      return 'let the endpoint feed send network connections with both ports (Sysmon 3 is off by default; EDRs: do not aggregate)';
    case 'flow':
      return 'no sensor saw this connection: check interface, span port, filter and shard of waybill sensor, its kernel_dropped_total, and that its records reach this service';
    case 'join':
      if (!seen.has('flow') || !seen.has('connection')) return 'comes by itself when connection and flow are there';
      return 'both sides are there and do not fit: address translation or a proxy between host and sensor, or a clock that is off by more than 15 minutes';
    case 'alert':
      if (!seen.has('join') || !seen.has('archive')) return 'comes by itself when the points before it are there';
      return 'see the score in the line above; waybill check-config --print shows thresholds and BinaryAllowlist';
  }
}

/** The report for a terminal. */
export function reportText(report: DrillReport): string {
  const { id, host, program, pid, to, archive_bytes: packed, sent_bytes: sent, points } = report;
  const lines = [
    `Drill ${id.slice(0, 8)}  ${report.at}  on ${host}`,
    `${program} (pid ${pid}) packed ${formatBytes(packed)} and sent ${formatBytes(sent)} to ${to}`,
    '',
  ];
  for (const each of points) {
    const state = each.seen ? `${each.late_seconds!.toFixed(1)} s late` : 'MISSING';
    lines.push(`  ${each.point.padEnd(11)} ${state.padEnd(11)} ${each.detail}`);
    if (each.mend !== undefined) lines.push(`${' '.repeat(26)}mend: ${each.mend}`);
  }
  const late = report.seconds_to_alert;
  lines.push(
    '',
    report.passed
      ? `The alert came: ${report.alert}, ${(late ?? 0).toFixed(1)} s after the connection was opened.`
      : 'No alert came.',
  );
  return `${lines.map(inspectText).join('\n')}\n`;
}
