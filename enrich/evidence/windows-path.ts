/**
 * Windows paths in one comparison form.
 *
 * Feeds name one file in many ways: `C:\x`, `\\?\C:\x`, `\??\C:\x`, `\Device\HarddiskVolume3\x`, `c:/x`, `C:\\x` (Wazuh
 * doubles backslashes), `\SystemRoot\x`. The rules follow "Naming Files, Paths, and Namespaces" and "File path formats on
 * Windows systems" of the Microsoft documentation. Short (8.3) names are left as they are: what they stand for is known
 * only to the volume.
 */
export interface WindowsPath {
  /** Comparison form: lower case, backslashes, no namespace prefix, dots resolved, stream included. Idempotent. */
  readonly key: string;
  /** `c:`, `\\server\share`, `\device\harddiskvolume3`, or empty when the path names no volume. */
  readonly volume: string;
  /** The key without its volume; starts with a backslash unless the path is relative. */
  readonly tail: string;
  /** The key of the folder, without a backslash at its end except for a root. */
  readonly dir: string;
  /** Last component without stream, lower case. */
  readonly base: string;
  /** Text after the last dot of `base`, without the dot; empty when there is none. */
  readonly ext: string;
  /** Name of an alternate data stream (NTFS), lower case, without its `:$DATA` type. */
  readonly stream?: string;
  /** False when the path depends on a current directory, or on a current drive. */
  readonly absolute: boolean;
}

/** Longest path NTFS can name, in characters; what is longer is cut here. */
export const PATH_MAX_CHARS = 32_767;

/** Deeper paths than this are cut at their far end: components. */
export const PATH_MAX_COMPONENTS = 512;

/** Where a fresh Windows has what these variables and kernel links name. Per-user ones need the user: see `expandVariables`. */
const FIXED_ROOTS: ReadonlyMap<string, string> = new Map([
  ['%systemroot%', 'c:\\windows'],
  ['%windir%', 'c:\\windows'],
  ['%systemdrive%', 'c:'],
  ['%homedrive%', 'c:'],
  ['%programfiles%', 'c:\\program files'],
  ['%programw6432%', 'c:\\program files'],
  ['%programfiles(x86)%', 'c:\\program files (x86)'],
  ['%programdata%', 'c:\\programdata'],
  ['%allusersprofile%', 'c:\\programdata'],
  ['%public%', 'c:\\users\\public'],
]);

interface Split {
  readonly volume: string;
  readonly rest: string;
  readonly rooted: boolean;
}

/** Reads a path as a feed or a command line wrote it. Never throws; nonsense gives a relative path of that nonsense. */
export function windowsPath(text: string): WindowsPath {
  const flat = text.slice(0, PATH_MAX_CHARS).replaceAll('"', '').replaceAll('/', '\\').toLowerCase();
  const { volume, rest, rooted } = splitVolume(flat);
  const parts = resolveDots(rest.split('\\'), rooted);
  const stream = takeStream(parts);
  const base = parts.at(-1) ?? '';
  const folder = parts.slice(0, -1).join('\\');
  const dot = base.lastIndexOf('.');
  const tail = rebuildTail(parts.join('\\') + (stream === '' ? '' : `:${stream}`), volume, rooted);
  return {
    key: volume + tail,
    volume,
    tail,
    dir: rooted ? `${volume}\\${folder}` : `${volume}${folder}`,
    base,
    ext: dot < 0 ? '' : base.slice(dot + 1),
    ...(stream === '' ? {} : { stream }),
    absolute: rooted && volume !== '',
  };
}

/** The key of `text` seen from the folder `cwd`; without a usable folder the key of the path as it is. */
export function resolvePath(text: string, cwd: string | undefined): WindowsPath {
  const path = windowsPath(text);
  if (path.absolute || cwd === undefined) return path;
  const from = windowsPath(cwd);
  if (!from.absolute) return path;
  if (path.volume !== '' && path.volume !== from.volume) return windowsPath(`${path.volume}\\${path.tail}`);
  if (path.tail.startsWith('\\')) return windowsPath(`${from.volume}${path.tail}`);
  return windowsPath(`${from.key}\\${path.tail}`);
}

