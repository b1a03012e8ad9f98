/**
 * `npm run bench -- detect [options]`: how well thefts are found and how often ordinary work is taken for one, in simulated
 * organisations, beside the rules that people have today. It reports; it has no thresholds.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { benchSettings } from './bench-settings.ts';
import { reportOf, textOf } from './detect-report.ts';
import { type Outcome, runDetection } from './run-detection.ts';
import { THEFT_KINDS } from './theft-kinds.ts';
import { timelineOf } from './timeline.ts';

const HELP = `npm run bench -- detect [options]

  --seed LIST     organisations, by seed (default 1)
  --hosts N       hosts of each, 10 to 5000 (default 40)
  --days N        days that are played, 8 to 60 (default 12)
  --warm-up N     days without thefts at the beginning (default 6)
  --thefts N      thefts planted in each, their kinds in turn (default ${THEFT_KINDS.length})
  --new N         laptops given out after the warm-up, some of them robbed (default a tenth of the hosts)
  --no-peers      without its roles as peer groups
  --settle N      hours of service time between two looks at everything (default 24); thefts are looked at in between
  --json FILE     the figures
  --timeline FILE what was known of each theft whenever it was looked at
`;

export async function detectBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      hosts: { type: 'string', default: '40' },
      days: { type: 'string', default: '12' },
      'warm-up': { type: 'string', default: '6' },
      thefts: { type: 'string', default: String(THEFT_KINDS.length) },
      new: { type: 'string' },
      'no-peers': { type: 'boolean', default: false },
      settle: { type: 'string', default: '24' },
      json: { type: 'string' },
      timeline: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const seeds = values.seed.split(',').map((seed) => wholeNumber('seed', seed, 0, 2 ** 31));
  const hosts = wholeNumber('hosts', values.hosts, 10, 5_000);
  const days = wholeNumber('days', values.days, 8, 60);
  const warmUp = wholeNumber('warm-up', values['warm-up'], 0, days - 6);
  const thefts = wholeNumber('thefts', values.thefts, 0, 10_000);
  const newHosts = wholeNumber('new', values.new ?? String(Math.round(hosts / 10)), 0, hosts);
  const settings = benchSettings(!values['no-peers']);
  const settleHours = wholeNumber('settle', values.settle, 1, 24);
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`);
  const timeline = values.timeline !== undefined;
  const outcomes: Outcome[] = [];
  for (const seed of seeds) {
    const onDay = (day: number): void => void process.stderr.write(`seed ${seed}, day ${day + 1} of ${days}   \r`);
    outcomes.push(
      await runDetection({ seed, hosts, days, warmUp, thefts, newHosts, settings, settleHours, timeline, onDay }),
    );
  }
  const report = reportOf(outcomes);
  console.log(`\n${textOf(report)}`);
  if (values.timeline) writeFileSync(values.timeline, outcomes.map(timelineOf).join(''));
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 1)}\n`);
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    process.stderr.write(`bench: --${name} ${text}: expected a number from ${least} to ${most}\n`);
    process.exit(2);
  }
  return value;
}
