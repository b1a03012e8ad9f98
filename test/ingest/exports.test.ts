import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { TextReader } from '../../enrich/ingest/read-endpoint-file.ts';
import { ecsDocument } from '../build/edr-records.ts';
import { eventXml, GUID, type Json, NOON, SYSMON_SAMPLES, wazuh } from '../build/endpoint.ts';
import { AT_MILLIS, read, readAll } from '../build/read-records.ts';

function readText(text: string): { events: EndpointEvent[]; damaged: number; unzoned: number } {
  const normalizer = new FeedNormalizer();
  const reader = new TextReader(normalizer, {});
  const events = [...reader.push(text), ...reader.end()];
  return { events, damaged: normalizer.summary.damaged.total, unzoned: normalizer.summary.unzoned };
}

const csv = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\r\n');

describe("a search exported from Splunk with the add-on's fields", () => {
  const FIELDS = {
    _time: '2024-05-14T14:00:00.123+02:00',
    host: 'PC1',
    source: 'WinEventLog:Security',
    sourcetype: 'WinEventLog',
    EventCode: '4688',
    New_Process_Name: 'C:\\x.exe',
    New_Process_ID: '0x1234',
    Process_Command_Line: 'x -a',
    Creator_Process_ID: '0x378',
    Creator_Process_Name: 'C:\\p.exe',
    Account_Name: 'ann\n-',
    Account_Domain: 'CORP\n-',
    Logon_ID: '0x3e7a\n0x0',
  };
  const expected = {
    feed: 'security',
    kind: 'process_start',
    at: AT_MILLIS,
    timeQuality: 'log',
    host: { id: 'pc1' },
    process: {
      pid: 4660,
      image: 'C:\\x.exe',
      commandLine: 'x -a',
      user: { domain: 'CORP', name: 'ann' },
      logonId: '0x3e7a',
      parent: { pid: 888, image: 'C:\\p.exe' },
    },
  };

  it('is read as a table and as JSON', () => {
    const found = readText(csv([Object.keys(FIELDS), Object.values(FIELDS)]));
    expect(found).toMatchObject({ damaged: 0, unzoned: 0, events: [expected] });
    const lists = { ...FIELDS, Account_Name: ['ann', '-'], Account_Domain: ['CORP', '-'], Logon_ID: ['0x3e7a', '0x0'] };
    expect(readAll({ preview: false, offset: 0, result: lists })).toMatchObject([expected]);
  });

  it('is read for connections, ends and Sysmon', () => {
    const { _time, host } = FIELDS;
    const security = { _time, host, source: 'XmlWinEventLog:Security' };
    const connection = {
      ...security,
      EventCode: 5156,
      Process_ID: '4660',
      Application_Name: '\\device\\harddiskvolume2\\x.exe',
      Direction: 'Outbound',
      Source_Address: '10.1.2.3',
      Source_Port: '50123',
      Destination_Address: '203.0.113.9',
      Destination_Port: '443',
      Protocol: '6',
    };
    expect(read(connection)).toMatchObject({
      kind: 'connection',
      direction: 'egress',
      process: { pid: 4660 },
      destination: { ip: '203.0.113.9', port: 443 },
    });
    const end = { ...security, EventCode: 4689, Process_ID: '0x1234', Process_Name: 'C:\\x.exe' };
    expect(read(end)).toMatchObject({ kind: 'process_end', process: { pid: 4660, image: 'C:\\x.exe' } });
    const sysmon = { _time, host, source: 'XmlWinEventLog:Microsoft-Windows-Sysmon/Operational', EventCode: '5' };
    expect(read({ ...sysmon, ProcessGuid: GUID, ProcessId: '4660', Image: 'C:\\x.exe' })).toMatchObject({
      feed: 'sysmon',
      kind: 'process_end',
      host: { id: 'pc1' },
      process: { pid: 4660 },
    });
  });
});

describe('other exports', () => {
  it("are read: Graylog's search, whose host is the source", () => {
    const names = ['timestamp', 'source', 'EventID', 'SourceName', 'Image', 'ProcessGuid', 'UtcTime'];
    const row = [
      '2024-05-14T12:00:01.000Z',
      'PC1',
      '5',
      'Microsoft-Windows-Sysmon',
      'C:\\x.exe',
      GUID,
      '2024-05-14 12:00:00.123',
    ];
    expect(readText(csv([names, row]))).toMatchObject({ damaged: 0, events: [{ at: AT_MILLIS, host: { id: 'pc1' } }] });
  });

  it("are read: plaso's timeline, as a table and as JSON", () => {
    const event = SYSMON_SAMPLES.fileCreate();
    const xml = eventXml(event);
    const names = ['message', 'datetime', 'timestamp_desc', 'event_identifier', 'computer_name', 'xml_string'];
    const found = readText(
      csv([names, ['[11] x', '2024-05-14T12:00:00+00:00', 'Content Modification Time', '11', 'PC1', xml]]),
    );
    expect(found).toEqual({ damaged: 0, unzoned: 0, events: [read(xml)] });
    const object = {
      data_type: 'windows:evtx:record',
      message: '[11] x',
      strings: ['a'],
      timestamp: 1,
      xml_string: xml,
    };
    expect(readAll(object)).toEqual([read(xml)]);
  });

  it("are read: the table of Wazuh's dashboard", () => {
    const event = SYSMON_SAMPLES.processStart();
    const { data, agent } = wazuh(event) as {
      data: { win: { system: Json; eventdata: Json } };
      agent: { name: string };
    };
    const row: Json = { timestamp: 'May 14, 2024 @ 12:00:01.500', 'agent.name': agent.name };
    for (const [name, value] of Object.entries(data.win.system)) row[`data.win.system.${name}`] = value;
    for (const [name, value] of Object.entries(data.win.eventdata)) row[`data.win.eventdata.${name}`] = value;
    const found = readText(csv([Object.keys(row), Object.values(row).map((value) => `${value as string}`)]));
    expect(found).toMatchObject({ damaged: 0, events: [read(wazuh(event))] });
  });

  it('are read: the matches of a Sigma tool', () => {
    const { data, id, computer } = SYSMON_SAMPLES.connection();
    const match = {
      row_id: 1,
      Provider_Name: 'Microsoft-Windows-Sysmon',
      Channel: 'Microsoft-Windows-Sysmon/Operational',
      SystemTime: '2024-05-14T12:00:00.000Z',
      EventID: id,
      Computer: computer,
      ...data,
    };
    expect(readAll([{ title: 'A rule', count: 2, matches: [match, match] }])).toMatchObject([
      { kind: 'connection', at: NOON * 1000 },
      { kind: 'connection' },
    ]);
  });

  it('have a command line of the arguments where there is no other', () => {
    const document = ecsDocument('process', ['start'], {
      process: { pid: 5, executable: '/bin/ls', args: ['ls', '-l', { a: 1 }] },
    });
    expect(read(document)).toMatchObject({ process: { commandLine: 'ls -l ' } });
  });
});

describe('Event XML with doubled quotes', () => {
  it('is not taken for data without names', () => {
    const xml = eventXml(SYSMON_SAMPLES.processEnd()).replaceAll('"', '""');
    const pids = readAll(xml).map((event) => ('process' in event ? event.process.entityId : ''));
    expect(pids.filter((id) => id === '4660')).toEqual([]);
  });
});
