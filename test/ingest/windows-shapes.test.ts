import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import {
  eventXml,
  GUID,
  getWinEvent,
  nxlog,
  powershellFlat,
  SECURITY_SAMPLES,
  SYSMON_SAMPLES,
  sysmon,
  WINDOWS_SHAPES,
  type WindowsEvent,
  wazuh,
  winlogbeat7,
} from '../build/endpoint.ts';

function read(record: unknown): EndpointEvent[] {
  const normalizer = new FeedNormalizer();
  return [...normalizer.normalize(record), ...normalizer.drain()];
}

function one(record: unknown): EndpointEvent {
  const events = read(record);
  expect(events).toHaveLength(1);
  return events[0]!;
}

/** What must not depend on the shape. */
function essence(event: EndpointEvent): unknown {
  const { feed: _feed, timeQuality: _quality, host, ...rest } = event;
  return { ...rest, host: host.id };
}

const SAMPLES: readonly (readonly [string, () => WindowsEvent])[] = [
  ...Object.entries(SYSMON_SAMPLES).map(([name, make]) => [`Sysmon ${name}`, make] as const),
  ...Object.entries(SECURITY_SAMPLES).map(([name, make]) => [`Security ${name}`, make] as const),
];

describe('a Windows event', () => {
  for (const [name, make] of SAMPLES) {
    it(`reads the same in every shape: ${name}`, () => {
      const event = make();
      const expected = essence(one(eventXml(event)));
      for (const [shape, render] of Object.entries(WINDOWS_SHAPES)) {
        const found = essence(one(render(event)));
        // Only these two shapes have no record number, so their id is of the content.
        const comparable =
          shape.startsWith('Azure') || shape === 'flat JSON'
            ? { ...(found as object), id: (expected as { id: string }).id }
            : found;
        expect(comparable, shape).toEqual(expected);
      }
    });
  }

  it('reads a process start completely', () => {
    expect(essence(one(eventXml(SYSMON_SAMPLES.processStart())))).toMatchObject({
      kind: 'process_start',
      at: 1_715_687_999_990_000,
      host: 'pc1',
      process: {
        entityId: '5a1f0c3e-1111-2222-3333-444455556666',
        entityKind: 'vendor',
        pid: 4660,
        startedAt: 1_715_687_999_990_000,
        image: 'C:\\Tools\\rar.exe',
        originalName: 'Rar.exe',
        product: 'WinRAR',
        company: 'Alexander Roshal',
        description: 'Command line RAR',
        commandLine: 'rar a -hp"x y" out.rar C:\\Docs\\*.docx',
        currentDirectory: 'C:\\Docs\\',
        hashes: { md5: '1'.repeat(32), sha256: 'a'.repeat(64) },
        user: { domain: 'CORP', name: 'ann' },
        logonId: '0x3e7a',
        integrity: 'Medium',
        parent: {
          entityId: '5a1f0c3e-aaaa-bbbb-cccc-ddddeeeeffff',
          pid: 888,
          image: 'C:\\Windows\\explorer.exe',
          commandLine: 'C:\\Windows\\Explorer.EXE',
        },
      },
    });
  });

  it('folds the addresses of a DNS answer and leaves its aliases out', () => {
    expect(one(eventXml(SYSMON_SAMPLES.dnsQuery()))).toMatchObject({
      kind: 'dns_query',
      name: 'files.example',
      answers: ['203.0.113.9', '2001:db8::7'],
    });
  });

  it('is found in the message of Get-WinEvent, whose ProcessId is the logging service', () => {
    for (const make of Object.values(SYSMON_SAMPLES)) {
      const event = make();
      expect(essence(one(getWinEvent(event)))).toEqual(essence(one(eventXml(event))));
    }
  });

  it('takes the pid of a flat Sysmon record from nowhere but its own field', () => {
    const event = SYSMON_SAMPLES.connection();
    const record = { ...nxlog(event), ProcessID: 2740 };
    expect(one(record)).toMatchObject({ process: { entityId: GUID.slice(1, -1), entityKind: 'vendor' } });
    expect((one(record) as { process: object }).process).not.toHaveProperty('pid');
    expect(one({ ...record, Message: 'Network connection detected:\r\nProcessId: 3048\r\nImage: x' })).toMatchObject({
      process: { pid: 3048 },
    });
  });

  it('with only the fields of the log beside its message has the pid of the message, not of the logging service', () => {
    const fluentBit = (event: WindowsEvent, message: string) => ({
      ProviderName: event.log === 'sysmon' ? 'Microsoft-Windows-Sysmon' : 'Microsoft-Windows-Security-Auditing',
      EventID: event.id,
      Channel: 'any',
      Computer: event.computer,
      TimeCreated: '2024-05-14 12:00:00 +0000',
      EventRecordID: 7,
      ProcessID: 4,
      ProcessId: 2740,
      Message: message,
    });
    const connection = SECURITY_SAMPLES.connection();
    const text = [
      'The Windows Filtering Platform has permitted a connection.',
      'Application Information:',
      '\tProcess ID:\t\t4660',
      'Network Information:',
      '\tDirection:\t\tOutbound',
      '\tSource Address:\t\t10.1.2.3',
      '\tDestination Address:\t203.0.113.9',
    ].join('\r\n');
    expect(one(fluentBit(connection, text))).toMatchObject({ kind: 'connection', process: { pid: 4660 } });
    const end = SYSMON_SAMPLES.processEnd();
    const lines = Object.entries(end.data).map(([name, value]) => `${name}: ${value}`);
    expect(one(fluentBit(end, lines.join('\r\n')))).toMatchObject({ kind: 'process_end', process: { pid: 4660 } });
  });

  it('is read out of the payload of an EvtxECmd row', () => {
    const event = SYSMON_SAMPLES.connection();
    const data = Object.entries(event.data).map(([name, text]) => ({ '@Name': name, '#text': text }));
    const row = {
      RecordNumber: '1',
      EventRecordId: String(event.recordId),
      TimeCreated: '2024-05-14 12:00:00.0000000',
      EventId: '3',
      Provider: 'Microsoft-Windows-Sysmon',
      Channel: 'Microsoft-Windows-Sysmon/Operational',
      ProcessId: '2740',
      Computer: event.computer,
      Payload: JSON.stringify({ EventData: { Data: data } }),
    };
    expect(essence(one(row))).toEqual(essence(one(eventXml(event))));
  });

  it('is the same whatever the case of flat names, but for the pid, which only its own spelling names', () => {
    const event = SYSMON_SAMPLES.connection();
    const lower = Object.fromEntries(
      Object.entries(WINDOWS_SHAPES['flat JSON']!(event)).map(([k, v]) => [k.toLowerCase(), v]),
    );
    const found = one(lower) as { process: object };
    expect(found).toMatchObject({ kind: 'connection', host: { id: 'pc1' }, process: { entityId: GUID.slice(1, -1) } });
    expect(found.process).not.toHaveProperty('pid');
  });

  it('is read as it came when a pipeline kept it and nobody knows the rest', () => {
    const event = SYSMON_SAMPLES.connection();
    expect(one({ ecs: { version: '8' }, event: { original: eventXml(event) } })).toEqual(one(eventXml(event)));
  });

  it('without host and log time is of the host the caller names, at a time that is not trusted', () => {
    const normalizer = new FeedNormalizer({ host: 'ART-DESKTOP.example' });
    const start = SYSMON_SAMPLES.processStart();
    const connection = SYSMON_SAMPLES.connection();
    const [first] = normalizer.normalize(powershellFlat(start));
    const [second] = normalizer.normalize(powershellFlat(connection));
    expect(first).toMatchObject({ host: { id: 'art-desktop' }, timeQuality: 'exact' });
    expect(second).toMatchObject({ host: { id: 'art-desktop' }, timeQuality: 'received' });
  });

  it('is read out of ECS fields once a pipeline has moved them', () => {
    const event = SYSMON_SAMPLES.connection();
    const { winlog, ...rest } = winlogbeat7(event) as { winlog: { event_data?: object } };
    delete winlog.event_data;
    const moved = {
      ...rest,
      winlog,
      process: { entity_id: GUID, pid: 4660, executable: 'C:\\Tools\\rar.exe' },
      // The id is the logging service's, only the names are the subject's.
      user: { domain: 'CORP', name: 'ann', id: 'S-1-5-18' },
      network: { transport: 'tcp', direction: 'egress' },
      source: { ip: '10.1.2.3', port: 50123 },
      destination: { ip: '203.0.113.9', port: 443 },
    };
    expect(essence(one(moved))).toEqual(essence(one(eventXml(event))));
  });

  it('keeps the name of Wazuh as its feed, and UNC paths whole', () => {
    const event = sysmon(11, { ProcessGuid: GUID, Image: 'C:\\a.exe', TargetFilename: '\\\\nas\\share\\x.zip' });
    for (const doubled of [true, false]) {
      expect(one(wazuh(event, doubled))).toMatchObject({ feed: 'wazuh', path: '\\\\nas\\share\\x.zip' });
    }
  });

  it('has the id of the same record when it comes again in another shape', () => {
    const event = SYSMON_SAMPLES.connection();
    const ids = ['Event XML', 'Winlogbeat 7', 'Winlogbeat 6', 'evtx_dump JSON'].map(
      (shape) => one(WINDOWS_SHAPES[shape]!(event)).id,
    );
    expect(new Set(ids).size).toBe(1);
    expect(one(eventXml({ ...event, recordId: event.recordId + 1 })).id).not.toBe(ids[0]);
    expect(one(eventXml({ ...event, logged: event.logged + 3_600_000 })).id).not.toBe(ids[0]);
  });
});
