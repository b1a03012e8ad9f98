import { describe, expect, it, vi } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { rescore } from '../../enrich/score/backtest.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import {
  alertsAfter,
  archive,
  connection,
  DAY,
  flow,
  history,
  MINUTE,
  MORNING,
  program,
  SECOND,
  start,
} from '../join/world.ts';

vi.setConfig({ testTimeout: 60_000 });

type Item = FlowRecord | EndpointEvent;
const ELSEWHERE = { ip: '203.0.113.99', name: 'drop.example.org' };
const PLACE = { ip: '203.0.113.40', name: 'backup.example.net' };

/** An archive and its upload in the morning of this day. */
function night(day: number, sent: number, place: { readonly ip: string; readonly name: string } = PLACE): Item[] {
  const at = MORNING + day * DAY;
  const packer = program(`packer-${day}`, 'C:\\Tools\\7z.exe');
  const tool = program(`tool-${day}`, 'C:\\Program Files\\Copy\\copier.exe', {
    commandLine: `copier.exe D:\\dump${day}.7z`,
  });
  const record = flow(at + MINUTE, { port: 52_000 + day, sent: sent + 20_000, received: 3_000, seconds: 20, ...place });
  return [
    record,
    archive(at, packer, `D:\\dump${day}.7z`, sent),
    start(at + 10 * SECOND, tool),
    connection(at + MINUTE + SECOND, tool, record),
  ];
}
const work: Item[] = (() => {
  const { flows, events } = history(14, program('mail', 'C:\\Program Files\\Mail\\mail.exe'));
  return [...flows, ...events];
})();
/** Days with an alert. */
async function days(items: readonly Item[]): Promise<string[]> {
  const alerts = await alertsAfter([items]);
  return alerts.map(({ body }) => (body as { event: { start: string } }).event.start.slice(0, 10)).sort();
}
/** What the habit weighs on the last day, whatever comes of it. */
async function habit(items: readonly Item[]): Promise<number | undefined> {
  const settings = defaultSettings();
  const store = openMemory();
  const enricher = new Enricher(store, settings);
  for (const item of [...work, ...items]) {
    await ('kind' in item ? enricher.putEvents([item]) : enricher.putFlows([item]));
  }
  await enricher.settle();
  const all = [...(await rescore(store, settings)).values()];
  const last = all.find(({ episode }) => episode.flows[0]!.start >= MORNING);
  expect(last?.verdict.terms.map(({ name }) => name)).toContain('familiarity_F5');
  return last?.verdict.terms.find(({ name }) => name === 'habit')?.db;
}
/** Every night from the first day of the history on. */
const nights = (place = PLACE): Item[] =>
  Array.from({ length: 14 }, (_, i) => night(i - 14, 8_000_000 + 300_000 * (i % 3), place)).flat();

describe('an archive that goes to its usual place every night', () => {
  it('is the habit of that host once it has been seen often enough', async () => {
    const raised = await days([...work, ...nights(), ...night(0, 8_100_000)]);
    expect(raised).not.toContain('2026-03-02');
    expect(raised.length).toBeLessThan(7);
  });

  it('is none when much more leaves, or when it goes somewhere else', async () => {
    expect(await habit([...nights(), ...night(0, 8_100_000)])).toBe(-18);
    expect(await habit([...nights(), ...night(0, 90_000_000)])).toBeUndefined();
    expect(await days([...work, ...nights(), ...night(0, 8_100_000, ELSEWHERE)])).toContain('2026-03-02');
  });

  it('is none when customers share one name and the amount is another', async () => {
    const hidden = { ip: '203.0.113.41', name: 'content.dropboxapi.com' };
    expect(await habit([...nights(hidden), ...night(0, 8_100_000, hidden)])).toBe(-18);
    expect(await habit([...nights(hidden), ...night(0, 900_000, hidden)])).toBeUndefined();
  });
});

describe('a theft of which no process is known', () => {
  it('is known by its bytes', async () => {
    const theft = night(0, 8_000_000).filter((item) => !('kind' in item) || item.kind !== 'connection');
    const lookUps = work
      .filter((item) => 'kind' in item)
      .slice(0, 1)
      .map((item) => ({ ...item, id: 'lease', at: MORNING }));
    const [alert] = await alertsAfter([[...work, ...theft, ...(lookUps as Item[])]]);
    const { waybill } = alert!.body as { waybill: { terms: { name: string; db: number }[] } };
    expect(waybill.terms.find(({ name }) => name === 'byte_balance')?.db).toBeGreaterThan(10);
  });
});
