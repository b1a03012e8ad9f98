import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { LogFull, parseSegment, SegmentLog } from '../../sensor/base/segment-log.ts';
import { temporary } from './waybill-process.ts';

const options = { maxBytes: 10_000, segmentBytes: 1_000, whenFull: 'refuse', durable: false } as const;
const directory = temporary();
let serial = 0;
const fresh = (): string => join(directory.path, String(serial++));
afterAll(() => directory.remove());

async function everything(log: SegmentLog): Promise<string[]> {
  await log.seal();
  const all: string[] = [];
  for (const { number } of log.segments()) all.push(...(await log.read(number)).records.map(String));
  return all;
}

describe('a segment log', () => {
  it('gives back what was appended, in order, after it was opened again', async () => {
    const texts = Array.from({ length: 50 }, (_, i) => `record ${i} ${'x'.repeat(i)}`);
    const at = fresh();
    const log = await SegmentLog.open(at, options);
    for (const text of texts) await log.append([Buffer.from(text)]);
    await log.close();
    expect(readdirSync(at).length).toBeGreaterThan(1);
    const again = await SegmentLog.open(at, options);
    expect(await everything(again)).toEqual(texts);
    expect(again.segments().every(({ starts }) => starts === 1)).toBe(true);
  });

  it('gives every whole record of a file that breaks off anywhere, and says so', async () => {
    const at = fresh();
    const log = await SegmentLog.open(at, { ...options, segmentBytes: 10_000 });
    await log.append(['one', 'two', 'three'].map((text) => Buffer.from(text)));
    await log.close();
    const bytes = readFileSync(join(at, readdirSync(at)[0]!));
    for (let end = 0; end < bytes.length; end++) {
      const { records, damage } = parseSegment(bytes.subarray(0, end));
      const whole = end < 11 ? 0 : end < 22 ? 1 : 2;
      expect(records.map(String)).toEqual(['one', 'two', 'three'].slice(0, whole));
      expect(damage === undefined).toBe([0, 11, 22].includes(end));
    }
  });

  it('never gives a record that was not appended, whatever byte is damaged', async () => {
    const at = fresh();
    const log = await SegmentLog.open(at, { ...options, segmentBytes: 10_000 });
    const texts = ['alpha', 'beta', 'gamma'];
    await log.append(texts.map((text) => Buffer.from(text)));
    await log.close();
    const bytes = readFileSync(join(at, readdirSync(at)[0]!));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (position, flip) => {
        const damaged = Buffer.from(bytes);
        damaged[position]! ^= flip;
        const { records, damage } = parseSegment(damaged);
        expect(damage).toBeDefined();
        expect(texts.slice(0, records.length)).toEqual(records.map(String));
      }),
    );
  });

  it('refuses what is over the limit, and takes it again when there is room', async () => {
    const log = await SegmentLog.open(fresh(), options);
    for (let i = 0; i < 9; i++) await log.append([Buffer.alloc(1_000)]);
    await expect(log.append([Buffer.alloc(2_000)])).rejects.toBeInstanceOf(LogFull);
    await log.remove(log.segments()[0]!.number);
    await log.append([Buffer.alloc(1_000)]);
  });

  it('drops the oldest instead, and counts its records', async () => {
    const log = await SegmentLog.open(fresh(), { ...options, whenFull: 'drop-oldest' });
    for (let i = 0; i < 30; i++)
      await log.append([Buffer.from(`${i}`.padEnd(490, ' ')), Buffer.from('second'.padEnd(490))]);
    expect(log.bytes).toBeLessThanOrEqual(10_000);
    const left = await everything(log);
    expect(left.length + log.dropped).toBe(60);
    expect(left.at(-2)?.trim()).toBe('29');
  });

  it('keeps a file that was written to between the last look and its removal', async () => {
    const log = await SegmentLog.open(fresh(), options);
    let number = 0;
    let needed = 0;
    const count = (segment: number): void => {
      number = segment;
      needed++;
    };
    await log.append([Buffer.from('a')], count);
    needed--;
    const second = log.append([Buffer.from('b')], count);
    await Promise.all([second, log.remove(number, () => needed === 0)]);
    expect(await everything(log)).toContain('b');
  });

  it('leaves other files of its directory alone', async () => {
    const at = fresh();
    await SegmentLog.open(at, options);
    writeFileSync(join(at, 'notes.txt'), 'x');
    const log = await SegmentLog.open(at, options);
    expect(log.segments()).toEqual([]);
    expect(readdirSync(at)).toEqual(['notes.txt']);
  });
});
