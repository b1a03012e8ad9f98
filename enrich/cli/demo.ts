import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { type CommandSpec, helpText, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { explanation } from '../alert/explanation.ts';
import { alertTable } from '../alert/table.ts';
import { defaultSettings } from '../settings.ts';
import { replay } from './replay.ts';

export const DEMO: CommandSpec = {
  name: 'demo',
  usage: '[--exit]',
  summary: 'Replays the recordings that come with Waybill (pcaps/stories) and shows the alerts.',
  options: [
    { name: 'exit', describe: 'Stop after printing.' },
    {
      name: 'data',
      argument: 'DIR',
      describe: 'Keep the store in this directory, so that waybill explain ID --data DIR works.',
    },
    { name: 'json', describe: 'Alerts as JSON lines.' },
  ],
};

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
  const data = options.text('data');
  if (data !== undefined) mkdirSync(data, { recursive: true });
  const started = performance.now();
  const { alerts, complaints } = await replay({
    captures: [stories],
    endpoints: [stories],
    settings: defaultSettings(),
    ...(data === undefined ? {} : { data }),
  });
  for (const complaint of complaints) process.stderr.write(`waybill: ${complaint}\n`);
  if (options.on('json')) {
    for (const alert of alerts) process.stdout.write(`${JSON.stringify(alert.body)}\n`);
    return Exit.fine;
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`Replayed ${join('pcaps', 'stories')} in ${seconds} s.\n\n${alertTable(alerts)}`);
  const [first] = [...alerts].sort((a, b) => probability(b.body) - probability(a.body));
  if (first) process.stdout.write(`\nThe first one explained:\n\n${explanation(first.body)}`);
  return Exit.fine;
}

const probability = (body: unknown): number => (body as { waybill: { probability: number } }).waybill.probability;
