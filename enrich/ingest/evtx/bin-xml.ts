import { BIN_XML_TYPE, NULL_TYPE, valueText } from './bin-xml-value.ts';
import { LittleCursor } from './little-cursor.ts';

/** Longest text made of one record; it is no longer than a record may be. */
const MAX_TEXT_CHARS = 1_000_000;
/** Most tokens looked at for one record: templates can be used over and over, values inside values as well. */
const MAX_TOKENS = 50_000;
/** Deepest nesting of elements, and of BinXML inside values. */
const MAX_ELEMENTS = 64;
const MAX_NESTED = 8;
/** Most values of one template instance. */
const MAX_VALUES = 4096;

/** Tokens of BinXML; bit 6 says that more follows of the same kind and is masked off. */
const TOKEN = {
  endOfStream: 0x00,
  openStart: 0x01,
  closeStart: 0x02,
  closeEmpty: 0x03,
  endElement: 0x04,
  value: 0x05,
  attribute: 0x06,
  cdata: 0x07,
  charRef: 0x08,
  entityRef: 0x09,
  piTarget: 0x0a,
  piData: 0x0b,
  template: 0x0c,
  substitution: 0x0d,
  optionalSubstitution: 0x0e,
  fragment: 0x0f,
} as const;
const MORE_FLAG = 0x40;

/** A value of a template instance: where its bytes are. */
interface Value {
  readonly type: number;
  readonly start: number;
  readonly size: number;
}

interface Fragment {
  readonly cursor: LittleCursor;
  readonly values: readonly Value[];
  /** BinXML inside a value: its elements have no dependency id. */
  readonly isValue: boolean;
  readonly depth: number;
  /** Names of the elements open in this fragment. */
  readonly open: string[];
}

/**
 * Writes the BinXML of one record of an .evtx chunk as XML text ([MS-EVEN6] §2.2.12). Names and templates may stand anywhere in
 * the chunk and are shared by its records; what they may cost is bounded by tokens, text and depth.
 */
export class BinXmlReader {
  private readonly chunk: Buffer;
  private text = '';
  private tokens = 0;
  private inAttribute = false;
  private damaged = false;

  constructor(chunk: Buffer) {
    this.chunk = chunk;
  }

  /** The XML of the BinXML in [start, end) of the chunk; undefined when it is damaged. */
  read(start: number, end: number): string | undefined {
    this.text = '';
    this.tokens = 0;
    this.inAttribute = false;
    this.damaged = false;
    this.fragment({ cursor: new LittleCursor(this.chunk, start, end), values: [], isValue: false, depth: 0, open: [] });
    return this.damaged ? undefined : this.text;
  }

  private fragment(fragment: Fragment): void {
    const { cursor } = fragment;
    if (fragment.depth > MAX_NESTED) this.damaged = true;
    while (!this.damaged && cursor.left > 0) {
      const token = cursor.u8();
      if (token === TOKEN.endOfStream) break;
      if (++this.tokens > MAX_TOKENS || this.text.length > MAX_TEXT_CHARS) this.damaged = true;
      else this.token(token, fragment);
      if (cursor.short) this.damaged = true;
    }
    while (!this.damaged && fragment.open.length > 0) this.text += `</${fragment.open.pop()}>`;
  }

  private token(token: number, fragment: Fragment): void {
    const { cursor } = fragment;
    const kind = token & ~MORE_FLAG;
    if (kind === TOKEN.openStart) this.openStart(fragment, (token & MORE_FLAG) !== 0);
    else if (kind === TOKEN.attribute) this.attribute(fragment);
    else if (kind === TOKEN.closeStart || kind === TOKEN.closeEmpty) this.closeTag(fragment, kind === TOKEN.closeEmpty);
    else if (kind === TOKEN.endElement) this.endElement(fragment);
    else if (kind === TOKEN.template) this.template(fragment);
    else if (kind === TOKEN.substitution || kind === TOKEN.optionalSubstitution) this.substitution(fragment);
    else if (kind === TOKEN.fragment) cursor.skip(3);
    else this.textToken(kind, cursor);
  }

  /** Tokens that stand for text, or for instructions, which say nothing of the event. */
  private textToken(kind: number, cursor: LittleCursor): void {
    if (kind === TOKEN.value) cursor.skip(1);
    if (kind === TOKEN.value || kind === TOKEN.cdata) this.write(cursor.utf16(cursor.u16()));
    else if (kind === TOKEN.charRef) this.write(String.fromCharCode(cursor.u16()));
    else if (kind === TOKEN.entityRef) this.entityRef(cursor);
    else if (kind === TOKEN.piTarget) this.name(cursor);
    else if (kind === TOKEN.piData) cursor.skip(cursor.u16() * 2);
    else this.damaged = true;
  }

