/** What senders say and hear: our own paths, Splunk HEC, Elastic _bulk, Event Hub bodies. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServiceHere, serviceHere } from './service-here.ts';
import { eventually, linesOf, metric, post, STORY } from './waybill-process.ts';

const records = linesOf(`${STORY}.endpoint.jsonl`);
/** The agent id of the story's host. */
const HOST = 'host:3ef767ae-f2b6-4b17-a175-60fbe4880ff4';
const xml = readFileSync('pcaps/stories/story-backup-agent.endpoint.xml', 'utf8');
let here: ServiceHere;
beforeAll(async () => {
  here = await serviceHere();
}, 30_000);
afterAll(() => here.remove());

const json = async (response: Response) => (await response.json()) as Record<string, unknown>;

describe('POST /v1/events', () => {
  it.each([
    ['JSON lines', records.join('\n'), {}],
    ['an array', `[${records.join(',')}]`, {}],
    ['Event Hub records', `{"records":[${records.join(',')}]}`, {}],
    ['gzip by its header', gzipSync(records.join('\n')), { 'content-encoding': 'gzip' }],
    ['gzip by its first bytes', gzipSync(records.join('\n')), {}],
  ])('takes %s', async (_, body, headers) => {
    const response = await post(`${here.url}/v1/events`, body as string, headers as Record<string, string>);
    expect(response.status).toBe(202);
    expect(await json(response)).toMatchObject({ accepted: records.length, damaged: 0 });
  });

  it('takes event XML as forwarders send it', async () => {
    const response = await post(`${here.url}/v1/events`, xml);
    expect((await json(response)).accepted).toBeGreaterThan(5);
  });

  it('says which records of a mixed batch it could not read, and stores the others', async () => {
    const response = await post(`${here.url}/v1/events`, `${records[0]}\n{"cut off\n${records[1]}\n{"what":1}\n`);
    expect(response.status).toBe(202);
    expect(await json(response)).toMatchObject({ accepted: 2, damaged: 1, unknown: 1 });
  });

  it('refuses a body in which nothing can be read', async () => {
    expect((await post(`${here.url}/v1/events`, '{"cut off')).status).toBe(400);
  });

  it('stores a repeated batch once', async () => {
    const before = await here.store.count(HOST, 'process', 0, 1e17);
    expect(before).toBeGreaterThan(0);
    await post(`${here.url}/v1/events`, records.join('\n'));
    await eventually(async () => (await metric(here.url, 'waiting_batches')) === 0);
    expect(await here.store.count(HOST, 'process', 0, 1e17)).toBe(before);
  });
});

