import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { type CommandSpec, helpText, type Parsed, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { calibrate, probabilityAt } from '../evidence/calibration.ts';
import { type Rescored, rescore } from '../score/backtest.ts';
import { hostsIn, spanOf } from '../score/coverage.ts';
import { brier, type Decided, decidedAlerts, INCIDENTS, type SiteRate, siteRate } from '../score/site.ts';
import { defaultSettings, readSettings } from '../settings.ts';
import { DATA_OPTIONS, openData } from './open-data.ts';

export const CALIBRATE: CommandSpec = {
  name: 'calibrate',
  usage: '--data DIR [--config FILE] [--out FILE]',
  summary:
    'Shows what this site’s own candidates and the decisions of its analysts say of prior, probabilities and thresholds.',
  options: [
    ...DATA_OPTIONS,
    { name: 'config', argument: 'FILE', describe: 'Settings in force (YAML); default: the built-in ones.' },
    { name: 'incidents', argument: 'N', describe: `Thefts expected among 1,000 hosts a day; default ${INCIDENTS}.` },
    { name: 'out', argument: 'FILE', describe: 'Write the calibration, for score.calibration of the settings.' },
    { name: 'json', describe: 'One JSON document.' },
  ],
  notes:
    'Nothing is changed: put what convinces you into the settings, and look with backtest at what it does. The calibration holds for the prior it was made with.',
};

/** Probabilities by which a site’s alerts are counted. */
const STEPS = [0.99, 0.9, 0.75, 0.5, 0.25, 0.1] as const;

export async function calibrateCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(CALIBRATE));
    return Exit.fine;
  }
  const options = parseCommand(CALIBRATE, args);
  if (options.positionals.length > 0) throw new UserError(`${options.positionals[0]}: not expected`, Exit.usage);
  const incidents = incidentsOf(options);
  const config = options.text('config');
  const settings = config === undefined ? defaultSettings() : readSettings(config);
  const store = await openData(options);
  try {
    const rescored = [...(await rescore(store, settings)).values()];
    const rate = siteRate(rescored, (await hostsIn(store)).length, await spanOf(store), incidents);
    const decided = await decidedAlerts(store);
    const calibration = calibrate(decided, settings.model.version, settings.score.prior);
    const thresholds = rate ? STEPS.map((step) => expected(step, rescored, rate)) : [];
    const out = options.text('out');
    if (out !== undefined) writeCalibration(out, stringify(calibration));
    const prior = settings.score.prior;
    process.stdout.write(
      options.on('json')
        ? `${JSON.stringify({ prior, site: rate, decisions: quality(decided, calibration), thresholds })}\n`
        : text({ prior, rate, decided, calibration, thresholds, out }),
    );
    return Exit.fine;
  } finally {
    await store.close();
  }
}

function incidentsOf(options: Parsed): number {
  const given = options.text('incidents');
  const value = given === undefined ? INCIDENTS : Number(given);
  if (!(value > 0) || value > 1_000) throw new UserError(`--incidents ${given}: expected a number above 0`, Exit.usage);
  return value;
}

function writeCalibration(path: string, yaml: string): void {
  try {
    writeFileSync(path, `# Made by waybill calibrate.\n${yaml}`);
  } catch (error) {
    throw new UserError(`${path}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}

interface Threshold {
  readonly probability: number;
  /** Alerts at this probability or above. */
  readonly alerts: number;
  readonly perDay: number;
  /** Of a Poisson count, 95 %. */
  readonly between: readonly [number, number];
}

function expected(probability: number, rescored: readonly Rescored[], { days }: SiteRate): Threshold {
  const alerts = rescored.filter(
    ({ episode, verdict }) => verdict.probability >= probability && episode.drill === undefined,
  ).length;
  // Square roots of a Poisson count spread by half: (√n ± 1)² is near enough to its 95 %.
  const low = Math.max(0, Math.sqrt(alerts) - 1) ** 2 / days;
  return { probability, alerts, perDay: alerts / days, between: [low, (Math.sqrt(alerts + 1) + 1) ** 2 / days] };
}

const quality = (decided: readonly Decided[], calibration: ReturnType<typeof calibrate>) => ({
  count: decided.length,
  thefts: decided.filter(({ theft }) => theft).length,
  ...(decided.length === 0
    ? {}
    : {
        brier: brier(decided),
        brier_calibrated: brier(
          decided.map(({ db, theft }) => ({ theft, probability: probabilityAt(db, calibration) })),
        ),
      }),
});

interface Report {
  readonly prior: number;
  readonly rate: SiteRate | undefined;
  readonly decided: readonly Decided[];
  readonly calibration: ReturnType<typeof calibrate>;
  readonly thresholds: readonly Threshold[];
  readonly out: string | undefined;
}

function text({ prior, rate, decided, calibration, thresholds, out }: Report): string {
  const lines = rate
    ? [
        `${rate.candidates} candidates of ${rate.hosts} hosts in ${rate.days} days: ${rate.perHostDay.toPrecision(2)} a host and day.`,
        `Prior in force ${prior}; by the site's own candidates ${rate.prior.toPrecision(2)} (score.prior).`,
        '',
        `${'PROBABILITY'.padEnd(14)}${'ALERTS'.padStart(8)}${'A DAY'.padStart(9)}  95 %`,
        ...thresholds.map((t) => {
          const between = t.between.map((value) => value.toFixed(2)).join(' to ');
          return `${`from ${t.probability}`.padEnd(14)}${String(t.alerts).padStart(8)}${t.perDay.toFixed(2).padStart(9)}  ${between}`;
        }),
      ]
    : ['No candidates in the store: nothing says anything of the prior.'];
  const q = quality(decided, calibration);
  lines.push('', `${q.count} alerts decided by analysts, ${q.thefts} of them thefts.`);
  if (q.brier !== undefined && q.brier_calibrated !== undefined) {
    lines.push(
      `Brier score ${q.brier.toFixed(3)}, with these decisions taken in ${q.brier_calibrated.toFixed(3)} (0 is perfect; measured on the decisions themselves).`,
    );
    for (const step of [...STEPS].reverse()) {
      const at = calibration.points.find((point) => point.probability >= step);
      if (at) lines.push(`  probability ${step} is reached at ${at.db.toFixed(1)} dB`);
    }
  }
  lines.push(
    out === undefined
      ? 'Nothing written: name a file with --out FILE.'
      : `Written to ${out}: name it in the settings as score.calibration.`,
  );
  return `${lines.join('\n')}\n`;
}
