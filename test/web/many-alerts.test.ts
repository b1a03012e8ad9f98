import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepException } from '../../enrich/alert/exception-file.ts';
import { MAX_ALERTS } from '../../enrich/store/limits.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { Store } from '../../enrich/store/store.ts';
import { MAX_INDEXED } from '../../enrich/web/alert-index.ts';
import type { Serving } from '../../enrich/web/serve.ts';
import type { AlertList, AlertSummary, ExceptionPreview, ExceptionsAnswer } from '../../enrich/web/view.ts';
import { alertAbout, openConsole, TOKEN } from '../build/console.ts';

/** Documents of one read: what the console has in memory of a full store, beside its lines. */
const MAX_READ = 500;

describe(`${MAX_ALERTS} alerts`, () => {
  const data = mkdtempSync(join(tmpdir(), 'waybill-many-test-'));
  const store = openMemory();
  /** Documents of every read since it was emptied. */
  const reads: number[] = [];
  let serving: Serving;

  beforeAll(async () => {
    const { at, body } = alertAbout(1);
    for (let n = 0; n < MAX_ALERTS; n++) await store.putAlert({ id: idOf(n), at: at + momentOf(n), revision: 1, body });
    const counted: Store = Object.create(store, {
      listAlerts: {
        value: async (options: { limit: number }) => {
          const alerts = await store.listAlerts(options);
          reads.push(alerts.length);
          return alerts;
        },
      },
    });
    serving = await openConsole(counted, { exceptions: data });
  }, 60_000);
  afterAll(async () => {
    await serving.close(500);
    rmSync(data, { recursive: true, force: true });
  });

  /** Three alerts share a moment, so that some lie on both sides of the edge of a read. */
  const momentOf = (n: number) => Math.floor(n / 3);
  const idOf = (n: number) => `wb-${String(n).padStart(6, '0')}`;
  const ask = async <T>(path: string, body?: unknown): Promise<T> => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${serving.port}/api/${path}`, { headers, ...init });
    const text = await response.text();
    expect(text.length).toBeLessThan(200_000);
    return JSON.parse(text) as T;
  };
  const idsOf = (alerts: readonly AlertSummary[]) => alerts.map(({ id }) => id);
  const newestFirst = Array.from({ length: MAX_ALERTS }, (_, n) => n)
    .sort((a, b) => momentOf(b) - momentOf(a) || a - b)
    .map(idOf);
  const isBounded = () => {
    const read = reads.splice(0);
    expect(Math.max(...read)).toBeLessThanOrEqual(MAX_READ);
    const documents = read.reduce((sum, each) => sum + each, 0);
    // Those of the moment at the edge of two reads are in both.
    expect(documents).toBeLessThanOrEqual(MAX_INDEXED + MAX_READ + 3 * read.length);
  };

  it('are listed from the newest, and the list says what it left out', async () => {
    const list = await ask<AlertList>('alerts?sort=time');
    expect(idsOf(list.alerts)).toEqual(newestFirst.slice(0, 50));
    expect(list).toMatchObject({ matched: MAX_INDEXED, known: MAX_INDEXED, capped: expect.stringMatching(/newest/) });
    isBounded();
  });

  it('are handed out page after page without a gap, up to the last that is ranked and no further', async () => {
    const seen: string[] = [];
    for (let offset = 0; offset <= MAX_INDEXED; offset += 200) {
      seen.push(...idsOf((await ask<AlertList>(`alerts?sort=time&limit=200&offset=${offset}`)).alerts));
    }
    expect(seen).toEqual(newestFirst.slice(0, MAX_INDEXED));
  });

  it('are searched as far as they are ranked; an older one is still there by its id', async () => {
    const found = await ask<AlertList>(`alerts?q=${idOf(MAX_ALERTS - MAX_INDEXED)}`);
    expect(idsOf(found.alerts)).toEqual([idOf(MAX_ALERTS - MAX_INDEXED)]);
    const older = await ask<AlertList>(`alerts?q=${idOf(0)}`);
    expect(older).toMatchObject({ matched: 0, capped: expect.stringMatching(/older ones are in the store/) });
    expect(await ask(`alerts/${idOf(0)}`)).toMatchObject({ id: idOf(0), revision: 1 });
  });

  it('are tried against an exception from the newest on, and the answer says how many', async () => {
    reads.length = 0;
    const fields = { image: 'C:\\word-1', destination: 'word-1', owner: 'Ana', reason: 'x', expires: '2100-01-01' };
    const preview = await ask<ExceptionPreview>('exceptions/preview', fields);
    expect(preview).toMatchObject({ covered: 10_000, looked: 10_000, capped: expect.stringMatching(/newest 10000/) });
    expect(preview.alerts).toHaveLength(20);
    isBounded();
    keepException(data, { id: 'ex-1', ...fields });
    const { exceptions, capped } = await ask<ExceptionsAnswer>('exceptions');
    expect([exceptions[0]?.uses, capped]).toEqual([10_000, preview.capped]);
    isBounded();
  });
});
