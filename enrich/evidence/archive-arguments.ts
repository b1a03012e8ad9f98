import { type ArchiveRequest, after, archive, dashed } from './archive-request.ts';
import type { Grammar } from './archiver-table.ts';
import { certutil, gpg, openssl } from './encode-arguments.ts';
import { namedArgument, powerShellArguments } from './powershell-arguments.ts';
import type { StagingTrait } from './staging-fact.ts';

/**
 * Reads the arguments of an archiver, program name taken off. Undefined when nothing is made: extraction, listing,
 * testing, help. `words` are tokens, so that a "zip" inside another word is never taken for a verb.
 */
export function readArchiveRequest(grammar: Grammar, words: readonly string[]): ArchiveRequest | undefined {
  return READERS[grammar](words);
}

type Reader = (words: readonly string[]) => ArchiveRequest | undefined;

const LIBRARY = 'T1560.002';

const READERS: Readonly<Record<Grammar, Reader>> = {
  '7z': sevenZip,
  rar,
  winzip,
  wzzip,
  tar,
  makecab,
  printbrm,
  'info-zip': infoZip,
  bandizip,
  stream: streamCompressor,
  dism,
  'compress-archive': compressArchive,
  'compress-7zip': compress7Zip,
  python,
  certutil,
  openssl,
  gpg,
};

/** Options that mark a trait, tried on each option word. */
type Marks = readonly (readonly [RegExp, StagingTrait])[];

function traitsOf(options: readonly string[], marks: Marks): StagingTrait[] {
  return marks.filter(([mark]) => options.some((option) => mark.test(option))).map(([, trait]) => trait);
}

/** Options and names apart; after `--` all are names (7-Zip, tar, GnuPG). */
function split(words: readonly string[], isOption: (word: string) => boolean): { options: string[]; names: string[] } {
  const end = words.indexOf('--');
  const head = end < 0 ? words : words.slice(0, end);
  return {
    options: head.filter(isOption),
    names: [...head.filter((word) => !isOption(word)), ...(end < 0 ? [] : words.slice(end + 1))],
  };
}

const dashedOrSlashed = (word: string): boolean => /^-./.test(word) || /^\/[a-z?][^\\/]*$/i.test(word);

const withExtension = (name: string, ext: string): string =>
  /\.[^\\/]*$/.test(name) || /^-?$/.test(name) ? name : `${name}.${ext}`;

const SEVEN_ZIP_MARKS: Marks = [
  [/^-p/i, 'password'],
  [/^-mhe(=on)?$/i, 'header-encryption'],
  [/^-sdel$/i, 'deletes-sources'],
  [/^-v\d+[bkmg]?$/i, 'split'],
  [/^-r0?$/i, 'recursive'],
];

function sevenZip(words: readonly string[]): ArchiveRequest | undefined {
  const { options, names } = split(words, dashed);
  const [verb = '', output, ...inputs] = names;
  if (!/^[au]$/i.test(verb) || output === undefined) return undefined;
  const type = options.map((option) => /^-t([a-z0-9]+)$/i.exec(option)?.[1]).find((found) => found !== undefined);
  return archive(withExtension(output, type?.toLowerCase() ?? '7z'), inputs, traitsOf(options, SEVEN_ZIP_MARKS));
}

const RAR_MARKS: Marks = [
  [/^[-/]h?p(?!-$)/i, 'password'],
  [/^[-/]hp/i, 'header-encryption'],
  [/^[-/](df|dw|dr)$/i, 'deletes-sources'],
  [/^[-/]v\d*[bkmgt]?$/i, 'split'],
  [/^[-/]r0?$/i, 'recursive'],
];

function rar(words: readonly string[]): ArchiveRequest | undefined {
  const { options, names } = split(words, dashedOrSlashed);
  const [verb = '', output, ...inputs] = names;
  if (!/^(a|u|m|mf)$/i.test(verb) || output === undefined) return undefined;
  const moved: StagingTrait[] = /^m/i.test(verb) ? ['deletes-sources'] : [];
  return archive(withExtension(output, 'rar'), inputs, [...traitsOf(options, RAR_MARKS), ...moved]);
}

const WINZIP_MARKS: Marks = [
  [/^[-/]s./i, 'password'],
  [/^[-/]m$/i, 'deletes-sources'],
  [/^[-/]r$/i, 'recursive'],
];

