/** RELIABILITY r05: the spool's disk is full, read-only, or gave back other bytes than it was given. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Spool } from '../../sensor/publish/spool.ts';
import { temporary } from '../service/waybill-process.ts';

const directory = temporary();
afterAll(() => directory.remove());
const batch = (i: number, bytes = 10_000) => ({ count: 10, lines: Buffer.from(`${i} `.padEnd(bytes, 'x')) });

async function drained(spool: Spool): Promise<{ batches: number; first: string[] }> {
  const first: string[] = [];
  for (let file = await spool.oldest(); file; file = await spool.oldest()) {
    for (const { lines } of file.batches) first.push(lines.toString().split(' ', 1)[0]!);
    await spool.remove(file.number);
  }
  return { batches: first.length, first };
}

describe('r05: a spool', () => {
  it('at its limit drops the oldest and counts every record it drops', async () => {
    const spool = await Spool.open(join(directory.path, 'full'), 1 << 20);
    for (let i = 0; i < 300; i++) await spool.keep([batch(i)]);
    expect(spool.bytes).toBeLessThanOrEqual(1 << 20);
    const { batches, first } = await drained(spool);
    expect(batches * 10 + spool.lostRecords).toBe(3_000);
    expect(first.at(-1)).toBe('299');
    expect(spool.lostRecords).toBeGreaterThan(0);
  });

  it('counts what a disk does not take, and takes again when it can', async () => {
    const place = join(directory.path, 'gone');
    const spool = await Spool.open(place, 1 << 20);
    rmSync(place, { recursive: true });
    await spool.keep([batch(1), batch(2)]);
    expect(spool.lostRecords).toBe(20);
    mkdirSync(place);
    await spool.keep([batch(3)]);
    expect((await drained(spool)).first).toEqual(['3']);
  });

  it('gives what is whole of a damaged file, names the rest, and goes on with the next file', async () => {
    const place = join(directory.path, 'damaged');
    const before = await Spool.open(place, 1 << 20);
    for (let i = 0; i < 30; i++) await before.keep([batch(i)]);
    await before.close();
    const oldest = join(place, readdirSync(place).sort()[0]!);
    const bytes = readFileSync(oldest);
    bytes.fill(0, 25_000, 25_512);
    writeFileSync(oldest, bytes);
    const spool = await Spool.open(place, 1 << 20);
    const { first } = await drained(spool);
    expect(first.slice(0, 2)).toEqual(['0', '1']);
    expect(first.at(-1)).toBe('29');
    expect(spool.damaged).toBe(1);
    expect(spool.lastDamage).toMatch(/file 1 of the spool: the checksum of the record at byte \d+ of \d+ is wrong/);
  });
});