  private openStart(fragment: Fragment, hasAttributes: boolean): void {
    const { cursor, open } = fragment;
    if (!fragment.isValue) cursor.skip(2);
    cursor.skip(4);
    const name = this.name(cursor);
    if (hasAttributes) cursor.skip(4);
    if (name === undefined || open.length >= MAX_ELEMENTS) {
      this.damaged = true;
      return;
    }
    open.push(name);
    this.text += `<${name}`;
  }

  private closeTag({ open }: Fragment, isEmpty: boolean): void {
    this.endAttribute();
    this.text += isEmpty ? '/>' : '>';
    if (isEmpty) open.pop();
  }

  private endElement({ open }: Fragment): void {
    const name = open.pop();
    if (name === undefined) this.damaged = true;
    else this.text += `</${name}>`;
  }

  private attribute({ cursor }: Fragment): void {
    this.endAttribute();
    const name = this.name(cursor);
    if (name === undefined) this.damaged = true;
    else this.text += ` ${name}="`;
    this.inAttribute = true;
  }

  private endAttribute(): void {
    if (this.inAttribute) this.text += '"';
    this.inAttribute = false;
  }

  private entityRef(cursor: LittleCursor): void {
    const name = this.name(cursor);
    if (name === undefined) this.damaged = true;
    else this.text += `&${name};`;
  }

  /** Text in the place of the cursor, escaped so that it cannot become markup. */
  private write(text: string): void {
    this.text += text.replace(/[&<>"]/g, (character) => ESCAPES.get(character) ?? character);
  }

  /**
   * A name: its offset in the chunk, and the name itself right there when this is its first use.
   *
   *     u32 offset; at the offset: u32 next, u16 hash, u16 count, UTF-16 text[count], u16 0
   */
  private name(cursor: LittleCursor): string | undefined {
    const offset = cursor.u32();
    if (cursor.short) return undefined;
    const isHere = offset === cursor.at;
    const reader = isHere ? cursor : new LittleCursor(this.chunk, offset, this.chunk.length);
    reader.skip(6);
    const name = reader.utf16(reader.u16());
    reader.skip(2);
    return reader.short || !XML_NAME.test(name) ? undefined : name;
  }

  /**
   * An instance of a template: the definition (here, when this is its first use) with the values it is filled with.
   *
   *     u8, u32 id, u32 offset; at the offset: u32 next, 16 bytes GUID, u32 size, BinXML[size]
   *     u32 count; count × (u16 size, u8 type, u8 0); the values
   */
  private template({ cursor, depth }: Fragment): void {
    cursor.skip(5);
    const offset = cursor.u32();
    const isHere = offset === cursor.at;
    const definition = isHere ? cursor : new LittleCursor(this.chunk, offset, this.chunk.length);
    definition.skip(20);
    const size = definition.u32();
    const start = definition.at;
    definition.skip(size);
    const values = this.values(cursor);
    if (definition.short || values === undefined) {
      this.damaged = true;
      return;
    }
    const inner = new LittleCursor(this.chunk, start, start + size);
    this.fragment({ cursor: inner, values, isValue: false, depth: depth + 1, open: [] });
  }

  private values(cursor: LittleCursor): Value[] | undefined {
    const count = cursor.u32();
    if (count > MAX_VALUES || cursor.short) return undefined;
    const shapes = Array.from({ length: count }, () => {
      const size = cursor.u16();
      const type = cursor.u8();
      cursor.skip(1);
      return { size, type };
    });
    const values = shapes.map(({ size, type }) => {
      const start = cursor.at;
      cursor.skip(size);
      return { type, start, size };
    });
    return cursor.short ? undefined : values;
  }

  private substitution({ cursor, values, depth }: Fragment): void {
    const value = values[cursor.u16()];
    cursor.skip(1);
    if (value === undefined || value.type === NULL_TYPE || cursor.short) return;
    if (value.type !== BIN_XML_TYPE) {
      this.write(valueText(this.chunk, value.start, value.size, value.type));
      return;
    }
    const inner = new LittleCursor(this.chunk, value.start, value.start + value.size);
    this.fragment({ cursor: inner, values: [], isValue: true, depth: depth + 1, open: [] });
  }
}

const XML_NAME = /^[A-Za-z_][\w.:-]{0,255}$/;

const ESCAPES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);
