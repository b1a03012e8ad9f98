import { Exit, UserError } from '../../sensor/base/exit.ts';
import { type CommandSpec, helpText, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { withExceptions } from '../alert/exception.ts';
import { readExceptions } from '../alert/exception-file.ts';
import { explanation } from '../alert/explanation.ts';
import { openEmbedded } from '../store/embedded.ts';
import type { StoredAlert } from '../store/store.ts';
import { dataDirectory } from './open-data.ts';

export const EXPLAIN: CommandSpec = {
  name: 'explain',
  usage: 'ID --data DIR',
  summary: 'Shows every decibel of one alert, the events it came from, and what could not be seen.',
  options: [
    { name: 'data', argument: 'DIR', describe: 'Store directory, as given to replay --data.' },
    { name: 'json', describe: 'The alert document as JSON.' },
  ],
  notes: 'ID may be shortened to any beginning that fits one alert.',
};

/** Alerts looked through for a shortened id. */
const MAX_ALERTS = 100_000;

export async function explainCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(EXPLAIN));
    return Exit.fine;
  }
  const options = parseCommand(EXPLAIN, args);
  const [id, ...more] = options.positionals;
  if (id === undefined || more.length > 0)
    throw new UserError('name one alert: waybill explain ID --data DIR', Exit.usage);
  const data = dataDirectory(options);
  const store = await openEmbedded(data);
  try {
    const stored = (await store.getAlert(id)) ?? byPrefix(await store.listAlerts({ limit: MAX_ALERTS }), id);
    const alert = withExceptions([stored], readExceptions(data))[0]!;
    process.stdout.write(options.on('json') ? `${JSON.stringify(alert.body)}\n` : explanation(alert.body));
    return Exit.fine;
  } finally {
    await store.close();
  }
}

function byPrefix(alerts: readonly StoredAlert[], prefix: string): StoredAlert {
  const found = alerts.filter((alert) => alert.id.startsWith(prefix));
  if (found.length === 1) return found[0]!;
  const why = found.length === 0 ? 'no alert has this id' : `${found.length} alerts begin so`;
  throw new UserError(`${prefix}: ${why}. ${alerts.length} alerts in the store.`);
}
