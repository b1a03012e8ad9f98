/** `waybill enrich`: the service with its signals. */
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { LOG_LEVELS, type Log, openLog } from '../../sensor/base/log.ts';
import { type CommandSpec, helpText, type Parsed, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { backUpJournal, journalDirectory } from '../service/journal.ts';
import { ownNames } from '../service/listen-settings.ts';
import { Service } from '../service/service.ts';
import { Tokens } from '../service/tokens.ts';
import { defaultSettings, listenComplaint, readSettings, type Settings } from '../settings.ts';
import { backUpEmbedded } from '../store/embedded-reader.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { consoleAnswers } from '../web/api.ts';
import type { DownloadSources } from '../web/downloads.ts';
import { type Serving, serveConsole } from '../web/serve.ts';
import type { HealthAnswer } from '../web/view.ts';
import { isRedis, openBackend, storeDirectory } from './open-backend.ts';

export const DEFAULT_DATA = '.waybill';
/** Requests of the console under way at the end have this long. */
export const CONSOLE_CLOSE_MILLIS = 500;
/** After the first signal the process ends by itself within this time, whatever still hangs. */
const STOP_MILLIS = 4_500;

export const ENRICH: CommandSpec = {
  name: 'enrich',
  usage: '[--store embedded|redis://…] [--config FILE]',
  summary:
    'Runs the service: takes endpoint events and flow records over HTTP and from Redis streams, joins, scores, and prints alerts as JSON lines.',
  options: [
    {
      name: 'store',
      argument: 'WHERE',
      fallback: 'embedded',
      describe:
        'embedded, or redis://, rediss://, redis+cluster://, redis+sentinel:// …; run several on one Redis to share the load.',
    },
    {
      name: 'data',
      argument: 'DIR',
      fallback: DEFAULT_DATA,
      describe: 'Directory of the embedded store, journal and positions.',
    },
    {
      name: 'config',
      argument: 'FILE',
      describe: 'Settings (YAML); see: waybill check-config. SIGHUP reads it again.',
    },
    { name: 'listen', argument: 'HOST:PORT', describe: 'Instead of service.listen of the settings.' },
    {
      name: 'console',
      argument: 'PORT',
      describe:
        'Serve the console on this port of loopback; its address with the token is logged. WAYBILL_CONSOLE_TOKEN sets the token.',
    },
    {
      name: 'evidence',
      argument: 'DIR',
      describe: 'Where a sensor on this machine writes handshake packets (its --evidence); the console gives them out.',
    },
    { name: 'alerts', argument: 'FILE', describe: 'Append alerts to this file too.' },
    { name: 'no-stdout', describe: 'No alerts on standard output.' },
    {
      name: 'endpoint-file',
      argument: 'PATH',
      multiple: true,
      describe: 'Follow this endpoint log as tail -F does, rotation included.',
    },
    { name: 'worker', argument: 'NAME', describe: 'Redis: name of this worker (default: host and process).' },
    { name: 'allow-eviction', describe: 'Redis: start although its maxmemory-policy may delete what it holds.' },
    {
      name: 'backup',
      argument: 'DIR',
      describe: 'Write a copy of the embedded store, in use or not, into an empty directory, and end.',
    },
    { name: 'log-level', argument: 'LEVEL', fallback: 'info', describe: 'error, warn, info or silent.' },
  ],
  notes: `POST /v1/events, /v1/flows, Splunk HEC (/services/collector…), Elastic _bulk; GET /metrics, /healthz, /readyz.
Password and user of Redis may stand in WAYBILL_REDIS_PASSWORD and WAYBILL_REDIS_USER.
Exit codes: 0 ended by a signal in order, 1 could not run, 2 usage or configuration, 143 ended at once by a second signal.`,
};

export async function enrichCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(ENRICH));
    return Exit.fine;
  }
  const options = parseCommand(ENRICH, args);
  if (options.positionals.length > 0)
    throw new UserError(`${options.positionals[0]}: expected options only`, Exit.usage);
  const settings = settingsOf(options);
  const log = openLog({ name: 'enrich', level: logLevel(options), terminal: process.stderr.isTTY === true });
  const backup = options.text('backup');
  if (backup !== undefined) return backUp(options, backup);
  return serve(options, settings, log);
}

async function serve(options: Parsed, settings: Settings, log: Log): Promise<number> {
  const store = options.text('store') ?? 'embedded';
  const data = options.text('data') ?? DEFAULT_DATA;
  if (store !== 'embedded' && !isRedis(store)) {
    throw new UserError(`--store ${store}: expected embedded or redis://…`, Exit.usage);
  }
  const file = options.text('alerts');
  const files = options.list('endpoint-file');
  if (files.length > 0) mkdirSync(data, { recursive: true });
  const worker = options.text('worker') ?? `${hostname()}-${process.pid}`;
  const place = {
    store,
    data,
    worker,
    allowEviction: options.on('allow-eviction'),
    onState: (up: boolean, why: string) =>
      up ? log.info({ why }, 'Redis is back') : log.warn({ why }, 'Redis is away'),
  };
  const evidence = options.text('evidence');
  const exceptions = exceptionsDirectory(store, data);
  const shownWith = { exceptions, ...(evidence === undefined ? {} : { evidence }) };
  const consolePort = options.integer('console', 0, 65_535);
  let page: Serving | undefined;
  const service = new Service({
    settings,
    log,
    open: async () => {
      const backend = await openBackend(place, settings);
      if (consolePort !== undefined)
        page = await openConsole(service, backend.store, consolePort, log, { settings, ...shownWith });
      return backend;
    },
    exceptions,
    worker,
    pages: (current, shown) =>
      consoleAnswers({
        store: shown,
        settings: current,
        ...shownWith,
        tokens: new Tokens(current.service.tokens),
        names: ownNames(current.service),
        ...waysOut(service),
      }),
    alerts: { ...(options.on('no-stdout') ? {} : { stdout: process.stdout }), ...(file === undefined ? {} : { file }) },
    ...(files.length > 0 ? { tail: { files, directory: join(data, 'positions') } } : {}),
  });
  const stopped = untilSignal(service, options, log);
  try {
    await Promise.race([service.start(), stopped]);
    await stopped;
    return Exit.fine;
  } catch (error) {
    throw startError(error);
  } finally {
    await page?.close(CONSOLE_CLOSE_MILLIS);
  }
}

