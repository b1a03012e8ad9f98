import { stringify } from 'yaml';
import { Exit } from '../../sensor/base/exit.ts';
import { type CommandSpec, helpText, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { Config, defaultSettings, readSettings } from '../settings.ts';

export const CHECK_CONFIG: CommandSpec = {
  name: 'check-config',
  usage: '[FILE] [--print]',
  summary: 'Checks a settings file and lists every complaint with line and column; without FILE, the defaults.',
  options: [{ name: 'print', describe: 'Print the settings in force, defaults included, as YAML.' }],
  notes: 'Exit codes: 0 in order, 2 with complaints.',
};

export async function checkConfigCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(CHECK_CONFIG));
    return Exit.fine;
  }
  const options = parseCommand(CHECK_CONFIG, args);
  const [file] = options.positionals;
  const settings = file === undefined ? defaultSettings() : readSettings(file, { withFiles: true });
  // What settings add to the file's content is computed from it.
  const known = new Set(Object.keys(Config.shape));
  const shown = Object.fromEntries(Object.entries(settings).filter(([name]) => known.has(name)));
  if (options.on('print')) process.stdout.write(stringify(shown));
  else process.stdout.write(`${file ?? 'defaults'}: in order\n`);
  return Exit.fine;
}
