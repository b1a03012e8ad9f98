import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { type CommandSpec, helpText, type Parsed, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { evidenceName } from '../../sensor/record/evidence-name.ts';
import { type Exception, withExceptions } from '../alert/exception.ts';
import { readExceptions } from '../alert/exception-file.ts';
import { explanation } from '../alert/explanation.ts';
import { inertJson, inspectText } from '../alert/terminal-text.ts';
import { toOcsf } from '../alert/to-ocsf.ts';
import { toStix } from '../alert/to-stix.ts';
import type { AboutAlert } from '../bundle/judge-again.ts';
import { MAX_BUNDLE_BYTES } from '../bundle/members.ts';
import { rawEventsOf } from '../bundle/raw-events.ts';
import { judgedFrom, readBundle } from '../bundle/read-bundle.ts';
import { decibelsOf, type RawEvent, writeBundle } from '../bundle/write-bundle.ts';
import { defaultSettings, readSettings } from '../settings.ts';
import type { Store, StoredAlert } from '../store/store.ts';
import { DATA_OPTIONS, dataDirectory, openData, redisOf } from './open-data.ts';

const FORMATS = ['text', 'ecs', 'ocsf', 'stix'] as const;
type Format = (typeof FORMATS)[number];

export const EXPLAIN: CommandSpec = {
  name: 'explain',
  usage: 'ID --data DIR [--format …] [--bundle FILE] | BUNDLE',
  summary: 'Shows every decibel of one alert, the events it came from, and what could not be seen.',
  options: [
    ...DATA_OPTIONS,
    {
      name: 'format',
      argument: 'FORMAT',
      fallback: 'text',
      describe: 'text; ecs (the alert document), ocsf (Detection Finding) or stix (STIX 2.1 bundle) as JSON.',
    },
    { name: 'json', describe: 'The same as --format ecs.' },
    {
      name: 'bundle',
      argument: 'FILE',
      describe: 'Write all that the alert rests on into this zip file, instead of printing it.',
    },
    { name: 'evidence', argument: 'DIR', describe: 'With --bundle: directory that the sensor’s --evidence wrote.' },
    {
      name: 'endpoint',
      argument: 'PATH',
      multiple: true,
      describe:
        'With --bundle: endpoint logs, whose records that the alert names go into the bundle as they stand there.',
    },
    {
      name: 'config',
      argument: 'FILE',
      describe:
        'The settings (YAML) that the service runs with: for --bundle, and for bundles that need your tables.asn.',
    },
  ],
  notes: `ID may be shortened to any beginning that fits one alert.
BUNDLE is a file that --bundle wrote: its alert is scored again from what is in it, without a store, on any machine.
Exit codes: 0 fine, 1 no such alert, or a bundle that gives other decibels than it says, 2 usage, 3 a damaged or altered bundle.`,
};

/** Alerts looked through for a shortened id. */
const MAX_ALERTS = 100_000;

export async function explainCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(EXPLAIN));
    return Exit.fine;
  }
  const options = parseCommand(EXPLAIN, args);
  const format = formatOf(options);
  const [id, ...more] = options.positionals;
  if (id === undefined || more.length > 0)
    throw new UserError('name one alert: waybill explain ID --data DIR', Exit.usage);
  const isStored = options.text('data') !== undefined || options.text('store') !== undefined;
  if (!isStored && statSync(id, { throwIfNoEntry: false })?.isFile()) return explainBundle(id, format, options);
  const store = await openData(options);
  try {
    const stored = (await store.getAlert(id)) ?? byPrefix(await store.listAlerts({ limit: MAX_ALERTS }), id);
    const bundle = options.text('bundle');
    if (bundle !== undefined) return await keepBundle(store, stored, bundle, options);
    print(withExceptions([stored], exceptionsBeside(options))[0]!, format);
    return Exit.fine;
  } finally {
    await store.close();
  }
}

/** With the embedded store they lie beside it, with Redis in the directory that `allow` was given. */
function exceptionsBeside(options: Parsed): readonly Exception[] {
  if (redisOf(options) === undefined) return readExceptions(dataDirectory(options));
  const data = options.text('data');
  return data === undefined ? [] : readExceptions(data);
}