describe('POST /v1/flows', () => {
  it('takes flow records and refuses what is none, naming line and field', async () => {
    const flow = {
      '@timestamp': '2026-11-23T09:00:00.000000Z',
      event: { action: 'flow_end', start: '2026-11-23T09:00:00Z', end: '2026-11-23T09:00:01Z' },
      network: { transport: 'tcp', type: 'ipv4', community_id: '1:x', direction: 'egress' },
      source: { ip: '10.0.0.1', port: 5, bytes: 1, packets: 1 },
      destination: { ip: '192.0.2.1', port: 443, bytes: 1, packets: 1 },
      observer: { name: 'o', type: 'sensor' },
      waybill: { flow_id: 'f', schema: 1, bytes_exact: true },
    };
    const bad = [
      { ...flow, source: { ...flow.source, port: 70_000 } },
      { ...flow, waybill: { ...flow.waybill, schema: 2 } },
    ].map((record) => JSON.stringify(record));
    const polluting = JSON.stringify(flow).replace('"observer"', '"__proto__":{"polluted":true},"observer"');
    const response = await post(`${here.url}/v1/flows`, [JSON.stringify(flow), ...bad, polluting, 'no'].join('\n'));
    expect(response.status).toBe(202);
    expect(await json(response)).toMatchObject({
      accepted: 1,
      rejected: 4,
      complaints: [
        'line 2: source.port is missing or not what it must be',
        'line 3: schema 2; this program reads schema 1',
        'line 4: __proto__ is not a field of a flow record',
        'line 5: not JSON',
      ],
    });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('Splunk HEC', () => {
  const hec = records.map((event, i) => `{"time":${1_795_000_000 + i},"host":"ws","sourcetype":"x","event":${event}}`);

  it.each(['/services/collector', '/services/collector/event', '/services/collector/event/1.0'])(
    'takes concatenated events on %s',
    async (path) => {
      const response = await post(here.url + path, hec.join(''), { authorization: 'Splunk whatever' });
      expect(response.status).toBe(200);
      expect(await json(response)).toEqual({ text: 'Success', code: 0 });
    },
  );

  it('takes lines on /raw', async () => {
    const response = await post(`${here.url}/services/collector/raw?host=ws-fin-01`, records.join('\n'));
    expect(await json(response)).toEqual({ text: 'Success', code: 0 });
  });

  it('gives acknowledgements by channel, for what it gave and for nothing else', async () => {
    const channel = { 'x-splunk-request-channel': '11111111-2222-3333-4444-555555555555' };
    expect(await json(await post(`${here.url}/services/collector`, hec[0]!, channel))).toMatchObject({ ackId: 0 });
    expect(await json(await post(`${here.url}/services/collector`, hec[1]!, channel))).toMatchObject({ ackId: 1 });
    const asked = await post(`${here.url}/services/collector/ack`, '{"acks":[0,1,2]}', channel);
    expect(await json(asked)).toEqual({ acks: { 0: true, 1: true, 2: false } });
    expect((await post(`${here.url}/services/collector/ack`, '{"acks":[0]}')).status).toBe(400);
  });

  it('says that it is healthy, and that an empty body has no data', async () => {
    expect(await json(await fetch(`${here.url}/services/collector/health`))).toMatchObject({ code: 17 });
    expect(await json(await post(`${here.url}/services/collector`, ''))).toEqual({ text: 'No data', code: 5 });
  });
});

describe('Elastic _bulk', () => {
  it('answers each item with its status, whatever became of the others', async () => {
    const body = `{"index":{}}\n${records[0]}\n{"create":{"_index":"x"}}\n{"cut\n{"delete":{"_id":"1"}}\n{"create":{}}\n${records[1]}\n`;
    const response = await post(`${here.url}/winlogbeat/_bulk`, body, { 'content-type': 'application/x-ndjson' });
    expect(response.status).toBe(200);
    const answer = (await json(response)) as { errors: boolean; items: Record<string, { status: number }>[] };
    expect(answer.errors).toBe(true);
    expect(
      answer.items.map((item) => Object.entries(item).map(([name, { status }]) => `${name} ${status}`)[0]),
    ).toEqual(['index 200', 'create 400', 'delete 200', 'create 201']);
  });

  it('answers what shippers ask before they write', async () => {
    const root = await fetch(here.url);
    expect(root.headers.get('x-elastic-product')).toBe('Elasticsearch');
    expect(await json(root)).toMatchObject({ version: { number: expect.stringMatching(/^8\./) } });
    expect(await json(await fetch(`${here.url}/_license`))).toMatchObject({ license: { status: 'active' } });
    expect((await fetch(`${here.url}/_xpack`)).status).toBe(200);
  });
});

describe('the other paths', () => {
  it('tell that all is well', async () => {
    expect(await (await fetch(`${here.url}/healthz`)).text()).toBe('ok\n');
    expect(await (await fetch(`${here.url}/readyz`)).text()).toBe('ready\n');
  });

  it('say what is wrong with a path or a method', async () => {
    expect((await fetch(`${here.url}/nothing`)).status).toBe(404);
    expect((await fetch(`${here.url}/v1/events`)).status).toBe(405);
  });

  it('are not for a page in a browser, nor for another name (DNS rebinding)', async () => {
    expect((await post(`${here.url}/v1/events`, records[0]!, { origin: 'https://evil.example' })).status).toBe(421);
  });
});
