import type { Command } from './commands.ts';
import { namedArgument, powerShellArguments } from './powershell-arguments.ts';
import type { StagingKind, StagingTrait } from './staging-fact.ts';

/**
 * Gathering data without an archive, from a command: loops that copy documents, copies from another machine's share,
 * whole trees, exports of databases and directories, and surveys written to a file. Sources: ATT&CK T1119, T1039, T1074,
 * T1003.003; the tools' documentation; LOLBAS pages of esentutl, extrac32, findstr, print, replace.
 */
export interface CopyFinding {
  readonly kind: StagingKind;
  readonly technique: string;
  readonly traits: readonly StagingTrait[];
  readonly inputs: readonly string[];
  /** File or folder that is filled, as written. */
  readonly target?: string;
  readonly what: string;
}

/** What a command copies, exports or surveys; undefined for most. */
export function copyCommand(command: Command): CopyFinding | undefined {
  const copy = COPIERS.get(command.program);
  if (copy !== undefined) return classify(command, copy(command.words));
  return exportOf(command) ?? surveyOf(command);
}

interface Copy {
  readonly sources: readonly string[];
  readonly target?: string;
  /** Takes a tree, not just the files named. */
  readonly recursive: boolean;
  /** A tool that only happens to copy: one file at a time. */
  readonly single?: boolean;
}

type Reader = (words: readonly string[]) => Copy;

const COPIERS: ReadonlyMap<string, Reader> = new Map([
  ['copy', plainCopy],
  ['move', plainCopy],
  ['xcopy', xcopy],
  ['robocopy', robocopy],
  ['copy-item', copyItem],
  ['cpi', copyItem],
  ['cp', copyItem],
  ['move-item', copyItem],
  ['replace', plainCopy],
  ['esentutl', esentutl],
  ['extrac32', extrac32],
  ['print', printToFile],
]);

const isOption = (word: string): boolean => /^[-/][A-Za-z?][^\\]*$/.test(word);
const isShareName = (word: string): boolean => /^(\\\\|\/\/)[^\\/?.]/.test(word);

function plainCopy(words: readonly string[]): Copy {
  const names = words.filter((word) => !isOption(word));
  return withTarget(names.slice(0, Math.max(1, names.length - 1)), names.length > 1 ? names.at(-1) : undefined, false);
}

function xcopy(words: readonly string[]): Copy {
  return { ...plainCopy(words), recursive: words.some((word) => /^\/[se]$/i.test(word)) };
}

/** Source and target come first, then file patterns. */
function robocopy(words: readonly string[]): Copy {
  const [source, target] = words.filter((word) => !isOption(word));
  const recursive = words.some((word) => /^\/(s|e|mir|move)$/i.test(word));
  return withTarget(source === undefined ? [] : [source], target, recursive);
}

function copyItem(words: readonly string[]): Copy {
  const given = powerShellArguments(words, [
    'recurse',
    'force',
    'container',
    'passthru',
    'verbose',
    'whatif',
    'confirm',
  ]);
  const named = namedArgument(given, 'path') ?? namedArgument(given, 'literalpath');
  const [first, second] = given.positional;
  const target = namedArgument(given, 'destination') ?? (named === undefined ? second : first);
  const source = named ?? first;
  const recursive = [...given.named.keys()].some((key) => 'recurse'.startsWith(key)) || words.includes('-r');
  return withTarget(source === undefined || source === target ? [] : source.split(','), target, recursive);
}

function esentutl(words: readonly string[]): Copy {
  const at = words.findIndex((word) => /^[-/]y$/i.test(word));
  const to = words.findIndex((word) => /^[-/]d$/i.test(word));
  const source = at < 0 ? undefined : words[at + 1];
  return {
    ...withTarget(source === undefined ? [] : [source], to < 0 ? undefined : words[to + 1], false),
    single: true,
  };
}

function extrac32(words: readonly string[]): Copy {
  if (!words.some((word) => /^\/c$/i.test(word))) return withTarget([], undefined, false);
  return { ...plainCopy(words), single: true };
}

function printToFile(words: readonly string[]): Copy {
  const target = words.find((word) => /^\/d:/i.test(word))?.slice(3);
  return {
    ...withTarget(target === undefined ? [] : words.filter((word) => !isOption(word)), target, false),
    single: true,
  };
}

