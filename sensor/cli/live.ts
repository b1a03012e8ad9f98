/** `waybill sensor -i`: the live sensor with its signals, its status page and its progress line. */
import { chownSync, closeSync, createWriteStream, openSync } from 'node:fs';
import type { Server } from 'node:http';
import { hostname } from 'node:os';
import type { Writable } from 'node:stream';
import { monotonicMillis } from '../base/clock.ts';
import { Exit, type UserError } from '../base/exit.ts';
import { type Log, openLog } from '../base/log.ts';
import { captureFailure } from '../capture/live-failure.ts';
import type { CaptureEnd, UserIds } from '../capture/live-messages.ts';
import { dropPrivileges, effectiveCapabilities } from '../capture/live-privilege.ts';
import { EvidenceDirectory } from '../publish/evidence-directory.ts';
import { RecordLines } from '../publish/record-lines.ts';
import { prepareDer } from '../tls/der.ts';
import { liveComplaints, liveMetrics } from './live-metrics.ts';
import { LiveSensor } from './live-sensor.ts';
import { type LiveSettings, readLiveSettings } from './live-settings.ts';
import type { Parsed } from './options.ts';
import type { SensorOutput } from './output.ts';
import { plainBytesOf } from './plain-option.ts';
import { ProgressLine } from './progress-line.ts';
import { serveStatus } from './status.ts';

const FLUSH_MILLIS = 100;
/** A slow reader of the records has this long to take the last ones. */
const LAST_RECORDS_MILLIS = 4_000;

/** Runs until a signal or until capture cannot go on; the exit code. */
export async function liveCommand(options: Parsed, output?: SensorOutput): Promise<number> {
  const settings = readLiveSettings(options);
  const plainBytes = plainBytesOf(options, output !== undefined);
  const progress = new ProgressLine(settings.progress);
  const log = openLog({
    name: 'sensor',
    level: settings.logLevel,
    terminal: process.stderr.isTTY === true,
    beforeLine: () => progress.clear(),
  });
  const records = new RecordLines(output?.stream ?? openOutput(settings.out));
  const evidence = openEvidence(options.text('evidence'), settings.capture.user);
  const end = new Ending();
  const sensor = new LiveSensor(
    {
      capture: settings.capture,
      filtered: settings.filtered,
      plainBytes,
      record: { observer: settings.observer ?? hostname(), communityIdSeed: settings.seed, verbose: settings.verbose },
      ...(evidence ? { evidence: (id: string, pcap: Uint8Array) => evidence.write(id, pcap) } : {}),
    },
    {
      emit: (record) => {
        for (const line of settings.lines(record)) records.write(line);
      },
      failed: (how: CaptureEnd) => end.because(captureFailure(settings.capture, settings.userFilter, how)),
    },
    log,
  );
  // At once: the launcher has just been started, and nothing of the network has been read yet.
  if (settings.capture.user) becomeUser(settings.capture.user, log);
  else warnOfCapabilities(log);
  const status = await openStatus(settings, { sensor, records, output }, log);
  const timers = [
    setInterval(() => records.flush(), FLUSH_MILLIS),
    setInterval(() => progress.show(sensor, records), 1_000),
  ];
  const unlisten = handleSignals(end, () => reopen(sensor, records, settings, log));
  const failure = await end.reached;
  const startedAt = monotonicMillis();
  await sensor.stop();
  for (const timer of timers) clearInterval(timer);
  progress.clear();
  const taken = await records.finish(LAST_RECORDS_MILLIS);
  status?.close();
  status?.closeAllConnections();
  // A capture that never began has nothing to sum up.
  if (!failure || sensor.capture.packets > 0) {
    log.info(summary(sensor, records, monotonicMillis() - startedAt), taken ? 'stopped' : 'stopped; records were lost');
  }
  if (evidence?.complaint) log.warn({ evidence: evidence.complaint }, 'evidence is incomplete');
  unlisten();
  if (failure) throw failure;
  return taken ? Exit.fine : Exit.failed;
}

/** The first reason to stop. */
class Ending {
  readonly reached: Promise<UserError | undefined>;
  private resolve: (failure: UserError | undefined) => void = () => {};

  constructor() {
    this.reached = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  because(failure: UserError | undefined): void {
    this.resolve(failure);
  }
}

/** Made while we may: it then belongs to whom we become. */
function openEvidence(path: string | undefined, owner: UserIds | undefined): EvidenceDirectory | undefined {
  if (path === undefined) return undefined;
  const directory = new EvidenceDirectory(path);
  if (owner) chownSync(path, owner.uid, owner.gid);
  return directory;
}

function openOutput(file: string | undefined): Writable {
  if (file === undefined) return process.stdout;
  return createWriteStream('', { fd: openSync(file, 'a', 0o640) });
}

async function openStatus(
  settings: LiveSettings,
  { sensor, records, output }: { sensor: LiveSensor; records: RecordLines; output: SensorOutput | undefined },
  log: Log,
): Promise<Server | undefined> {
  if (!settings.status) return undefined;
  const source = {
    metrics: [...liveMetrics(sensor, records, settings.capture.interface), ...(output?.metrics ?? [])],
    complaints: () => [...liveComplaints(sensor, records), ...(output?.complaints() ?? [])],
  };
  try {
    return await serveStatus(settings.status, source);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    log.warn(
      { status: `${settings.status.host}:${settings.status.port}`, code },
      'no status page: the address is not free',
    );
    return undefined;
  }
}

function becomeUser(user: UserIds, log: Log): void {
  prepareDer(); // as another user we may be unable to read our own files
  dropPrivileges(user);
  if (user.uid === 0) log.warn({}, 'packets are parsed as root; name another user with --user');
}

function warnOfCapabilities(log: Log): void {
  const left = effectiveCapabilities();
  if (left)
    log.warn(
      { capabilities: left.toString(16) },
      'packets are parsed with capabilities; start as root to have them given up',
    );
}

/** SIGTERM and SIGINT end in order, a second one at once; SIGHUP opens the capture and the output file again. */
function handleSignals(end: Ending, again: () => void): () => void {
  let asked = false;
  const stop = (code: number) => (): void => {
    if (asked) process.exit(code);
    asked = true;
    end.because(undefined);
  };
  const handlers = [
    ['SIGTERM', stop(143)],
    ['SIGINT', stop(Exit.interrupted)],
    ['SIGHUP', again],
  ] as const;
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

function reopen(sensor: LiveSensor, records: RecordLines, { out }: LiveSettings, log: Log): void {
  sensor.capture.reopen();
  let reopened: string | undefined;
  if (out !== undefined) {
    try {
      closeSync(openSync(out, 'a', 0o640)); // may we at all, as whom we are now?
      records.redirect(openOutput(out));
      reopened = out;
    } catch (error) {
      log.warn(
        { file: out, code: (error as NodeJS.ErrnoException).code },
        'output file not opened again; the old one is kept',
      );
    }
  }
  log.info({ out: reopened }, 'capture is opened again');
}

function summary(sensor: LiveSensor, records: RecordLines, millis: number): Record<string, number> {
  return {
    packets: sensor.capture.packets,
    flows: sensor.count('flows'),
    encrypted: sensor.count('encryptedFlows'),
    records: records.written,
    records_dropped: records.dropped,
    kernel_dropped: sensor.capture.kernel.dropped,
    missed_bytes: sensor.count('missedBytes'),
    drained_ms: Math.round(millis),
  };
}
