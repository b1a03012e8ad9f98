import { after } from './archive-request.ts';
import type { Command } from './commands.ts';
import { namedArgument, powerShellArguments } from './powershell-arguments.ts';
import type { VerbGrammar } from './tool-table.ts';

/** A command that sends, as far as its words say. */
export interface UploadVerb {
  /** The word or switch that says so. */
  readonly verb: string;
  /** Local files or folders it names, as written. */
  readonly files: readonly string[];
  /** Host, bucket or remote it names. */
  readonly remote?: string;
}

/** Reads whether a command of that grammar sends something. Undefined when it fetches, or does not say. */
export function uploadVerb(grammar: VerbGrammar, command: Command): UploadVerb | undefined {
  return READERS[grammar](command);
}

type Reader = (command: Command) => UploadVerb | undefined;

const READERS: Readonly<Record<VerbGrammar, Reader>> = {
  always: ({ words }) => sent('its purpose', words.filter(isLocalPath), words.find(isUrl)),
  curl,
  wget,
  rclone,
  restic,
  bitsadmin,
  certreq,
  'config-security-policy': ({ words }) =>
    words.some(isUrl) ? sent('a file and an address', words.filter(isLocalPath), words.find(isUrl)) : undefined,
  datasvcutil: ({ words }) => (words.some((word) => /^[-/]uri:https?:/i.test(word)) ? sent('/uri', []) : undefined),
  'powershell-web': powerShellWeb,
  winscp,
  scp,
  ftp,
  azcopy,
  aws,
  python,
  ssh,
  openssl: ({ words }) => (words[0] === 's_client' ? sent('s_client', [], after(words, /^-connect$/)) : undefined),
  netcat: ({ words }) =>
    words.some((word) => /^-\w*l/.test(word)) ? undefined : sent('connects', [], words.find(isHost)),
  tunnel: ({ words }) =>
    words.some((word) => /^(-v|(--?)?version|--?help|help|update)$/i.test(word)) ? undefined : sent('tunnel', []),
};

function sent(verb: string, files: readonly string[], remote?: string): UploadVerb {
  return { verb, files, ...(remote === undefined ? {} : { remote }) };
}

