/** What the runs of one input came to, as a table and as JSON. */
import type { Input } from './inputs.ts';
import type { Cost } from './measure.ts';
import type { Found } from './peers.ts';

export interface PeerResult {
  readonly peer: string;
  readonly runs: readonly Cost[];
  readonly found: Found | undefined;
  /** Why it has no runs. */
  readonly failed: string | undefined;
}

export interface InputResult {
  readonly input: Input;
  readonly peers: readonly PeerResult[];
  /** Median wall seconds of the floor; undefined without it. */
  readonly floorSeconds: number | undefined;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

const HEADINGS = [
  'peer',
  's min',
  'median',
  'max',
  '× floor',
  'CPU s',
  'CPU ×',
  'kpps',
  'Gbit/s',
  'hellos/s',
  'hellos found',
  'peak MB',
];

/** The input in a line, then a row a peer. Medians, except where the heading says otherwise. */
export function tableOf(result: InputResult): string {
  const { facts, name } = result.input;
  const hellos = facts.tlsHellos + facts.quicHellos;
  const title =
    `${name}: ${count(facts.packets)} packets, ${(facts.bytes / 1e9).toFixed(2)} GB, ${count(facts.flows)} flows, ` +
    `${count(facts.tlsHellos)} TLS ClientHellos (${count(facts.splitHellos)} of two segments), ${count(facts.quicHellos)} QUIC`;
  const floor = result.peers.find(
    (p) => p.runs.length > 0 && median(p.runs.map((r) => r.seconds)) === result.floorSeconds,
  );
  const floorCpu = floor && medianOf(floor.runs, 'cpuSeconds');
  const rows = result.peers.map((p) => {
    if (p.runs.length === 0) return [p.peer, p.failed ?? 'not run'];
    const seconds = p.runs.map((r) => r.seconds);
    const middle = median(seconds);
    const cpu = medianOf(p.runs, 'cpuSeconds');
    return [
      p.peer,
      Math.min(...seconds).toFixed(2),
      middle.toFixed(2),
      Math.max(...seconds).toFixed(2),
      result.floorSeconds === undefined ? '–' : (middle / result.floorSeconds).toFixed(1),
      cpu?.toFixed(2) ?? '–',
      cpu !== undefined && floorCpu ? (cpu / floorCpu).toFixed(1) : '–',
      count(facts.packets / middle / 1000),
      ((facts.bytes * 8) / middle / 1e9).toFixed(2),
      p.found && hellos > 0 ? count((p.found.tls + p.found.quic) / middle) : '–',
      p.found ? `${count(p.found.tls)} + ${count(p.found.quic)}` : '–',
      medianOf(p.runs, 'peakMegabytes')?.toFixed(0) ?? '–',
    ];
  });
  return `${title}\n${aligned([HEADINGS, ...rows])}`;
}

function medianOf(runs: readonly Cost[], field: 'cpuSeconds' | 'peakMegabytes'): number | undefined {
  const values = runs.map((run) => run[field]).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : median(values);
}

const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** First column to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = HEADINGS.map((_, i) => Math.max(...rows.map((row) => (row.length > 2 ? (row[i]?.length ?? 0) : 0))));
  widths[0] = Math.max(...rows.map((row) => row[0]!.length));
  return rows
    .map((row) => {
      if (row.length === 2) return `  ${row[0]!.padEnd(widths[0]!)}  ${row[1]}`;
      return `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')}`;
    })
    .join('\n');
}
