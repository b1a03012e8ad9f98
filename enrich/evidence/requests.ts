import { splitArguments } from './command-line.ts';
import { type Command, commandsIn, programName } from './commands.ts';
import { namedArgument, powerShellArguments } from './powershell-arguments.ts';

/**
 * What a command line asks a service of Windows to do in its place. Such a service does it as its own: a BITS job is
 * transferred by svchost.exe (ATT&CK T1197), a scheduled task (T1053.005), a process made through WMI (T1047) and a new
 * service (T1543.003) are started by svchost.exe, WmiPrvSE.exe and services.exe, and the lineage ends there.
 */
export interface Requests {
  /** Hosts that it asks the transfer service to talk to, lower case. */
  readonly transfersTo: readonly string[];
  /** Command lines that it asks to be started. */
  readonly starts: readonly string[];
}

/** Requests kept of one command line, of each sort. */
export const REQUESTS_MAX = 2;

/** Cheap, because it is asked of every process: whether the line can ask for anything. */
const MAY_ASK = /bits|schtasks|register-scheduledtask|scheduledtaskaction|wmi|cim|\bsc(\.exe)?"?\s/i;

const NONE: Requests = { transfersTo: [], starts: [] };

export function requestsIn(commandLine: string | undefined): Requests {
  if (commandLine === undefined || !MAY_ASK.test(commandLine)) return NONE;
  const commands = commandsIn(commandLine);
  const distinct = (found: readonly string[]): string[] => [...new Set(found)].slice(0, REQUESTS_MAX);
  return { transfersTo: distinct(commands.flatMap(transferred)), starts: distinct(commands.flatMap(started)) };
}

function transferred({ program, words }: Command): string[] {
  if (!/^(bitsadmin|start-bitstransfer|add-bitsfile|set-bitstransfer)$/.test(program)) return [];
  return words.flatMap((word) => /^https?:\/\/(?:[^/@\s]*@)?([^/:?#\s'"]+)/i.exec(word)?.[1]?.toLowerCase() ?? []);
}

function started({ program, words, script = '' }: Command): string[] {
  const lower = words.map((word) => word.toLowerCase());
  const behind = (name: string): string[] => words.slice(lower.indexOf(name) + 1).slice(0, 1);
  switch (program) {
    case 'schtasks':
      return lower.some((word) => /^[-/](create|change)$/.test(word)) && lower.includes('/tr') ? behind('/tr') : [];
    case 'wmic':
      return lower.includes('process') && lower.includes('call') && lower.includes('create') ? behind('create') : [];
    case 'sc':
      return lower.includes('create') && lower.includes('binpath=') ? behind('binpath=') : [];
    case 'invoke-wmimethod':
    case 'invoke-cimmethod':
    case 'iwmi':
    case 'icim':
      return words.some((word) => /win32_process/i.test(word)) ? argumentList(words) : [];
    case 'powershell':
    case 'pwsh':
      return /win32_process/i.test(script) ? inTable(script) : [];
    case 'new-scheduledtaskaction':
      return ofTaskAction(words);
    default:
      return [];
  }
}

function argumentList(words: readonly string[]): string[] {
  const line = namedArgument(powerShellArguments(words, []), 'argumentlist');
  return line === undefined ? [] : [line];
}

/** `@{CommandLine='x'}`: a table of arguments is no word of its command. */
function inTable(script: string): string[] {
  const line = /commandline\s*=\s*(['"])([^'"]{1,4000})\1/i.exec(script)?.[2];
  return line === undefined ? [] : [line];
}

function ofTaskAction(words: readonly string[]): string[] {
  const given = powerShellArguments(words, []);
  const execute = namedArgument(given, 'execute');
  const argument = namedArgument(given, 'argument');
  return execute === undefined ? [] : [`${execute}${argument === undefined ? '' : ` ${argument}`}`];
}

/** Program that a requested command line starts, as its name is compared. */
export const requestedProgram = (line: string): string => programName(splitArguments(line).words[0] ?? '');

/** Whether a process runs what was asked for: the same program with the same arguments, however either was quoted. */
export function isWhatWasAsked(asked: string, commandLine: string): boolean {
  const [a, b] = [asked, commandLine].map((line) => splitArguments(line.trim().toLowerCase()).words);
  if (a === undefined || b === undefined || a.length !== b.length || a.length === 0) return false;
  return programName(a[0]!) === programName(b[0]!) && a.slice(1).every((word, i) => word === b[i + 1]);
}
