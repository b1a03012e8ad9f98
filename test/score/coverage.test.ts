import { describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { differences, rescore } from '../../enrich/score/backtest.ts';
import { blindSpots, coverageOf, type HostHour } from '../../enrich/score/coverage.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { Store } from '../../enrich/store/store.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import {
  archive,
  connection,
  DAY,
  flow,
  HOST,
  HOUR,
  lookUp,
  MINUTE,
  MORNING,
  program,
  SECOND,
  start,
  theft,
} from '../join/world.ts';

async function storeOf(flows: readonly FlowRecord[], events: readonly EndpointEvent[]): Promise<Store> {
  const store = openMemory();
  const enricher = new Enricher(store, defaultSettings());
  await enricher.putEvents(events);
  await enricher.putFlows(flows);
  await enricher.settle();
  return store;
}

async function hoursOf(store: Store): Promise<HostHour[]> {
  const all: HostHour[] = [];
  for await (const hours of coverageOf(store, MORNING - DAY, MORNING + DAY)) all.push(...hours);
  return all;
}

const tool = program('tool', 'C:\\Tools\\tool.exe', { signatureStatus: 'unsigned' });

describe('the coverage ledger', () => {
  it('has nothing to say of an hour in which everything was there', async () => {
    const record = flow(MORNING, { port: 50_000 });
    const events = [
      start(MORNING, tool),
      lookUp(MORNING, tool, 'drop.example.net'),
      archive(MORNING, tool, 'C:\\q.7z', 500_000),
      connection(MORNING + SECOND, tool, record),
    ];
    const [hour, ...more] = await hoursOf(await storeOf([record], events));
    expect(more).toEqual([]);
    expect(hour).toMatchObject({
      host: HOST.id,
      hour: MORNING,
      flows: 1,
      connections: 1,
      lookUps: 1,
      archivesSized: 1,
    });
    expect(blindSpots(hour!)).toEqual([]);
  });

  it('names each thing that was missing', async () => {
    const plain = flow(MORNING, { port: 50_000 });
    const seen = { ...plain, waybill: { ...plain.waybill, missed_bytes: 1_448 } };
    const nameless = flow(MORNING + MINUTE, { port: 50_001, name: undefined, ip: '203.0.113.99' });
    const bare = program('bare', 'C:\\Tools\\bare.exe');
    const { signatureStatus: _, ...unsigned } = bare;
    const { size: __, ...unsized } = archive(MORNING, unsigned, 'C:\\q.7z', 1);
    const hours = await hoursOf(
      await storeOf([seen, nameless], [connection(MORNING + SECOND, unsigned, seen), unsized]),
    );
    expect(hours.flatMap(blindSpots)).toEqual([
      'no look-ups',
      '1 archives without size',
      'no signatures',
      '1 flows without process',
      '1 flows without name',
      '1448 bytes not captured',
    ]);
  });

  it('tells hours apart, with and without flows', async () => {
    const record = flow(MORNING + 2 * HOUR, { port: 50_000 });
    const hours = await hoursOf(
      await storeOf([record], [start(MORNING, tool), connection(MORNING + 2 * HOUR, tool, record)]),
    );
    expect(hours.map((hour) => hour.hour)).toEqual([MORNING, MORNING + 2 * HOUR]);
    expect(blindSpots(hours[0]!)).toContain('no flows');
  });
});

describe('a backtest', () => {
  it('finds no difference under the same settings, and the alerts that the service raised', async () => {
    const { flows, events } = theft();
    const store = await storeOf(flows, events);
    const before = await rescore(store, defaultSettings());
    const raised = [...before.values()].filter(({ verdict }) => verdict.tier === 'high' || verdict.tier === 'medium');
    expect(raised.map(({ episode }) => episode.id)).toEqual(
      (await store.listAlerts({ limit: 10 })).map(({ id }) => id),
    );
    expect(differences(before, await rescore(store, defaultSettings()))).toEqual([]);
  });

  it('names what appears, vanishes and changes, and writes nothing', async () => {
    const { flows, events } = theft();
    const store = await storeOf(flows, events);
    const settings = defaultSettings();
    const before = await rescore(store, settings);
    const listed = { ...settings, BinaryAllowlist: [{ path: 'C:\\Users\\*\\AppData\\Local\\Temp\\up.exe' }] };
    const after = await rescore(store, listed);
    expect(differences(before, after).map(({ change }) => change)).toEqual(['vanished']);
    expect(differences(after, before).map(({ change }) => change)).toEqual(['appeared']);
    const weaker = await rescore(store, { ...settings, score: { ...settings.score, prior: 1e-6 } });
    expect(['tier', 'score', 'vanished']).toContain(differences(before, weaker)[0]?.change);
    expect(await store.listAlerts({ limit: 10 })).toHaveLength(1);
  });
});
