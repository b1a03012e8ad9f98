import type { Writable } from 'node:stream';

/** Bytes gathered before they are handed to the stream. */
const CHUNK_BYTES = 262_144;
/** Chunks the stream may hold before `behind` reports it, and chunks kept for another use. */
const HIGH_WATER = 8;

/** Writes JSON lines in large chunks. Memory is bounded when callers await `flush` while `behind`. */
export class LineWriter {
  private readonly stream: Writable;
  private chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  private length = 0;
  private held = 0;
  private readonly spare: Buffer<ArrayBuffer>[] = [];
  private waiting: (() => void)[] = [];

  constructor(stream: Writable) {
    this.stream = stream;
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
    const chunk = this.chunk;
    const filled = chunk.subarray(0, this.length);
    this.chunk = this.spare.pop() ?? Buffer.allocUnsafe(CHUNK_BYTES);
    this.length = 0;
    this.held++;
    this.stream.write(filled, () => {
      this.held--;
      if (this.spare.length < HIGH_WATER) this.spare.push(chunk);
      for (const resolve of this.waiting.splice(0)) resolve();
    });
  }
}
