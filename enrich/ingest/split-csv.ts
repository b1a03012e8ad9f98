import { CsvTable, readRow } from './csv-rows.ts';
import type { SplitterSink, Step, TextWindow } from './text-window.ts';

/** Cuts a table with a header into rows; a damaged row loses the line it begins on. */
export class CsvSplitter {
  private readonly window: TextWindow;
  private readonly sink: SplitterSink;
  private readonly delimiter: string;
  private table: CsvTable | undefined;

  constructor(window: TextWindow, sink: SplitterSink, delimiter: string) {
    this.window = window;
    this.sink = sink;
    this.delimiter = delimiter;
  }

  get keepFrom(): number {
    return this.window.at;
  }

  shift(): void {
    // Holds no position of its own.
  }

  step(): Step {
    const { window } = this;
    const next = window.text[window.at];
    if (next === undefined) return 'more';
    if (next === '\n' || next === '\r') {
      window.at++;
      return 'go';
    }
    const read = readRow(window.text, window.at, this.delimiter, window.ended);
    if (read.kind === 'more') return 'more';
    if (read.kind === 'damaged') return this.damaged(read.why);
    const { cells, end } = read.row;
    if (!this.table) this.table = new CsvTable(cells);
    else {
      const row = this.table.object(cells);
      if (!row) return this.damaged('another number of columns than the header');
      this.sink.record({ row, offset: window.offset(window.at) });
    }
    window.at = end;
    return 'go';
  }

  private damaged(why: string): Step {
    this.sink.damage(this.window.offset(this.window.at), why);
    this.window.skipLine();
    return 'go';
  }
}
