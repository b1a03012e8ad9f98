import type { ProcessRef, SignatureStatus, UserRef } from '../event/endpoint-event.ts';

/** Longest text kept of one field, UTF-16 units: a Windows command line has at most 32,767. */
export const MAX_TEXT_CHARS = 32_768;
/** Longest identifier (GUID, entity id, vendor id) kept. */
export const MAX_ID_CHARS = 256;

/** How feeds write that they do not know (FEEDS 11.9). */
const UNKNOWN = new Set(['', '-', 'N/A', 'n/a', 'null', 'NULL', '(null)', '<null>', 'NULL SID']);

/** The text of a field, or undefined when the feed says it does not know. Of a list, its first entry. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') {
    const trimmed = value.length <= 16 ? value.trim() : value;
    if (UNKNOWN.has(trimmed)) return undefined;
    return value.length > MAX_TEXT_CHARS ? value.slice(0, MAX_TEXT_CHARS) : value;
  }
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return Array.isArray(value) && value.length > 0 && !Array.isArray(value[0]) ? textOf(value[0]) : undefined;
}

/** A non-negative whole number written as a number, in decimal (`4,688` as Kibana exports it, too) or as `0x…` hexadecimal; exact or undefined. */
export function integerOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  const text = textOf(value)?.trim();
  if (text === undefined || text.length > 20) return undefined;
  if (!/^(?:0x[0-9a-f]{1,16}|\d{1,16}(?:\.0)?|\d{1,3}(?:,\d{3})+)$/i.test(text)) return undefined;
  const number = Number(text.replaceAll(',', ''));
  return Number.isSafeInteger(number) ? number : undefined;
}

/** A process id; 0 means that the feed does not know. */
export function pidOf(value: unknown): number | undefined {
  const pid = integerOf(value);
  return pid !== undefined && pid > 0 && pid <= 0xffff_ffff ? pid : undefined;
}

/** A port; 0 when unknown. */
export function portOf(value: unknown): number {
  const port = integerOf(value);
  return port !== undefined && port <= 0xffff ? port : 0;
}

/** A GUID or other vendor key without braces, lower case; the all-zero GUID, which every host shares, is none. */
export function guidOf(value: unknown): string | undefined {
  const text = textOf(value)?.trim();
  if (text === undefined || text.length > MAX_ID_CHARS) return undefined;
  const guid = (text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text).toLowerCase();
  return /^[0-]*$/.test(guid) ? undefined : guid;
}

/** An opaque vendor key, case kept (Elastic's is base64). */
export function idOf(value: unknown): string | undefined {
  const text = textOf(value)?.trim();
  return text !== undefined && text !== '0' && text.length <= MAX_ID_CHARS ? text : undefined;
}

/** A logon id as lower-case hexadecimal without padding; 0x0 is none. */
export function logonIdOf(value: unknown): string | undefined {
  const number = integerOf(value);
  return number === undefined || number === 0 ? undefined : `0x${number.toString(16)}`;
}

export function boolOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = textOf(value)?.trim().toLowerCase();
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
}

/** `DOMAIN\name`, a bare name, or a SID, as a user. */
export function userOf(value: unknown): UserRef | undefined {
  const text = textOf(value)?.trim();
  if (text === undefined) return undefined;
  if (/^S-1-\d/.test(text)) return { id: text };
  const slash = text.indexOf('\\');
  if (slash <= 0 || slash === text.length - 1) return { name: text };
  return { domain: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** A user from the parts a feed gives; undefined when it gives none. */
export function userFrom(name: unknown, domain: unknown, id: unknown): UserRef | undefined {
  const fromName = userOf(name);
  const sid = textOf(id)?.trim();
  const domainText = textOf(domain) ?? fromName?.domain;
  const user: UserRef = {
    ...(fromName?.name === undefined ? {} : { name: fromName.name }),
    ...(domainText === undefined ? {} : { domain: domainText }),
    ...(sid?.startsWith('S-1-') && sid !== 'S-1-0-0' ? { id: sid } : {}),
  };
  return Object.keys(user).length > 0 ? user : undefined;
}

type Hashes = NonNullable<ProcessRef['hashes']>;
const HASH_LENGTHS: readonly (readonly [keyof Hashes, number])[] = [
  ['md5', 32],
  ['sha1', 40],
  ['sha256', 64],
  ['imphash', 32],
];

/** Only well-formed, non-zero hashes, lower case. */
export function hashesFrom(parts: { readonly [K in keyof Hashes]?: unknown }): Hashes | undefined {
  const hashes: { -readonly [K in keyof Hashes]: Hashes[K] } = {};
  for (const [name, length] of HASH_LENGTHS) {
    const text = textOf(parts[name])?.trim().toLowerCase();
    if (text === undefined || text.length !== length) continue;
    if (/^[0-9a-f]+$/.test(text) && !/^0+$/.test(text)) hashes[name] = text;
  }
  return Object.keys(hashes).length > 0 ? hashes : undefined;
}

/** Sysmon's `SHA1=…,MD5=…,SHA256=…,IMPHASH=…`, any subset in any order. */
export function hashesOf(value: unknown): Hashes | undefined {
  const text = textOf(value);
  if (text === undefined || text.length > 1024) return undefined;
  const parts = new Map<string, string>();
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    if (equals > 0) parts.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1));
  }
  return hashesFrom({
    md5: parts.get('md5'),
    sha1: parts.get('sha1'),
    sha256: parts.get('sha256'),
    imphash: parts.get('imphash'),
  });
}

/** `valid`, `invalid` or `unsigned` from the words the feeds use; everything else is `unknown` (an expired chain, say). */
export function signatureStatusOf(status: unknown, signed: unknown): SignatureStatus | undefined {
  const word = textOf(status)?.trim().toLowerCase();
  const isSigned = boolOf(signed);
  if (word === undefined && isSigned === undefined) return undefined;
  if (word !== undefined && VALID.has(word)) return 'valid';
  if (word !== undefined && INVALID.has(word)) return 'invalid';
  if (isSigned === false || (word !== undefined && UNSIGNED.has(word))) return 'unsigned';
  return 'unknown';
}

const VALID = new Set(['valid', 'trusted', 'verified', 'signedverified']);
const INVALID = new Set([
  'invalid',
  'revoked',
  'errorbaddigest',
  'errorrevoked',
  'erroruntrustedroot',
  'signedinvalid',
  'bad digest',
  'untrusted root',
]);
const UNSIGNED = new Set(['unsigned', 'nosignature', 'errornosignature', 'not signed']);

const INTEGRITY = new Map<string, string>([
  ['4096', 'Low'],
  ['8192', 'Medium'],
  ['8448', 'Medium'],
  ['12288', 'High'],
  ['16384', 'System'],
  ['untrusted', 'Untrusted'],
  ['low', 'Low'],
  ['medium', 'Medium'],
  ['mediumplus', 'Medium'],
  ['high', 'High'],
  ['system', 'System'],
]);

/** Low, Medium, High or System from a word, a number, `S-1-16-12288` or `Mandatory Label\High Mandatory Level`. */
export function integrityOf(value: unknown): string | undefined {
  const text = textOf(value)?.trim();
  if (text === undefined) return undefined;
  const bare = text
    .replace(/^S-1-16-/, '')
    .replace(/^Mandatory Label\\/i, '')
    .replace(/ Mandatory Level$/i, '');
  return INTEGRITY.get(bare.toLowerCase()) ?? bare;
}

/** The file name at the end of a Windows or POSIX path. */
export const baseName = (path: string): string =>
  path.slice(Math.max(path.lastIndexOf('\\'), path.lastIndexOf('/')) + 1);
