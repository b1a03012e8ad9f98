import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { TextReader } from '../../enrich/ingest/read-endpoint-file.ts';
import { azure, eventXml, mordorFlat, SYSMON_SAMPLES, winlogbeat7 } from '../build/endpoint.ts';
import { elasticDefend } from '../build/feed-records.ts';

const event = SYSMON_SAMPLES.fileCreate();
const record = winlogbeat7(event);

function readAll(value: unknown): EndpointEvent[] {
  const reader = new FeedNormalizer();
  return [...reader.normalize(value), ...reader.drain()];
}

const expected = readAll(record);

describe('an envelope', () => {
  it.each([
    ['an array', [record]],
    ['arrays in arrays', [[record]]],
    ['{records:[…]}', { records: [record] }],
    ['{events:[…]} with other keys', { count: 1, events: [record] }],
    ['{value:[…]} of an API', { '@odata.context': 'x', value: [record] }],
    ['Splunk HEC with an object', { time: 1_715_688_000, host: 'h', sourcetype: 's', event: record }],
    ['Splunk HEC with JSON text', { time: '1715688000.5', sourcetype: 's', event: JSON.stringify(record) }],
    ['an Elasticsearch hit', { _index: 'i', _id: '1', _source: record }],
    ['a search answer', { took: 1, hits: { total: 1, hits: [{ _index: 'i', _source: record }] } }],
    ['a _bulk update', { doc: record, doc_as_upsert: true }],
    ['a Kafka REST batch', { records: [{ key: null, value: record }] }],
    ['a Kafka message whose value is text', { topic: 't', partition: 0, offset: 1, value: JSON.stringify(record) }],
    ['a document with nothing but its original', { event: { original: JSON.stringify(record) } }],
    ['{records} as text', { records: JSON.stringify([record]) }],
    ['an Event Hub capture', { SequenceNumber: 5, EnqueuedTimeUtc: 'x', Body: { records: [record] } }],
    ['an Event Hub capture of text', { SequenceNumber: 5, Body: JSON.stringify({ records: [record] }) }],
    [
      'a shipper of arrays as text',
      { '@timestamp': 'x', message: JSON.stringify([record, { index: { _index: 'i' } }]) },
    ],
    [
      'a shipper that does not parse',
      { '@timestamp': 'x', message: JSON.stringify(record), host: { name: 'shipper' } },
    ],
  ])('is taken off: %s', (_name, value) => {
    expect(readAll(value)).toEqual(expected);
  });

  it('is taken off Event XML in Splunk exports and HEC events', () => {
    const xml = readAll(eventXml(event));
    expect(xml).toHaveLength(1);
    for (const value of [
      { time: 1, event: eventXml(event, "'") },
      { preview: false, result: { _raw: eventXml(event), _time: 'x' } },
      { _raw: eventXml(event), sourcetype: 'x' },
    ]) {
      expect(readAll(value)).toEqual(xml);
    }
  });

  it('may hold several Event elements in one text', () => {
    expect(readAll(`<Events>${eventXml(event)}\n${eventXml(event)}</Events>`)).toHaveLength(2);
  });

  it('is taken off the rows of a Log Analytics answer', () => {
    const row = azure(event, 'json');
    const table = {
      tables: [
        {
          name: 'PrimaryResult',
          columns: Object.keys(row).map((name) => ({ name, type: 'string' })),
          rows: [Object.values(row)],
        },
      ],
    };
    expect(readAll(table)).toEqual(readAll(row));
  });

  it('is taken off the rows of an answer of Kusto, of both versions', () => {
    const row = azure(event, 'json');
    const Columns = Object.keys(row).map((ColumnName) => ({ ColumnName, DataType: 'String' }));
    const result = { TableName: 'Table_0', Columns, Rows: [Object.values(row)] };
    const status = { TableName: 'Table_1', Columns: [{ ColumnName: 'Severity' }], Rows: [[4]] };
    expect(readAll({ Tables: [result] })).toEqual(readAll(row));
    expect(readAll([{ FrameType: 'DataTable', TableKind: 'PrimaryResult', ...result }])).toEqual(readAll(row));
    expect(readAll({ Tables: [result, status] })).toEqual(readAll(row));
  });

  it.each([
    ['a search', (hits: unknown) => ({ took: 1, hits })],
    ['several searches', (hits: unknown) => ({ responses: [{ took: 1, hits }] })],
    ['what Kibana shows of a search', (hits: unknown) => ({ isPartial: false, rawResponse: { took: 1, hits } })],
    ['what Kibana was sent', (hits: unknown) => ({ id: 'x', result: { rawResponse: { took: 1, hits } } })],
  ])('is taken off the answer of Elasticsearch to %s, of any size', (_, answer) => {
    const hit = { _index: 'logs', _id: '1', _source: record };
    expect(readAll(answer({ total: 1, hits: [hit] }))).toEqual(expected);
    const hits = Array.from({ length: 3_000 }, (_unused, i) => ({ ...hit, _id: String(i), sort: ['x'.repeat(400)] }));
    const text = JSON.stringify(answer({ total: hits.length, hits }));
    expect(text.length).toBeGreaterThan(1024 * 1024);
    const reader = new TextReader(new FeedNormalizer(), {});
    expect([...reader.push(text), ...reader.end()]).toHaveLength(hits.length);
  });

  it('is taken off the rows of an answer of ES|QL', () => {
    const row = { '@timestamp': '2024-05-14T12:00:00.000Z', 'host.id': 'h1', 'event.action': 'connection_attempted' };
    const rest = {
      ...{ 'event.category': 'network', 'process.executable': 'C:\\x\\curl.exe', 'process.pid': 44 },
      ...{ 'source.ip': '10.0.0.5', 'source.port': 50_123, 'destination.ip': '203.0.113.9', 'destination.port': 443 },
    };
    const fields = Object.entries({ ...row, ...rest });
    const answer = { columns: fields.map(([name]) => ({ name, type: 'keyword' })), values: [fields.map(([, v]) => v)] };
    expect(readAll(answer)).toMatchObject([{ kind: 'connection', host: { id: 'h1' }, destination: { port: 443 } }]);
  });

  it('names host and time of a record that has none of its own', () => {
    const { Hostname: _h, TimeCreated: _t, '@timestamp': _a, ...bare } = mordorFlat(SYSMON_SAMPLES.connection());
    expect(readAll({ time: 1_715_688_000.25, host: 'HOST9.example', event: bare })[0]).toMatchObject({
      host: { id: 'host9' },
      at: 1_715_688_000_250_000,
      timeQuality: 'log',
    });
  });

  it('is not seen in a record that has an object called event', () => {
    expect(readAll(elasticDefend('process', 'end', {}))).toHaveLength(1);
  });

  it('counts the action lines of a _bulk request apart', () => {
    const reader = new FeedNormalizer();
    reader.normalize({ index: { _index: 'logs', _id: '7' } });
    reader.normalize({ delete: { _id: '7' } });
    reader.normalize({ create: {} });
    expect(reader.summary.ignored.entries()).toEqual([['_bulk action', 3]]);
  });

  it('around envelopes around envelopes comes to an end', () => {
    let value: unknown = record;
    for (let i = 0; i < 40; i++) value = { records: [value] };
    const reader = new FeedNormalizer();
    expect(reader.normalize(value)).toEqual([]);
    expect(reader.summary.unknown.total).toBe(1);
  });

  it('counts what nobody knows by its first keys, in a bounded list', () => {
    const reader = new FeedNormalizer();
    reader.normalize({ b: 1, a: 2 });
    reader.normalize('just text');
    reader.normalize(null);
    reader.normalize(7);
    for (let i = 0; i < 500; i++) reader.normalize({ [`key${i}`]: 1 });
    expect(reader.summary.unknown.total).toBe(504);
    expect(reader.summary.unknown.get('{a, b}')).toBe(1);
    expect(reader.summary.unknown.entries().length).toBeLessThanOrEqual(65);
  });
});
