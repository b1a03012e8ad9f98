import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { openLog } from '../../sensor/base/log.ts';
import { type CommandSpec, helpText, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { readExceptions } from '../alert/exception-file.ts';
import { explanation } from '../alert/explanation.ts';
import { alertTable } from '../alert/table.ts';
import { withMarkedAlerts } from '../service/marked-alerts.ts';
import { defaultSettings } from '../settings.ts';
import { openEmbedded } from '../store/embedded.ts';
import { type Serving, serveConsole } from '../web/serve.ts';
import { replay } from './replay.ts';

export const DEMO: CommandSpec = {
  name: 'demo',
  usage: '[--exit] [--port N]',
  summary:
    'Replays the recordings that come with Waybill (pcaps/stories), prints the alerts, then serves the console on this machine.',
  options: [
    { name: 'exit', describe: 'Stop after printing: no console.' },
    { name: 'port', argument: 'N', describe: 'Port of the console; default 4690, or any free one when that is taken.' },
    {
      name: 'data',
      argument: 'DIR',
      describe: 'Keep the store in this directory, so that waybill explain ID --data DIR works.',
    },
    { name: 'json', describe: 'Alerts as JSON lines; no console.' },
  ],
};

const DEFAULT_PORT = 4690;

/** From dist/enrich/cli/ or enrich/cli/ to the recordings of the package. */
const CANDIDATES = ['../../../pcaps/stories', '../../pcaps/stories'];

export async function demoCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(DEMO));
    return Exit.fine;
  }
  const options = parseCommand(DEMO, args);
  const stories = CANDIDATES.map((path) => fileURLToPath(new URL(path, import.meta.url))).find((path) =>
    existsSync(path),
  );
  if (!stories) throw new UserError('the recordings (pcaps/stories) are not here');
  const port = portOf(options.text('port'));
  const kept = options.text('data');
  if (kept !== undefined) mkdirSync(kept, { recursive: true });
  const data = kept ?? mkdtempSync(join(tmpdir(), 'waybill-demo-'));
  try {
    await tell(stories, data, options.on('json'));
    if (!options.on('json') && !options.on('exit')) await serve(data, port);
    return Exit.fine;
  } finally {
    if (kept === undefined) rmSync(data, { recursive: true, force: true });
  }
}

async function tell(stories: string, data: string, asJson: boolean): Promise<void> {
  const started = performance.now();
  const { alerts, complaints } = await replay({
    captures: [stories],
    endpoints: [stories],
    settings: defaultSettings(),
    data,
    evidence: evidenceIn(data),
  });
  for (const complaint of complaints) process.stderr.write(`waybill: ${complaint}\n`);
  if (asJson) {
    for (const alert of alerts) process.stdout.write(`${JSON.stringify(alert.body)}\n`);
    return;
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`Replayed ${join('pcaps', 'stories')} in ${seconds} s.\n\n${alertTable(alerts)}`);
  const [first] = [...alerts].sort((a, b) => probability(b.body) - probability(a.body));
  if (first) process.stdout.write(`\nThe first one explained:\n\n${explanation(first.body)}`);
}

const evidenceIn = (data: string): string => join(data, 'packets');

/** Serves the console over what was replayed until the program is asked to stop. */
async function serve(data: string, port: number | undefined): Promise<void> {
  const store = await openEmbedded(data);
  try {
    const log = openLog({ name: 'demo', level: 'warn', terminal: process.stderr.isTTY === true });
    const shown = withMarkedAlerts(store, () => readExceptions(data));
    const options = { store: shown, log, evidence: evidenceIn(data), exceptions: data };
    const open = (at: number): Promise<Serving> => serveConsole({ ...options, port: at });
    const serving = await open(port ?? DEFAULT_PORT).catch((error: NodeJS.ErrnoException) => {
      if (port === undefined && error.code === 'EADDRINUSE') return open(0);
      throw new UserError(`cannot listen on port ${port ?? DEFAULT_PORT}: ${error.message}`);
    });
    process.stdout.write(`\nThe console: ${serving.url}\nCtrl-C ends it.\n`);
    await askedToStop();
    await serving.close(1_000);
  } finally {
    await store.close();
  }
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new UserError(`--port ${text}: expected 0 to 65535`, Exit.usage);
}

const askedToStop = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });

const probability = (body: unknown): number => (body as { waybill: { probability: number } }).waybill.probability;
