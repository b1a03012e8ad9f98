import { Exit, UserError } from '../../sensor/base/exit.ts';
import { type CommandSpec, helpText, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { storyOf } from '../alert/story.ts';
import { inspectText } from '../alert/terminal-text.ts';
import { type Difference, differences, type Rescored, rescore } from '../score/backtest.ts';
import { defaultSettings, readSettings } from '../settings.ts';
import { DATA_OPTIONS, openData } from './open-data.ts';

export const BACKTEST: CommandSpec = {
  name: 'backtest',
  usage: '--data DIR --config NEW.yaml [--against OLD.yaml]',
  summary: 'Scores the stored facts again under other settings and shows which alerts appear, vanish or change.',
  options: [
    ...DATA_OPTIONS,
    { name: 'config', argument: 'FILE', describe: 'Settings to try (YAML).' },
    { name: 'against', argument: 'FILE', describe: 'Settings to compare with; default: the built-in ones.' },
    { name: 'json', describe: 'JSON lines, one a difference.' },
  ],
  notes:
    'Nothing is written. What was learned of destinations stays as it is; the slow alerts of the ledger are not compared.',
};

export async function backtestCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(BACKTEST));
    return Exit.fine;
  }
  const options = parseCommand(BACKTEST, args);
  const config = options.text('config');
  const against = options.text('against');
  if (config === undefined) throw new UserError('name the settings to try with --config FILE', Exit.usage);
  const next = readSettings(config);
  const base = against === undefined ? defaultSettings() : readSettings(against);
  const store = await openData(options);
  try {
    const before = await rescore(store, base);
    const after = await rescore(store, next);
    const found = differences(before, after);
    if (options.on('json')) for (const each of found) process.stdout.write(`${JSON.stringify(json(each))}\n`);
    else process.stdout.write(report(found, before, after));
    return Exit.fine;
  } finally {
    await store.close();
  }
}

const count = (all: ReadonlyMap<string, Rescored>, tier: string): number =>
  [...all.values()].filter(({ verdict }) => verdict.tier === tier).length;

function report(
  found: readonly Difference[],
  before: ReadonlyMap<string, Rescored>,
  after: ReadonlyMap<string, Rescored>,
): string {
  const lines = found.map((each) => {
    const story = storyOf((each.after ?? each.before)!.episode);
    return `${each.change.padEnd(9)} ${side(each.before)} -> ${side(each.after)}  ${each.id}\n          ${inspectText(story)}`;
  });
  const sum = (['high', 'medium', 'ledger'] as const).map((t) => `${t} ${count(before, t)} -> ${count(after, t)}`);
  return `${[...lines, `${sum.join(', ')}; ${before.size} -> ${after.size} candidates.`].join('\n')}\n`;
}

const side = (each: Rescored | undefined): string =>
  each ? `${each.verdict.tier} ${each.verdict.db.toFixed(1)} dB`.padEnd(15) : '-'.padEnd(15);

function json({ id, change, before, after }: Difference): Record<string, unknown> {
  const told = (each: Rescored | undefined) =>
    each && { tier: each.verdict.tier, score_db: each.verdict.db, probability: each.verdict.probability };
  return { id, change, before: told(before), after: told(after), message: storyOf((after ?? before)!.episode) };
}
