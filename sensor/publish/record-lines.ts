import type { Writable } from 'node:stream';
import { monotonicMillis } from '../base/clock.ts';

/** Characters gathered before they are handed to the stream. */
const CHUNK_CHARS = 65_536;
/** Bytes that may wait for a slow reader; then records are dropped and counted, and capture goes on. */
const WAITING_BYTES = 64 << 20;

/** Records as JSON lines for a live reader: handed on in chunks and at each `flush`, never more than WAITING_BYTES held. */
export class RecordLines {
  written = 0;
  dropped = 0;
  /** When the last record was dropped, on the monotonic clock. */
  droppedAt = Number.NEGATIVE_INFINITY;

  private stream: Writable;
  private pending = '';

  constructor(stream: Writable) {
    this.stream = stream;
  }

  write(record: unknown): void {
    if (this.stream.writableLength + this.pending.length > WAITING_BYTES) {
      this.dropped++;
      this.droppedAt = monotonicMillis();
      return;
    }
    this.written++;
    this.pending += `${JSON.stringify(record)}\n`;
    if (this.pending.length >= CHUNK_CHARS) this.flush();
  }

  flush(): void {
    if (this.pending === '') return;
    const chunk = this.pending;
    this.pending = '';
    this.stream.write(chunk);
  }

  /** Goes on with another stream; the old one is ended when it has taken what it was given. */
  redirect(stream: Writable): void {
    this.flush();
    this.stream.end();
    this.stream = stream;
  }

  /** Resolves true when everything was taken, false when the reader had not taken it after `millis`. */
  finish(millis: number): Promise<boolean> {
    this.flush();
    return new Promise((resolve) => {
      const deadline = setTimeout(() => resolve(false), millis);
      this.stream.write('', () => {
        clearTimeout(deadline);
        resolve(true);
      });
    });
  }
}
