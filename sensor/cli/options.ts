import { parseArgs } from 'node:util';
import { Exit, UserError } from '../base/exit.ts';

/** One option of a command. The table of these is all there is: parsing, `--help`, man page and completions come from it. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** Name of the argument in help, e.g. `FILE`; absent for a switch. */
  readonly argument?: string;
  readonly multiple?: boolean;
  readonly fallback?: string;
  readonly describe: string;
}

export interface CommandSpec {
  readonly name: string;
  /** After `waybill NAME`. */
  readonly usage: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  /** Paragraphs printed under the options. */
  readonly notes?: string;
}

export interface Parsed {
  readonly positionals: readonly string[];
  /** Value of a string option, its fallback, or undefined. */
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  on(name: string): boolean;
  /** A whole number within bounds, else a usage error that names the option. */
  integer(name: string, min: number, max: number): number | undefined;
}

/** Parses arguments by the table; a mistake is a `UserError` with exit code 2 and one line. */
export function parseCommand(spec: CommandSpec, args: readonly string[]): Parsed {
  const options = Object.fromEntries(
    [...spec.options, HELP].map((o) => [
      o.name,
      {
        type: o.argument ? ('string' as const) : ('boolean' as const),
        multiple: o.multiple ?? false,
        ...(o.short ? { short: o.short } : {}),
      },
    ]),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const message = (error as Error).message.split('. ')[0];
    throw new UserError(`${message}. See: waybill ${spec.name} --help`, Exit.usage);
  }
  const value = (name: string) => parsed.values[name];
  const fallback = (name: string) => spec.options.find((o) => o.name === name)?.fallback;
  const text = (name: string) => {
    const v = value(name);
    return typeof v === 'string' ? v : fallback(name);
  };
  return {
    positionals: parsed.positionals,
    text,
    list: (name) => {
      const v = value(name);
      return Array.isArray(v) ? v.map(String) : [];
    },
    on: (name) => value(name) === true,
    integer: (name, min, max) => {
      const v = text(name);
      if (v === undefined) return undefined;
      const n = Number(v);
      if (!Number.isInteger(n) || n < min || n > max) {
        throw new UserError(`--${name} ${v}: expected a whole number from ${min} to ${max}`, Exit.usage);
      }
      return n;
    },
  };
}

const HELP: OptionSpec = { name: 'help', short: 'h', describe: 'Show this help.' };

export const wantsHelp = (args: readonly string[]): boolean => args.includes('--help') || args.includes('-h');

export function helpText(spec: CommandSpec): string {
  const left = (o: OptionSpec) =>
    `${o.short ? `-${o.short}, ` : '    '}--${o.name}${o.argument ? ` ${o.argument}` : ''}`;
  const all = [...spec.options, HELP];
  const width = Math.min(34, Math.max(...all.map((o) => left(o).length)) + 2);
  const lines = all.map((o) => {
    const suffix = o.fallback === undefined ? '' : ` (default: ${o.fallback})`;
    const head = left(o);
    const pad = head.length < width ? head.padEnd(width) : `${head}\n${' '.repeat(width + 2)}`;
    return `  ${pad}${wrap(o.describe + suffix, width + 2)}`;
  });
  const notes = spec.notes ? `\n${spec.notes}\n` : '';
  return `${spec.summary}\n\nUsage: waybill ${spec.name} ${spec.usage}\n\nOptions:\n${lines.join('\n')}\n${notes}`;
}

function wrap(text: string, indent: number): string {
  const room = 110 - indent;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + word.length + 1 > room) {
      lines.push(line);
      line = '';
    }
    line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`);
}
