/** `waybill drill`: a safe exercise of the whole chain, and what of it arrived. */

import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { type CommandSpec, helpText, type Parsed, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { MAX_DRILL_BYTES } from '../drill/announcement.ts';
import { DeskClient, type DrillHistory } from '../drill/desk-client.ts';
import { FEED_POINTS, type FeedPoint, performDrill } from '../drill/perform.ts';
import { openReceiver } from '../drill/receiver.ts';
import { type DrillReport, reportText } from '../drill/report.ts';
import { serviceOfOurOwn } from './drill-service.ts';

const DEFAULT_KIB = 1_024;
/** Between drills at least this long, seconds. */
const MIN_EVERY = 60;

export const DRILL: CommandSpec = {
  name: 'drill',
  usage: '[--service URL] [--to HOST:PORT] [--push] [--every 24h] | --history',
  summary:
    'Packs a harmless file, sends it over TLS, and says which evidence arrived, how late, and what is missing. Ends with 0 only when the alert came.',
  options: [
    {
      name: 'service',
      argument: 'URL',
      describe:
        'The running waybill enrich (or run), e.g. http://127.0.0.1:8095. Without it the drill starts waybill run on lo by itself, which needs the right to capture.',
    },
    { name: 'token-file', argument: 'FILE', describe: 'File with a token of the service that has the scope drill.' },
    {
      name: 'to',
      argument: 'HOST:PORT',
      describe: 'Where to send; anything that speaks TLS. Default: a receiver that the drill starts on loopback.',
    },
    { name: 'size', argument: 'KIB', fallback: String(DEFAULT_KIB), describe: 'Size of the archive, KiB.' },
    {
      name: 'push',
      describe:
        'Send the events of the drill’s own process to the service, as an EDR would (needs the scope events): for hosts without a feed.',
    },
    {
      name: 'without',
      argument: 'POINT',
      multiple: true,
      describe: `With --push: leave this out, to see what a feed without it would give (${FEED_POINTS.join(', ')}).`,
    },
    { name: 'wait', argument: 'SECONDS', fallback: '60', describe: 'How long to wait for what is missing.' },
    { name: 'every', argument: 'TIME', describe: 'Do it again after this time (30m, 24h, 7d) until a signal comes.' },
    { name: 'history', describe: 'Show the drills that the service knows, newest first.' },
    { name: 'json', describe: 'Reports as JSON lines.' },
  ],
  notes: `Drills are announced to the service first, are marked (waybill.drill), train nothing and count as no incident.
The mark holds for minutes, this host, that address and so many bytes; what does not fit it is judged as anything else.
Exit codes: 0 the alert came, 1 it did not or the drill could not run, 2 usage.`,
};

export async function drillCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(DRILL));
    return Exit.fine;
  }
  const options = parseCommand(DRILL, args);
  if (options.positionals.length > 0)
    throw new UserError(`${options.positionals[0]}: expected options only`, Exit.usage);
  const every = everyMillis(options.text('every'));
  const service = options.text('service');
  if (options.on('history')) {
    if (service === undefined) throw new UserError('--history needs --service URL', Exit.usage);
    return showHistory(await deskOf(service, options).history(), options.on('json'));
  }
  const push = pushed(options, service === undefined);
  if (service !== undefined) return repeated(options, deskOf(service, options), push, every);
  const own = await serviceOfOurOwn();
  try {
    return await repeated(options, new DeskClient(own.url), push, every);
  } finally {
    await own.stop();
  }
}

async function repeated(
  options: Parsed,
  desk: DeskClient,
  push: ReadonlySet<FeedPoint>,
  every: number | undefined,
): Promise<number> {
  for (;;) {
    let code: number = Exit.failed;
    try {
      code = await once(options, desk, push);
    } catch (error) {
      if (every === undefined || !(error instanceof UserError)) throw error;
      process.stderr.write(`waybill: ${error.message}\n`); // the next one may succeed
    }
    if (every === undefined) return code;
    await setTimeout(every);
  }
}

async function once(options: Parsed, desk: DeskClient, push: ReadonlySet<FeedPoint>): Promise<number> {
  const named = options.text('to');
  const receiver = named === undefined ? await openReceiver() : undefined;
  try {
    const report = await performDrill({
      desk,
      to: receiver ?? (await addressOf(named!)),
      bytes: options.integer('size', 64, MAX_DRILL_BYTES / 2_048)! * 1_024,
      waitSeconds: options.integer('wait', 0, 3_600)!,
      push,
    });
    process.stdout.write(options.on('json') ? `${JSON.stringify(report)}\n` : reportText(report));
    return report.passed ? Exit.fine : Exit.failed;
  } finally {
    receiver?.close();
  }
}

function deskOf(service: string, options: Parsed): DeskClient {
  const isUrl = URL.canParse(service) && /^https?:$/.test(new URL(service).protocol);
  if (!isUrl) throw new UserError(`--service ${service}: expected http://… or https://…`, Exit.usage);
  const file = options.text('token-file');
  if (file === undefined) return new DeskClient(service);
  try {
    return new DeskClient(service, readFileSync(file, 'utf8').trim());
  } catch (error) {
    throw new UserError(`--token-file ${file}: ${(error as NodeJS.ErrnoException).code}`, Exit.usage);
  }
}

/** A service of our own knows no feed, so everything is pushed to it. */
function pushed(options: Parsed, isOwn: boolean): ReadonlySet<FeedPoint> {
  const without = options.list('without');
  const wrong = without.find((name) => !FEED_POINTS.some((point) => point === name));
  if (wrong !== undefined) throw new UserError(`--without ${wrong}: expected ${FEED_POINTS.join(', ')}`, Exit.usage);
  const isPushing = options.on('push') || isOwn;
  if (without.length > 0 && !isPushing) throw new UserError('--without goes with --push', Exit.usage);
  return new Set(isPushing ? FEED_POINTS.filter((point) => !without.includes(point)) : []);
}

async function addressOf(text: string): Promise<{ ip: string; port: number }> {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const name = match?.[1] ?? match?.[2];
  if (name === undefined || port < 1 || port > 65_535)
    throw new UserError(`--to ${text}: expected HOST:PORT`, Exit.usage);
  try {
    return { ip: (await lookup(name)).address, port };
  } catch (error) {
    throw new UserError(`--to ${text}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function everyMillis(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,5})([smhd])$/.exec(text);
  const unit = { s: 1, m: 60, h: 3_600, d: 86_400 }[match?.[2] as 's' | 'm' | 'h' | 'd'];
  const seconds = Number(match?.[1]) * unit;
  // A timer of Node holds 24 days.
  if (!(seconds >= MIN_EVERY && seconds <= 24 * 86_400))
    throw new UserError(`--every ${text}: expected 1m to 24d, such as 30m, 24h or 7d`, Exit.usage);
  return seconds * 1_000;
}

function showHistory(drills: DrillHistory, asJson: boolean): number {
  for (const { id, host, at, report } of drills) {
    if (asJson) process.stdout.write(`${JSON.stringify({ id, host, at, report })}\n`);
    else if (report) process.stdout.write(`${reportText(report as DrillReport)}\n`);
    else process.stdout.write(`Drill ${id.slice(0, 8)}  ${at}  was announced and never reported\n\n`);
  }
  if (drills.length === 0 && !asJson) process.stdout.write('No drill yet.\n');
  return Exit.fine;
}
