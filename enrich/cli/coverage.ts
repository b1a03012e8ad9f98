import { Exit, UserError } from '../../sensor/base/exit.ts';
import { formatMicros, parseMicros } from '../../sensor/base/timestamp.ts';
import { type CommandSpec, helpText, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { inspectText } from '../alert/terminal-text.ts';
import { blindSpots, coverageOf, type HostHour, spanOf } from '../score/coverage.ts';
import type { Store } from '../store/store.ts';
import { DATA_OPTIONS, openData } from './open-data.ts';

export const COVERAGE: CommandSpec = {
  name: 'coverage',
  usage: '[ALERT] --data DIR [--from TIME] [--to TIME] [--json]',
  summary: 'Shows by host and hour what the telemetry could not have shown: no feed, no sizes, no names, wrong clock.',
  options: [
    ...DATA_OPTIONS,
    { name: 'from', argument: 'TIME', describe: 'Begin (RFC 3339); default: the first fact.' },
    { name: 'to', argument: 'TIME', describe: 'End (RFC 3339); default: the last fact.' },
    { name: 'json', describe: 'JSON lines, one an hour.' },
  ],
  notes:
    'With the id of an alert: what could not be seen of it, and the hours of its host that it spans. Hours in which a host showed nothing at all have no line.',
};

/** Longest span of one report, microseconds. */
const MAX_SPAN = 400 * 86_400_000_000;
const HOUR = 3_600_000_000;

export async function coverageCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(COVERAGE));
    return Exit.fine;
  }
  const options = parseCommand(COVERAGE, args);
  const [id, ...more] = options.positionals;
  if (more.length > 0) throw new UserError(`${more[0]}: name one alert`, Exit.usage);
  const store = await openData(options);
  try {
    const asJson = options.on('json');
    const alert = id === undefined ? undefined : await spanOfAlert(store, id);
    const all = alert ?? (await spanOf(store));
    if (!all) {
      if (!asJson) process.stdout.write('The store has no facts of any host.\n');
      return Exit.fine;
    }
    const to = timeOf(options.text('to'), 'to') ?? all.to;
    const from = Math.max(timeOf(options.text('from'), 'from') ?? all.from, to - MAX_SPAN);
    if (alert && !asJson) process.stdout.write(`Not seen of ${id}:\n${notSeen(alert.missing)}\n`);
    if (!asJson) process.stdout.write(`${HEADER}\n`);
    for await (const hours of coverageOf(store, from, to, alert && [alert.host])) {
      for (const hour of hours) process.stdout.write(`${asJson ? json(hour) : row(hour)}\n`);
    }
    return Exit.fine;
  } finally {
    await store.close();
  }
}

interface AlertSpan {
  readonly host: string;
  readonly from: number;
  readonly to: number;
  readonly missing: readonly string[];
}

/** Whole hours from the first staging to the newest evidence of an alert. */
async function spanOfAlert(store: Store, id: string): Promise<AlertSpan> {
  const alert = await store.getAlert(id);
  const body = alert?.body as
    | { host: { id: string }; event: { start?: string; end?: string }; waybill: { missing?: readonly string[] } }
    | undefined;
  if (!alert || !body) throw new UserError(`${id}: no alert has this id`);
  const from = parseMicros(body.event.start ?? '') ?? alert.at;
  const to = parseMicros(body.event.end ?? '') ?? alert.at;
  const floor = Math.floor(from / HOUR) * HOUR;
  return {
    host: body.host.id,
    from: floor,
    to: Math.ceil((to + 1) / HOUR) * HOUR - 1,
    missing: body.waybill.missing ?? [],
  };
}

const notSeen = (missing: readonly string[]): string =>
  missing.length === 0
    ? '  nothing that the model asks for\n'
    : `${missing.map((m) => `  ${inspectText(m)}\n`).join('')}`;

function timeOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const whole = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
  const at = parseMicros(whole);
  if (at === undefined) throw new UserError(`--${name} ${text}: expected a time (RFC 3339)`, Exit.usage);
  return at;
}

const HEADER = `${'HOUR'.padEnd(18)}${'HOST'.padEnd(20)}${'EVENTS'.padStart(8)}${'CONN'.padStart(7)}${'DNS'.padStart(6)}${'FLOWS'.padStart(7)}${'CLOCK'.padStart(8)}  NOT SEEN`;

function row(hour: HostHour): string {
  const clock = hour.clock.state === 'learned' ? `${hour.clock.offset / 1e6} s` : hour.clock.state;
  const cells = [
    formatMicros(hour.hour).slice(0, 16).padEnd(18),
    inspectText(hour.name ?? hour.host)
      .slice(0, 19)
      .padEnd(20),
    String(hour.events).padStart(8),
    String(hour.connections).padStart(7),
    String(hour.lookUps).padStart(6),
    String(hour.flows).padStart(7),
    clock.padStart(8),
  ];
  return `${cells.join('')}  ${blindSpots(hour).join('; ') || '-'}`;
}

function json(hour: HostHour): string {
  const { host, name, hour: at, clock, ...counts } = hour;
  const seconds = clock.state === 'learned' ? { offset_seconds: clock.offset / 1e6 } : {};
  return JSON.stringify({
    '@timestamp': formatMicros(at),
    host: { id: host, ...(name === undefined ? {} : { name }) },
    coverage: { ...counts, clock: { state: clock.state, matches: clock.matches, ...seconds } },
    not_seen: blindSpots(hour),
  });
}
