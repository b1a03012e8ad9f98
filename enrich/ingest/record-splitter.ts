import { deviceLineAt } from './cef/device-line.ts';
import { csvDelimiter } from './csv-rows.ts';
import { BlockSplitter } from './split-blocks.ts';
import { classicBlocks, isClassicStart } from './split-classic.ts';
import { CsvSplitter } from './split-csv.ts';
import { isListStart, listBlocks } from './split-list.ts';
import { LOOK_AHEAD, StructuredSplitter } from './split-structured.ts';
import { isBlank, type SplitterSink, type Step, TextWindow } from './text-window.ts';

/**
 * Cuts a stream of text into records, whatever envelope it has: NDJSON, arrays, batches, pretty-printed or concatenated JSON,
 * Event XML with or without a root, CSV, classic text. It holds one record at most (1 MiB) and its work is linear in the input.
 *
 * A record that is damaged loses the line it begins on and nothing else: reading goes on at the next line.
 */
export class RecordSplitter {
  private readonly window = new TextWindow();
  private readonly sink: SplitterSink;
  private readonly structured: StructuredSplitter;
  private mode: StructuredSplitter | CsvSplitter | BlockSplitter | undefined;

  constructor(sink: SplitterSink) {
    this.sink = sink;
    this.structured = new StructuredSplitter(this.window, sink);
  }

  push(chunk: string): void {
    if (chunk === '' || !this.window.add(chunk)) return;
    this.slide();
    this.run();
  }

  /** No more text will come: gives out what is complete and reports what is not. */
  end(): void {
    this.slide();
    this.window.ended = true;
    do this.run();
    while (this.structured.giveUp());
    this.structured.end();
  }

  private run(): void {
    for (;;) {
      const step = this.mode ? this.mode.step() : this.sniff();
      if (step === 'classic') this.mode = new BlockSplitter(this.window, this.sink, classicBlocks);
      else if (step === 'more') return;
    }
  }

  private slide(): void {
    const dropped = this.window.slide(this.mode?.keepFrom ?? this.window.at);
    this.mode?.shift(dropped);
  }

  /** Tells tables and classic text, which have no brackets, by their first line. */
  private sniff(): Step {
    const { window } = this;
    while (isBlank(window.text.charCodeAt(window.at))) window.at++;
    const first = window.text[window.at];
    if (first === undefined) return 'more';
    if (first === '{' || first === '[' || first === '<') {
      this.mode = this.structured;
      return 'go';
    }
    const line = window.line();
    if (line === undefined && window.left < LOOK_AHEAD) return 'more';
    // Windows PowerShell writes the .NET type of the rows above the header.
    if (line?.startsWith('#TYPE ')) {
      window.skipLine();
      return 'go';
    }
    const delimiter = deviceLineAt(line ?? '') >= 0 ? undefined : csvDelimiter(line ?? '');
    if (line !== undefined && isClassicStart(line)) this.mode = new BlockSplitter(window, this.sink, classicBlocks);
    else if (line !== undefined && isListStart(line)) this.mode = new BlockSplitter(window, this.sink, listBlocks());
    else this.mode = delimiter === undefined ? this.structured : new CsvSplitter(window, this.sink, delimiter);
    return 'go';
  }
}
