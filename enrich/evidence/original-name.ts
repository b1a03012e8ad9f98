import { globMatches } from './path-pattern.ts';
import { imageBase } from './windows-path.ts';

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

/**
 * Whether a program goes by another name than its version resource says: a sign that it was renamed. Undefined when the
 * resource names nothing. Word size and versions in a name (`procdump64.exe`, `python3.11.exe`) and `.mui` do not count.
 */
export function isRenamed(
  image: string | undefined,
  originalName: string | undefined,
  genuine: readonly (readonly [string, string])[] = GENUINE_RENAMES,
): boolean | undefined {
  const base = imageBase(image);
  const original = (originalName ?? '').trim().toLowerCase();
  if (base === '' || original === '' || original === '-' || original === 'unknown' || original.length > 260)
    return undefined;
  const [mine, theirs] = [stem(base), stem(original)];
  if (mine === '' || theirs === '' || mine === theirs) return false;
  if (genuine.some(([from, to]) => globMatches(from, original) && globMatches(to, base))) return false;
  return withoutVersion(mine) !== withoutVersion(theirs);
}

const stem = (name: string): string => name.replace(/\.mui$/, '').replace(/\.(exe|dll|scr|com|cpl|ocx|bin)$/, '');

const withoutVersion = (name: string): string =>
  name.replace(/[-_. ]?(x?(86|64|32)|amd64|win(32|64)|arm64|[0-9][0-9.]*)$/g, '').replace(/[-_. ]/g, '');
