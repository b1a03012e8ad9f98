/** `waybill run -i`: sensor and service in one process on the embedded store. */
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { type Log, openLog } from '../../sensor/base/log.ts';
import { liveCommand } from '../../sensor/cli/live.ts';
import { readLiveSettings } from '../../sensor/cli/live-settings.ts';
import { type CommandSpec, helpText, type Parsed, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import type { SensorOutput } from '../../sensor/cli/output.ts';
import { SENSOR } from '../../sensor/cli/sensor.ts';
import { Service } from '../service/service.ts';
import type { Serving } from '../web/serve.ts';
import {
  CONSOLE_CLOSE_MILLIS,
  DEFAULT_DATA,
  ENRICH,
  exceptionsDirectory,
  openConsole,
  reload,
  settingsOf,
  startError,
} from './enrich.ts';
import { openBackend } from './open-backend.ts';

const NOT_OF_SENSOR = new Set(['read', 'format', 'out', 'to', 'spool', 'spool-mib', 'quiet']);
const OF_ENRICH = new Set(['data', 'config', 'listen', 'alerts', 'no-stdout', 'endpoint-file', 'console']);
/** Bytes of records that may wait for the store. Beyond, the sensor's own cap drops and counts. */
const WAITING_BYTES = 16 << 20;
/** Pause before records are offered again to a store that could not take them. */
const RETRY_MILLIS = 500;

export const RUN: CommandSpec = {
  name: 'run',
  usage: '-i IFACE [-f BPF] [--data DIR]',
  summary: 'Sensor and service in one process on the embedded store: one machine, nothing else to install.',
  options: [
    ...SENSOR.options.filter((o) => !NOT_OF_SENSOR.has(o.name)),
    ...ENRICH.options.filter((o) => OF_ENRICH.has(o.name)),
  ],
  notes:
    'Alerts go to standard output as JSON lines. The endpoint feed comes as with waybill enrich: HTTP or --endpoint-file. SIGHUP reads the settings again.',
};

export async function runCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(RUN));
    return Exit.fine;
  }
  const given = parseCommand(RUN, args);
  // Between the two parts records stay as they are.
  const options: Parsed = { ...given, text: (name) => (name === 'format' ? 'ecs' : given.text(name)) };
  if (options.positionals.length > 0)
    throw new UserError(`${options.positionals[0]}: expected options only`, Exit.usage);
  if (options.text('interface') === undefined) throw new UserError('name the interface with -i', Exit.usage);
  const settings = settingsOf(options);
  const log = openLog({ name: 'run', level: 'info', terminal: process.stderr.isTTY === true });
  const data = options.text('data') ?? DEFAULT_DATA;
  giveData(data, options);
  const { service, closeConsole } = serviceOf(options, settings, data, log);
  await import('lmdb'); // as another user we may be unable to read our own files
  // The sensor has its child processes and this process has lost its privilege when the call returns its promise;
  // only then is the store opened, so that its files belong to who we are from now on.
  const sensing = liveCommand(options, outputTo(service, log));
  const again = (): void => void reload(service, options, log); // the sensor opens its capture again by itself
  process.on('SIGHUP', again);
  const started = service.start().catch((error: unknown) => {
    process.kill(process.pid, 'SIGTERM'); // ends the sensor in order
    throw startError(error);
  });
  try {
    const [code] = await Promise.all([sensing, started]);
    return code;
  } finally {
    process.off('SIGHUP', again);
    await Promise.all([service.stop(), closeConsole()]);
  }
}

/** Makes the data directory, and gives it to the user that the process is going to become. */
function giveData(data: string, options: Parsed): void {
  const { user } = readLiveSettings(options).capture;
  for (const directory of [data, join(data, 'positions')]) {
    mkdirSync(directory, { recursive: true });
    if (user) chownSync(directory, user.uid, user.gid);
  }
}

function serviceOf(
  options: Parsed,
  settings: ReturnType<typeof settingsOf>,
  data: string,
  log: Log,
): { service: Service; closeConsole: () => Promise<void> } {
  const file = options.text('alerts');
  const files = options.list('endpoint-file');
  const place = { store: 'embedded', data, allowEviction: false, onState: () => {} };
  const port = options.integer('console', 0, 65_535);
  const evidence = options.text('evidence');
  const exceptions = exceptionsDirectory('embedded', data);
  const shownWith = { settings, exceptions, ...(evidence === undefined ? {} : { evidence }) };
  let page: Serving | undefined;
  const service = new Service({
    settings,
    log,
    open: async () => {
      const backend = await openBackend(place, settings);
      if (port !== undefined) page = await openConsole(service, backend.store, port, log, shownWith);
      return backend;
    },
    exceptions,
    alerts: { ...(options.on('no-stdout') ? {} : { stdout: process.stdout }), ...(file === undefined ? {} : { file }) },
    ...(files.length > 0 ? { tail: { files, directory: join(data, 'positions') } } : {}),
  });
  return { service, closeConsole: async () => page?.close(CONSOLE_CLOSE_MILLIS) };
}

/** Hands records to the service; what it cannot take yet waits in the stream, and the sensor counts what finds no room. */
function outputTo(service: Service, log: Log): SensorOutput {
  let waiting = false;
  const offer = async (lines: Buffer): Promise<void> => {
    for (;;) {
      try {
        await service.takeFlows(lines);
        if (waiting) log.info({}, 'the store takes records again');
        waiting = false;
        return;
      } catch (error) {
        if (!waiting) log.warn({ why: (error as Error).message }, 'the store takes no records yet');
        waiting = true;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MILLIS));
      }
    }
  };
  const stream = new Writable({
    highWaterMark: WAITING_BYTES,
    decodeStrings: true,
    write: (chunk: Buffer, _encoding, done) => {
      offer(chunk).then(() => done(), done);
    },
  });
  return { stream, metrics: [], complaints: () => (waiting ? ['the store takes no records'] : service.complaints()) };
}
