import { once } from 'node:events';
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { escapeUnsafeUnicode } from '../../sensor/base/text.ts';
import { type CommandSpec, helpText, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import type { EndpointEvent } from '../event/endpoint-event.ts';
import { endpointEventToEcs } from '../event/to-ecs.ts';
import { FeedSummary, type Tally } from '../ingest/feed-summary.ts';
import { readEndpointFile } from '../ingest/read-endpoint-file.ts';
import { ZoneClock } from '../ingest/zone-clock.ts';

/** Most files found below directories, and how deep they are looked for. */
const MAX_FILES = 100_000;
const MAX_DIRECTORY_DEPTH = 32;
/** Lines printed of one part of the table. */
const MAX_TABLE_LINES = 20;
/** Longest outside name printed. */
const MAX_NAME_CHARS = 120;
/** Output is written in pieces of about this many characters. */
const WRITE_CHARS = 64 * 1024;

export const NORMALIZE: CommandSpec = {
  name: 'normalize',
  usage: 'PATH… [OPTIONS]',
  summary:
    'Print our reading of an endpoint feed: one event a line, in ECS. What was not used is counted on standard error.',
  options: [
    { name: 'host', argument: 'NAME', describe: 'Host of records that name none.' },
    {
      name: 'zone',
      argument: '±HH:MM',
      describe: 'Zone of log times that state none and that nothing in the feed tells.',
    },
    { name: 'quiet', short: 'q', describe: 'No table on standard error, only what is wrong.' },
  ],
  notes: `PATH is a file, a directory (read recursively) or - for standard input; JSON in any envelope, Event XML, CSV, lines of CEF and LEEF, classic text and
binary .evtx are told apart by content, gzip and UTF-16 as well.
Feeds: Sysmon and Windows Security in every usual shape, Elastic Defend, Microsoft Defender for Endpoint, CrowdStrike FDR,
SentinelOne, Carbon Black, Cortex XDR, LimaCharlie, Trellix HX, Tanium, Cybereason, Sophos, CEF and LEEF, ASIM, OCSF, osquery,
Wazuh. Exit code 3 says that some of the input could not be read.`,
};

/** `waybill normalize`; the exit code. */
export async function normalizeCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(NORMALIZE));
    return Exit.fine;
  }
  const options = parseCommand(NORMALIZE, args);
  if (options.positionals.length === 0)
    throw new UserError('normalize: no PATH given. See: waybill normalize --help', Exit.usage);
  const files = options.positionals.flatMap((path) => filesAt(path));
  const host = options.text('host');
  const zone = options.text('zone');
  const readOptions = {
    ...(host === undefined ? {} : { host }),
    ...(zone === undefined ? {} : { zoneMinutes: zoneMinutes(zone) }),
    zoneClock: new ZoneClock(),
  };
  const out = new LineWriter();
  const all = new FeedSummary();
  let exit: number = Exit.fine;
  for (const file of files) {
    const summary = await readOne(file, (event) => out.write(event), readOptions);
    if (complain(file, summary)) exit = Exit.damaged;
    all.merge(summary);
  }
  await out.flush();
  if (!options.on('quiet')) process.stderr.write(table(all));
  return exit;
}

async function readOne(
  file: string,
  onEvent: (event: EndpointEvent) => Promise<void> | undefined,
  options: Parameters<typeof readEndpointFile>[2],
): Promise<FeedSummary> {
  try {
    return await readEndpointFile(file, onEvent as (event: EndpointEvent) => void, options);
  } catch (error) {
    throw fileError(file, error);
  }
}

/** Lines to standard output, waiting when its reader is slow. */
class LineWriter {
  private text = '';

  write(event: EndpointEvent): Promise<void> | undefined {
    this.text += `${JSON.stringify(endpointEventToEcs(event))}\n`;
    return this.text.length >= WRITE_CHARS ? this.flush() : undefined;
  }

  async flush(): Promise<void> {
    const { text } = this;
    this.text = '';
    if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
  }
}

