import { archiveCommands } from './archive-command.ts';
import { archiveName } from './archive-formats.ts';
import { type Command, commandsIn } from './commands.ts';
import { globMatches } from './path-pattern.ts';
import { expandVariables, resolvePath, sameFile, type WindowsPath, windowsPath } from './windows-path.ts';

/**
 * Whether a command line hands over an archive: `exact` names the file (or a volume of it), `directory` names the folder
 * that holds it, a pattern in it, or, for tools that send whole trees, a folder above it. A command that packs names its
 * own output and does not count. With an unknown current directory a relative name is compared by its end.
 */
export function referencesPath(
  commandLine: string,
  cwd: string | undefined,
  archiveKey: string,
): 'exact' | 'directory' | undefined {
  const archive = windowsPath(archiveKey);
  const user = /^\\users\\([^\\]+)\\/.exec(archive.tail)?.[1];
  let best: 'directory' | undefined;
  for (const command of commandsIn(commandLine)) {
    if (isPacking(command)) continue;
    const trees = sendsTrees(command);
    for (const candidate of pathCandidates(command)) {
      const path = resolvePath(expandVariables(candidate, user), cwd);
      if (isFile(path, archive)) return 'exact';
      if (isFolder(path, archive, trees)) best = 'directory';
    }
  }
  return best;
}

/** A shell is judged by what it runs: its own words are the same text once more. */
const isPacking = (command: Command): boolean =>
  /^(cmd|powershell|pwsh|bash|sh|wsl|forfiles|wmic|start-process|saps)$/.test(command.program) ||
  archiveCommands(command).length > 0;

/** Programs that take folders and send all in them. */
const TREE_SENDERS = new Set(
  'rclone restic azcopy aws gsutil gcloud s3cmd s5cmd mc scp pscp sftp psftp winscp robocopy xcopy rsync kopia duplicati mega-put megacmd megaput b2 lftp ncftpput freefilesync syncthing croc'.split(
    ' ',
  ),
);

/** A renamed rclone is known by its shape: verb, folder, `remote:`. */
const sendsTrees = (command: Command): boolean =>
  TREE_SENDERS.has(command.program) ||
  (/^(copy|sync|move|copyto|moveto)$/i.test(command.words[0] ?? '') &&
    command.words.some((word) => /^[\w-]{2,}:/.test(word)));

/** Candidates looked at of one command. */
const CANDIDATES_MAX = 512;

/** Pieces looked at of one word. */
const SCRIPT_PIECES_MAX = 64;

/**
 * The paths that words of a command may mean: the word itself, what follows `=`, `@`, `<` or a glued option letter
 * (`-F file=@x`, `-Tx`, `-InFile:x`, `--upload-file=x`), the members of a list, the path of a file address.
 */
function pathCandidates(command: Command): readonly string[] {
  const found: string[] = [];
  for (const word of command.words) {
    for (const piece of word.split(',')) {
      if (found.length >= CANDIDATES_MAX) return found;
      for (const text of readings(piece)) if (text !== '' && !/^https?:/i.test(text)) found.push(text);
    }
    // A word that is a script of its own: WinSCP's `"put C:\x.7z"`, Python's `open('x.7z')`.
    if (/[\s'(]/.test(word))
      found.push(...word.split(/[\s'"()<>;,]+/, SCRIPT_PIECES_MAX).filter((piece) => piece.includes('.')));
  }
  return found;
}

function readings(piece: string): readonly string[] {
  const text = piece.replace(/^file:\/{2,3}/i, '').replace(/^["'(]+|["')]+$/g, '');
  // `-F file=@x;type=a/b` has a later equals sign, `/transfer:a=b=x` an earlier one.
  const [first, last] = [text.indexOf('='), text.lastIndexOf('=')].map((equals) => valueBehind(text, equals));
  const glued = /^-[A-Za-z](.{3,})$/s.exec(text)?.[1];
  const after = /^[-/][A-Za-z]+:(.+)$/s.exec(text)?.[1];
  // `form@file`: curl's --data-urlencode; what stands before an e-mail-like @ is no path.
  const at = text.indexOf('@');
  const tail = at > 0 ? text.slice(at + 1) : undefined;
  return [...new Set([text, first, last, glued, after, tail].filter((one) => one !== undefined))];
}

const valueBehind = (text: string, at: number): string =>
  text
    .slice(at + 1)
    .replace(/^[@<]/, '')
    .replace(/;.*$/, '');

function isFile(path: WindowsPath, archive: WindowsPath): boolean {
  if (path.base === '') return false;
  const set = archiveName(path)?.setKey;
  if (sameFile(path, archive) || (set !== undefined && sameFile(windowsPath(set), archive))) return true;
  if (!path.tail.startsWith('\\') && path.volume === '')
    return endsAt(path, archive) || (!archive.absolute && endsAt(archive, path));
  return !archive.tail.startsWith('\\') && archive.volume === '' && endsAt(archive, path);
}

/** `path` is relative: does `whole` end in it, at a component? */
const endsAt = (path: WindowsPath, whole: WindowsPath): boolean =>
  path.ext !== '' && !path.tail.startsWith('..') && `\\${whole.tail}`.endsWith(`\\${path.tail}`);

function isFolder(path: WindowsPath, archive: WindowsPath, trees: boolean): boolean {
  if (path.base === '' || !path.absolute || !archive.absolute) return false;
  const folder = windowsPath(archive.dir);
  if (sameFile(path, folder)) return true;
  if (/[*?]/.test(path.base) && sameFile(windowsPath(path.dir), folder)) {
    return globMatches(path.base.replaceAll('?', '*'), archive.base);
  }
  const above = `${path.tail}\\`;
  return trees && archive.tail.startsWith(above) && sameFile(windowsPath(path.volume + archive.tail), archive);
}
