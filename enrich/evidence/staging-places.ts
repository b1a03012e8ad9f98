import type { ProcessRef } from '../event/endpoint-event.ts';
import { firstMatch, globMatches, type PathPattern, pathPatterns } from './path-pattern.ts';
import type { StagingTrait } from './staging-fact.ts';
import { imageBase, type WindowsPath, windowsPath } from './windows-path.ts';

/** Changes whenever a row does, so that a stored fact can name the tables it was made with. */
export const STAGING_TABLES_VERSION = '2026.1';

/**
 * Folders that data is gathered in before it leaves: world-writable, out of sight, or shared. Sources: ATT&CK T1074.001
 * procedures and public detection rules (temp, Public, ProgramData, recycle bin); the rest is our own judgement. Every
 * installer uses some of them too, so this is a small plus, never evidence alone.
 */
export const STAGING_DIRS: readonly PathPattern[] = pathPatterns([
  '\\users\\*\\appdata\\local\\temp\\**',
  '\\temp\\**',
  '\\tmp\\**',
  '\\windows\\temp\\**',
  '\\users\\public\\**',
  '\\programdata\\*',
  '\\$recycle.bin\\*',
  '\\recycler\\*',
  '\\perflogs\\**',
  '\\intel\\**',
  '\\windows\\tasks\\**',
  '\\windows\\debug\\**',
  '\\windows\\system32\\spool\\drivers\\color\\**',
  '\\windows\\help\\**',
  '\\windows\\fonts\\**',
  '\\users\\*\\appdata\\roaming\\*',
  '\\users\\*\\*',
  '\\inetpub\\wwwroot\\**',
]);

export const isStagingDir = (path: WindowsPath, table: readonly PathPattern[] = STAGING_DIRS): boolean =>
  firstMatch(table, path) !== undefined;

/** A folder called log(s), or a file called x.log.y: diagnostics more often than loot. */
export function isLogPlace(path: WindowsPath): boolean {
  const parts = path.tail.split('\\');
  return parts.slice(0, -1).some((part) => LOG_FOLDERS.has(part)) || /\.(log|etl|evtx)(\.|$)/.test(path.base);
}

const LOG_FOLDERS = new Set([
  'log',
  'logs',
  'logfiles',
  'diagnostics',
  'crashdumps',
  'minidump',
  'crash reports',
  'telemetry',
]);

/** One ordinary reason for an archive. All conditions given must hold: path alone, or name alone, would be a hole. */
export interface Lookalike {
  readonly trait: StagingTrait;
  readonly reason: string;
  /** Where the writing program is. */
  readonly writers?: readonly PathPattern[];
  /** Where the file is. */
  readonly places?: readonly PathPattern[];
  /** Last component of the file, with `*`. */
  readonly names?: readonly string[];
  /** Only when the writer runs as SYSTEM or a service account, as far as the feed tells the user. */
  readonly service?: boolean;
}

const lookalike = (
  trait: StagingTrait,
  reason: string,
  rule: { writers?: string[]; places?: string[]; names?: string[]; service?: boolean },
): Lookalike => ({
  trait,
  reason,
  ...(rule.writers === undefined ? {} : { writers: pathPatterns(rule.writers) }),
  ...(rule.places === undefined ? {} : { places: pathPatterns(rule.places) }),
  ...(rule.names === undefined ? {} : { names: rule.names }),
  ...(rule.service === undefined ? {} : { service: rule.service }),
});

const PF = ['\\program files\\**', '\\program files (x86)\\**'];
const CACHES = ['.gradle', '.m2', '.nuget', '.npm', '.cargo', '.ivy2', '.cache', '.vscode'];

