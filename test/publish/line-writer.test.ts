import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineWriter } from '../../sensor/publish/line-writer.ts';

/** Copies what it is given: at once, or later, when a buffer that was used again would be seen. */
class Collector extends Writable {
  text = '';
  private readonly slow: boolean;

  constructor(slow: boolean) {
    super({ highWaterMark: 1 << 20 });
    this.slow = slow;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = () => {
      this.text += chunk.toString();
      done();
    };
    if (this.slow) setImmediate(take);
    else take();
  }
}

describe('LineWriter', () => {
  it('passes on every line whole and in order, however long lines are and however slow the stream is', async () => {
    const line = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.integer({ min: 50_000, max: 600_000 }).map((length) => `é${'x'.repeat(length)}`),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 20 }), fc.boolean(), async (lines, slow) => {
        const collector = new Collector(slow);
        const writer = new LineWriter(collector, true);
        for (const [i, text] of lines.entries()) {
          if (i % 2 === 0) writer.write(text);
          else writer.writeLine(Buffer.from(`${JSON.stringify(text)}\n`));
        }
        await writer.flush();
        expect(collector.text).toBe(lines.map((text) => `${JSON.stringify(text)}\n`).join(''));
      }),
      { numRuns: 60 },
    );
  });

  it('says that it is behind while a slow stream holds much, and not when all was taken', async () => {
    const writer = new LineWriter(new Collector(true));
    const line = Buffer.from(`${'x'.repeat(100_000)}\n`);
    for (let i = 0; i < 40; i++) writer.writeLine(line);
    expect(writer.behind).toBe(true);
    await writer.flush();
    expect(writer.behind).toBe(false);
  });
});
