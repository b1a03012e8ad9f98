/** Completions for bash, zsh and fish out of the tables of options. */
import type { OptionSpec } from '../../sensor/cli/options.ts';
import type { NamedSpec } from './man-page.ts';

const MADE = '# Made by npm run docs from the tables of options; changes belong there.';
const HELP: OptionSpec = { name: 'help', short: 'h', describe: 'Show this help.' };
const optionsOf = ({ spec }: NamedSpec): readonly OptionSpec[] => [...spec.options, HELP];
const takesPath = ({ argument }: OptionSpec): boolean => /^(FILE|DIR|PATH)\b/.test(argument ?? '');

export function bashCompletion(commands: readonly NamedSpec[]): string {
  const cases = commands.map((each) => `    ${each.name}) words='${optionsOf(each).flatMap(flags).join(' ')}' ;;`);
  return `${MADE}
# Copy to /usr/share/bash-completion/completions/waybill, or source it.
_waybill() {
  local current=\${COMP_WORDS[COMP_CWORD]} words=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${commands.map(({ name }) => name).join(' ')} help version'
  elif [ "\${current:0:1}" = '-' ]; then
    case \${COMP_WORDS[1]} in
${cases.map((line) => `  ${line}`).join('\n')}
    esac
  else
    COMPREPLY=($(compgen -f -- "$current"))
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o filenames -F _waybill waybill
`;
}

const flags = ({ name, short }: OptionSpec): string[] => [...(short === undefined ? [] : [`-${short}`]), `--${name}`];

export function zshCompletion(commands: readonly NamedSpec[]): string {
  const names = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  const cases = commands.map((each) => {
    const specs = [...optionsOf(each).flatMap(zshSpecs), "'*:file:_files'"];
    return `    ${each.name})\n      _arguments \\\n        ${specs.join(' \\\n        ')}\n      ;;`;
  });
  return `#compdef waybill
${MADE}
_waybill() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands 'command' commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
  esac
}
_waybill "$@"
`;
}

function zshSpecs(each: OptionSpec): string[] {
  const what = each.describe.replace(/([[\]:\\])/g, '\\$1');
  const argument =
    each.argument === undefined ? '' : `:${each.argument.replaceAll(':', '\\:')}:${takesPath(each) ? '_files' : ''}`;
  return flags(each).map((flag) => quoted(`${each.multiple ? '*' : ''}${flag}[${what}]${argument}`));
}

export function fishCompletion(commands: readonly NamedSpec[]): string {
  const lines = commands.flatMap((each) => [
    `complete -c waybill -n __fish_use_subcommand -f -a ${each.name} -d ${fishQuoted(each.summary)}`,
    ...optionsOf(each).map((option) => {
      const short = option.short === undefined ? '' : ` -s ${option.short}`;
      const argument = option.argument === undefined ? '' : takesPath(option) ? ' -r -F' : ' -x';
      const from = `-n '__fish_seen_subcommand_from ${each.name}'`;
      return `complete -c waybill ${from}${short} -l ${option.name}${argument} -d ${fishQuoted(option.describe)}`;
    }),
  ]);
  return `${MADE}\n${lines.join('\n')}\n`;
}

/** In single quotes of a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
/** In single quotes of fish. */
const fishQuoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
