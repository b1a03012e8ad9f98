import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/** A destination name as it may be compared, or why it is none. */
export type HostName =
  | { readonly kind: 'name'; readonly name: string; readonly flags: readonly NameFlag[] }
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'none'; readonly flags: readonly NameFlag[] };

export type NameFlag =
  /** The text is no hostname: characters, lengths or empty labels that DNS does not have. */
  | 'not-a-hostname'
  /** A name in punycode, or one that had to be put into it. */
  | 'punycode'
  | 'single-label'
  /** The name was an address in text. */
  | 'ip-literal';

/** Longest name in DNS, characters of its text form without the last dot (RFC 1035 §2.3.4). */
export const HOST_NAME_MAX_CHARS = 253;

/**
 * Reads a server name of any origin: lower case, no dot at the end, Unicode to ASCII (IDNA). Never throws. A name that
 * DNS cannot have is `none` with a flag: the oddity is a finding, but no two such texts may share an entity by accident.
 */
export function hostName(text: string | undefined): HostName {
  const raw = (text ?? '').slice(0, 1024).trim().toLowerCase();
  const name = raw.endsWith('.') ? raw.slice(0, -1) : raw;
  if (name === '') return { kind: 'none', flags: [] };
  const address = canonicalAddress(name);
  if (address !== undefined) return { kind: 'address', address };
  const ascii = /^[\x21-\x7e]+$/.test(name) ? name : toAscii(name);
  if (ascii.length > HOST_NAME_MAX_CHARS || !ascii.split('.').every(isLabel)) {
    return { kind: 'none', flags: ['not-a-hostname'] };
  }
  const flags: NameFlag[] = [];
  if (/(^|\.)xn--/.test(ascii)) flags.push('punycode');
  if (!ascii.includes('.')) flags.push('single-label');
  return { kind: 'name', name: ascii, flags };
}

/** Letters, digits, hyphens; the underscore is no hostname character but real services use it. */
const isLabel = (label: string): boolean => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label);

/** Gives the empty text for what IDNA refuses. */
const toAscii = (name: string): string => domainToASCII(name);

/** Address text in one form: brackets and zone off, IPv4-mapped IPv6 folded, IPv6 as the URL standard writes it. */
export function canonicalAddress(text: string): string | undefined {
  const bare = text.replace(/^\[/, '').replace(/\]$/, '').replace(/%.*$/, '').toLowerCase();
  const version = isIP(bare);
  if (version === 4) return bare;
  if (version === 0) return undefined;
  const written = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(written);
  if (mapped === null) return written;
  const [high, low] = [Number.parseInt(mapped[1] ?? '0', 16), Number.parseInt(mapped[2] ?? '0', 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
