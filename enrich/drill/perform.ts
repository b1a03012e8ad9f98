import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { monotonicMillis } from '../../sensor/base/clock.ts';
import { UserError } from '../../sensor/base/exit.ts';
import { drillFileName, drillServerName } from '../join/drill-mark.ts';
import { type Announcement, MAX_IPS } from './announcement.ts';
import type { DeskClient } from './desk-client.ts';
import { archiveEvent, connectionEvent, processEvent, type SenderProcess } from './pushed-events.ts';
import { type DrillReport, POINTS, type Point, type PointReport } from './report.ts';
import type { SenderStep } from './sender-step.ts';
import type { Sighting } from './sightings.ts';

/** Between looks at what has arrived, milliseconds: how late a point is, is known to this much. */
const POLL_MILLIS = 200;
/** Room of the zip format around the file, bytes. */
const ZIP_BYTES = 4_096;

/** Points that an endpoint feed shows. */
export const FEED_POINTS = ['process', 'archive', 'connection'] as const;
export type FeedPoint = (typeof FEED_POINTS)[number];

export interface DrillOptions {
  readonly desk: DeskClient;
  readonly to: Announcement['to'];
  /** Bytes of the file that is packed. */
  readonly bytes: number;
  /** How long is waited for what is missing, once all has been sent. */
  readonly waitSeconds: number;
  /** Events that this host pushes itself; none where an endpoint feed is at work. */
  readonly push: ReadonlySet<FeedPoint>;
}