function filesAt(path: string): string[] {
  if (path === '-') return [path];
  try {
    if (!statSync(path).isDirectory()) return [path];
  } catch (error) {
    throw fileError(path, error);
  }
  const found: string[] = [];
  collect(path, 0, found);
  if (found.length === 0) throw new UserError(`normalize: ${printable(path)}: no files in this directory`, Exit.usage);
  return found;
}

/** Files below a directory in order of their names; links are not followed. */
function collect(directory: string, depth: number, found: string[]): void {
  if (depth > MAX_DIRECTORY_DEPTH) return;
  let entries: Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    throw fileError(directory, error);
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (found.length >= MAX_FILES) return;
    if (entry.isDirectory()) collect(join(directory, entry.name), depth + 1, found);
    else if (entry.isFile()) found.push(join(directory, entry.name));
  }
}

function fileError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  const why = code === undefined ? undefined : FILE_ERRORS.get(code);
  return why === undefined ? error : new UserError(`normalize: ${printable(path)}: ${why}`, Exit.usage);
}

const FILE_ERRORS = new Map([
  ['ENOENT', 'no such file'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'is a directory'],
  ['ELOOP', 'too many links'],
  ['ENAMETOOLONG', 'name too long'],
]);

function zoneMinutes(text: string): number {
  const match = /^([+-])(\d{1,2}):?(\d\d)$/.exec(text);
  const minutes = match ? Number(match[2]) * 60 + Number(match[3]) : Number.NaN;
  if (!(minutes <= 14 * 60))
    throw new UserError(`normalize: --zone ${printable(text)}: expected a zone such as -05:00`, Exit.usage);
  return match?.[1] === '-' ? -minutes : minutes;
}

/** One line for a file that could not be read, or not wholly; true when there was something to say. */
function complain(file: string, summary: FeedSummary): boolean {
  const name = printable(file);
  if (summary.refused !== undefined) process.stderr.write(`normalize: ${name}: ${summary.refused}\n`);
  if (summary.damaged.total > 0) {
    const first = printable(summary.damagedAt[0] ?? '');
    const others = summary.damaged.total > 1 ? ` (${summary.damaged.total} places)` : '';
    process.stderr.write(`normalize: ${name}: damaged ${first}${others}; the rest was read\n`);
  }
  return summary.refused !== undefined || summary.damaged.total > 0;
}

function table(summary: FeedSummary): string {
  return [
    section('events', summary.accepted),
    section('ignored (record types we have no use for)', summary.ignored),
    section('rejected (known records that lack something)', summary.rejected),
    section('unknown (no feed we know; first keys of the record)', summary.unknown),
    section('damaged', summary.damaged),
    ambiguousDates(summary.ambiguousDates),
    summary.unzoned > 0 ? `${summary.unzoned} events have a log time of unknown zone; see --zone\n` : '',
  ].join('');
}

function section(title: string, tally: Tally): string {
  const entries = tally.entries();
  if (entries.length === 0) return '';
  const width = String(tally.total).length;
  const lines = entries
    .slice(0, MAX_TABLE_LINES)
    .map(([name, count]) => `  ${String(count).padStart(width)}  ${printable(name)}\n`);
  const more =
    entries.length > MAX_TABLE_LINES ? `  ${' '.repeat(width)}  and ${entries.length - MAX_TABLE_LINES} more\n` : '';
  return `${String(tally.total)} ${title}\n${lines.join('')}${more}`;
}

/** Outside text for the terminal: no control or format characters, not too long. */
const printable = (text: string): string => {
  const kept = text.length > MAX_NAME_CHARS ? `${text.slice(0, MAX_NAME_CHARS)}…` : text;
  return escapeUnsafeUnicode(kept, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
};

function ambiguousDates(count: number): string {
  if (count === 0) return '';
  const records = count === 1 ? '1 record has' : `${count} records have`;
  return `${records} a date whose day and month nothing tells apart; with slashes it is read as month/day/year\n`;
}