const isUrl = (word: string): boolean => /^[a-z][a-z0-9+]{1,9}:\/\/[^\s]/i.test(word);
const isHost = (word: string): boolean => /^[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+$/i.test(word);
const isLocalPath = (word: string): boolean =>
  !isUrl(word) && (/^[a-z]:[\\/]/i.test(word) || /^[^-/].*[\\.]/.test(word));

/** curl's short options may be bundled (`-ksT file`): the first letter that takes a value takes the rest or the next word. */
const CURL_VALUED = 'AbcCdDeEFhHKmoPQrtTuUwxXyYz';

interface Option {
  readonly name: string;
  readonly value: string;
}

function curlOptions(words: readonly string[]): Option[] {
  const options: Option[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word.startsWith('--')) {
      const name = word.slice(2).toLowerCase();
      options.push({ name, value: CURL_LONG.has(name) ? (words[at + 1] ?? '') : '' });
      continue;
    }
    if (!/^-[a-zA-Z#:0-9]/.test(word)) continue;
    for (let index = 1; index < word.length; index++) {
      const letter = word[index] ?? '';
      if (!CURL_VALUED.includes(letter)) continue;
      const glued = word.slice(index + 1);
      options.push({ name: letter, value: glued === '' ? (words[++at] ?? '') : glued });
      break;
    }
  }
  return options;
}

const CURL_LONG = new Set(
  'form form-string upload-file data data-binary data-raw data-ascii data-urlencode json request url'.split(' '),
);

function curl({ words }: Command): UploadVerb | undefined {
  const remote = words.find(isUrl) ?? words.find(isHost);
  const options = curlOptions(words);
  const files: string[] = [];
  let verb: string | undefined;
  for (const { name, value } of options) {
    const form = name === 'F' || name === 'form' ? /=[@<]([^;]+)/.exec(value)?.[1] : undefined;
    const body = /^(d|json|data(-\w+)?)$/.test(name) ? /@(.+)$/.exec(value)?.[1] : undefined;
    const file = form ?? body ?? (name === 'T' || name === 'upload-file' ? value : undefined);
    if (file !== undefined && name !== 'data-raw') {
      files.push(file.replace(/^"|"$/g, ''));
      verb ??= name.length === 1 ? `-${name}` : `--${name}`;
    }
  }
  const method = options.find(({ name }) => name === 'X' || name === 'request')?.value ?? '';
  if (verb === undefined && /^(put|post|patch)$/i.test(method)) verb = `-X ${method.toUpperCase()}`;
  if (verb === undefined && options.some(({ name }) => /^(d|F|json|form|data(-\w+)?)$/.test(name)))
    verb = 'a request body';
  return verb === undefined ? undefined : sent(verb, files, remote);
}

function wget({ words }: Command): UploadVerb | undefined {
  const found = words
    .map((word) => /^--(post-file|body-file|post-data|body-data)(?:=(.*))?$/i.exec(word))
    .find((one) => one !== null);
  if (found === undefined || found === null) return undefined;
  const named = found[2] ?? after(words, /^--(post|body)-file$/i);
  const files = /file/i.test(found[1] ?? '') && named !== undefined ? [named] : [];
  return sent(`--${found[1] ?? ''}`, files, words.find(isUrl));
}

const RCLONE_VALUED =
  /^--(config|transfers|checkers|bwlimit|include|exclude|filter|max-age|min-age|max-size|log-file|multi-thread-streams|user-agent|password-command|drive-\w[\w-]*|s3-\w[\w-]*|mega-\w[\w-]*|webdav-\w[\w-]*)$|^-P$/;

function rclone({ words }: Command): UploadVerb | undefined {
  const names = words.filter((word, index) => !word.startsWith('-') && !RCLONE_VALUED.test(words[index - 1] ?? ''));
  const at = names.findIndex((word) => /^(copy|sync|move|copyto|moveto|bisync|rcat)$/i.test(word));
  const [source, target] = names.slice(at + 1);
  if (at < 0) return undefined;
  const verb = names[at] ?? '';
  if (verb === 'rcat') return sent(verb, [], source);
  if (source === undefined || target === undefined || !isRemote(target)) return undefined;
  return sent(verb, isRemote(source) ? [] : [source], target);
}

/** `remote:path` and `:s3,opt=x:path`; one letter before the colon is a drive. */
const isRemote = (word: string): boolean => /^:?[\w. -]{2,}[,:]/.test(word) && !isUrl(word);

function restic({ words }: Command): UploadVerb | undefined {
  if (!words.some((word) => /^(backup|copy)$/i.test(word))) return undefined;
  const remote = after(words, /^(-r|--repo)$/) ?? words.find((word) => /^--repo=/.test(word))?.slice(7);
  const at = words.findIndex((word) => /^backup$/i.test(word));
  return sent('backup', words.slice(at + 1).filter(isLocalPath), remote);
}

function bitsadmin({ words }: Command): UploadVerb | undefined {
  if (!words.some((word) => /^\/upload(-reply)?$/i.test(word))) return undefined;
  return sent('/upload', words.filter(isLocalPath), words.find(isUrl));
}

function certreq({ words }: Command): UploadVerb | undefined {
  if (!words.some((word) => /^[-/]post$/i.test(word))) return undefined;
  return sent('-Post', words.filter(isLocalPath), words.find(isUrl));
}

const WEB_CMDLETS = new Set(['invoke-webrequest', 'iwr', 'invoke-restmethod', 'irm', 'wget', 'curl']);

/** Cmdlets as commands of the script; calls of .NET clients in its text. */
function powerShellWeb(command: Command): UploadVerb | undefined {
  const { program, words } = command;
  if (WEB_CMDLETS.has(program)) return webCmdlet(words);
  if (program === 'start-bitstransfer') {
    const given = powerShellArguments(words, ['asynchronous']);
    if (!/^upload/i.test(namedArgument(given, 'transfertype') ?? '')) return undefined;
    return sent(
      'Start-BitsTransfer',
      namedArgument(given, 'source')?.split(',') ?? [],
      namedArgument(given, 'destination'),
    );
  }
  if (program === 'send-mailmessage') {
    const given = powerShellArguments(words, ['usessl', 'bodyashtml']);
    const files = namedArgument(given, 'attachments')?.split(',') ?? [];
    return files.length === 0 ? undefined : sent('Send-MailMessage', files, namedArgument(given, 'smtpserver'));
  }
  const text = command.script ?? command.text;
  const call =
    /\b(UploadFile(?:Async|TaskAsync)?|UploadData(?:Async)?|UploadString(?:Async)?|UploadValues|PutAsync|PostAsync)\s*\(/i.exec(
      text,
    );
  if (call === null) return undefined;
  const args = text.slice(call.index + call[0].length, call.index + call[0].length + 1_024);
  const literals = [...args.matchAll(/'([^'\n]{1,300})'|"([^"\n]{1,300})"/g)].map(
    (found) => found[1] ?? found[2] ?? '',
  );
  return sent(
    call[1] ?? 'UploadFile',
    literals.filter((one) => !isUrl(one) && !/^(post|put)$/i.test(one)),
    literals.find(isUrl),
  );
}

function webCmdlet(words: readonly string[]): UploadVerb | undefined {
  const given = powerShellArguments(words, [
    'usebasicparsing',
    'skipcertificatecheck',
    'usedefaultcredentials',
    'disablekeepalive',
  ]);
  const method = namedArgument(given, 'method') ?? '';
  const file = namedArgument(given, 'infile');
  const body = namedArgument(given, 'body') ?? namedArgument(given, 'form');
  const remote = words.find(isUrl) ?? namedArgument(given, 'uri');
  if (file !== undefined) return sent('-InFile', [file], remote);
  if (!/^(post|put|patch)$/i.test(method)) return undefined;
  return sent(`-Method ${method}`, body === undefined ? [] : [body], remote);
}

function winscp({ words }: Command): UploadVerb | undefined {
  const script = words.find((word) => /\b(put|synchronize\s+remote)\b/i.test(word));
  if (script !== undefined) {
    const file = /\bput\s+(?:-\w+\s+)*(?:"([^"]+)"|(\S+))/i.exec(script);
    const named = file?.[1] ?? file?.[2];
    return sent('put', named === undefined ? [] : [named], words.find((word) => /^open\s/i.test(word))?.slice(5));
  }
  return words.some((word) => /^[-/](command|script(=.*)?|upload)$/i.test(word)) ? sent('a script', []) : undefined;
}

/** The last word is the target; `user@host:path` or `host:path` there is an upload. */
function scp({ words }: Command): UploadVerb | undefined {
  const names = words.filter(
    (word, index) => !word.startsWith('-') && !/^-[PpilSFcobhw]+$|^-pw$/.test(words[index - 1] ?? ''),
  );
  const target = names.at(-1);
  if (target === undefined || !/^([^\\/:]+@)?[^\\/:@]{2,}:/.test(target) || names.length < 2) return undefined;
  return sent('copies to', names.slice(0, -1), target);
}

function ftp({ words }: Command): UploadVerb | undefined {
  if (words.some((word) => /^-s:/i.test(word))) return sent('-s', [], words.find(isHost));
  const put = words.find((word) => /\bm?put\b/i.test(word));
  return put === undefined ? undefined : sent('put', [], words.find(isHost));
}

function azcopy({ words }: Command): UploadVerb | undefined {
  const [verb = '', source, target] = words.filter((word) => !word.startsWith('-'));
  if (!/^(copy|cp|c|sync|s)$/i.test(verb) || source === undefined || target === undefined) return undefined;
  return isUrl(target) && !isUrl(source) ? sent(verb, [source], target) : undefined;
}

function aws({ words }: Command): UploadVerb | undefined {
  const names = words.filter((word) => !word.startsWith('-'));
  const at = names.findIndex((word) =>
    /^(cp|mv|sync|put|rsync|put-object|upload|upload-file|upload-batch)$/i.test(word),
  );
  if (at < 0) return undefined;
  const [source, target] = names.slice(at + 1);
  const remote = [source, target].find((word) => word !== undefined && (isUrl(word) || /^[\w-]{2,}\//.test(word)));
  if (target !== undefined && !isUrl(target) && source !== undefined && isUrl(source)) return undefined;
  return sent(names[at] ?? '', source === undefined || isUrl(source) ? [] : [source], remote);
}

function python({ words }: Command): UploadVerb | undefined {
  const code = after(words, /^-[a-z]*c$/);
  if (
    code === undefined ||
    !/\b(requests|httpx|session)\.(post|put)\s*\(|upload_file\s*\(|urlopen\s*\(.{0,400}data=|storbinary\s*\(/.test(code)
  ) {
    return undefined;
  }
  const file = /open\(\s*r?['"]([^'"]{1,300})['"]/.exec(code)?.[1];
  const remote = /https?:\/\/[^'"\s]{1,300}/.exec(code)?.[0];
  return sent('a request with a body', file === undefined ? [] : [file], remote);
}

function ssh({ words }: Command): UploadVerb | undefined {
  const forward = words.find((word) => /^-[a-z]*[RLD]/.test(word));
  return forward === undefined
    ? undefined
    : sent(forward.slice(0, 8), [], words.find((word) => word.includes('@')) ?? words.find(isHost));
}
