import { type Statement, splitCmdScript } from './cmd-script.ts';
import { ARGUMENTS_MAX, COMMAND_LINE_MAX_CHARS, skipBlanks, splitArguments } from './command-line.ts';
import { splitPowerShell } from './powershell-script.ts';
import { windowsPath } from './windows-path.ts';

/** One command that a process runs: its own, or one inside the shell script it was given. */
export interface Command {
  /** Name to look up: last component, lower case, without `.exe`: `7z`, `compress-archive`. */
  readonly program: string;
  /** The program as written. */
  readonly image: string;
  /** Arguments, quotes taken off. */
  readonly words: readonly string[];
  /** The command as written. */
  readonly text: string;
  readonly shell: 'none' | 'cmd' | 'powershell' | 'posix';
  /** Runs once for each of many things. */
  readonly looped: boolean;
  /** File that standard output goes to. */
  readonly output?: string;
  /** Whole script text of a PowerShell process, decoded when it was encoded. */
  readonly script?: string;
  /** The script came as base64 (`-EncodedCommand`). */
  readonly encoded: boolean;
}

/** Commands kept of one command line, nested shells included. */
export const COMMANDS_MAX = 64;

/** Shells inside shells that are followed. */
export const NESTING_MAX = 5;

/**
 * All commands in a command line, the process's own first. `cmd /c "7z a x.7z d && curl -T x.7z https://h/"` gives cmd,
 * 7z and curl. Never throws; every level reads a part of the level above, so time is linear for each of NESTING_MAX levels.
 */
export function commandsIn(commandLine: string): readonly Command[] {
  const text = commandLine.slice(0, COMMAND_LINE_MAX_CHARS);
  const found: Command[] = [];
  addCommand(found, { statement: directStatement(text), shell: 'none', encoded: false, depth: 0 });
  return found;
}

interface Job {
  readonly statement: Statement;
  readonly shell: Command['shell'];
  readonly encoded: boolean;
  readonly depth: number;
}

const directStatement = (text: string): Statement => ({ words: splitArguments(text).words, text, looped: false });

function addCommand(found: Command[], job: Job): void {
  const { statement } = job;
  const image = statement.words[0];
  if (image === undefined || found.length >= COMMANDS_MAX) return;
  const program = programName(image);
  const inner = job.depth < NESTING_MAX ? innerScript(program, statement) : undefined;
  found.push({
    program,
    image,
    words: statement.words.slice(1, ARGUMENTS_MAX),
    text: statement.text,
    shell: job.shell,
    looped: statement.looped,
    ...(statement.output === undefined ? {} : { output: statement.output }),
    ...(inner?.shell === 'powershell' ? { script: inner.script } : {}),
    encoded: job.encoded || (inner?.encoded ?? false),
  });
  if (inner === undefined) return;
  for (const next of splitScript(inner)) {
    addCommand(found, {
      statement: statement.looped || inner.looped ? { ...next, looped: true } : next,
      shell: inner.shell,
      encoded: job.encoded || inner.encoded,
      depth: job.depth + 1,
    });
  }
}

/** `"C:\Program Files\7-Zip\7z.exe"` -> `7z`; `cmd/c` -> `cmd`. */
export function programName(image: string): string {
  const glued = /^(cmd|powershell|pwsh)(\.exe)?(?=\/)/i.exec(image);
  const base = glued === null ? windowsPath(image).base : (glued[1] ?? '').toLowerCase();
  return base.replace(/\.(exe|com|cmd|bat|mui)$/, '');
}

interface Script {
  readonly script: string;
  readonly shell: Command['shell'];
  readonly encoded: boolean;
  readonly looped: boolean;
}

const plain = (script: string, shell: Command['shell']): Script => ({ script, shell, encoded: false, looped: false });

function splitScript(inner: Script): readonly Statement[] {
  if (inner.shell === 'cmd') return splitCmdScript(inner.script);
  if (inner.shell === 'none') return [directStatement(inner.script)];
  return splitPowerShell(inner.script);
}

/** The script or command line that a shell or launcher was given to run. */
function innerScript(program: string, statement: Statement): Script | undefined {
  const args = statement.words.slice(1);
  switch (program) {
    case 'cmd':
      return cmdScript(statement);
    case 'powershell':
    case 'pwsh':
    case 'powershell_ise':
      return powerShellScript(args);
    case 'bash':
    case 'sh':
      return valueAfter(args, ['-c', '-lc', '-ic'], 'posix');
    case 'wsl':
      return wslScript(args);
    case 'wmic':
      return wmicScript(args);
    case 'forfiles':
      return forfilesScript(args);
    case 'conhost':
      return plain(quoteWords(args.filter((word) => !word.startsWith('--'))), 'none');
    case 'start-process':
    case 'saps':
    case 'start':
      return startedProcess(args);
    case 'invoke-expression':
    case 'iex':
      return plain(args.filter((word) => !/^-command$/i.test(word)).join(' '), 'powershell');
    default:
      return undefined;
  }
}

