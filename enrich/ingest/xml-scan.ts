/** What is found in XML text, in order. Names are local names; text has its entities decoded. */
export interface XmlHandler {
  open(name: string, attributes: (name: string) => string | undefined): void;
  close(name: string): void;
  text(text: string): void;
}

/** Longest tag that is read as one, UTF-16 units. */
const MAX_TAG_CHARS = 64 * 1024;

/**
 * Walks XML text once, left to right. There is no document type, no external entity and no entity of the document's own: a
 * reference is one of the five of XML or a number, and anything else stays as written. Text that is no XML gives what it can.
 */
export function scanXml(xml: string, handler: XmlHandler): void {
  let at = 0;
  while (at < xml.length) {
    const open = xml.indexOf('<', at);
    if (open < 0) break;
    if (open > at) handler.text(decodeEntities(xml.slice(at, open)));
    at = readMarkup(xml, open, handler);
  }
  if (at < xml.length) handler.text(decodeEntities(xml.slice(at)));
}

function readMarkup(xml: string, open: number, handler: XmlHandler): number {
  if (xml.startsWith('<![CDATA[', open)) {
    const end = xml.indexOf(']]>', open);
    handler.text(xml.slice(open + 9, end < 0 ? undefined : end));
    return end < 0 ? xml.length : end + 3;
  }
  if (xml.startsWith('<!--', open)) return after(xml, '-->', open);
  if (xml.startsWith('<?', open)) return after(xml, '?>', open);
  if (xml.startsWith('<!', open)) return afterDeclaration(xml, open);
  const end = tagEnd(xml, open);
  if (end < 0) return xml.length;
  readTag(xml.slice(open + 1, end), handler);
  return end + 1;
}

const after = (xml: string, mark: string, from: number): number => {
  const end = xml.indexOf(mark, from);
  return end < 0 ? xml.length : end + mark.length;
};

/** Past a `<!DOCTYPE …>` with its internal subset, which is not read. */
function afterDeclaration(xml: string, open: number): number {
  let depth = 0;
  for (let i = open; i < xml.length; i++) {
    const code = xml.charCodeAt(i);
    if (code === 0x3c) depth++;
    else if (code === 0x3e && --depth === 0) return i + 1;
  }
  return xml.length;
}

/** The `>` that ends the tag, which may stand inside a quoted value. */
function tagEnd(xml: string, open: number): number {
  let quote = 0;
  const last = Math.min(xml.length, open + MAX_TAG_CHARS);
  for (let i = open + 1; i < last; i++) {
    const code = xml.charCodeAt(i);
    if (quote !== 0) {
      if (code === quote) quote = 0;
    } else if (code === 0x22 || code === 0x27) quote = code;
    else if (code === 0x3e) return i;
  }
  return -1;
}

function readTag(tag: string, handler: XmlHandler): void {
  if (tag.startsWith('/')) {
    handler.close(localName(tag.slice(1).trim()));
    return;
  }
  const empty = tag.endsWith('/');
  let nameEnd = 0;
  while (nameEnd < tag.length && !isSpaceOrSlash(tag.charCodeAt(nameEnd))) nameEnd++;
  const name = localName(tag.slice(0, nameEnd));
  handler.open(name, (wanted) => attribute(tag, nameEnd, wanted));
  if (empty) handler.close(name);
}

const isSpaceOrSlash = (code: number): boolean => code <= 0x20 || code === 0x2f;

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/** The value of one attribute; single and double quotes. */
function attribute(tag: string, from: number, wanted: string): string | undefined {
  let at = from;
  while (at < tag.length) {
    const equals = tag.indexOf('=', at);
    if (equals < 0) return undefined;
    const name = tag.slice(at, equals).trim();
    let open = equals + 1;
    while (open < tag.length && tag.charCodeAt(open) <= 0x20) open++;
    const quote = tag[open];
    if (quote !== '"' && quote !== "'") return undefined;
    const close = tag.indexOf(quote, open + 1);
    if (close < 0) return undefined;
    if (name === wanted) return decodeEntities(tag.slice(open + 1, close));
    at = close + 1;
  }
  return undefined;
}

const NAMED = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** The five named references and numbers; an unknown one, or one that names no character, stays as written. */
export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED.get(String(name).toLowerCase()) ?? whole;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
