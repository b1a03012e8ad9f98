import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explanation } from '../../enrich/alert/explanation.ts';
import { alertTable } from '../../enrich/alert/table.ts';
import { inspectText } from '../../enrich/alert/terminal-text.ts';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { StoredAlert } from '../../enrich/store/store.ts';
import { alertsAfter, archive, connection, flow, MINUTE, MORNING, program, SECOND, theft } from '../join/world.ts';

/** ECS 9 fields that are arrays, objects or single values: what an index template would refuse otherwise. */
const ARRAYS = [
  'event.category',
  'event.type',
  'host.ip',
  'related.ip',
  'related.hosts',
  'threat.tactic.id',
  'threat.tactic.name',
  'threat.technique.id',
  'threat.technique.name',
  'threat.tactic.reference',
  'threat.technique.reference',
  'threat.technique.subtechnique.id',
  'threat.technique.subtechnique.name',
  'threat.technique.subtechnique.reference',
];
const NUMBERS = [
  'event.severity',
  'event.risk_score',
  'source.port',
  'source.bytes',
  'destination.port',
  'process.pid',
  'file.size',
];
const DATES = ['@timestamp', 'event.start', 'event.end'];

const at = (body: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], body);

/** Every value of a document with its path, `undefined` ones included. */
function* values(value: unknown, path = ''): Generator<readonly [string, unknown]> {
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) yield* values(inner, `${path}.${key}`);
  } else yield [path, value];
}

const NASTY = '\u001b[2J\u001b]0;x\u0007\r\nHIGH  wb-0000000000000000\u202e\u2066evil\u200b\u0000\u2028\ud800';

/** A theft in which every text that an outsider writes is hostile. */
async function hostileAlert(text: string): Promise<StoredAlert> {
  const tool = program('tool', `C:\\Tools\\re${text}port.exe`, {
    commandLine: `report.exe C:\\Users\\Public\\q.7z ${text}`,
    user: { name: `CORP\\${text}`, id: 'S-1-5-21-1-2-3-1001' },
    signer: text,
    originalName: text,
    product: text,
  });
  const sent = flow(MORNING + MINUTE, { port: 52_000, sent: 8_020_000, received: 3_000, name: `a${text}.example.net` });
  const events: EndpointEvent[] = [
    archive(MORNING, tool, `C:\\Users\\Public\\q${text}.7z`, 8_000_000),
    connection(MORNING + MINUTE + SECOND, tool, sent),
  ].map((event) => ({ ...event, host: { id: 'ws01', name: `WS${text}` } }));
  const alerts = await alertsAfter([[sent, ...events]]);
  expect(alerts).toHaveLength(1);
  return alerts[0]!;
}

describe('an alert document', () => {
  it('has the types that ECS gives its fields, and no value that JSON cannot carry', async () => {
    const { flows, events } = theft();
    const [alert] = await alertsAfter([[...flows, ...events]]);
    for (const path of ARRAYS) expect([path, Array.isArray(at(alert?.body, path))]).toEqual([path, true]);
    for (const path of NUMBERS) expect([path, typeof at(alert?.body, path)]).toEqual([path, 'number']);
    for (const path of DATES) expect(at(alert?.body, path)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(JSON.parse(JSON.stringify(alert?.body))).toEqual(alert?.body);
    for (const [path, value] of values(alert?.body)) {
      expect([path, value === undefined || Number.isNaN(value) || Math.abs(Number(value)) === Infinity]).toEqual([
        path,
        false,
      ]);
    }
  });

  it('is given back as it is stored, without fields that have no value', async () => {
    const { flows, events } = theft();
    const enricher = new Enricher(openMemory(), defaultSettings());
    await enricher.putFlows(flows);
    await enricher.putEvents(events);
    const [alert] = await enricher.settle();
    expect(alert?.body).toStrictEqual(JSON.parse(JSON.stringify(alert?.body)));
  });

  it('names evidence of both sides and, for every decibel, what it is', async () => {
    const { flows, events } = theft();
    const [alert] = await alertsAfter([[...flows, ...events]]);
    const waybill = at(alert?.body, 'waybill') as {
      terms: { name: string; detail: string }[];
      events: string[];
      flows: unknown[];
    };
    expect(waybill.events.length).toBeGreaterThan(0);
    expect(waybill.flows.length).toBeGreaterThan(0);
    for (const term of waybill.terms) expect(term.detail).not.toBe('');
  });

  it('says how probable it would be without each piece: never more, without one that speaks for theft', async () => {
    const { flows, events } = theft();
    const [alert] = await alertsAfter([[...flows, ...events]]);
    const waybill = at(alert?.body, 'waybill') as {
      probability: number;
      counterfactuals: { term: string; probability: number }[];
      terms: { name: string; db: number }[];
    };
    expect(waybill.counterfactuals.length).toBeGreaterThan(2);
    for (const { term, probability } of waybill.counterfactuals) {
      const { db } = waybill.terms.find(({ name }) => name === term)!;
      if (db > 0) expect(probability).toBeLessThanOrEqual(waybill.probability + 1e-4);
      else expect(probability).toBeGreaterThanOrEqual(waybill.probability - 1e-4);
    }
    expect(explanation(alert?.body)).toContain('Without\n');
  });
});

describe('on a terminal', () => {
  it('text of outsiders moves no cursor, turns no direction and starts no line', async () => {
    const alert = await hostileAlert(NASTY);
    const plain = await hostileAlert('plain');
    for (const [hostile, harmless] of [
      [explanation(alert.body), explanation(plain.body)],
      [alertTable([alert]), alertTable([plain])],
    ] as const) {
      expect(hostile.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      expect(hostile.split('\n')).toHaveLength(harmless.split('\n').length);
    }
  });

  it('any text stays one line of visible characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(inspectText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }),
    );
  }, 30_000);

  it('one alert as JSON is one line', async () => {
    expect(JSON.stringify((await hostileAlert(NASTY)).body)).not.toMatch(/\p{Cc}/u);
  });
});
