import { cefValue, leefValue } from './escaped-value.ts';
import { delimitedPairs, spacedPairs } from './key-values.ts';

/** One event of a security product in the common shape of CEF and LEEF. All of it is outside text. */
export interface DeviceLine {
  readonly format: 'cef' | 'leef';
  readonly vendor: string;
  readonly product: string;
  /** CEF: Device Event Class ID. LEEF: EventID. */
  readonly eventClass: string;
  /** CEF's Name; empty in LEEF. */
  readonly name: string;
  /** The extension, by the names that the line has. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Longest line that is read. */
const MAX_LINE_CHARS = 128 * 1024;
/** How far into a line its header may begin, behind that of syslog. */
const PREFIX_CHARS = 512;
/** Header fields of CEF behind its version, and of LEEF. */
const CEF_HEADER = 6;
const LEEF_HEADER = 4;

const MARK = /(?:^|[\s:\]>])(CEF: ?\d{1,2}|LEEF:[12](?:\.\d)?)\|/;

/** What begins so is JSON or XML, whatever it quotes. */
const MARKUP = /^\s*(?:\{|<[A-Za-z?!])/;

/** Where in the first line of a text a CEF or LEEF header begins; -1 when there is none. */
export function deviceLineAt(text: string): number {
  if (MARKUP.test(text)) return -1;
  const head = text.slice(0, PREFIX_CHARS);
  const newline = head.indexOf('\n');
  const found = MARK.exec(newline < 0 ? head : head.slice(0, newline));
  return found?.[1] === undefined ? -1 : found.index + found[0].indexOf(found[1]);
}

/**
 * Reads a line of ArcSight's Common Event Format (versions 0 and 1) or of QRadar's LEEF (1.0 and 2.0), with or without a syslog
 * header before it.
 *
 *     CEF:Version|Vendor|Product|Version|Event Class ID|Name|Severity|key=value key=value
 *     LEEF:1.0|Vendor|Product|Version|EventID|key=value⇥key=value
 *     LEEF:2.0|Vendor|Product|Version|EventID|Delimiter|key=value^key=value
 *
 * Sources: "Implementing ArcSight Common Event Format (CEF)", version 26; "IBM QRadar Log Event Extended Format (LEEF)", version 2.
 */
export function readDeviceLine(given: string): DeviceLine | undefined {
  const start = deviceLineAt(given);
  if (start < 0) return undefined;
  const line = given.slice(start, start + MAX_LINE_CHARS).trimEnd();
  const [version, ...rest] = splitHeader(line, 1);
  const body = rest[0] ?? '';
  return version?.startsWith('LEEF') === true ? readLeef(body, version) : readCef(body);
}

function readCef(body: string): DeviceLine {
  const parts = splitHeader(body, CEF_HEADER);
  const [vendor = '', product = '', third = '', eventClass = '', name = ''] = parts;
  const header = { format: 'cef' as const, vendor, product };
  // SentinelOne's "CEF:2" goes on with pairs between pipes where the device's version would be.
  if (/^[A-Za-z0-9_.]{1,64}=/.test(third)) {
    const fields = decoded(delimitedPairs(body.slice(bodyStart(body, 2)), '|'), cefValue);
    return { ...header, eventClass: fields.get('eventID') ?? '', name: fields.get('eventDesc') ?? '', fields };
  }
  const fields = decoded(spacedPairs(parts[CEF_HEADER] ?? ''), cefValue);
  return { ...header, eventClass, name, fields };
}

function readLeef(body: string, version: string): DeviceLine {
  const parts = splitHeader(body, LEEF_HEADER);
  const [vendor = '', product = '', , eventClass = ''] = parts;
  const given = parts[LEEF_HEADER] ?? '';
  const [delimiter, attributes] = version.startsWith('LEEF:2') ? leefDelimiter(given) : ['\t', given];
  // rsyslog writes the tab as #011, and some relays as a blank.
  const text = delimiter === '\t' ? attributes.replaceAll('#011', '\t') : attributes;
  const pairs = text.includes(delimiter) ? delimitedPairs(text, delimiter) : spacedPairs(text);
  return { format: 'leef', vendor, product, eventClass, name: '', fields: decoded(pairs, leefValue) };
}

/** The sixth field of LEEF 2.0: a character, or its code as `x09` or `0x09`; a line may lack it. */
function leefDelimiter(text: string): readonly [delimiter: string, attributes: string] {
  const found = /^(?:(0?x[0-9a-f]{1,4})|(.)|)\|/i.exec(text);
  if (!found) return ['\t', text];
  const code = found[1] === undefined ? undefined : Number.parseInt(found[1].replace(/^0?x/i, ''), 16);
  const delimiter = code === undefined ? found[2] : String.fromCharCode(code);
  return [delimiter === undefined || delimiter === '=' ? '\t' : delimiter, text.slice(found[0].length)];
}

/** Up to `count` header fields, unescaped, and what follows them as it is. */
function splitHeader(text: string, count: number): string[] {
  const parts: string[] = [];
  let from = 0;
  while (parts.length < count) {
    const end = nextPipe(text, from);
    if (end < 0) break;
    parts.push(headerField(text.slice(from, end)));
    from = end + 1;
  }
  parts.push(text.slice(from));
  return parts;
}

/** Where the text behind so many header fields begins. */
function bodyStart(text: string, count: number): number {
  let at = 0;
  for (let i = 0; i < count; i++) at = nextPipe(text, at) + 1;
  return at;
}

/** The next `|` that no backslash stands before. */
function nextPipe(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x7c) return at;
  }
  return -1;
}

const headerField = (text: string): string => text.replace(/\\([\\|])/g, '$1').trim();

function decoded(pairs: Map<string, string>, decode: (value: string) => string): Map<string, string> {
  for (const [key, value] of pairs) pairs.set(key, decode(value));
  return pairs;
}