/**
 * Whether two spellings name one file. A kernel volume (`\Device\HarddiskVolume3`) or a missing one may be any local
 * drive, so it is compared by what follows; two different drives, or a share and a drive, are never the same. Relative
 * paths are resolved from `cwd`; when that is unknown they only equal themselves.
 */
export function samePath(a: string, b: string, cwd?: string): boolean {
  return sameFile(resolvePath(a, cwd), resolvePath(b, cwd));
}

/** `samePath` for paths that are already read. */
export function sameFile(a: WindowsPath, b: WindowsPath): boolean {
  if (a.key === b.key) return true;
  if (a.tail !== b.tail || !a.tail.startsWith('\\')) return false;
  return a.volume === b.volume || (isLocalVolume(a.volume) && isLocalVolume(b.volume) && !(isDrive(a) && isDrive(b)));
}

/** Whether the path is on this machine's own disks: a drive letter, a kernel disk volume, or no volume at all. */
export function isLocal(path: WindowsPath): boolean {
  return isLocalVolume(path.volume);
}

/** Whether the path names another machine: `\\server\share`. */
export function isShare(path: WindowsPath): boolean {
  return path.volume.startsWith('\\\\') && !path.volume.startsWith('\\\\?\\');
}

/** The last component of an image path, lower case, without stream: `chrome.exe`. */
export function imageBase(image: string | undefined): string {
  return image === undefined ? '' : windowsPath(image).base;
}

/**
 * Puts the usual folders in place of the per-user variables of cmd (`%TEMP%`) and PowerShell (`$env:TEMP`). The user's
 * folder is taken to have the user's name, as it has unless an administrator changed it; without a user they stay.
 */
export function expandVariables(text: string, userName: string | undefined): string {
  if (!text.includes('%') && !text.includes('$')) return text;
  const user = userName?.slice(userName.lastIndexOf('\\') + 1);
  return text.replace(VARIABLE, (whole, percent: string | undefined, dollar: string | undefined) => {
    const name = (percent ?? dollar ?? '').toLowerCase();
    const fixed = FIXED_ROOTS.get(`%${name}%`);
    if (fixed !== undefined) return fixed;
    const below = USER_FOLDERS.get(name);
    return below === undefined || user === undefined || user === '' ? whole : `c:\\users\\${user}${below}`;
  });
}

/** Names are short and closed by their own mark, so a match never looks further than 40 characters ahead. */
const VARIABLE = /%([A-Za-z0-9_()]{1,40})%|\$env:([A-Za-z0-9_]{1,40})/gi;

const USER_FOLDERS: ReadonlyMap<string, string> = new Map([
  ['temp', '\\appdata\\local\\temp'],
  ['tmp', '\\appdata\\local\\temp'],
  ['localappdata', '\\appdata\\local'],
  ['appdata', '\\appdata\\roaming'],
  ['userprofile', ''],
  ['homepath', ''],
  ['onedrive', '\\onedrive'],
]);

/**
 * A text such as `.\c:\x` must not become `c:\x` when its dot is resolved, or reading the key again would give another
 * file: there the dot is kept.
 */
function rebuildTail(body: string, volume: string, rooted: boolean): string {
  const misread = volume === '' && (rooted ? /^(device|systemroot|\?\?)(\\|$)/.test(body) : /^([a-z]:|%)/.test(body));
  return (rooted ? '\\' : '') + (misread ? '.\\' : '') + body;
}

function expandFixedRoot(path: string): string {
  if (/^\\+systemroot(\\|$)/.test(path)) return path.replace(/^\\+systemroot/, 'c:\\windows');
  if (!path.startsWith('%')) return path;
  const close = path.indexOf('%', 1);
  const root = close < 0 ? undefined : FIXED_ROOTS.get(path.slice(0, close + 1));
  return root === undefined ? path : root + path.slice(close + 1);
}