/** Everything after `/c`, `/k` or `/r`, taken from the text so that its quotes are still there. */
function cmdScript(statement: Statement): Script | undefined {
  const { text } = statement;
  let at = endOfProgram(text);
  for (;;) {
    at = skipBlanks(text, at);
    if (text[at] !== '/' && text[at] !== '-') return undefined;
    const letter = (text[at + 1] ?? '').toLowerCase();
    if (letter === 'c' || letter === 'k' || letter === 'r') return plain(text.slice(at + 2), 'cmd');
    at += 2;
    while (at < text.length && text[at] !== '/' && text[at] !== ' ' && text[at] !== '\t') at++;
  }
}

function endOfProgram(text: string): number {
  const from = skipBlanks(text, 0);
  const quote = text[from];
  if (quote === '"' || quote === "'") {
    const close = text.indexOf(quote, from + 1);
    return close < 0 ? text.length : close + 1;
  }
  const end = /[\s/]/.exec(text.slice(from));
  return end === null ? text.length : from + end.index;
}

/** Options of powershell.exe that take a value ("about_PowerShell_exe"); any beginning of a name that long counts. */
const VALUED = ['executionpolicy', 'windowstyle', 'version', 'inputformat', 'outputformat', 'configurationname'];
const VALUED_SHORT = new Set(['ep', 'ex', 'exec', 'w', 'wd', 'workingdirectory', 'if', 'of', 'psconsolefile', 'ea']);

function powerShellScript(args: readonly string[]): Script | undefined {
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    const option = /^[-/\u2013\u2014\u2015]+([a-z]+)$/i.exec(word)?.[1]?.toLowerCase();
    if (option === undefined) return plain(args.slice(at).join(' '), 'powershell');
    if (option === 'ec' || 'encodedcommand'.startsWith(option)) return encodedScript(args[at + 1]);
    if ('command'.startsWith(option)) return plain(args.slice(at + 1).join(' '), 'powershell');
    if ('file'.startsWith(option)) return undefined;
    if (VALUED_SHORT.has(option) || VALUED.some((name) => option.length > 1 && name.startsWith(option))) at++;
  }
  return undefined;
}

/** UTF-16LE text in base64; anything that does not read as text is left alone. */
function encodedScript(word: string | undefined): Script | undefined {
  if (word === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(word)) return undefined;
  const script = Buffer.from(word, 'base64').toString('utf16le');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: text that holds control characters was not a script
  if (script === '' || /[\u0000-\u0008\ufffd]/.test(script)) return undefined;
  return { script, shell: 'powershell', encoded: true, looped: false };
}

function valueAfter(args: readonly string[], options: readonly string[], shell: Command['shell']): Script | undefined {
  const at = args.findIndex((word) => options.includes(word.toLowerCase()));
  const value = at < 0 ? undefined : args[at + 1];
  return value === undefined ? undefined : plain(value, shell);
}

function wslScript(args: readonly string[]): Script {
  const valued = new Set(['-d', '--distribution', '-u', '--user', '--cd']);
  let at = 0;
  while (args[at]?.startsWith('-')) at += valued.has(args[at] ?? '') ? 2 : 1;
  return plain(quoteWords(args.slice(at)), 'none');
}

function wmicScript(args: readonly string[]): Script | undefined {
  const at = args.findIndex((word) => word.toLowerCase() === 'create');
  const line = at < 0 ? undefined : args[at + 1];
  return line === undefined ? undefined : plain(line, 'none');
}

function forfilesScript(args: readonly string[]): Script | undefined {
  const script = valueAfter(args, ['/c', '-c'], 'none');
  return script === undefined ? undefined : { ...script, looped: true };
}

/** `Start-Process [-FilePath] X [-ArgumentList] a,b`: the program and what it is given. */
function startedProcess(args: readonly string[]): Script | undefined {
  const positional: string[] = [];
  let file: string | undefined;
  let list: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    const option = /^-([a-z]+):?$/i.exec(word)?.[1]?.toLowerCase();
    if (option === undefined) positional.push(word);
    else if ('filepath'.startsWith(option)) file = args[++at];
    else if ('argumentlist'.startsWith(option) || option === 'args') list = args[++at];
    else if (option === 'windowstyle' || option === 'verb' || option === 'workingdirectory') at++;
  }
  const program = file ?? positional.shift();
  if (program === undefined) return undefined;
  return plain(`"${program}" ${(list ?? positional.join(' ')).replaceAll(',', ' ')}`, 'none');
}

/** Words back to a command line, blanks protected; a word's own quotes are dropped. */
const quoteWords = (words: readonly string[]): string =>
  words.map((word) => (/\s/.test(word) ? `"${word.replaceAll('"', '')}"` : word)).join(' ');