function formatOf(options: Parsed): Format {
  const named = options.on('json') ? 'ecs' : options.text('format');
  const format = FORMATS.find((each) => each === named);
  if (!format) throw new UserError(`--format ${named}: expected ${FORMATS.join(', ')}`, Exit.usage);
  return format;
}

function print(alert: StoredAlert, format: Format): void {
  if (format === 'text') process.stdout.write(explanation(alert.body));
  else if (format === 'ecs') process.stdout.write(`${JSON.stringify(alert.body)}\n`);
  else process.stdout.write(`${inertJson(format === 'ocsf' ? toOcsf(alert) : toStix(alert))}\n`);
}

async function keepBundle(store: Store, alert: StoredAlert, file: string, options: Parsed): Promise<number> {
  const config = options.text('config');
  const evidence = options.text('evidence');
  if (evidence !== undefined && !existsSync(evidence))
    throw new UserError(`--evidence ${evidence}: no such directory`, Exit.usage);
  const settings = config === undefined ? defaultSettings() : readSettings(config);
  const raw = await rawIn(options.list('endpoint'), alert);
  const written = await writeBundle(store, settings, alert, (flowId) => packetsIn(evidence, flowId), raw);
  if (written.kind === 'none') throw new UserError(`${alert.id}: ${written.why}`);
  try {
    writeFileSync(file, written.bytes, { mode: 0o600 });
  } catch (error) {
    throw new UserError(`--bundle ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
  for (const note of written.notes) process.stderr.write(`waybill: ${note}\n`);
  process.stderr.write(`waybill: ${alert.id} is in ${file} (${written.bytes.length} bytes)\n`);
  return Exit.fine;
}

async function rawIn(paths: readonly string[], { body }: StoredAlert): Promise<RawEvent[]> {
  try {
    return await rawEventsOf(body as AboutAlert, paths);
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new UserError(`--endpoint ${path ?? ''}: ${code}`, Exit.usage);
  }
}

function packetsIn(directory: string | undefined, flowId: string): Uint8Array | undefined {
  const file = directory === undefined ? undefined : join(directory, evidenceName(flowId));
  return file !== undefined && existsSync(file) ? readFileSync(file) : undefined;
}

async function explainBundle(file: string, format: Format, options: Parsed): Promise<number> {
  if (statSync(file).size > MAX_BUNDLE_BYTES) throw new UserError(`${file}: too large for a bundle`, Exit.damaged);
  const read = readBundle(readFileSync(file));
  if (read.kind === 'bad') throw new UserError(inspectText(`${file}: ${read.why}`), Exit.damaged);
  const { manifest } = read.bundle;
  const config = options.text('config');
  const again = await judgedFrom(read.bundle, config === undefined ? undefined : readSettings(config));
  if (typeof again === 'string') throw new UserError(inspectText(`${file}: ${again}`), Exit.damaged);
  print(again, format);
  const now = again.body as AboutAlert;
  const [decibels, model] = [decibelsOf(now), now.waybill?.model];
  const isSame = decibels === manifest.score_db;
  const other = model === manifest.model ? '' : `; the model is ${model} here and was ${manifest.model} there`;
  const found = isSame ? `as the manifest says` : `where the manifest says ${manifest.score_db} dB`;
  const lines = [...manifest.notes, `scored again from the bundle: ${decibels} dB, ${found}${other}`];
  for (const line of lines) process.stderr.write(`waybill: ${inspectText(line)}\n`);
  return isSame ? Exit.fine : Exit.failed;
}

function byPrefix(alerts: readonly StoredAlert[], prefix: string): StoredAlert {
  const found = alerts.filter((alert) => alert.id.startsWith(prefix));
  if (found.length === 1) return found[0]!;
  const why = found.length === 0 ? 'no alert has this id' : `${found.length} alerts begin so`;
  throw new UserError(`${prefix}: ${why}. ${alerts.length} alerts in the store.`);
}
