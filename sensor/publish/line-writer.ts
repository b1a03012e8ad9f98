import type { Writable } from 'node:stream';

/** Bytes gathered before they are handed to the stream. */
const CHUNK_BYTES = 262_144;
/** Chunks the stream may hold before `behind` reports it. */
const HIGH_WATER = 8;

/** Writes JSON lines in large chunks. Memory is bounded when callers await `flush` while `behind`. */
export class LineWriter {
  private readonly stream: Writable;
  private readonly copies: boolean;
  private chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  private length = 0;
  private held = 0;
  private waiting: (() => void)[] = [];

  /** @param copies the stream keeps nothing of a chunk that it has taken, as files and pipes do and transforms do not */
  constructor(stream: Writable, copies = stream === process.stdout) {
    this.stream = stream;
    this.copies = copies;
  }

  /** True when the reader of the stream is slower than we are. */
  get behind(): boolean {
    return this.held >= HIGH_WATER;
  }

  write(value: unknown): void {
    this.writeLine(Buffer.from(`${JSON.stringify(value)}\n`));
  }

  /** A line that was made elsewhere, with its line feed. It is copied. */
  writeLine(line: Uint8Array): void {
    if (this.length + line.length > this.chunk.length) this.push();
    if (line.length > this.chunk.length) this.chunk = Buffer.allocUnsafe(line.length);
    this.chunk.set(line, this.length);
    this.length += line.length;
  }

  /** Resolves when everything written so far has been taken by the operating system. */
  async flush(): Promise<void> {
    this.push();
    while (this.held > 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private push(): void {
    if (this.length === 0) return;
    this.held++;
    this.stream.write(this.chunk.subarray(0, this.length), () => {
      this.held--;
      for (const resolve of this.waiting.splice(0)) resolve();
    });
    this.length = 0;
    // Files and pipes take it at once, though the callback waits until whoever writes lets the event loop go on.
    if (!this.copies || this.stream.writableLength > 0) this.chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  }
}
