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

describe('a Sysmon event without names', () => {
  const GUIDS = ['{5a1f0c3e-1111-2222-3333-444455556666}', '{5a1f0c3e-aaaa-bbbb-cccc-ddddeeeeffff}'] as const;
  const WHEN = '2024-05-14 12:00:00.123';
  const HASHES = `MD5=${'1'.repeat(32)}`;
  const FILE = ['1.0', 'Command line RAR', 'WinRAR', 'Alexander Roshal'];
  const parent = [GUIDS[1], 888, 'C:\\p.exe', 'p -k'];
  const rest = ['rar a out.rar', 'C:\\', 'CORP\\ann', GUIDS[0], '0x3e7a', 1, 'Medium', HASHES, ...parent];
  const who = [WHEN, GUIDS[0], 4660, 'C:\\Tools\\rar.exe'];
  const flat = (id: number, inserts: readonly unknown[]): Json => ({
    ProviderName: 'Microsoft-Windows-Sysmon',
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    EventID: id,
    Computer: 'pc1',
    ProcessID: 2740,
    TimeCreated: '2024-05-14 14:00:00 +0200',
    Message: '',
    StringInserts: inserts,
  });
  const started = {
    kind: 'process_start',
    process: {
      entityId: '5a1f0c3e-1111-2222-3333-444455556666',
      pid: 4660,
      commandLine: 'rar a out.rar',
      user: { domain: 'CORP', name: 'ann' },
      hashes: { md5: '1'.repeat(32) },
      integrity: 'Medium',
      parent: { pid: 888, image: 'C:\\p.exe', commandLine: 'p -k' },
    },
  };

  it('is read in every version of the template', () => {
    const versions = [
      [...who, ...FILE, ...rest],
      ['-', ...who, ...FILE, ...rest],
      ['-', ...who, ...FILE, 'Rar.exe', ...rest],
      ['-', ...who, ...FILE, 'Rar.exe', ...rest, 'CORP\\bob'],
    ];
    for (const [i, inserts] of versions.entries()) {
      const event = readAll(flat(1, inserts))[0];
      expect(event).toMatchObject(started);
      expect((event as { process: { originalName?: string } }).process.originalName).toBe(
        i < 2 ? undefined : 'Rar.exe',
      );
    }
  });

  it.each([
    [
      3,
      [...who, 'CORP\\ann', 'tcp', true, false, '10.1.2.3', 'a', 50123, '-', false, '203.0.113.9', '-', 443, '-'],
      'connection',
    ],
    [7, [...who, 'C:\\m.dll', ...FILE, HASHES, 'true', 'Microsoft', 'Valid'], 'image_load'],
    [11, [...who, 'C:\\out.rar', WHEN], 'file_write'],
    [22, [WHEN, GUIDS[0], 4660, 'a.example', '0', '203.0.113.9;', 'C:\\Tools\\rar.exe'], 'dns_query'],
    [
      23,
      [WHEN, GUIDS[0], 4660, 'CORP\\ann', 'C:\\Tools\\rar.exe', 'C:\\out.rar', HASHES, 'false', 'true'],
      'file_delete',
    ],
  ])('is read for event %i', (id, inserts, kind) => {
    const expected = { kind, process: { pid: 4660, image: 'C:\\Tools\\rar.exe' } };
    expect(readAll(flat(id, ['-', ...inserts]))).toMatchObject([expected]);
    const rows = inserts.map((value) => `<Data>${value}</Data>`).join('');
    const xml = eventXml({ log: 'sysmon', id, computer: 'pc1', recordId: 1, logged: 1_715_688_000_000, data: {} });
    expect(readAll(xml.replace('<EventData>', `<EventData>${rows}`))).toMatchObject([expected]);
  });

  it('is none when the values are of no template', () => {
    expect(readAll(flat(5, ['a', 'b', 'c']))).toEqual([]);
  });
});

describe('a Security event translated without names', () => {
  it.each(Object.entries(SECURITY_SAMPLES))('is read by the place of its values: %s', (_name, make) => {
    const event = make();
    const expected = essence(readAll(eventXml(event))[0]);
    const rows = values(event).map((value) => `<Data>${value}</Data>`);
    const bare = eventXml({ ...event, data: {} });
    expect(essence(readAll(bare.replace('<EventData>', `<EventData>${rows.join('')}`))[0])).toEqual(expected);
    const System = {
      Provider: { '#attributes': { Name: 'Microsoft-Windows-Security-Auditing' } },
      EventID: event.id,
      TimeCreated: { '#attributes': { SystemTime: new Date(event.logged).toISOString() } },
      Channel: 'Security',
      Computer: event.computer,
    };
    expect(essence(readAll({ Event: { System, EventData: { Data: values(event) } } })[0])).toEqual(expected);
  });
});
