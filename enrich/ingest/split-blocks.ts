import { MAX_RECORD_CHARS } from './json-object.ts';
import type { RawRecord, SplitterSink, Step, TextWindow } from './text-window.ts';

/** How the records of a text of lines are told apart, and read. */
export interface Blocks {
  /**
   * Whether a record begins on this line.
   * @param current the record at hand so far; undefined at the first line of the text
   */
  begins(line: string, current: () => string | undefined): boolean;
  read(text: string): Omit<RawRecord, 'offset'>;
}

/** Cuts text into records of whole lines: one lasts until the line on which the next begins. */
export class BlockSplitter {
  private readonly window: TextWindow;
  private readonly sink: SplitterSink;
  private readonly blocks: Blocks;
  private start: number | undefined;

  constructor(window: TextWindow, sink: SplitterSink, blocks: Blocks) {
    this.window = window;
    this.sink = sink;
    this.blocks = blocks;
  }

  get keepFrom(): number {
    return this.start ?? this.window.at;
  }

  shift(dropped: number): void {
    if (this.start !== undefined) this.start -= dropped;
  }

  step(): Step {
    const { window } = this;
    const line = window.line();
    if (line === undefined) {
      if (window.ended || window.left > MAX_RECORD_CHARS) {
        this.flush(window.text.length);
        window.at = window.text.length;
      }
      return 'more';
    }
    if (this.blocks.begins(line, this.current)) this.flush(window.at);
    this.start ??= window.at;
    window.skipLine();
    if (window.at - this.start > MAX_RECORD_CHARS) this.flush(window.at);
    return 'go';
  }

  private readonly current = (): string | undefined =>
    this.start === undefined ? undefined : this.window.text.slice(this.start, this.window.at);

  /** Gives out the record that ends here. */
  private flush(end: number): void {
    const { start, window } = this;
    this.start = undefined;
    if (start === undefined) return;
    const text = window.text.slice(start, end);
    const offset = window.offset(start);
    if (text.length > MAX_RECORD_CHARS) this.sink.damage(offset, 'longer than 1 MiB');
    else if (text.trim() !== '') this.sink.record({ ...this.blocks.read(text), offset });
  }
}
