import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { addReview } from '../../enrich/web/reviews.ts';
import { history, onHost, program, theft } from '../join/world.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let data = '';
beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'waybill-calibrate-'));
  const store = await openEmbedded(data, { durable: false });
  const enricher = new Enricher(store, defaultSettings());
  for (const { flows, events } of [history(14, program('mail', 'C:\\Mail\\mail.exe')), theft(), onHost(1, theft())]) {
    await enricher.putEvents(events);
    await enricher.putFlows(flows);
  }
  const [first] = await enricher.settle();
  const review = { state: 'false_positive', note: '', by: 'ann', token: 'console', revision: 1 } as const;
  await addReview(store, first!.id, review, 1_800_000_000_000_000);
  await store.close();
});
afterAll(() => rmSync(data, { recursive: true, force: true }));

const waybill = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(process.execPath, ['--import', 'tsx', 'enrich/cli/main.ts', ...args])).stdout;

describe('waybill calibrate', () => {
  it('counts the candidates of a host and day, and takes what analysts decided', async () => {
    const out = join(data, 'calibration.yaml');
    const { site, decisions } = JSON.parse(await waybill('calibrate', '--data', data, '--json', '--out', out)) as {
      site: { hosts: number; candidates: number; prior: number };
      decisions: { count: number; thefts: number; brier: number; brier_calibrated: number };
    };
    expect(site).toMatchObject({ hosts: 2, candidates: 2 });
    expect(site.prior).toBeGreaterThan(0);
    expect(decisions).toMatchObject({ count: 1, thefts: 0 });
    expect(decisions.brier_calibrated).toBeLessThan(decisions.brier);
    expect(readFileSync(out, 'utf8')).toMatch(/^# Made by waybill calibrate\.\nmodel: waybill-/);
  });

  it('says in one line what is wrong with its arguments', async () => {
    for (const [args, message] of [
      [['calibrate'], 'name the store with --data DIR'],
      [['calibrate', '--data', '/nowhere/at/all'], 'no such directory'],
      [['calibrate', '--data', data, '--incidents', 'many'], 'expected a number above 0'],
    ] as const) {
      await expect(waybill(...args)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    }
  });
});
