/**
 * Alternative names of a certificate, RFC 5280 §4.2.1.6, and whether they cover a server name (RFC 9525 §6).
 *
 *     SubjectAltName ::= SEQUENCE OF GeneralName
 *     GeneralName    ::= CHOICE { [1] rfc822Name, [2] dNSName, [6] URI, [7] iPAddress, … }    all primitive
 */
import { ByteCursor } from '../base/cursor.ts';
import { ipText, parseIp } from '../base/ip.ts';
import { byteString, isIpLiteral, safeText } from '../base/text.ts';
import type { CertificateFacts } from './certificate.ts';
import { derWindow } from './der.ts';

/** Names kept of one certificate. Public authorities stop at 100 to 2,000. */
export const MAX_ALTERNATIVE_NAMES = 2_000;
/** Characters kept of one name. */
const MAX_NAME_CHARACTERS = 255;

const GeneralName = { mailbox: 0x81, dns: 0x82, uri: 0x86, address: 0x87 } as const;
const SEQUENCE = 0x30;

/** Names that were read, and how many there were. */
export interface AlternativeNames {
  readonly names: readonly string[];
  readonly count: number;
}

/** Reads the content of a subjectAltName extension, one character per byte. What is damaged ends the list. */
export function readAlternativeNames(content: string): AlternativeNames {
  const names: string[] = [];
  const outer = new ByteCursor(Buffer.from(content, 'latin1'));
  if (outer.left === 0 || outer.u8() !== SEQUENCE) return { names, count: 0 };
  const list = derWindow(outer);
  let count = 0;
  while (list.left > 0) {
    const tag = list.u8();
    const value = derWindow(list);
    if (list.short) break;
    count++;
    if (names.length >= MAX_ALTERNATIVE_NAMES) continue;
    if (tag === GeneralName.address) names.push(addressText(value));
    else if (tag === GeneralName.dns || tag === GeneralName.mailbox || tag === GeneralName.uri) {
      names.push(safeText(byteString(value.bytes, value.at, value.end), MAX_NAME_CHARACTERS).text);
    }
  }
  return { names, count };
}

/**
 * Whether a certificate covers the name that the client asked for. Undefined when it cannot be told: there is no name, or
 * more alternative names than were kept and none of those fits.
 */
export function nameMatches(serverName: string, certificate: CertificateFacts): boolean | undefined {
  const wanted = normalName(serverName);
  if (wanted === '') return undefined;
  const { alternativeNames, alternativeNameCount } = certificate;
  const address = isIpLiteral(wanted) ? canonicalAddress(wanted) : undefined;
  for (const name of alternativeNames) {
    if (address === undefined ? covers(normalName(name), wanted) : name === address) return true;
  }
  if (alternativeNameCount > MAX_ALTERNATIVE_NAMES) return undefined;
  // Without alternative names old clients take the common name (RFC 2818 §3.1).
  return alternativeNameCount === 0 && covers(normalName(commonName(certificate.subject)), wanted);
}

/** RFC 9525 §6.3: a `*` stands for the whole leftmost label and nothing else. */
function covers(pattern: string, wanted: string): boolean {
  if (pattern === wanted) return true;
  if (!pattern.startsWith('*.')) return false;
  const dot = wanted.indexOf('.');
  return dot > 0 && wanted.slice(dot) === pattern.slice(1);
}

const normalName = (name: string): string => (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();

/** The first CN of a name as `distinguishedName` writes it. */
function commonName(subject: string): string {
  return /(?:^|[,+])CN=((?:[^,+\\]|\\.)*)/.exec(subject)?.[1] ?? '';
}

function addressText(value: ByteCursor): string {
  if (value.left === 4) return ipText(0, 0, 0xffff, value.u32() | 0);
  if (value.left === 16) return ipText(value.u32() | 0, value.u32() | 0, value.u32() | 0, value.u32() | 0);
  return Buffer.from(value.bytes.subarray(value.at, value.end)).toString('hex').slice(0, MAX_NAME_CHARACTERS);
}

function canonicalAddress(text: string): string {
  const words = parseIp(text);
  return words === undefined ? text : ipText(...words);
}
