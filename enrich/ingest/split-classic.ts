import { MAX_RECORD_CHARS } from './json-object.ts';
import type { SplitterSink, Step, TextWindow } from './text-window.ts';
import { CLASSIC_DATE, WEVTUTIL_START } from './windows/classic-text.ts';

/** Whether an event in a classic rendering begins on this line. */
export function isClassicStart(line: string): boolean {
  const text = line.trimEnd();
  return text.length <= 40 && (CLASSIC_DATE.test(text) || WEVTUTIL_START.test(text) || text.startsWith('LogName='));
}

/** Cuts classic event text: an event lasts until the line on which the next one begins. */
export class ClassicSplitter {
  private readonly window: TextWindow;
  private readonly sink: SplitterSink;
  private start: number | undefined;

  constructor(window: TextWindow, sink: SplitterSink) {
    this.window = window;
    this.sink = sink;
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
    if (isClassicStart(line) && !this.isHeaderOfCurrent(line)) this.flush(window.at);
    this.start ??= window.at;
    window.skipLine();
    if (window.at - this.start > MAX_RECORD_CHARS) this.flush(window.at);
    return 'go';
  }

  /** Gives out the event that ends here. */
  private flush(end: number): void {
    const { start, window } = this;
    this.start = undefined;
    if (start === undefined) return;
    const text = window.text.slice(start, end);
    if (text.length > MAX_RECORD_CHARS) this.sink.damage(window.offset(start), 'longer than 1 MiB');
    else if (text.trim() !== '') this.sink.record({ text, offset: window.offset(start) });
  }

  /** `LogName=` begins an event only where no date line did just before. */
  private isHeaderOfCurrent(line: string): boolean {
    if (this.start === undefined || !line.startsWith('LogName=')) return false;
    return CLASSIC_DATE.test(this.window.text.slice(this.start, this.window.at).trim());
  }
}
