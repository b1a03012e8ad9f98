/**
 * A live capture as the parsing process sees it: packets for a sink, whether capture is up, and what was lost.
 * The privilege stays in the launcher (live-launcher.ts), which is started before this process gives its own up.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { monotonicMillis } from '../base/clock.ts';
import { CaptureReader } from './capture-reader.ts';
import { programArgs } from './live-driver.ts';
import { canCapture, type InterfaceState, interfaceState } from './live-interface.ts';
import {
  type CaptureEnd,
  type CaptureRequest,
  type LauncherOrder,
  type LauncherReport,
  MARKER_BYTES,
} from './live-messages.ts';
import type { PacketSink } from './packet.ts';

const INTERFACE_POLL_MILLIS = 500;
/** A stop waits this long for the packets still on their way. */
const STOP_MILLIS = 3_000;

export interface CaptureListener {
  /** Capture began or ended; `why` is one line, for `down` only. */
  changed(isUp: boolean, why: string): void;
  /** The very first program did not get as far as listening, or the launcher is gone: capture will not come back. */
  failed(end: CaptureEnd): void;
}

export class LiveCapture {
  /** Received and dropped by the kernel since the start, as far as the driver tells. */
  readonly kernel = { known: false, received: 0, dropped: 0 };
  /** Capture programs started after the first. */
  restarts = 0;
  /** Milliseconds without capture since it first was up, gaps that are over. */
  gapMillis = 0;
  up = false;
  /** The kernel refused the filter: it spares nothing, and more is lost under load. */
  filtersLate = false;
  /** When the last packets came, on the monotonic clock. */
  packetsAt = monotonicMillis();

  private readonly sink: PacketSink;
  private readonly listener: CaptureListener;
  private readonly request: CaptureRequest;
  private readonly marker: Buffer;
  private readonly launcher: ChildProcessByStdio<null, Readable, null>;
  private readonly watch: NodeJS.Timeout;
  private reader: CaptureReader | undefined;
  private packetsBefore = 0;
  private bytesBefore = 0;
  /** Counts of the programs before this one. */
  private readonly earlier = { received: 0, dropped: 0 };
  private tail = Buffer.alloc(0);
  private listening = false;
  private everListened = false;
  private ended: CaptureEnd | undefined;
  private lastWhy = 'starting';
  private downSince: number | undefined;
  private stopped: (() => void) | undefined;

