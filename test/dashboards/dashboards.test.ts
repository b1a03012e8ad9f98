import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinedDocument } from '../../enrich/alert/waybill-document.ts';
import { withdrawalOf } from '../../enrich/alert/withdrawn.ts';
import { replay } from '../../enrich/cli/replay.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import type { StoredAlert } from '../../enrich/store/store.ts';
import { FULL_RECORD } from '../build/full-record.ts';
import { describeLive, Network, type RunningSensor } from '../build/live-network.ts';
import { type ServiceHere, serviceHere } from '../service/service-here.ts';

const file = (name: string): string => readFileSync(`enrich/dashboards/${name}`, 'utf8');
const namesIn = (text: string, program: string): Set<string> =>
  new Set([...text.matchAll(new RegExp(`waybill_${program}_[a-z0-9_]+`, 'g'))].map(([name]) => name));
const inMetrics = (text: string): Set<string> =>
  new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));

interface Mapping {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Mapping>>;
}
const mappingsOf = (name: string): Mapping =>
  (JSON.parse(file(name)) as { template: { mappings: Mapping } }).template.mappings;

/** Paths of a document's values that the mapping has no field for. */
function uncovered(value: unknown, mapping: Mapping | undefined, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => uncovered(each, mapping, path));
  if (typeof value !== 'object' || value === null) return mapping?.type === undefined ? [path] : [];
  return Object.entries(value).flatMap(([key, each]) => uncovered(each, mapping?.properties?.[key], `${path}.${key}`));
}

/** From the field reference of ECS 9 (elastic.co/docs/reference/ecs): types of the fields that Waybill writes. */
const ECS: Readonly<Record<string, string>> = {
  '@timestamp': 'date',
  message: 'match_only_text',
  tags: 'keyword',
  'event.start': 'date',
  'event.end': 'date',
  'event.severity': 'long',
  'event.risk_score': 'float',
  'source.ip': 'ip',
  'source.port': 'long',
  'source.bytes': 'long',
  'destination.ip': 'ip',
  'destination.domain': 'keyword',
  'network.community_id': 'keyword',
  'host.ip': 'ip',
  'process.pid': 'long',
  'process.command_line': 'wildcard',
  'process.executable': 'keyword',
  'file.size': 'long',
  'tls.established': 'boolean',
  'tls.client.ja3': 'keyword',
  'tls.server.not_after': 'date',
  'related.ip': 'ip',
  'threat.technique.id': 'keyword',
  'threat.technique.subtechnique.id': 'keyword',
};

describe('the Elastic index templates', () => {
  const joined: unknown[] = [];
  let alerts: readonly StoredAlert[] = [];
  beforeAll(async () => {
    const stories = ['pcaps/stories'];
    const onJoined = (document: unknown): void => void joined.push(document);
    ({ alerts } = await replay({ captures: stories, endpoints: stories, settings: defaultSettings(), onJoined }));
  }, 60_000);

  it('have a field for all that flow records and waybills hold', () => {
    const mapping = mappingsOf('elastic-flows.json');
    const none = { method: 'none' as const, probability: 0, candidates: [], events: [] };
    const drill = joinedDocument({ record: FULL_RECORD, join: none, drill: 'ab' });
    for (const document of [FULL_RECORD, drill, ...(JSON.parse(JSON.stringify(joined)) as object[])])
      expect(uncovered(document, mapping)).toEqual([]);
  });

  it('have a field for all that alerts hold', () => {
    expect(alerts.length).toBeGreaterThan(5);
    for (const alert of alerts) {
      expect(uncovered(alert.body, mappingsOf('elastic-alerts.json'))).toEqual([]);
      expect(uncovered(withdrawalOf(alert, 'wb-heir').body, mappingsOf('elastic-alerts.json'))).toEqual([]);
    }
    expect(uncovered({ waybill: { other: 1 } }, mappingsOf('elastic-alerts.json'))).toEqual(['.waybill.other']);
  });

  it.each(['elastic-flows.json', 'elastic-alerts.json'])('gives ECS fields their ECS types: %s', (name) => {
    for (const [path, type] of Object.entries(ECS)) {
      const found = path.split('.').reduce<Mapping | undefined>((at, key) => at?.properties?.[key], mappingsOf(name));
      if (found) expect(found.type, path).toBe(type);
    }
  });
});

describe('the Grafana dashboard', () => {
  let here: ServiceHere;
  beforeAll(async () => {
    here = await serviceHere();
  });
  afterAll(() => here.remove());

  it('asks the service only for metrics that it has', async () => {
    const known = inMetrics(await (await fetch(`${here.url}/metrics`)).text());
    const asked = namesIn(file('grafana.json'), 'enrich');
    expect(asked.size).toBeGreaterThan(15);
    expect([...asked].filter((name) => !known.has(name))).toEqual([]);
  });

  it('has panels of their own places and ids', () => {
    const { panels } = JSON.parse(file('grafana.json')) as {
      panels: readonly { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { gridPos: a, id } of panels) {
      expect(a.x + a.w).toBeLessThanOrEqual(24);
      for (const { gridPos: b, id: other } of panels)
        if (other > id) expect(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y).toBe(true);
    }
  });
});

describeLive('the Grafana dashboard and a live sensor', () => {
  let network: Network;
  let sensor: RunningSensor;
  beforeAll(async () => {
    network = new Network();
    sensor = await network.listen();
  }, 60_000);
  afterAll(() => network.remove());

  it('asks the sensor only for metrics that it has', async () => {
    // The kernel's counts are there once the capture program has told them.
    await sensor.until('kernel counts', () => sensor.status('/metrics').body.includes('kernel_dropped_total'));
    const known = inMetrics(sensor.status('/metrics').body);
    const asked = namesIn(file('grafana.json'), 'sensor');
    expect(asked.size).toBeGreaterThan(10);
    expect([...asked].filter((name) => !known.has(name))).toEqual([]);
  });
});
