import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Committer } from '../../enrich/store/embedded-commit.ts';
import { openEnvironment } from '../../enrich/store/embedded-files.ts';
import { openTables, type Tables } from '../../enrich/store/embedded-tables.ts';
import { StoreError } from '../../enrich/store/store-error.ts';
import { codeOf } from './fixtures.ts';

let directory: string;
let tables: Tables;
let committer: Committer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'waybill-commit-'));
  tables = openTables(await openEnvironment(directory, false));
  committer = new Committer(tables, () => undefined);
});

afterEach(async () => {
  await committer.close();
  await tables.root.close();
  rmSync(directory, { recursive: true });
});

const put = (name: string) => tables.rows.put(Buffer.from(name), Buffer.from(name));
const stored = () => [...tables.rows.getKeys({ start: Buffer.of(0) })].map(String);

describe('work in a group', () => {
  it('that throws is undone alone', async () => {
    const outcomes = await Promise.allSettled([
      committer.run(1, () => put('before')),
      committer.run(1, () => {
        put('undone');
        throw new StoreError('refused', 'on purpose');
      }),
      committer.run(1, () => put('after')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(stored()).toEqual(['after', 'before']);
  });

  it('sees what was written before it, in order', async () => {
    const putAndCount = (name: string) => () => {
      put(name);
      return stored().length;
    };
    const counts = await Promise.all(['a', 'b', 'c'].map((name) => committer.run(1, putAndCount(name))));
    expect(counts).toEqual([1, 2, 3]);
  });

  it('is refused as busy when too much waits already', async () => {
    const all = Array.from({ length: 1_500 }, (_, i) => codeOf(committer.run(1, () => put(`${i}`))));
    const codes = await Promise.all(all);
    expect(codes.filter((code) => code === 'busy')).toHaveLength(500);
    expect(stored()).toHaveLength(1_000);
  });

  it('is finished before the store closes, and not taken afterwards', async () => {
    const accepted = committer.run(1, () => put('accepted'));
    const closing = committer.close();
    expect(await codeOf(committer.run(1, () => put('late')))).toBe('closed');
    await Promise.all([accepted, closing]);
    expect(stored()).toEqual(['accepted']);
  });
});
