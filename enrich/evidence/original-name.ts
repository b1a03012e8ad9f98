import { ARCHIVERS } from './archiver-table.ts';
import { firstMatch, globMatches, pathPatterns } from './path-pattern.ts';
import { LOLBINS, UPLOAD_TOOLS } from './tool-table.ts';
import { imageBase, windowsPath } from './windows-path.ts';

/**
 * Pairs of OriginalFileName and file name that differ in genuine software, `*` for any run: installers and updaters are
 * built as one library, Electron applications keep the framework's name. Sources: recordings of lab and office machines,
 * the vendors' packages.
 */
export const GENUINE_RENAMES: readonly (readonly [original: string, image: string])[] = [
  ['goopdate.dll', '*'],
  ['msedgeupdate.dll', '*'],
  ['mini_installer*', '*'],
  ['setup*.exe', '*'],
  ['*setup*.exe', '*'],
  ['*installer*.exe', '*'],
  ['installshield*', '*'],
  ['stub*.exe', '*'],
  ['sfx*.exe', '*'],
  ['7z*.sfx*', '*'],
  ['wextract.exe', '*'],
  ['electron*', '*'],
  ['squirrel*', '*'],
  ['update.exe', '*'],
  ['nw*.exe', '*'],
  ['java*.exe', 'java*.exe'],
  ['command line rar', 'rar.exe'],
  ['bsdtar*', 'tar.exe'],
  ['microsoftedgewebview2*', 'msedgewebview2.exe'],
  ['curl*', 'curl.exe'],
  ['monitoringhost*', '*'],
  ['sysinternals*', '*'],
];

/** Folders that only an administrator can write: software there often has another name inside than outside. */
const GUARDED_FOLDERS = pathPatterns(['\\windows\\**', '\\program files\\**', '\\program files (x86)\\**']);

/** Programs worth renaming: senders, archivers, and the tools of Windows. Stems, lower case. */
const TELLING_NAMES: ReadonlySet<string> = new Set([
  ...UPLOAD_TOOLS.flatMap((tool) => tool.names),
  ...ARCHIVERS.flatMap((archiver) => archiver.names),
  ...[...LOLBINS].map((name) => name.replace(/\.exe$/, '')),
  'cmd',
  'adfind',
  'psexec',
  'procdump',
]);

/**
 * Whether a program was renamed: its version resource says another name than it goes by. In folders that only an
 * administrator can write this counts for programs that are worth renaming; Windows itself has dozens of others.
 * Undefined when the resource names nothing.
 */
export function isRenamed(
  image: string | undefined,
  originalName: string | undefined,
  genuine: readonly (readonly [string, string])[] = GENUINE_RENAMES,
): boolean | undefined {
  const differ = namesDiffer(image, originalName, genuine);
  if (differ !== true || TELLING_NAMES.has(stem(cleanName(originalName)))) return differ;
  return firstMatch(GUARDED_FOLDERS, windowsPath(image ?? '')) === undefined;
}

/**
 * Whether file name and version resource name different programs. Word size and versions (`procdump64.exe`,
 * `python3.11.exe`) and `.mui` do not count. Undefined when one of them is not known.
 */
export function namesDiffer(
  image: string | undefined,
  originalName: string | undefined,
  genuine: readonly (readonly [string, string])[] = GENUINE_RENAMES,
): boolean | undefined {
  const base = imageBase(image);
  const original = cleanName(originalName);
  if (base === '' || original === '') return undefined;
  const [mine, theirs] = [stem(base), stem(original)];
  if (mine === '' || theirs === '' || mine === theirs) return false;
  if (genuine.some(([from, to]) => globMatches(from, original) && globMatches(to, base))) return false;
  return withoutVersion(mine) !== withoutVersion(theirs);
}

/** Lower case; the marks that feeds write for "none" are none. */
export const cleanName = (name: string | undefined): string => {
  const text = (name ?? '').slice(0, 260).trim().toLowerCase();
  return /^(-|\?|unknown|n\/a|null)$/.test(text) ? '' : text;
};

const stem = (name: string): string => name.replace(/\.mui$/, '').replace(/\.(exe|dll|scr|com|cpl|ocx|bin)$/, '');

const withoutVersion = (name: string): string =>
  name.replace(/[-_. ]?(x?(86|64|32)|amd64|win(32|64)|arm64|[0-9][0-9.]*)$/g, '').replace(/[-_. ]/g, '');
