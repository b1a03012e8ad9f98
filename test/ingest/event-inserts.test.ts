import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { eventXml, type Json, SECURITY_SAMPLES, security, type WindowsEvent } from '../build/endpoint.ts';

function readAll(record: unknown, reader = new FeedNormalizer()): EndpointEvent[] {
  return [...reader.normalize(record), ...reader.drain()];
}

const essence = (event: EndpointEvent | undefined): unknown => {
  const { id: _id, feed: _feed, timeQuality: _quality, ...rest } = event ?? ({} as EndpointEvent);
  return rest;
};

/** The values in the order of the template; the samples leave only the filter's number out. */
function values(event: WindowsEvent): unknown[] {
  return Object.entries(event.data).flatMap(([name, value]) => (name === 'LayerName' ? ['66001', value] : [value]));
}

const GERMAN = 'Ein neuer Prozess wurde erstellt.\r\n\r\nProzessinformationen:\r\n\tNeue Prozess-ID:\t\t0x9999\r\n';

function fluentBit(event: WindowsEvent): Json {
  return {
    ProviderName: 'Microsoft-Windows-Security-Auditing',
    EventID: event.id,
    TimeCreated: '2024-05-14 14:00:00 +0200',
    ProcessID: 4,
    Channel: 'Security',
    Computer: event.computer,
    Message: GERMAN,
    StringInserts: values(event),
  };
}

function getWinEvent(event: WindowsEvent): Json {
  return {
    Id: event.id,
    ProviderName: 'Microsoft-Windows-Security-Auditing',
    LogName: 'Security',
    ProcessId: 4,
    MachineName: event.computer,
    TimeCreated: `/Date(${event.logged})/`,
    Message: GERMAN,
    Properties: values(event).map((value) => ({
      Value: typeof value === 'string' && value.startsWith('S-1-5') ? { BinaryLength: 28, Value: value } : value,
    })),
  };
}

describe('a Security event whose message is in another language', () => {
  it.each(Object.entries(SECURITY_SAMPLES))('is read by the place of its values: %s', (_name, make) => {
    const expected = essence(readAll(eventXml(make()))[0]);
    expect(expected).toHaveProperty('kind');
    expect(essence(readAll(fluentBit(make()))[0])).toEqual(expected);
    expect(essence(readAll(getWinEvent(make()))[0])).toEqual(expected);
  });

  it('is read in the oldest version, which has only the first values', () => {
    const record = { ...fluentBit(SECURITY_SAMPLES.processStart()) };
    record.StringInserts = values(SECURITY_SAMPLES.processStart()).slice(0, 8);
    expect(readAll(record)[0]).toMatchObject({
      kind: 'process_start',
      process: { pid: 4660, image: 'C:\\Tools\\rar.exe', parent: { pid: 888 } },
    });
  });

  it('is rejected, not guessed, where there are no values', () => {
    const reader = new FeedNormalizer();
    expect(readAll({ ...fluentBit(SECURITY_SAMPLES.processStart()), StringInserts: ['x'] }, reader)).toEqual([]);
    expect(reader.summary.rejected.entries().map(([name]) => name)).toEqual(['security 4688: no process']);
  });
});

describe('a refused access', () => {
  const asked = security(4656, { ...SECURITY_SAMPLES.objectAccess().data });
  const flat = (keywords: unknown): Json => ({
    SourceName: 'Microsoft-Windows-Security-Auditing',
    EventID: 4656,
    EventTime: '2024-05-14 12:00:00',
    Keywords: keywords,
    ...asked.data,
  });

  it.each([
    ['0x8010000000000000'],
    ['Audit Failure'],
    [Number('-9218868437227405312')],
    ['-9218868437227405312'],
    ['9227875636482146304'],
  ])('is told by the keywords %s', (keywords) => {
    expect(readAll(flat(keywords))).toEqual([]);
  });

  it.each([
    ['0x8020000000000000'],
    ['Audit Success'],
    [Number('-9214364837600034816')],
    ['-9214364837600034816'],
    ['9232379236109516800'],
    [undefined],
  ])('is not seen in the keywords %s', (keywords) => {
    expect(readAll(flat(keywords))).toMatchObject([{ kind: 'file_read' }]);
  });
});