function winzip(words: readonly string[]): ArchiveRequest | undefined {
  const { options } = split(words, dashedOrSlashed);
  return options.some((option) => /^[-/][aum]$/i.test(option)) ? wzzip(words) : undefined;
}

function wzzip(words: readonly string[]): ArchiveRequest | undefined {
  const { options, names } = split(words, dashedOrSlashed);
  const [output, ...inputs] = names;
  if (output === undefined || options.some((option) => /^[-/](e|d|v|t)$/i.test(option))) return undefined;
  return archive(withExtension(output, 'zip'), inputs, traitsOf(options, WINZIP_MARKS));
}

/** Letters that take a value; in an old-style bundle (`cf out dir`) the values follow in the order of the letters. */
const TAR_VALUED = 'fbCTXIsH';

/** Mode letters are case-sensitive: `C` changes folder, `c` creates. */
function tar(words: readonly string[]): ArchiveRequest | undefined {
  const inputs: string[] = [];
  let letters = '';
  let output: string | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const bundle = at === 0 && /^[a-zA-Z]+$/.test(word) ? word : /^-([a-zA-Z].*)$/.exec(word)?.[1];
    if (word.startsWith('--')) {
      letters += /^--(create|append|update)$/.test(word) ? 'c' : /^--(extract|get|list)$/.test(word) ? 'x' : '';
      if (word === '--file') output = words[++at];
      else output = /^--file=(.*)$/.exec(word)?.[1] ?? output;
    } else if (bundle === undefined) {
      inputs.push(word);
    } else {
      const old = at === 0 && !word.startsWith('-');
      for (let index = 0; index < bundle.length; index++) {
        const letter = bundle[index] ?? '';
        letters += letter;
        if (!TAR_VALUED.includes(letter)) continue;
        const glued = old ? '' : bundle.slice(index + 1);
        const value = glued === '' ? words[++at] : glued;
        if (letter === 'f') output = value;
        else if (letter === 'C' && value !== undefined) inputs.push(value);
        if (glued !== '') break;
      }
    }
  }
  const mode = /[cruxt]/.exec(letters)?.[0];
  return mode === undefined || mode === 'x' || mode === 't' ? undefined : archive(output, inputs, []);
}

function makecab(words: readonly string[]): ArchiveRequest | undefined {
  const names: string[] = [];
  let folder = '';
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (/^[-/]f$/i.test(word)) return archive(undefined, [words[at + 1] ?? ''], []);
    if (/^[-/]l$/i.test(word)) folder = `${words[++at] ?? ''}\\`;
    else if (/^[-/]d$/i.test(word)) at++;
    else if (!/^[-/](v[0-3]?|d.*|\?)$/i.test(word)) names.push(word);
  }
  const [source, target] = names;
  if (source === undefined) return undefined;
  return archive(folder + (target ?? source.replace(/.$/, '_')), [source], []);
}

function printbrm(words: readonly string[]): ArchiveRequest | undefined {
  if (!words.some((word) => /^[-/]b$/i.test(word))) return undefined;
  const source = after(words, /^[-/]d$/i);
  return archive(after(words, /^[-/]f$/i), source === undefined ? [] : [source], []);
}

const INFO_ZIP_MARKS: Marks = [
  [/^(-[a-zA-Z]*[eP]|--encrypt|--password)/, 'password'],
  [/^(-[a-zA-Z]*m[a-zA-Z]*|--move)$/, 'deletes-sources'],
  [/^(-[a-zA-Z]*r[a-zA-Z]*|--recurse-paths)$/, 'recursive'],
  [/^(-s|--split-size)$/, 'split'],
];

function infoZip(words: readonly string[]): ArchiveRequest | undefined {
  const valued = /^(-[a-zA-Z]*P|-s|-b|-t|-n|--password|--split-size)$/;
  const kept = words.filter((_, index) => !valued.test(words[index - 1] ?? ''));
  const { options, names } = split(kept, dashed);
  const [output, ...inputs] = names;
  if (output === undefined || options.some((option) => /^(-d|-T|-h|--delete|--test)$/.test(option))) return undefined;
  return archive(withExtension(output, 'zip'), inputs, traitsOf(options, INFO_ZIP_MARKS));
}

const BANDIZIP_MARKS: Marks = [
  [/^-p:/i, 'password'],
  [/^-v:/i, 'split'],
  [/^-r$/i, 'recursive'],
];