  constructor(request: Omit<CaptureRequest, 'marker'>, sink: PacketSink, listener: CaptureListener) {
    this.sink = sink;
    this.listener = listener;
    this.marker = randomBytes(MARKER_BYTES);
    this.request = { ...request, marker: this.marker.toString('hex') };
    this.launcher = spawn(process.execPath, [...programArgs('live-launcher'), JSON.stringify(this.request)], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      // A terminal's Ctrl-C is for us: capture ends when we say so.
      detached: true,
    }) as ChildProcessByStdio<null, Readable, null>;
    this.launcher.stdout.on('data', (chunk: Buffer) => this.take(chunk));
    this.launcher.on('message', (report) => this.hear(report as LauncherReport));
    this.launcher.on('error', (error) => this.launcherGone(error.message));
    this.launcher.on('exit', (code, signal) => this.launcherGone(`capture launcher ended (${signal ?? code})`));
    this.watch = setInterval(() => this.judge(), INTERFACE_POLL_MILLIS);
  }

  /** Packets parsed so far. */
  get packets(): number {
    return this.packetsBefore + (this.reader?.packets ?? 0);
  }

  /** Bytes of capture format read so far. */
  get bytes(): number {
    return this.bytesBefore + (this.reader?.bytes ?? 0);
  }

  /** Why capture is down; empty while it is up. */
  get why(): string {
    return this.up ? '' : this.lastWhy;
  }

  /** Seconds of the gap that is open, 0 while capture is up. */
  get openGapMillis(): number {
    return this.downSince === undefined ? 0 : monotonicMillis() - this.downSince;
  }

  /** Ends the capture program and starts it at once. */
  reopen(): void {
    this.order('reopen');
  }

  /** Ends the capture. Resolves when the last packets were parsed, or after STOP_MILLIS. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      const deadline = setTimeout(() => this.stopped?.(), STOP_MILLIS);
      this.stopped = () => {
        clearTimeout(deadline);
        this.stopped = undefined;
        clearInterval(this.watch);
        this.launcher.removeAllListeners('exit');
        if (this.launcher.connected) this.launcher.disconnect();
        this.launcher.stdout.destroy();
        resolve();
      };
      if (this.launcher.connected) this.order('stop');
      else this.stopped();
    });
  }

  private order(order: LauncherOrder): void {
    if (this.launcher.connected) this.launcher.send(order);
  }

  private take(chunk: Buffer): void {
    this.packetsAt = monotonicMillis();
    this.reader ??= new CaptureReader(this.sink);
    const isLast = chunk.length >= MARKER_BYTES && chunk.subarray(-MARKER_BYTES).equals(this.marker);
    this.reader.push(isLast ? chunk.subarray(0, -MARKER_BYTES) : chunk);
    this.tail = Buffer.concat([this.tail, chunk.subarray(-MARKER_BYTES)]).subarray(-MARKER_BYTES);
    if (this.ended) this.finishProgram();
    else if (this.reader.damaged !== undefined) this.replaceDamaged(this.reader.damaged);
  }

  private hear(report: LauncherReport): void {
    if (report.is === 'listening') {
      if (this.everListened) this.restarts++;
      this.listening = this.everListened = true;
      this.judge();
    } else if (report.is === 'filtering late') {
      this.filtersLate = true;
    } else if (report.is === 'counts') {
      this.kernel.known = true;
      this.kernel.received = this.earlier.received + report.received;
      this.kernel.dropped = this.earlier.dropped + report.dropped;
    } else {
      this.ended = report.end;
      this.finishProgram();
    }
  }

  /** The program has ended: once its last byte is here, the launcher may start the next one. */
  private finishProgram(): void {
    const end = this.ended;
    if (!end || !this.tail.equals(this.marker)) return;
    this.ended = undefined;
    this.tail = Buffer.alloc(0);
    this.packetsBefore = this.packets;
    this.bytesBefore = this.bytes;
    this.reader = undefined;
    this.earlier.received = this.kernel.received;
    this.earlier.dropped = this.kernel.dropped;
    this.listening = this.filtersLate = false;
    this.order('drained');
    this.lastWhy = endText(end);
    if (this.stopped) this.stopped();
    else if (!this.everListened && canCapture(interfaceState(this.request.interface))) this.listener.failed(end);
    else this.judge();
  }

  /** Never seen; a stream that cannot be read any more would be silence without a reason. */
  private replaceDamaged(damage: string): void {
    if (!this.listening) return;
    this.listening = false;
    this.lastWhy = `the packet stream is damaged: ${damage}`;
    this.judge();
    this.order('replace');
  }

  private launcherGone(why: string): void {
    if (this.stopped) {
      this.stopped();
      return;
    }
    this.listening = false;
    this.lastWhy = why;
    this.judge();
    this.listener.failed({ listened: true, code: null, signal: null, startError: undefined, said: why });
  }

  /** Tells the listener when capture has come up or gone down. */
  private judge(): void {
    const state = interfaceState(this.request.interface);
    const isUp = this.listening && (state === 'up' || state === 'unknown');
    const isFirst = this.downSince === undefined && !this.up;
    if (isUp === this.up) return;
    this.up = isUp;
    if (isUp) {
      if (!isFirst) this.gapMillis += this.openGapMillis;
      this.downSince = undefined;
    } else {
      this.downSince = monotonicMillis();
      if (!canCapture(state) || state === 'no carrier') this.lastWhy = `interface ${stateText(state)}`;
    }
    this.listener.changed(isUp, this.why);
  }
}

const stateText = (state: InterfaceState): string =>
  state === 'absent' ? 'is gone' : state === 'down' ? 'is down' : 'has no carrier';

/** One line about how a program ended. */
export function endText(end: CaptureEnd): string {
  if (end.startError) return `not started (${end.startError})`;
  const last = end.said.split('\n').at(-1)?.trim();
  const how = end.signal ? `ended by ${end.signal}` : `ended with exit code ${end.code}`;
  return last ? `${how}: ${last}` : how;
}
