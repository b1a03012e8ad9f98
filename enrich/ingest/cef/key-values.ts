/** Most keys read of one line; ArcSight's own dictionary has about three hundred. */
const MAX_KEYS = 512;
/** Longest key. */
const MAX_KEY_CHARS = 64;
const KEY = /^[A-Za-z0-9_.[\]-]{1,64}$/;

/**
 * The pairs of a CEF extension, `key=value key=value`. A value may hold blanks: it lasts until the next word that ends in an
 * equals sign which is not escaped. The first value of a key stays, since a later one may stand in a text that was not escaped.
 */
export function spacedPairs(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  let key: string | undefined;
  let from = 0;
  for (let equals = text.indexOf('='); equals >= 0 && pairs.size < MAX_KEYS; equals = text.indexOf('=', equals + 1)) {
    const start = keyStart(text, equals);
    if (start < 0) continue;
    if (key !== undefined) remember(pairs, key, text.slice(from, start));
    key = text.slice(start, equals);
    from = equals + 1;
  }
  if (key !== undefined) remember(pairs, key, text.slice(from));
  return pairs;
}

/** Where the key begins that ends before this equals sign; -1 when there is none, so that the sign belongs to a value. */
function keyStart(text: string, equals: number): number {
  let at = equals;
  while (at > 0 && equals - at <= MAX_KEY_CHARS && isKeyCode(text.charCodeAt(at - 1))) at--;
  if (at === equals || equals - at > MAX_KEY_CHARS) return -1;
  return at === 0 || text.charCodeAt(at - 1) <= 0x20 ? at : -1;
}

const isKeyCode = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || // 0-9
  (code >= 0x41 && code <= 0x5b) || // A-Z [
  (code >= 0x61 && code <= 0x7a) || // a-z
  code === 0x5d ||
  code === 0x5f ||
  code === 0x2e ||
  code === 0x2d;

/** Pairs between delimiters, `key=value⇥key=value`; what has no key is left out. */
export function delimitedPairs(text: string, delimiter: string): Map<string, string> {
  const pairs = new Map<string, string>();
  let from = 0;
  while (from <= text.length && pairs.size < MAX_KEYS) {
    const found = text.indexOf(delimiter, from);
    const end = found < 0 ? text.length : found;
    const equals = text.indexOf('=', from);
    if (equals > from && equals < end) {
      const key = text.slice(from, Math.min(equals, from + MAX_KEY_CHARS + 8)).trim();
      if (KEY.test(key)) remember(pairs, key, text.slice(equals + 1, end));
    }
    from = end + delimiter.length;
  }
  return pairs;
}

function remember(pairs: Map<string, string>, key: string, value: string): void {
  const text = value.trim();
  if (text !== '' && !pairs.has(key)) pairs.set(key, text);
}