/** Where `waybill allow --data DIR` keeps the exceptions of this service: beside the embedded store, else in DIR. */
export const exceptionsDirectory = (store: string, data: string): string =>
  isRedis(store) ? data : storeDirectory(data);

/** On loopback only: it speaks plain HTTP. `service.console` serves it beyond. */
export async function openConsole(
  service: Service,
  store: Store,
  port: number,
  log: Log,
  more: Omit<DownloadSources, 'store'> & { readonly exceptions: string },
): Promise<Serving> {
  const { WAYBILL_CONSOLE_TOKEN: token } = process.env;
  const options = { store: service.shown(store), port, log, ...more, ...waysOut(service) };
  const page = await serveConsole({ ...options, ...(token ? { token } : {}) });
  log.info({ console: token ? page.url.replace(/#.*/, '') : page.url }, 'the console is served');
  return page;
}

/** What the console tells of the outputs. */
const waysOut = (service: Service) => ({
  outputs: () => service.outputState().map(({ name }) => name),
  health: (): HealthAnswer['sections'] => {
    const rows = service.outputState().map(({ name, waiting, sent, trouble }) => ({
      name,
      value: trouble === undefined ? `${sent} sent` : `${waiting} waiting`,
      note: trouble ?? `${waiting} waiting, ${sent} sent since the start.`,
      state: trouble === undefined ? ('fine' as const) : ('look' as const),
    }));
    return rows.length === 0 ? [] : [{ title: 'Ways out for alerts', rows }];
  },
});

/** Resolves when a signal has ended the service in order. */
function untilSignal(service: Service, options: Parsed, log: Log): Promise<void> {
  return new Promise((resolve, reject) => {
    let asked = false;
    const stop = (code: number) => (): void => {
      if (asked) process.exit(code);
      asked = true;
      log.info({}, 'stopping');
      // What is not settled by then is in the journal or the stream, and is taken up at the next start.
      setTimeout(() => process.exit(Exit.fine), STOP_MILLIS).unref();
      service.stop().then(resolve, reject);
    };
    process.on('SIGTERM', stop(143));
    process.on('SIGINT', stop(Exit.interrupted));
    process.on('SIGHUP', () => void reload(service, options, log));
  });
}

/** Reads the settings again; broken ones are told of and the old stay. */
export async function reload(service: Service, options: Parsed, log: Log): Promise<void> {
  try {
    await service.use(settingsOf(options));
    log.info({}, 'settings read again');
  } catch (error) {
    log.error({ why: (startError(error) as Error).message }, 'settings are broken; the old ones are kept');
  }
}

/** Settings of --config and --listen. */
export function settingsOf(options: Parsed): Settings {
  const config = options.text('config');
  const settings = config === undefined ? defaultSettings() : readSettings(config, { withFiles: true });
  const listen = options.text('listen');
  return listen === undefined ? settings : withListen(settings, listen);
}

/** The same rules hold for an address from the command line. */
function withListen(settings: Settings, listen: string): Settings {
  if (!/^(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}$/.test(listen)) {
    throw new UserError(`--listen ${listen}: expected HOST:PORT`, Exit.usage);
  }
  const service = { ...settings.service, listen };
  const why = listenComplaint(service);
  if (why !== undefined) throw new UserError(`--listen ${listen}: ${why}`, Exit.usage);
  return { ...settings, service };
}

function logLevel(options: Parsed): (typeof LOG_LEVELS)[number] {
  const text = options.text('log-level');
  const found = LOG_LEVELS.find((level) => level === text);
  if (!found) throw new UserError(`--log-level ${text}: expected ${LOG_LEVELS.join(', ')}`, Exit.usage);
  return found;
}

async function backUp(options: Parsed, directory: string): Promise<number> {
  const data = options.text('data') ?? DEFAULT_DATA;
  try {
    await backUpEmbedded(storeDirectory(data), directory, () => backUpJournal(data, journalDirectory(directory)));
  } catch (error) {
    throw startError(error);
  }
  process.stderr.write(`waybill: copied ${data} to ${directory}\n`);
  return Exit.fine;
}

/** What the user can do something about, in one line. */
export function startError(error: unknown): unknown {
  if (error instanceof StoreError)
    return new UserError(error.message, error.code === 'bad-url' ? Exit.usage : Exit.failed);
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall === 'listen' || code === 'EADDRINUSE' || code === 'EACCES') {
    return new UserError(`cannot listen: ${(error as Error).message}`);
  }
  if (typeof code === 'string' && code.startsWith('ERR_OSSL'))
    return new UserError(`service.tls: ${(error as Error).message}`);
  return error;
}
