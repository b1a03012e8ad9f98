import { expect } from 'vitest';
import { buildLinePipeline, buildPipeline, type Pipeline } from '../../sensor/flow/pipeline.ts';
import type { RecordOptions } from '../../sensor/flow/to-record.ts';
import { DEFAULT_LIMITS, type TrackerCounters, type TrackerLimits } from '../../sensor/flow/tracker.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';

export interface TimedFrame {
  readonly bytes: Uint8Array;
  readonly tsMicros: number;
  /** Bytes on the wire, when the snap length cut the frame. */
  readonly wireLength?: number;
}

export interface Observed {
  readonly records: readonly FlowRecord[];
  /** The last record of every flow, in the order of their ends. */
  readonly ends: readonly FlowRecord[];
  readonly counters: TrackerCounters;
  readonly skipped: ReadonlyMap<string, number>;
  readonly evictions: ReadonlyMap<string, number>;
  readonly unreadable: ReadonlyMap<string, number>;
}

export interface ObserveOptions {
  readonly limits?: Partial<TrackerLimits>;
  readonly linkType?: number;
  /** The capture stops here and nothing is drained. */
  readonly live?: boolean;
}

const OPTIONS: RecordOptions = { observer: 'probe-1', communityIdSeed: 0, verbose: true };
/** Room for what most tests need: full tables take longer to make than to use. */
const SMALL = { flows: 256, handshakes: 256 };
const ETHERNET = 1;

/**
 * What the sensor says of a capture. Whatever a test is about, some things always hold and are checked here: every flow is
 * opened once and ended once under one id, nothing it counts ever shrinks, and no packet is looked at after it was handed
 * over (the buffer is spoiled).
 */
export function observe(frames: Iterable<TimedFrame>, o: ObserveOptions = {}): Observed {
  const records: FlowRecord[] = [];
  const sensor = buildPipeline((record) => records.push(record), OPTIONS, limitsOf(o));
  feed(sensor, frames, o);
  expectOrderlyLives(records, o.live === true);
  return {
    records,
    ends: records.filter((record) => record.event.action === 'flow_end'),
    counters: sensor.counters,
    skipped: sensor.skipped(),
    evictions: sensor.evictions(),
    unreadable: sensor.unreadable(),
  };
}

/** The records of a capture as the lines that leave the sensor. */
export function observeLines(frames: Iterable<TimedFrame>, o: ObserveOptions = {}): string[] {
  const lines: string[] = [];
  const sensor = buildLinePipeline((line) => lines.push(Buffer.from(line).toString()), OPTIONS, limitsOf(o));
  feed(sensor, frames, o);
  return lines;
}

const limitsOf = (o: ObserveOptions): TrackerLimits => ({ ...DEFAULT_LIMITS, ...SMALL, ...o.limits });

function feed(sensor: Pipeline, frames: Iterable<TimedFrame>, o: ObserveOptions): void {
  let buffer = new Uint8Array(1 << 12);
  let shift = 0;
  for (const { bytes, tsMicros, wireLength } of frames) {
    shift = (shift + 7) % 64;
    const end = shift + bytes.length;
    if (end > buffer.length) buffer = new Uint8Array(2 * end);
    buffer.set(bytes, shift);
    sensor.packet(buffer, shift, end, tsMicros, wireLength ?? bytes.length, o.linkType ?? ETHERNET);
    buffer.fill(0xee, shift, end);
  }
  if (!o.live) sensor.drain();
}

/** The one flow of a capture: its last record. */
export function observeOne(frames: Iterable<TimedFrame>, o: ObserveOptions = {}): FlowRecord {
  const { ends } = observe(frames, o);
  expect(ends).toHaveLength(1);
  return ends[0]!;
}

function expectOrderlyLives(records: readonly FlowRecord[], live: boolean): void {
  for (const flow of byFlow(records).values()) {
    const actions = flow.map((record) => record.event.action);
    expect(actions[0]).toBe('flow_open');
    expect(actions.slice(1, live ? undefined : -1)).not.toContain('flow_open');
    expect(actions.slice(0, -1)).not.toContain('flow_end');
    if (!live) expect(actions.at(-1)).toBe('flow_end');
    for (let i = 1; i < flow.length; i++) expectGrowth(flow[i - 1]!, flow[i]!);
  }
}

/** The records of each flow id, in order. */
export function byFlow(records: readonly FlowRecord[]): Map<string, FlowRecord[]> {
  const flows = new Map<string, FlowRecord[]>();
  for (const record of records) {
    const id = record.waybill.flow_id;
    const flow = flows.get(id);
    if (flow) flow.push(record);
    else flows.set(id, [record]);
  }
  return flows;
}

function expectGrowth(before: FlowRecord, after: FlowRecord): void {
  expect(after['@timestamp'] >= before['@timestamp']).toBe(true);
  expect(after.event.start).toBe(before.event.start);
  expect(after.event.duration).toBeGreaterThanOrEqual(before.event.duration);
  for (const side of ['source', 'destination'] as const) {
    expect(after[side].ip).toBe(before[side].ip);
    expect(after[side].bytes).toBeGreaterThanOrEqual(before[side].bytes);
    expect(after[side].packets).toBeGreaterThanOrEqual(before[side].packets);
  }
}
