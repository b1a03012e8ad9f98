/** Capture, pipeline, clock and loss of one interface: the live sensor without its command line. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ClockSteps, monotonicMillis, wallMicros } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type CaptureListener, LiveCapture } from '../capture/live-capture.ts';
import { stampsOnArrival } from '../capture/live-driver.ts';
import { interfaceState } from '../capture/live-interface.ts';
import type { CaptureEnd, CaptureRequest } from '../capture/live-messages.ts';
import { EvidenceKeeper } from '../flow/evidence-keeper.ts';
import { buildPipeline } from '../flow/pipeline.ts';
import type { RecordOptions } from '../flow/to-record.ts';
import { DEFAULT_LIMITS, type TrackerCounters } from '../flow/tracker.ts';
import type { FlowRecord } from '../record/flow-record.ts';
import { LivePipeline } from './live-pipeline.ts';
import { type Loss, LossWindow } from './loss-window.ts';

/** For the log, and for whoever asks whether the sensor is ready. */
export const FILTERS_LATE =
  'the kernel refused the filter, so every packet is copied before it is filtered: raise net.core.optmem_max or shorten --filter';

const SAMPLE_MILLIS = 1_000;
/** Length of the loss window, samples. */
const WINDOW_SAMPLES = 60;
/** The clock drives the pipeline when no packet has come for this long. */
const QUIET_MILLIS = 1_000;
/** Packets may be this much older than the wall clock when they arrive; the pipeline's clock stays behind by it. */
const ARRIVAL_SLACK_MICROS = 2_000_000;
/** The wall clock against the monotonic one: a larger step between two samples is a clock that was set. */
const CLOCK_STEP_MICROS = 10_000_000;

export interface LiveOptions {
  readonly capture: Omit<CaptureRequest, 'marker'>;
  /** The kernel filter leaves bulk payload out on purpose. */
  readonly filtered: boolean;
  /** Payload bytes sent after which a plain connection is recorded; 0: never. */
  readonly plainBytes: number;
  readonly record: Omit<RecordOptions, 'interface' | 'tsSource'>;
  /** Takes the handshake packets of each encrypted flow as a pcap file. */
  readonly evidence?: (flowId: string, pcap: Uint8Array) => void;
}

export interface LiveListener {
  emit(record: FlowRecord): void;
  /** Capture cannot begin, or can never come back. */
  failed(end: CaptureEnd): void;
}

export class LiveSensor {
  readonly capture: LiveCapture;
  readonly eventLoop = monitorEventLoopDelay({ resolution: 10 });
  /** Steps of the wall clock, seen against the monotonic one. */
  clockSteps = 0;

  private readonly options: LiveOptions;
  private readonly listener: LiveListener;
  private readonly log: Log;
  private readonly window = new LossWindow(WINDOW_SAMPLES);
  private readonly sampler: NodeJS.Timeout;
  private readonly pipeline: LivePipeline;
  private readonly clock = new ClockSteps(CLOCK_STEP_MICROS);

  constructor(options: LiveOptions, listener: LiveListener, log: Log) {
    this.options = options;
    this.listener = listener;
    this.log = log;
    this.pipeline = new LivePipeline(() => this.newPipeline());
    const captureListener: CaptureListener = {
      changed: (isUp, why) => this.changed(isUp, why),
      failed: (end) => listener.failed(end),
    };
    this.capture = new LiveCapture(options.capture, this.pipeline, captureListener);
    this.sample(); // what the window is counted from
    this.sampler = setInterval(() => this.sample(), SAMPLE_MILLIS);
    this.eventLoop.enable();
    const state = interfaceState(options.capture.interface);
    if (state !== 'up' && state !== 'unknown') {
      log.warn({ interface: options.capture.interface, state }, 'waiting for the interface');
    }
  }

  /** A counter of the flow tracker since the start. */
  count(name: keyof TrackerCounters): number {
    return this.pipeline.count(name);
  }

  get flows(): number {
    return this.pipeline.flows;
  }

  /** Frames without a TCP or UDP segment, by reason. */
  skipped(): Map<string, number> {
    return this.pipeline.skipped();
  }

  /** What was given up because a table was full, or nothing more came in time; by table and reason. */
  evictions(): Map<string, number> {
    return this.pipeline.evictions();
  }

  /** Conversations of tunnels whose handshake tells nothing, by what they are. */
  unreadable(): Map<string, number> {
    return this.pipeline.unreadable();
  }

  /** Of the last minute. */
  get loss(): Loss {
    return this.window.loss;
  }

  /** Ends capture and writes the last record of every flow. */
  async stop(): Promise<void> {
    await this.capture.stop();
    clearInterval(this.sampler);
    this.eventLoop.disable();
    this.pipeline.drain();
  }

  private newPipeline(): ReturnType<typeof buildPipeline> {
    const { capture, filtered, plainBytes, record, evidence } = this.options;
    const options: RecordOptions = {
      ...record,
      interface: capture.interface,
      ...(stampsOnArrival(capture.driver) ? { tsSource: 'arrival' as const } : {}),
    };
    const keeper = evidence && new EvidenceKeeper(evidence, record.communityIdSeed);
    return buildPipeline((r) => this.listener.emit(r), options, { ...DEFAULT_LIMITS, filtered, plainBytes }, keeper);
  }

  private changed(isUp: boolean, why: string): void {
    const { interface: name, driver } = this.options.capture;
    if (isUp) {
      const seconds = Math.round(this.capture.gapMillis / 100) / 10;
      this.log.info({ interface: name, driver, without_capture_s: seconds || undefined }, 'capture is up');
      if (this.capture.filtersLate) this.log.warn({}, FILTERS_LATE);
    } else this.log.warn({ interface: name, driver, why }, 'capture is down');
  }

  private sample(): void {
    const { kernel } = this.capture;
    this.window.add({
      kernelReceived: kernel.known ? kernel.received : undefined,
      kernelDropped: kernel.known ? kernel.dropped : undefined,
      payloadBytes: this.count('payloadBytes'),
      missedBytes: this.count('missedBytes'),
    });
    this.checkClock();
    if (monotonicMillis() - this.capture.packetsAt > QUIET_MILLIS) {
      this.pipeline.tick(wallMicros() - ARRIVAL_SLACK_MICROS);
    }
  }

  /**
   * Flows expire by packet time. After the clock was set back no packet would be younger than what the pipeline has seen,
   * and nothing would expire until the old time is reached again: the flows of the old time are ended instead.
   */
  private checkClock(): void {
    const step = this.clock.look();
    if (step === 0) return;
    this.clockSteps++;
    this.log.warn({ step_s: Math.round(step / 1e6) }, 'the clock was set');
    if (step < 0) this.pipeline.restart();
  }
}