/** One drill, from the announcement to the report, which the service is given too. */
export async function performDrill(options: DrillOptions): Promise<DrillReport> {
  const { desk, to } = options;
  const announcement = { host: hostname(), ips: ownAddresses(to.ip), to, bytes: options.bytes + ZIP_BYTES };
  const { id } = await desk.announce(announcement);
  const folder = mkdtempSync(join(tmpdir(), 'waybill-drill-'));
  const sending = new Sending(id, folder, options, announcement.ips);
  const watching = new Watching(desk, id, sending);
  try {
    await Promise.all([sending.done.then(() => watching.wait(options.waitSeconds)), watching.run()]);
    await watching.look(true);
    const report = reportOf(id, options, sending, watching);
    await desk.report(report);
    return report;
  } finally {
    watching.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Addresses of this host; those of loopback only for a drill that stays on it. */
function ownAddresses(to: string): string[] {
  const isInside = to.startsWith('127.') || to === '::1';
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return [...new Set(all.filter(({ internal }) => isInside || !internal).map(({ address }) => address))]
    .map((address) => address.split('%', 1)[0]!)
    .slice(0, MAX_IPS);
}

/** The sending process and the times of its steps. */
class Sending {
  readonly process: SenderProcess;
  readonly archive: string;
  readonly steps = new Map<SenderStep['step'], SenderStep>();
  /** When each point happened here, milliseconds since 1970; of join and alert, when the connection was opened. */
  readonly happened = new Map<Point, number>();
  /** Resolves when it has sent everything; rejects with a UserError when it could not. */
  readonly done: Promise<void>;
  private readonly pushes: Promise<void>[] = [];
  private readonly options: DrillOptions;

  constructor(id: string, folder: string, options: DrillOptions, ips: readonly string[]) {
    this.options = options;
    this.archive = join(folder, drillFileName(id));
    const { ip, port } = options.to;
    const here = import.meta.url;
    const script = fileURLToPath(new URL(here.endsWith('.ts') ? './sender.ts' : './sender.js', here));
    const to = `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
    const own = [this.archive, '--bytes', String(options.bytes), '--to', to, '--name', drillServerName(id)];
    const startedMillis = Date.now();
    const child = spawn(process.execPath, [...process.execArgv, script, ...own], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const commandLine = [process.execPath, script, ...own]
      .map((word) => (word.includes(' ') ? `"${word}"` : word))
      .join(' ');
    this.process = { drill: id, pid: child.pid ?? 0, parentPid: process.pid, commandLine, startedMillis, ips };
    this.happened.set('process', startedMillis);
    this.push('process', processEvent(this.process));
    createInterface({ input: child.stdout }).on('line', (line) => this.take(JSON.parse(line) as SenderStep));
    this.done = new Promise((resolve, reject) => {
      child.on('error', (error) => reject(new UserError(`the sending process does not start: ${error.message}`)));
      child.on('close', () => {
        const failed = this.steps.get('failed') as { why: string } | undefined;
        if (failed) reject(new UserError(`cannot send to ${to}: ${failed.why}`));
        else if (!this.steps.has('sent'))
          reject(new UserError('the sending process ended before it had sent everything'));
        else Promise.all(this.pushes).then(() => resolve(), reject);
      });
    });
  }

  private take(step: SenderStep): void {
    this.steps.set(step.step, step);
    if (step.step === 'packed') {
      this.happened.set('archive', step.atMillis);
      this.push('archive', archiveEvent(this.process, this.archive, step));
    }
    if (step.step !== 'connected') return;
    for (const point of ['connection', 'flow', 'join', 'alert'] as const) this.happened.set(point, step.atMillis);
    this.push('connection', connectionEvent(this.process, this.options.to, step));
  }

  private push(point: FeedPoint, event: object): void {
    if (this.options.push.has(point)) this.pushes.push(this.options.desk.push([event]));
  }
}

/** Asks the service what has arrived, and notes when each point was there first. */
class Watching {
  /** By point: when it was seen first, milliseconds since 1970. */
  readonly first = new Map<Point, number>();
  last: readonly Sighting[] = [];
  private readonly desk: DeskClient;
  private readonly id: string;
  private readonly sending: Sending;
  private isOver = false;

  constructor(desk: DeskClient, id: string, sending: Sending) {
    this.desk = desk;
    this.id = id;
    this.sending = sending;
  }

  /** Looks again and again until it is stopped. */
  async run(): Promise<void> {
    while (!this.isOver) {
      await this.look(false);
      await setTimeout(POLL_MILLIS);
    }
  }

  /** Waits until all is there, at most so long, and stops looking. */
  async wait(seconds: number): Promise<void> {
    const end = monotonicMillis() + seconds * 1_000;
    while (monotonicMillis() < end && !POINTS.every((point) => this.first.has(point))) await setTimeout(POLL_MILLIS);
    this.stop();
  }

  stop(): void {
    this.isOver = true;
  }

  /** @param thorough also where it should not be */
  async look(thorough: boolean): Promise<void> {
    this.last = await this.desk.sightings(this.id, this.sending.process.pid, thorough);
    for (const { point, seen } of this.last) if (seen && !this.first.has(point)) this.first.set(point, Date.now());
  }
}

function reportOf(id: string, options: DrillOptions, sending: Sending, watching: Watching): DrillReport {
  const points = watching.last.map((each) => pointReport(each, sending, watching.first));
  const alert = watching.last.find(({ point }) => point === 'alert');
  const late = points.find(({ point }) => point === 'alert')?.late_seconds;
  const bytesOf = (step: 'packed' | 'sent'): number =>
    (sending.steps.get(step) as { bytes: number } | undefined)?.bytes ?? 0;
  return {
    id,
    at: new Date(sending.process.startedMillis).toISOString(),
    host: hostname(),
    program: process.execPath,
    pid: sending.process.pid,
    to: `${options.to.ip} port ${options.to.port} as ${drillServerName(id)}`,
    archive_bytes: bytesOf('packed'),
    sent_bytes: bytesOf('sent'),
    passed: alert?.seen === true,
    ...(alert?.id === undefined ? {} : { alert: alert.id }),
    ...(late === undefined ? {} : { seconds_to_alert: late }),
    points,
  };
}

function pointReport(
  { point, seen: isSeen, detail, mend }: Sighting,
  sending: Sending,
  first: ReadonlyMap<Point, number>,
): PointReport {
  const happened = sending.happened.get(point) ?? sending.process.startedMillis;
  const arrived = first.get(point);
  return {
    point,
    seen: isSeen,
    at: new Date(happened).toISOString(),
    detail,
    ...(isSeen && arrived !== undefined ? { late_seconds: Math.max(0, arrived - happened) / 1_000 } : {}),
    ...(mend === undefined ? {} : { mend }),
  };
}
