import { describe, expect, it } from 'vitest';
import { judgedFrom, readBundle } from '../../enrich/bundle/read-bundle.ts';
import { writeBundle } from '../../enrich/bundle/write-bundle.ts';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { defaultSettings, type Settings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { StoredAlert } from '../../enrich/store/store.ts';
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
  onHost,
  program,
  SECOND,
  type Theft,
} from '../join/world.ts';

interface Body {
  readonly event: { readonly action: string };
  readonly waybill: {
    readonly tier: string;
    readonly score_db: number;
    readonly probability: number;
    readonly slow?: string;
    readonly ledger?: readonly { readonly id: string; readonly probability: number }[];
  };
}
const bodyOf = (alert: StoredAlert): Body => alert.body as Body;

/** One archive a day, sent by a program that names it. */
function step(day: number): (FlowRecord | EndpointEvent)[] {
  const at = MORNING + day * DAY;
  const tool = program(`tool-${day}`, 'C:\\Tools\\report.exe', {
    commandLine: `report.exe C:\\Work\\q${day}.7z`,
    startedAt: at,
  });
  const packer = program(`packer-${day}`, 'C:\\Tools\\pack.exe');
  const sent = flow(at + MINUTE, { port: 52_000 + day, sent: 802_000, received: 3_000, seconds: 20 });
  return [sent, archive(at, packer, `C:\\Work\\q${day}.7z`, 800_000), connection(at + MINUTE + SECOND, tool, sent)];
}

/** Two weeks of ordinary work: in the first days of a site everything is new, and nothing is held to be. */
const BEFORE: (FlowRecord | EndpointEvent)[] = (() => {
  const { flows, events } = history(14, program('mail', 'C:\\Program Files\\Mail\\mail.exe'));
  return [...flows, ...events];
})();

/** Settings under which the first of these steps has this probability: what an alert is made of is the same. */
async function settingsFor(probability: number): Promise<Settings> {
  const settings = defaultSettings();
  const [alert] = await alertsAfter([[...BEFORE, ...step(0)]], {
    ...settings,
    score: { ...settings.score, medium: 1e-6, ledger: 1e-7 },
  });
  const odds = 10 ** ((bodyOf(alert!).waybill.score_db + 50) / 10);
  const wanted = probability / (1 - probability) / odds;
  return { ...settings, score: { ...settings.score, medium: 0.15, prior: wanted / (1 + wanted) } };
}

describe('many small steps of one host', () => {
  it('raise one slow alert that lists them, when together they are as likely as a medium alert', async () => {
    const settings = await settingsFor(0.07);
    expect(await alertsAfter([[...BEFORE, ...step(0)]], settings)).toEqual([]);
    const alerts = (await alertsAfter([[...BEFORE, ...[0, 1, 2].flatMap(step)]], settings)).map(bodyOf);
    expect(alerts.map(({ waybill }) => waybill.slow)).toEqual(['host']);
    for (const { event, waybill } of alerts) {
      expect(event.action).toBe('slow_exfiltration_suspected');
      expect(waybill.tier).toBe('medium');
      expect(waybill.ledger).toHaveLength(3);
      const none = waybill.ledger!.reduce(
        (product, { probability }, i) => product * (1 - probability * 2 ** (-(2 - i) / 7)),
        1,
      );
      expect(waybill.probability).toBeCloseTo(1 - none, 10);
    }
  });

  it('of one user on several hosts raise one alert about the user', async () => {
    const settings = await settingsFor(0.07);
    const on = (n: number): Theft => {
      const items = step(n);
      return onHost(n, { flows: [items[0] as FlowRecord], events: items.slice(1) as EndpointEvent[] });
    };
    const all = [0, 1, 2].map(on);
    const alerts = await alertsAfter(
      [BEFORE.concat(all.flatMap(({ flows, events }) => [...flows, ...events]))],
      settings,
    );
    expect(alerts.map((alert) => bodyOf(alert).waybill.slow)).toEqual(['user']);
  });

  it('fade with a half-life of seven days', async () => {
    const settings = await settingsFor(0.07);
    expect(await alertsAfter([[...BEFORE, ...step(0), ...step(27)]], settings)).toEqual([]);
  });

  it('give the same alert in any order and number of settles', async () => {
    const settings = await settingsFor(0.07);
    const whole = await alertsAfter([[...BEFORE, ...[0, 1, 2].flatMap(step)]], settings);
    expect(await alertsAfter([BEFORE, step(0), step(1), step(2)], settings)).toEqual(whole);
  });

  it('come back from an evidence bundle, decibel for decibel', async () => {
    const settings = await settingsFor(0.07);
    const store = openMemory();
    const enricher = new Enricher(store, settings);
    const items = [...BEFORE, ...[0, 1, 2].flatMap(step)];
    await enricher.putEvents(items.filter((item): item is EndpointEvent => 'kind' in item));
    await enricher.putFlows(items.filter((item): item is FlowRecord => !('kind' in item)));
    const [alert] = await enricher.settle();
    const written = await writeBundle(store, settings, alert!, () => undefined);
    if (written.kind === 'none') throw new Error(written.why);
    await store.close();
    const read = readBundle(written.bytes);
    if (read.kind === 'bad') throw new Error(read.why);
    const again = bodyOf((await judgedFrom(read.bundle)) as StoredAlert).waybill;
    const { ledger, score_db: db, probability } = bodyOf(alert!).waybill;
    expect(again).toMatchObject({ ledger, score_db: db, probability });
  });
});
