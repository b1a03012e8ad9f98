import { closeSync, createWriteStream, openSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { StoredAlert } from '../store/store.ts';

/** Alerts as JSON lines to standard output, a file, or both. */
export class AlertOutput {
  private readonly file: string | undefined;
  private readonly stdout: Writable | undefined;
  private stream: Writable | undefined;

  constructor(targets: { readonly stdout?: Writable; readonly file?: string }) {
    this.stdout = targets.stdout;
    this.file = targets.file;
    this.reopen();
  }

  /** Opens the file anew, after it was rotated away. Throws the file system's error and keeps the old one. */
  reopen(): void {
    if (this.file === undefined) return;
    closeSync(openSync(this.file, 'a', 0o640)); // may we at all?
    const old = this.stream;
    const stream = createWriteStream(this.file, { flags: 'a', mode: 0o640 });
    stream.on('error', () => {}); // told to who writes
    this.stream = stream;
    old?.end();
  }

  /** Resolves when the operating system has the lines. */
  async write(alerts: readonly StoredAlert[]): Promise<void> {
    const text = alerts.map((alert) => `${JSON.stringify(alert.body)}\n`).join('');
    const targets = [this.stdout, this.stream].filter((stream) => stream !== undefined);
    await Promise.all(targets.map((stream) => written(stream, text)));
  }

  async close(): Promise<void> {
    const { stream } = this;
    if (stream) await new Promise<void>((resolve) => stream.end(() => resolve()));
  }
}

function written(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