function bandizip(words: readonly string[]): ArchiveRequest | undefined {
  const { options, names } = split(words, dashed);
  const [verb = '', output, ...inputs] = names;
  if (!/^(c|a|bc)$/i.test(verb) || output === undefined) return undefined;
  return archive(withExtension(output, 'zip'), inputs, traitsOf(options, BANDIZIP_MARKS));
}

function streamCompressor(words: readonly string[]): ArchiveRequest | undefined {
  if (words.some((word) => /^(-[a-z0-9]*[dtl][a-z0-9]*|--(decompress|uncompress|test|list))$/i.test(word)))
    return undefined;
  const { names } = split(words, dashed);
  const output = after(words, /^-o$/);
  const inputs = names.filter((name) => name !== output);
  return inputs.length === 0 && output === undefined ? undefined : archive(output, inputs, []);
}

function dism(words: readonly string[]): ArchiveRequest | undefined {
  const value = (name: string): string | undefined =>
    words.find((word) => word.toLowerCase().startsWith(`/${name}:`))?.slice(name.length + 2);
  if (words.some((word) => /^\/(capture|append)-(custom)?image$/i.test(word))) {
    const source = value('capturedir');
    return archive(value('imagefile'), source === undefined ? [] : [source], []);
  }
  const at = words.findIndex((word) => /^(\/?capture|\/?append)$/i.test(word));
  const [source, output] = words.slice(at + 1);
  return at < 0 || source === undefined ? undefined : archive(output, [source], []);
}

function compressArchive(words: readonly string[]): ArchiveRequest | undefined {
  const given = powerShellArguments(words, ['update', 'force', 'passthru', 'verbose', 'whatif', 'confirm']);
  const output = namedArgument(given, 'destinationpath');
  const source = namedArgument(given, 'path') ?? namedArgument(given, 'literalpath');
  const [first, second] = given.positional;
  const target = output ?? (source === undefined ? second : first);
  const sources = source ?? first;
  const inputs = sources === undefined || sources === target ? [] : sources.split(',');
  return {
    ...archive(target === undefined ? undefined : withExtension(target, 'zip'), inputs, []),
    technique: 'T1560',
  };
}

function compress7Zip(words: readonly string[]): ArchiveRequest | undefined {
  const given = powerShellArguments(words, ['encryptfilenames', 'append', 'disablerecursion', 'flattenpaths']);
  const [first, second] = given.positional;
  const folder = namedArgument(given, 'outputpath');
  const name = namedArgument(given, 'archivefilename') ?? first;
  const source = namedArgument(given, 'path') ?? second;
  const traits: StagingTrait[] = [];
  if ([...given.named.keys()].some((key) => /^(secure)?pass/.test(key))) traits.push('password');
  if ([...given.named.keys()].some((key) => key.startsWith('encrypt'))) traits.push('header-encryption');
  const output = name === undefined || folder === undefined ? name : `${folder}\\${name}`;
  return archive(output === undefined ? undefined : withExtension(output, '7z'), source?.split(',') ?? [], traits);
}

function python(words: readonly string[]): ArchiveRequest | undefined {
  const module = words.indexOf('-m');
  const name = words[module + 1] ?? '';
  const rest = words.slice(module + 2);
  if (module >= 0 && /^(zipfile|tarfile)$/.test(name) && /^(-c|--create)$/.test(rest[0] ?? '')) {
    return { ...archive(rest[1], rest.slice(2), []), technique: LIBRARY };
  }
  const code = after(words, /^-[a-zA-Z]*c$/);
  if (code === undefined) return undefined;
  const made = /make_archive\(\s*r?['"]([^'"]{1,260})['"]\s*,\s*['"](\w{2,8})['"]/.exec(code);
  if (made !== null)
    return { ...archive(`${made[1] ?? ''}.${extensionOf(made[2] ?? '')}`, [], []), technique: LIBRARY };
  const opened = /(?:ZipFile|tarfile\.open)\(\s*r?['"]([^'"]{1,260})['"]\s*,\s*(?:mode\s*=\s*)?['"][wax]/.exec(code);
  return opened === null ? undefined : { ...archive(opened[1], [], []), technique: LIBRARY };
}

const extensionOf = (format: string): string =>
  format.endsWith('tar') && format !== 'tar' ? `tar.${format.slice(0, -3)}` : format;
