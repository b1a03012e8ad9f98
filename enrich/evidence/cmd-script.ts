import { splitArguments } from './command-line.ts';

/** One command of a shell script: its words with quotes taken off, and where its output goes. */
export interface Statement {
  readonly words: readonly string[];
  /** The command as written, without operators. */
  readonly text: string;
  /** Inside `for`, `foreach` or the like: it runs once for each of many things. */
  readonly looped: boolean;
  /** File that standard output is redirected to. */
  readonly output?: string;
}

/** Statements kept of one script; more are not looked at. */
export const STATEMENTS_MAX = 64;

/**
 * Splits what follows `cmd /c`: `&`, `&&`, `|`, `||` and line ends separate outside quotes, `^` takes the next character
 * as it is, parentheses group, `for … do` repeats, and `if`, `call`, `start` and `@` stand before the command they run.
 */
export function splitCmdScript(script: string): readonly Statement[] {
  const statements: Statement[] = [];
  let looped = false;
  for (const piece of splitOperators(stripOuterQuotes(script))) {
    if (statements.length === STATEMENTS_MAX) break;
    const body = loopBody(piece);
    looped ||= body !== undefined;
    const { command, output } = takeRedirections((body ?? piece).trim());
    const text = stripPrefixes(command);
    if (text === '') continue;
    statements.push({ words: splitArguments(text).words, text, looped, ...(output === '' ? {} : { output }) });
  }
  return statements;
}

/**
 * cmd takes off the first and the last quote unless they are the only two and hold the name of a program ("cmd /?").
 * Whether such a program exists cannot be known here; a full path ending in .exe is taken for one.
 */
function stripOuterQuotes(script: string): string {
  const text = script.trim();
  if (!text.startsWith('"')) return text;
  const last = text.lastIndexOf('"');
  if (last === 0) return text.slice(1);
  const onlyTwo = text.indexOf('"', 1) === last;
  if (onlyTwo && last < text.length - 1) return text;
  const inner = text.slice(1, last);
  if (onlyTwo && /^[a-z]:\\[^.]*\.exe$/i.test(inner)) return text;
  return inner + text.slice(last + 1);
}

/** What an open parenthesis holds: commands, the set of a `for`, or just text. */
type Group = 'commands' | 'set' | 'text';

function splitOperators(script: string): string[] {
  const pieces: string[] = [];
  const groups: Group[] = [];
  let piece = '';
  let start = 0;
  let quoted = false;
  const cut = (next: number): void => {
    pieces.push(piece);
    piece = '';
    start = next;
  };
  for (let at = 0; at < script.length && pieces.length < STATEMENTS_MAX; at++) {
    const char = script[at] ?? '';
    if (char === '"') quoted = !quoted;
    if (!quoted && char === '^') {
      at++;
      piece += script[at] ?? '';
    } else if (!quoted && isOperator(char, script[at - 1])) {
      cut(at + 1);
    } else if (!quoted && char === '(') {
      // The text before is looked at through a window: a line of parentheses must not cost its square.
      const group = groupOpened(script.slice(start, start + 32), script.slice(Math.max(start, at - 32), at));
      groups.push(group);
      piece += char;
    } else if (!quoted && char === ')' && groups.pop() === 'commands') {
      cut(at + 1);
    } else {
      piece += char;
    }
  }
  pieces.push(piece);
  return pieces.filter((text) => text.trim() !== '');
}

function groupOpened(head: string, before: string): Group {
  if (/\bin\s*$/i.test(before)) return 'set';
  return /^[\s@(]*($|(if|else|for)\b)/i.test(head.slice(0, Math.max(0, head.indexOf('(')))) ? 'commands' : 'text';
}

/** `2>&1` joins streams, it separates nothing. */
const isOperator = (char: string, before: string | undefined): boolean =>
  char === '|' || char === '\n' || (char === '&' && before !== '>');

/** What follows `do` in a `for` command. */
function loopBody(piece: string): string | undefined {
  const text = piece.trimStart().replace(/^@/, '');
  if (!/^for\s/i.test(text)) return undefined;
  const found = /\)\s*do[\s(]/i.exec(text);
  return found === null ? undefined : text.slice(found.index + found[0].length).replace(/^\s*\(/, '');
}

/** Takes `> file`, `>> file`, `2>&1` and `< file` out of a command; quotes protect. */
function takeRedirections(command: string): { command: string; output: string } {
  let kept = '';
  let output = '';
  let quoted = false;
  let at = 0;
  while (at < command.length) {
    const char = command[at] ?? '';
    if (char === '"') quoted = !quoted;
    if (quoted || (char !== '>' && char !== '<')) {
      kept += char;
      at++;
      continue;
    }
    const handle = /(^|\s)[0-9]$/.test(command.slice(Math.max(0, at - 2), at)) ? (command[at - 1] ?? '') : '';
    if (handle !== '') kept = kept.slice(0, -1); // at most once for each target, and targets are few
    const target = readTarget(command, at + 1);
    if (char === '>' && (handle === '' || handle === '1') && !target.name.startsWith('&')) output = target.name;
    at = target.end;
  }
  return { command: kept.trim(), output: /^nul:?$/i.test(output) ? '' : output };
}

function readTarget(command: string, from: number): { name: string; end: number } {
  let at = from;
  while (command[at] === '>' || command[at] === ' ' || command[at] === '\t') at++;
  let quoted = false;
  const start = at;
  while (at < command.length && (quoted || !/[\s<>]/.test(command[at] ?? ''))) {
    if (command[at] === '"') quoted = !quoted;
    at++;
  }
  return { name: command.slice(start, at).replaceAll('"', ''), end: at };
}

const PREFIXES = [
  /^@\s*/,
  /^\(\s*/,
  /^else\s+/i,
  /^call\s+/i,
  /^if\s+(\/i\s+)?(not\s+)?(exist|errorlevel|defined|cmdextversion)\s+("[^"]*"|[^\s"]+)\s+/i,
  /^if\s+(\/i\s+)?(not\s+)?("[^"]*"|[^\s"=]+)\s*(==|\s(equ|neq|lss|leq|gtr|geq)\s)\s*("[^"]*"|[^\s"]+)\s+/i,
  /^start\s+("[^"]*"\s+)?(\/(d\s+("[^"]*"|\S+)|\w+)\s+)*/i,
];

/** Words that stand before the command that runs. Each turn shortens the text; nesting deeper than this is no command. */
const PREFIX_TURNS_MAX = 16;

function stripPrefixes(command: string): string {
  let text = command.trim();
  for (let turn = 0; turn < PREFIX_TURNS_MAX; turn++) {
    const before = text;
    for (const prefix of PREFIXES) text = text.replace(prefix, '');
    if (text === before) break;
  }
  return text;
}