/** Sources: Windows' own documentation of each component; recordings of lab machines; public rules' exclusions re-read. */
export const LOOKALIKES: readonly Lookalike[] = [
  lookalike('low:wer', 'Windows Error Reporting packs its own reports', {
    writers: ['wermgr.exe', 'werfault.exe', 'werfaultsecure.exe', 'svchost.exe'].map(
      (name) => `\\windows\\system32\\${name}`,
    ),
    places: [
      '\\programdata\\microsoft\\windows\\wer\\**',
      '\\users\\*\\appdata\\local\\microsoft\\windows\\wer\\**',
      '\\users\\*\\appdata\\local\\crashdumps\\**',
    ],
  }),
  lookalike('low:updater', 'a browser updater unpacks its installer', {
    names: [
      'chrome.7z',
      'chrome.packed.7z',
      'chrome_patch.packed.7z',
      'msedge.7z',
      'msedge.packed.7z',
      'brave.7z',
      'setup.ex_',
    ],
    places: [
      '\\program files\\google\\**',
      '\\program files (x86)\\google\\**',
      '\\program files\\microsoft\\**',
      '\\program files (x86)\\microsoft\\**',
      '\\windows\\systemtemp\\**',
      '\\windows\\temp\\**',
      '\\users\\*\\appdata\\local\\temp\\cr_*.tmp\\**',
      '\\users\\*\\appdata\\local\\google\\**',
    ],
  }),
  lookalike('low:updater', 'an updater below Program Files keeps packages in its own folders', {
    writers: [
      '\\program files\\google\\**',
      '\\program files (x86)\\google\\**',
      '\\program files (x86)\\microsoft\\edgeupdate\\**',
      '\\program files\\mozilla firefox\\updater.exe',
      '\\program files\\common files\\**',
      '\\program files (x86)\\common files\\**',
    ],
    places: [...PF, '\\windows\\temp\\**', '\\windows\\systemtemp\\**', '\\programdata\\**'],
  }),
  lookalike('low:servicing', 'Windows servicing and update keep cabinets here', {
    places: [
      '\\windows\\softwaredistribution\\**',
      '\\windows\\servicing\\**',
      '\\windows\\winsxs\\**',
      '\\windows\\logs\\cbs\\**',
      '\\windows\\cbstemp\\**',
      '\\windows\\installer\\**',
      '\\windows\\ccmcache\\**',
    ],
    service: true,
  }),
  lookalike('low:log-rotation', 'a service rotates or compresses its own logs', {
    places: [
      '\\windows\\system32\\logfiles\\**',
      '\\windows\\system32\\winevt\\**',
      '\\windows\\system32\\wdi\\**',
      '\\windows\\logs\\**',
      '\\inetpub\\logs\\**',
      '\\inetpub\\temp\\iis temporary compressed files\\**',
    ],
    service: true,
  }),
  lookalike('low:dev-cache', 'a development tool fills its cache', {
    writers: [
      ...PF,
      ...['.cargo', '.vscode', 'appdata\\local\\programs', 'appdata\\roaming\\npm', 'appdata\\local\\jetbrains'].map(
        (folder) => `\\users\\*\\${folder}\\**`,
      ),
    ],
    places: [
      ...CACHES.map((folder) => `\\users\\*\\${folder}\\**`),
      '\\users\\*\\appdata\\local\\npm-cache\\**',
      '\\users\\*\\appdata\\local\\pip\\**',
      '\\users\\*\\appdata\\local\\nuget\\**',
      '\\users\\*\\appdata\\local\\yarn\\**',
      '\\users\\*\\appdata\\local\\jetbrains\\**',
      '\\users\\*\\appdata\\local\\go-build\\**',
    ],
  }),
  lookalike('low:explorer', 'a person packs files in Explorer', { writers: ['\\windows\\explorer.exe'] }),
  lookalike('low:download', 'a browser or transfer service writes what it fetched', {
    writers: [
      '\\program files\\google\\chrome\\application\\chrome.exe',
      '\\program files (x86)\\google\\chrome\\application\\chrome.exe',
      '\\program files\\microsoft\\edge\\application\\msedge.exe',
      '\\program files (x86)\\microsoft\\edge\\application\\msedge.exe',
      '\\program files\\mozilla firefox\\firefox.exe',
      '\\program files (x86)\\mozilla firefox\\firefox.exe',
      '\\program files\\bravesoftware\\brave-browser\\application\\brave.exe',
      '\\program files\\internet explorer\\iexplore.exe',
      '\\program files (x86)\\internet explorer\\iexplore.exe',
      '\\windows\\system32\\svchost.exe',
    ],
  }),
  lookalike('low:backup', 'a backup or sync client below Program Files', {
    writers: [
      'veeam',
      'acronis',
      'veritas',
      'commvault',
      'macrium',
      'backblaze',
      'carbonite',
      'cobian*',
      'duplicati*',
    ].flatMap((vendor) => [`\\program files\\${vendor}\\**`, `\\program files (x86)\\${vendor}\\**`]),
  }),
  lookalike('low:agent', 'a service below Program Files packs its own data', {
    writers: [...PF, '\\programdata\\microsoft\\windows defender*\\**', '\\windows\\ccm\\**'],
    places: ['\\programdata\\**', '\\windows\\temp\\**', ...PF, '\\windows\\ccm\\**'],
    service: true,
  }),
];

