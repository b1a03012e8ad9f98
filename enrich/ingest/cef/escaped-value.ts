/** A path with single backslashes, as products write it that do not escape: `\n` in it is the start of a name. */
const PLAIN_PATH = /(?:^|[\s"'=,;])[A-Za-z]:\\(?!\\)/;

/** What an escape stands for, or undefined when it is none. */
type Meaning = (escaped: string) => string | undefined;

const CEF_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\'],
  ['=', '='],
  ['|', '|'],
  ['n', '\n'],
  ['r', '\r'],
]);
const LEEF_ESCAPES: ReadonlyMap<string, string> = new Map([...CEF_ESCAPES, ['t', '\t']]);

/**
 * A value of a CEF extension. Products differ in whether they escape backslashes, so a text is taken as escaped only when every
 * backslash in it begins an escape and it holds no path with single ones.
 */
export function cefValue(value: string): string {
  if (!value.includes('\\')) return value;
  const decoded = PLAIN_PATH.test(value) ? undefined : decode(value, (escaped) => CEF_ESCAPES.get(escaped));
  return decoded ?? value.replaceAll('\\=', '=');
}

/** A value of LEEF, which has no escapes by itself: only text with doubled backslashes is taken as escaped. */
export function leefValue(value: string): string {
  if (!value.includes('\\\\') || PLAIN_PATH.test(value)) return value.replaceAll('\\=', '=');
  return decode(value, (escaped) => LEEF_ESCAPES.get(escaped)) ?? value.replaceAll('\\=', '=');
}

/** The text without its escapes; undefined when a backslash begins none. */
function decode(value: string, meaning: Meaning): string | undefined {
  const pieces: string[] = [];
  let from = 0;
  for (let at = value.indexOf('\\'); at >= 0; at = value.indexOf('\\', from)) {
    const plain = meaning(value.charAt(at + 1));
    if (plain === undefined) return undefined;
    pieces.push(value.slice(from, at), plain);
    from = at + 2;
  }
  pieces.push(value.slice(from));
  return pieces.join('');
}