/** Takes namespace prefixes off until none is left, then the volume. Each turn shortens the text, so this ends. */
function splitVolume(text: string): Split {
  let path = text;
  for (;;) {
    // Some feeds double every backslash, prefixes included.
    path = path.replace(/^\\{2,}/, '\\\\');
    const prefix = NAMESPACES.find((known) => path.startsWith(known) || path === known.slice(0, -1));
    if (prefix === undefined) break;
    const rest = path.slice(prefix.length).replace(/^\\+/, '');
    path = /^unc\\/.test(rest) ? `\\\\${rest.slice(4)}` : prefix.endsWith('globalroot\\') ? `\\${rest}` : rest;
    if (/^volume\{/.test(path)) return cutFirst('\\\\?\\', path);
  }
  path = expandFixedRoot(path);
  if (/^[a-z]:/.test(path)) return { volume: path.slice(0, 2), rest: path.slice(2), rooted: path[2] === '\\' };
  if (/^\\+device(\\|$)/.test(path)) return cutFirst('\\device\\', path.replace(/^\\+device\\*/, ''));
  if (/^\\{2,}[^\\]/.test(path)) return splitShare(path.replace(/^\\+/, ''));
  return { volume: '', rest: path, rooted: path.startsWith('\\') };
}

const NAMESPACES = ['\\\\?\\globalroot\\', '\\\\.\\globalroot\\', '\\\\?\\', '\\\\.\\', '\\??\\', '\\\\??\\'];

function cutFirst(prefix: string, rest: string): Split {
  const end = rest.indexOf('\\');
  const name = end < 0 ? rest : rest.slice(0, end);
  return { volume: prefix + name, rest: end < 0 ? '' : rest.slice(end), rooted: true };
}

/** `\\server\share`; the administrative share of this machine itself (`\\localhost\c$`) is the drive. */
function splitShare(path: string): Split {
  const [server = '', share = ''] = path.split(/\\+/, 2);
  const skipped = path.replace(/^[^\\]*\\*[^\\]*/, '');
  if (/^(localhost|127\.0\.0\.1|::1)$/.test(server) && /^[a-z]\$$/.test(share)) {
    return { volume: `${share[0] ?? ''}:`, rest: skipped, rooted: true };
  }
  return { volume: share === '' ? `\\\\${server}` : `\\\\${server}\\${share}`, rest: skipped, rooted: true };
}

/**
 * Finishes the last component: its stream name is taken off and returned, its dots and spaces at the end go (Win32 drops
 * them there), and when nothing is left of it the one before is the last.
 */
function takeStream(parts: string[]): string {
  for (;;) {
    const last = parts.pop();
    if (last === undefined) return '';
    if (last === '..') {
      parts.push(last);
      return '';
    }
    const colon = last.indexOf(':');
    const stream = colon < 0 ? '' : streamName(last.slice(colon + 1));
    const base = trimEnd(colon < 0 ? last : last.slice(0, colon));
    if (base !== '' || stream !== '') {
      parts.push(base);
      return stream;
    }
  }
}

function streamName(text: string): string {
  let name = text;
  for (;;) {
    const type = name.lastIndexOf(':');
    if (type < 0 || name[type + 1] !== '$') return name;
    name = name.slice(0, type);
  }
}

/**
 * Win32 drops one dot at the end of an inner component. A space at the end of an inner component stays: `C:\Windows \System32` is another folder, made to be taken for the real one.
 */
function resolveDots(components: readonly string[], rooted: boolean): string[] {
  const parts: string[] = [];
  for (const component of components) {
    if (component === '' || component === '.') continue;
    if (component === '..') {
      if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
      else if (!rooted) parts.push('..');
    } else {
      parts.push(/^[^:]*[^.:]\.$/.test(component) ? component.slice(0, -1) : component);
    }
    if (parts.length === PATH_MAX_COMPONENTS) break;
  }
  return parts;
}

function trimEnd(name: string): string {
  let end = name.length;
  while (end > 0 && (name[end - 1] === '.' || name[end - 1] === ' ')) end--;
  return name.slice(0, end);
}

/** Kernel names of the disks that drive letters stand for; a shadow copy is another file with the same path. */
function isLocalVolume(volume: string): boolean {
  return (
    volume === '' ||
    /^[a-z]:$/.test(volume) ||
    /^\\device\\harddiskvolume\d+$/.test(volume) ||
    volume.startsWith('\\\\?\\volume{')
  );
}

const isDrive = (path: WindowsPath): boolean => path.volume.endsWith(':');