/** Every look-alike that fits; SYSTEM alone is none, since an intruder's service runs as SYSTEM too. */
export function lookalikesOf(
  path: WindowsPath,
  process: ProcessRef,
  table: readonly Lookalike[] = LOOKALIKES,
): readonly Lookalike[] {
  const writer = process.image === undefined ? undefined : windowsPath(process.image);
  return table.filter(
    (rule) =>
      (rule.writers === undefined || (writer !== undefined && firstMatch(rule.writers, writer) !== undefined)) &&
      (rule.places === undefined || firstMatch(rule.places, path) !== undefined) &&
      (rule.names === undefined || rule.names.some((name) => globMatches(name, path.base))) &&
      (rule.service !== true || isServiceAccount(process)),
  );
}

const SERVICE_SIDS = new Set(['S-1-5-18', 'S-1-5-19', 'S-1-5-20']);
const SERVICE_NAMES = new Set([
  'system',
  'local service',
  'network service',
  'localsystem',
  'lokaler dienst',
  'netzwerkdienst',
]);

/** By SID where there is one: account names are translated in localised Windows. */
export function isServiceAccount(process: ProcessRef): boolean {
  const { user } = process;
  if (user?.id !== undefined && /^S-1-/i.test(user.id)) return SERVICE_SIDS.has(user.id.toUpperCase());
  const name = user?.name?.toLowerCase() ?? '';
  const account = name.slice(name.lastIndexOf('\\') + 1);
  return SERVICE_NAMES.has(account) || account === 'système' || account.endsWith('$');
}

/** Programs that run scripts: a compression library in one of these was asked for by a script (ATT&CK T1059, T1218). */
const SCRIPT_HOSTS = new Set(
  'powershell.exe pwsh.exe powershell_ise.exe wscript.exe cscript.exe mshta.exe msbuild.exe installutil.exe regsvr32.exe rundll32.exe regasm.exe regsvcs.exe wmiprvse.exe wsmprovhost.exe winword.exe excel.exe powerpnt.exe outlook.exe'.split(
    ' ',
  ),
);

export const isScriptHost = (image: string | undefined): boolean => SCRIPT_HOSTS.has(imageBase(image));

/** Names of the .NET compression libraries, native images (`.ni.dll`) included. */
export const isCompressionLibrary = (path: WindowsPath): boolean =>
  /^system\.io\.compression(\.filesystem|\.zipfile|\.brotli)?(\.ni)?\.dll$/.test(path.base);

/** Kinds of files that people keep work in. For bursts: an installer writes few of these. Our own judgement. */
export const DATA_EXTENSIONS: ReadonlySet<string> = new Set(
  'doc docx docm xls xlsx xlsm xlsb ppt pptx pptm pdf rtf odt ods odp csv tsv msg eml pst ost one onepkg vsd vsdx dwg dxf dgn step stp sldprt mdb accdb sql bak mdf ldf dbf sqlite db kdbx kdb key pfx p12 ppk pem rdp ovpn wallet txt md tex xml json yaml log jpg jpeg png tif tiff heic mp4 mov'.split(
    ' ',
  ),
);

/** Files worth naming when they are packed: memory dumps, mailboxes, password stores, registry hives (public rules). */
export const isSensitiveSource = (text: string): boolean => {
  const { base, ext } = windowsPath(text);
  return (
    /^(dmp|dump|hdmp|mdmp|pst|ost|kdbx|kdb|pfx|p12|ppk|ntds|vhdx)$/.test(ext) ||
    /^(ntds\.dit|sam|system|security|lsass.*)$/.test(base)
  );
};

export const PROGRAM_EXTENSIONS: ReadonlySet<string> = new Set([
  'exe',
  'dll',
  'sys',
  'scr',
  'com',
  'ocx',
  'msi',
  'bin',
  'ps1',
]);
