import type { Writable } from 'node:stream';

/** Characters gathered before they are handed to the stream. */
const CHUNK_CHARS = 262_144;
/** Chunks the stream may hold before `write` reports that it is behind. */
const HIGH_WATER = 8;

/** Writes values as JSON lines in large chunks. Memory is bounded when callers await `flush` while `behind`. */
export class LineWriter {
  private readonly stream: Writable;
  private pending = '';
  private held = 0;
  private waiting: (() => void)[] = [];

  constructor(stream: Writable) {
    this.stream = stream;
  }

  /** True when the reader of the stream is slower than we are. */
  get behind(): boolean {
    return this.held >= HIGH_WATER;
  }

  write(value: unknown): void {
    this.writeLine(`${JSON.stringify(value)}\n`);
  }

  /** A line that was made elsewhere, with its line feed. */
  writeLine(line: string): void {
    this.pending += line;
    if (this.pending.length >= CHUNK_CHARS) this.push();
  }

  /** Resolves when everything written so far has been taken by the operating system. */
  async flush(): Promise<void> {
    this.push();
    while (this.held > 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private push(): void {
    if (this.pending === '') return;
    const chunk = this.pending;
    this.pending = '';
    this.held++;
    this.stream.write(chunk, () => {
      this.held--;
      for (const resolve of this.waiting.splice(0)) resolve();
    });
  }
}