const withTarget = (sources: readonly string[], target: string | undefined, recursive: boolean): Copy => ({
  sources,
  recursive,
  ...(target === undefined ? {} : { target }),
});

function classify(command: Command, copy: Copy): CopyFinding | undefined {
  const remote = copy.sources.some(isShareName);
  const base = { inputs: copy.sources, ...(copy.target === undefined ? {} : { target: copy.target }) };
  if (copy.sources.length === 0) return undefined;
  if (remote && !isShareName(copy.target ?? '')) {
    const traits: StagingTrait[] = ['unc-source', ...(copy.recursive ? (['recursive'] as const) : [])];
    return { ...base, kind: 'copy-loop', technique: 'T1039', traits, what: 'copies from a share of another machine' };
  }
  if (command.looped) {
    return { ...base, kind: 'copy-loop', technique: 'T1119', traits: ['recursive'], what: 'copies files in a loop' };
  }
  if (copy.recursive) {
    const technique = isShareName(copy.target ?? '') ? 'T1074.002' : 'T1074.001';
    return { ...base, kind: 'copy-loop', technique, traits: ['recursive'], what: 'copies a tree of folders' };
  }
  if (copy.single !== true) return undefined;
  return {
    ...base,
    kind: 'copy-loop',
    technique: 'T1005',
    traits: ['low:single-file'],
    what: 'copies a file in a roundabout way',
  };
}

function exportOf(command: Command): CopyFinding | undefined {
  const { program, words } = command;
  const lower = words.map((word) => word.toLowerCase());
  const found = (technique: string, what: string, target: string | undefined): CopyFinding => ({
    kind: 'export',
    technique,
    traits: [],
    inputs: [],
    what,
    ...(target === undefined ? {} : { target }),
  });
  if (program === 'bcp') {
    const at = lower.findIndex((word) => word === 'out' || word === 'queryout');
    return at < 0 ? undefined : found('T1005', 'exports a database table', words[at + 1]);
  }
  if (program === 'ntdsutil' && lower.some((word) => /\bifm\b/.test(word))) {
    return found('T1003.003', 'exports the directory database', folderOf(lower.join(' ')));
  }
  if (program === 'datasvcutil') {
    const target = words.find((word) => /^[-/]out:/i.test(word))?.slice(5);
    return target === undefined ? undefined : found('T1005', 'writes data through DataSvcUtil', target);
  }
  if (/^(mysqldump|pg_dump|pg_dumpall|mongodump|sqlpackage)$/.test(program)) {
    const at = lower.findIndex((word) => /^(-f|--file|--out|-o|--result-file|-r)$/.test(word));
    return found('T1005', 'dumps a database', at < 0 ? command.output : words[at + 1]);
  }
  return undefined;
}

const folderOf = (text: string): string | undefined => /create\s+(?:sysvol\s+)?full\s+([^\s"]+)/.exec(text)?.[1];

/** Programs whose output tells where one is; redirected into a file it is collection (ATT&CK T1119, tests 3 and 4). */
const SURVEYS = new Set(
  'sc wmic doskey tree systeminfo tasklist netstat ipconfig net net1 nltest dsquery whoami quser get-process get-service'.split(
    ' ',
  ),
);

const DOCUMENT = /\.(docx?|xlsx?|pptx?|pdf|pst|ost|kdbx|csv|msg|eml|rtf|vsdx?)\b/i;

function surveyOf(command: Command): CopyFinding | undefined {
  const base = { inputs: [], ...(command.output === undefined ? {} : { target: command.output }) };
  if (command.output !== undefined && SURVEYS.has(command.program)) {
    return {
      ...base,
      kind: 'recon-output',
      technique: 'T1119',
      traits: ['low:listing'],
      what: 'writes a survey of the machine to a file',
    };
  }
  const recursive = command.words.some((word) => /^(\/s|-recurse|-r)$/i.test(word));
  const lists = command.program === 'dir' || /^(get-childitem|gci|ls)$/.test(command.program);
  if (lists && recursive && command.words.some((word) => DOCUMENT.test(word))) {
    return {
      ...base,
      kind: 'recon-output',
      technique: 'T1119',
      traits: ['low:listing'],
      what: 'lists documents of whole drives',
    };
  }
  return undefined;
}
