import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { HostClocks } from '../../enrich/join/clock.ts';
import { drillFact, drillFileName, drillServerName } from '../../enrich/join/drill-mark.ts';
import { episodesOfHost } from '../../enrich/score/episode.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { Store, StoredAlert } from '../../enrich/store/store.ts';
import { formatMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { type ServiceHere, serviceHere } from '../service/service-here.ts';
import { post } from '../service/waybill-process.ts';

const SECOND = 1_000_000;
const AT = Date.UTC(2026, 5, 1, 9) * 1_000;
const ID = 'ab'.repeat(16);
const SIZE = 1_000_000;
const HOST = { id: 'agent-1', name: 'PC1.corp.example', ips: ['10.0.0.5'] };
const SENDER = {
  entityId: 'p1',
  entityKind: 'vendor' as const,
  pid: 41,
  image: 'C:\\Program Files\\nodejs\\node.exe',
  commandLine: `node sender.js C:\\Temp\\${drillFileName(ID)}`,
  user: { name: 'CORP\\ann' },
};
const common = { feed: 'test', timeQuality: 'exact' as const, host: HOST, process: SENDER };

const DRILL = {
  id: ID,
  host: 'pc1',
  ips: ['10.0.0.5'],
  to: { ip: '203.0.113.7', port: 443 },
  bytes: SIZE,
  from: AT - 10 * SECOND,
  until: AT + 300 * SECOND,
  by: 'test',
};

interface Change {
  readonly name?: string;
  readonly ip?: string;
  readonly at?: number;
  readonly bytes?: number;
  readonly flows?: number;
  readonly sent?: number;
  readonly packer?: typeof SENDER;
  readonly host?: typeof HOST;
}

function events({
  at = AT,
  ip = DRILL.to.ip,
  host = HOST,
  bytes = SIZE,
  flows = 1,
  packer = SENDER,
}: Change): EndpointEvent[] {
  const own = { ...common, host };
  return [
    { ...own, kind: 'process_start', id: 'e1', at: at - 5 * SECOND } as EndpointEvent,
    {
      ...own,
      process: packer,
      kind: 'file_write',
      op: 'create',
      id: 'e2',
      at: at - 4 * SECOND,
      path: `C:\\Temp\\${drillFileName(ID)}`,
      size: bytes,
      mimeType: 'application/zip',
    } as EndpointEvent,
    ...Array.from(
      { length: flows },
      (_, i) =>
        ({
          ...own,
          kind: 'connection',
          id: `e3${i}`,
          at,
          direction: 'egress',
          transport: 'tcp',
          source: { ip: '10.0.0.5', port: 50_000 + i },
          destination: { ip, port: 443 },
          outcome: 'ok',
        }) as EndpointEvent,
    ),
  ];
}

function records({
  at = AT,
  ip = DRILL.to.ip,
  name = drillServerName(ID),
  bytes = SIZE,
  flows = 1,
  sent,
}: Change): FlowRecord[] {
  return Array.from(
    { length: flows },
    (_, i) =>
      ({
        '@timestamp': formatMicros(at + SECOND),
        event: {
          kind: 'event',
          action: 'flow_end',
          start: formatMicros(at),
          end: formatMicros(at + SECOND),
          duration: 1e9,
        },
        network: { transport: 'tcp', protocol: 'tls', community_id: `1:${i}`, direction: 'egress' },
        source: { ip: '10.0.0.5', port: 50_000 + i, bytes: (sent ?? bytes) + 1_000, packets: 900 },
        destination: { ip, port: 443, bytes: 3_000, packets: 400, domain: name },
        tls: {
          version: '1.3',
          established: true,
          resumed: false,
          client: { server_name: name, ja4: 't13d1516h2_a_b' },
        },
        observer: { name: 'test' },
        waybill: { flow_id: `f${i}`, anomalies: [], bytes_exact: true },
      }) as unknown as FlowRecord,
  );
}

describe('the mark of a drill', () => {
  let store: Store;
  beforeEach(() => {
    store = openMemory();
  });
  afterEach(() => store.close());

  const alertsOf = async (change: Change, isAnnounced = true): Promise<readonly StoredAlert[]> => {
    if (isAnnounced) await store.put([drillFact(DRILL)]);
    const enricher = new Enricher(store, defaultSettings());
    await enricher.putEvents(events(change));
    await enricher.putFlows(records(change));
    return enricher.settle();
  };
  const marks = (alerts: readonly StoredAlert[]): unknown[] =>
    alerts.map(({ body }) => (body as { waybill: { drill?: string } }).waybill.drill);

  it('is on the alert of what fits the announcement, which trains nothing', async () => {
    expect(marks(await alertsOf({}))).toEqual([ID]);
    expect(await store.novelty('org', 0, 65_535)).toEqual([]);
    expect(await store.count('host:agent-1', 'match', 0, Number.MAX_SAFE_INTEGER)).toBe(0);
  });

  it.each<[string, Change]>([
    ['sends to another address', { ip: '203.0.113.8' }],
    ['comes an hour later', { at: AT + 3_600 * SECOND }],
    ['sends more than was announced', { bytes: 5_000_000 }],
    // Together as many as the archive has in Base64, so that there is an alert at all.
    ['sends in several connections more than was announced', { flows: 2, sent: (SIZE * 2) / 3 }],
    ['lets another process pack', { packer: { ...SENDER, entityId: 'p9', pid: 99 }, ip: '203.0.113.8' }],
    ['comes from another host', { host: { ...HOST, id: 'agent-2', name: 'pc2' } }],
  ])('is not on the alert of what %s under the name of the drill', async (_, change) => {
    const alerts = await alertsOf(change);
    expect(alerts).toHaveLength(1);
    expect(marks(alerts)).toEqual([undefined]);
  });

  it('is not on the alert of a name that nobody announced', async () => {
    const alerts = await alertsOf({}, false);
    expect(marks(alerts)).toEqual([undefined]);
    expect((await store.novelty('org', 0, 65_535)).length).toBeGreaterThan(0);
  });

  it('keeps the drill’s archive out of what is said of other connections of the host, which make no episode', async () => {
    const other = { ...SENDER, entityId: 'p7', pid: 77, image: 'C:\\Tools\\sync.exe', commandLine: 'sync.exe' };
    await store.put([drillFact(DRILL)]);
    const enricher = new Enricher(store, defaultSettings());
    await enricher.putEvents(events({}));
    const [connection] = events({ ip: '203.0.113.9' }).slice(-1);
    const theirs = {
      ...connection!,
      id: 'e9',
      process: other,
      source: { ip: '10.0.0.5', port: 50_900 },
    } as EndpointEvent;
    await enricher.putEvents([theirs]);
    const [flow] = records({ ip: '203.0.113.9', name: 'drop.example' });
    const theirFlow = {
      ...flow!,
      source: { ...flow!.source, port: 50_900 },
      waybill: { ...flow!.waybill, flow_id: 'f9' },
    };
    await enricher.putFlows([...records({}), theirFlow]);
    expect(marks(await enricher.settle())).toEqual([ID]);
    const episodes = await episodesOfHost(store, new HostClocks(store), HOST.id, AT, AT, defaultSettings());
    expect(episodes.map(({ drill }) => drill)).toEqual([ID]);
  });
});

describe('announcing a drill', () => {
  let here: ServiceHere | undefined;
  afterEach(() => here?.remove());
  const sha256 = 'f'.repeat(64);

  it('needs a token with the scope drill, and gives a number that nobody can choose', async () => {
    here = await serviceHere();
    const body = JSON.stringify({ host: 'pc1', ips: ['10.0.0.5'], to: { ip: '203.0.113.7', port: 443 }, bytes: 1_000 });
    const numbers = await Promise.all(
      [1, 2].map(async () => ((await (await post(`${here!.url}/v1/drills`, body)).json()) as { id: string }).id),
    );
    expect(new Set(numbers).size).toBe(2);
    expect((await post(`${here.url}/v1/drills`, body.replace('"host"', '"id":"x","host"'))).status).toBe(400);
    await here.remove();
    here = await serviceHere({ tokens: [{ name: 'edr', scopes: ['events', 'flows', 'read'], sha256 }] });
    expect((await post(`${here.url}/v1/drills`, body)).status).toBe(401);
  });

  it.each([
    ['bytes', { bytes: 1 << 30 }],
    ['minutes', { minutes: 600 }],
    ['ips', { ips: Array.from({ length: 99 }, (_, i) => `10.0.0.${i}`) }],
    ['ips', { ips: ['<script>'] }],
  ])('refuses %s without bound: %j', async (_, change) => {
    here = await serviceHere();
    const body = { host: 'pc1', ips: ['10.0.0.5'], to: { ip: '203.0.113.7', port: 443 }, bytes: 1_000, ...change };
    expect((await post(`${here.url}/v1/drills`, JSON.stringify(body))).status).toBe(400);
  });

  it.each(['', '..%2f..', 'x'.repeat(5_000), 'ab'.repeat(16)])('knows no drill %j', async (id) => {
    here = await serviceHere();
    expect((await fetch(`${here.url}/v1/drills/${id}x?pid=1`)).status).toBe(404);
  });
});
