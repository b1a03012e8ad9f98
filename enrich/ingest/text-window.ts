/** What a splitter asks of the stream: to be called again, or more text. */
export type Step = 'go' | 'more';

export interface SplitterSink {
  record(raw: RawRecord): void;
  damage(offset: number, why: string): void;
}

/** One record cut out of a stream: text to be parsed, or a row that already is an object. */
export interface RawRecord {
  readonly text?: string;
  readonly row?: { readonly [name: string]: unknown };
  /** Character of the stream at which it begins. */
  readonly offset: number;
}

/** The part of a stream of text that is in memory: what lies before `at` has been dealt with. */
export class TextWindow {
  text = '';
  /** Next character to look at. */
  at = 0;
  /** No more text will come. */
  ended = false;
  private pending = '';
  /** Characters of the stream before `text`. */
  private dropped = 0;

  /** Adds text; false when it is too little to be worth another look. */
  add(chunk: string): boolean {
    this.pending += chunk;
    // A record that is not all here may be looked at again; growing by an eighth in between keeps that linear in its length.
    return this.pending.length * 8 >= this.text.length - this.at;
  }

  /** Takes in what was added and drops what is before `keepFrom`; the number of characters dropped, for those who hold positions. */
  slide(keepFrom: number): number {
    this.text = this.text.slice(keepFrom) + this.pending;
    this.pending = '';
    this.dropped += keepFrom;
    this.at -= keepFrom;
    return keepFrom;
  }

  /** Position in the stream of a position in the window. */
  offset(position: number): number {
    return this.dropped + position;
  }

  /** Characters from `at` on. */
  get left(): number {
    return this.text.length - this.at;
  }

  /** The line at `at` without its break; undefined while it is not all here. */
  line(): string | undefined {
    const newline = this.text.indexOf('\n', this.at);
    if (newline >= 0) return this.text.slice(this.at, newline);
    return this.ended && this.left > 0 ? this.text.slice(this.at) : undefined;
  }

  /** Goes behind the next line break; false when there is none yet, and then to the end. */
  skipLine(): boolean {
    const newline = this.text.indexOf('\n', this.at);
    this.at = newline < 0 ? this.text.length : newline + 1;
    return newline >= 0;
  }
}

/** Spaces, tabs, line breaks and byte order marks. */
export const isBlank = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xfeff;
