import { MAX_RECORD_CHARS } from './json-object.ts';
import type { SplitterSink, Step, TextWindow } from './text-window.ts';

/** Names with which PowerShell's list of an event may begin. */
const FIRST_NAMES = new Set(
  'Message,Id,TimeCreated,ProviderName,LogName,MachineName,RecordId,Level,LevelDisplayName,EventID,Index,InstanceId,Source,TimeGenerated'.split(
    ',',
  ),
);
/** Most properties of one list: an event record has under forty. */
const MAX_NAMES = 128;
/** A property begins its line: name, blanks up to the common width, colon. */
const PROPERTY = /^([A-Za-z][A-Za-z0-9_]{0,63})( {1,64}): ?/;

/** Whether a line begins a list as `Format-List` prints it; the blank before the colon sets it apart from `Key: value`. */
export function isListStart(line: string): boolean {
  const found = PROPERTY.exec(line);
  return found !== null && FIRST_NAMES.has(found[1] ?? '');
}

/** Cuts PowerShell's lists (`Get-WinEvent | Format-List`): a list lasts until its first property comes again. */
export class ListSplitter {
  private readonly window: TextWindow;
  private readonly sink: SplitterSink;
  private first: string | undefined;
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
    const name = PROPERTY.exec(line)?.[1];
    this.first ??= name;
    if (name !== undefined && name === this.first) this.flush(window.at);
    this.start ??= window.at;
    window.skipLine();
    if (window.at - this.start > MAX_RECORD_CHARS) this.flush(window.at);
    return 'go';
  }

  private flush(end: number): void {
    const { start, window } = this;
    this.start = undefined;
    if (start === undefined) return;
    const text = window.text.slice(start, end);
    const offset = window.offset(start);
    if (text.length > MAX_RECORD_CHARS) this.sink.damage(offset, 'longer than 1 MiB');
    else if (text.trim() !== '') this.sink.record({ row: readList(text), offset });
  }
}

/**
 * The properties of one list. A value goes on in the lines below, indented to where it began, as does what was wrapped at the
 * width of the console; a property that is printed twice keeps its first value.
 */
export function readList(text: string): { [name: string]: unknown } {
  const found = new Map<string, string[]>();
  let lines: string[] = [];
  let indent = 0;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\r$/, '');
    const property = PROPERTY.exec(line);
    const name = property?.[1];
    if (property && name !== undefined) {
      indent = property[0].length;
      lines = [line.slice(indent)];
      if (!found.has(name) && found.size < MAX_NAMES) found.set(name, lines);
    } else lines.push(line.slice(0, indent).trim() === '' ? line.slice(indent) : line);
  }
  return Object.fromEntries([...found].map(([name, value]) => [name, value.join('\n').trimEnd()]));
}
