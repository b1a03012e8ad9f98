import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { RecordLines } from '../../sensor/publish/record-lines.ts';

/** A stream that keeps what it takes, and takes nothing while it is stuck. */
class Reader extends Writable {
  text = '';
  private stuck: boolean;
  private waiting: (() => void) | undefined;

  constructor(stuck = false) {
    super({ decodeStrings: false });
    this.stuck = stuck;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    if (this.stuck) this.waiting = done;
    else done();
  }

  release(): void {
    this.stuck = false;
    this.waiting?.();
  }
}

describe('records for a live reader', () => {
  it('are lines of JSON in the order they were written', async () => {
    const reader = new Reader();
    const lines = new RecordLines(reader);
    for (let n = 0; n < 5; n++) lines.write({ n });
    expect(await lines.finish(1_000)).toBe(true);
    expect(reader.text).toBe('{"n":0}\n{"n":1}\n{"n":2}\n{"n":3}\n{"n":4}\n');
  });
  it('wait for a slow reader up to 64 MiB, then are dropped and counted', async () => {
    const reader = new Reader(true);
    const lines = new RecordLines(reader);
    const record = { text: 'x'.repeat(1 << 20) };
    for (let n = 0; n < 80; n++) lines.write(record);
    expect(reader.writableLength).toBeLessThan(66 << 20);
    expect(lines.dropped).toBeGreaterThan(10);
    expect(lines.written + lines.dropped).toBe(80);
    reader.release();
    expect(await lines.finish(5_000)).toBe(true);
    expect(reader.text.split('\n')).toHaveLength(lines.written + 1);
  });
  it('do not hold up the end for ever', async () => {
    const lines = new RecordLines(new Reader(true));
    lines.write({});
    expect(await lines.finish(20)).toBe(false);
  });
  it('go on in another stream, and the first gets what was written before', async () => {
    const [first, second] = [new Reader(), new Reader()];
    const lines = new RecordLines(first);
    lines.write(1);
    lines.redirect(second);
    lines.write(2);
    await lines.finish(1_000);
    expect([first.text, first.writableEnded, second.text]).toEqual(['1\n', true, '2\n']);
  });
});
