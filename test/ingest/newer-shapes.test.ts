import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { TextReader } from '../../enrich/ingest/read-endpoint-file.ts';
import { eventXml, NOON, SECURITY_SAMPLES, SYSMON_SAMPLES, type WindowsEvent, wazuh } from '../build/endpoint.ts';
import { customTableRow, formatList, hayabusaRow, NEWER_SHAPES, otlpLogs } from '../build/endpoint-shapes.ts';
import { AT_MILLIS, read, readAll, TUPLE } from '../build/read-records.ts';

/** What must not depend on the shape. */
function essence(event: EndpointEvent | undefined): unknown {
  const { feed: _feed, timeQuality: _quality, host, ...rest } = event!;
  return { ...rest, host: host.id };
}

function readText(text: string): { events: EndpointEvent[]; damaged: number; unknown: number } {
  const normalizer = new FeedNormalizer();
  const reader = new TextReader(normalizer, {});
  const events = [...reader.push(text), ...reader.end()];
  return { events, damaged: normalizer.summary.damaged.total, unknown: normalizer.summary.unknown.total };
}

const SAMPLES = [...Object.entries(SYSMON_SAMPLES), ...Object.entries(SECURITY_SAMPLES)];

describe('a Windows event reads the same', () => {
  for (const [shape, render] of Object.entries(NEWER_SHAPES)) {
    it.each(SAMPLES)(`in ${shape}: %s`, (_name, make) => {
      const event = make();
      const all = readAll(render(event));
      expect(all).toHaveLength(1);
      expect(essence(all[0])).toEqual(essence(read(eventXml(event))));
    });
  }
});

describe("Hayabusa's timeline", () => {
  const rows = (event: WindowsEvent, rules: readonly string[], form: 'json' | 'text' = 'json') =>
    rules.map((rule) => ({ ...hayabusaRow(event, form), RuleTitle: rule }));

  it('gives an event once, however many rules it is listed for', () => {
    const [end, start] = [SYSMON_SAMPLES.processEnd(), SECURITY_SAMPLES.processStart()];
    const list = [
      ...rows(end, ['Rule A', 'Rule B']),
      ...rows(start, ['Rule A', 'Rule C', 'Rule D'], 'text'),
      ...rows(end, ['E'], 'text'),
    ];
    const reader = new FeedNormalizer();
    const events = [...list.flatMap((row) => reader.normalize(row)), ...reader.drain()];
    expect(events.map((event) => [event.feed, event.kind])).toEqual([
      ['sysmon', 'process_end'],
      ['security', 'process_start'],
    ]);
    expect(events[0]?.id).toBe(read(rows(end, ['Rule E'], 'json')[0])?.id);
    expect(reader.summary.accepted.total).toBe(2);
    expect(reader.summary.ignored.entries()).toEqual([
      ['security process_start again, for another rule', 2],
      ['sysmon process_end again, for another rule', 2],
    ]);
  });

  it('gives each event, however alike', () => {
    const events = [0, 1].map(() => SYSMON_SAMPLES.processEnd());
    const reader = new FeedNormalizer();
    const found = [...events.flatMap((event) => rows(event, ['A', 'B'])).flatMap((row) => reader.normalize(row))];
    expect(new Set([...found, ...reader.drain()].map(({ id }) => id)).size).toBe(2);
  });

  it('is another thing than a feed that repeats an event, which stays as it was', () => {
    const reader = new FeedNormalizer();
    const xml = eventXml(SYSMON_SAMPLES.processEnd());
    const found = [xml, xml].flatMap((record) => reader.normalize(record));
    expect(found.map(({ id }) => id)).toEqual([found[0]?.id, found[0]?.id]);
  });
});

describe("Hayabusa's Details", () => {
  const row = (channel: string, id: number, details: string, more: object = {}) => ({
    ...hayabusaRow(SYSMON_SAMPLES.processEnd(), 'json'),
    AllFieldInfo: undefined,
    Channel: channel,
    EventID: id,
    Details: details,
    ...more,
  });

  it('give the facts under their short names, the rest is in ExtraFieldInfo', () => {
    const details = [
      'Initiated: true ¦ Proto: tcp ¦ SrcIP: 10.1.2.3 ¦ SrcPort: 50123 ¦ TgtIP: 203.0.113.9 ¦ TgtPort: 443',
      'User: CORP\\ann ¦ Proc: C:\\Tools\\rar.exe ¦ PID: 4660 ¦ PGUID: 5A1F0C3E-1111-2222-3333-444455556666',
    ].join(' ¦ ');
    expect(
      read(row('Sysmon', 3, details, { ExtraFieldInfo: 'RuleName: - ¦ UtcTime: 2024-05-14 11:58:00.000' })),
    ).toMatchObject({
      kind: 'connection',
      at: NOON * 1000,
      process: { entityId: '5a1f0c3e-1111-2222-3333-444455556666', pid: 4660, user: { domain: 'CORP', name: 'ann' } },
      ...TUPLE,
    });
    const start = 'Cmdline: cmd /c echo a ¦ b ¦ Proc: C:\\x.exe ¦ ParentCmdline: p.exe -k ¦ PID: 12 ¦ ParentPID: 8';
    expect(
      read(row('Sysmon', 1, start, { ExtraFieldInfo: 'ParentImage: C:\\p.exe ¦ IntegrityLevel: High' })),
    ).toMatchObject({
      kind: 'process_start',
      process: {
        pid: 12,
        image: 'C:\\x.exe',
        commandLine: 'cmd /c echo a ¦ b',
        integrity: 'High',
        parent: { pid: 8, image: 'C:\\p.exe', commandLine: 'p.exe -k' },
      },
    });
  });

  it('call a loaded module Image and the process Proc', () => {
    expect(read(row('Sysmon', 7, 'Image: C:\\m.dll ¦ Proc: C:\\x.exe ¦ PID: 12'))).toMatchObject({
      kind: 'image_load',
      path: 'C:\\m.dll',
      process: { image: 'C:\\x.exe', pid: 12 },
    });
  });

  it('have hexadecimal pids in the Security log, and the creator has its own', () => {
    expect(
      read(row('Sec', 4688, 'Cmdline: x -a ¦ Proc: C:\\x.exe ¦ PID: 0x1234 ¦ User: ann ¦ LID: 0x3e7a')),
    ).toMatchObject({
      kind: 'process_start',
      process: { pid: 4660, image: 'C:\\x.exe', commandLine: 'x -a', user: { name: 'ann' }, logonId: '0x3e7a' },
    });
  });
});

describe('a custom table', () => {
  it('of CrowdStrike is CrowdStrike', () => {
    const record = {
      TimeGenerated: '2024-05-15T12:00:00Z',
      Type: 'CrowdStrike_Replicator_Data_CL',
      event_simpleName_s: 'EndOfProcess',
      aid_g: '0a1f0c3e-1111-2222-3333-444455556666',
      TargetProcessId_s: '98765432109876543',
      ContextTimeStamp_s: '1715688000.123',
    };
    expect(read(record)).toMatchObject({
      feed: 'crowdstrike-fdr',
      kind: 'process_end',
      at: AT_MILLIS,
      process: { entityId: '98765432109876543' },
    });
  });

  it('has the time of the event, not that of its arrival, also for a connection', () => {
    expect(read(customTableRow(SYSMON_SAMPLES.connection()))).toMatchObject({ kind: 'connection', at: NOON * 1000 });
  });
});

describe('OTLP/JSON', () => {
  it('may hold Event XML and JSON as text, and names the host of what names none', () => {
    const event = SYSMON_SAMPLES.connection();
    const flat = { EventID: 5, UtcTime: '2024-05-14 12:00:00.123', ProcessId: '4660', Image: 'C:\\x.exe' };
    const bodies = [eventXml(event), JSON.stringify({ ...flat, ProcessGuid: event.data.ProcessGuid })];
    const found = readAll(otlpLogs(bodies, 'PC9.corp.example'));
    expect(found).toMatchObject([
      { kind: 'connection', host: { id: 'pc1' } },
      { kind: 'process_end', host: { id: 'pc9' } },
    ]);
  });

  it('is read when one line of it is longer than a record may be', () => {
    const xml = eventXml(SYSMON_SAMPLES.fileCreate());
    const line = JSON.stringify(otlpLogs(new Array(1500).fill(xml)));
    expect(line.length).toBeGreaterThan(1024 * 1024);
    const found = readText(`${line}\n${JSON.stringify(otlpLogs([xml]))}\n`);
    expect(found.events).toHaveLength(1501);
    expect(found.damaged).toBe(0);
  });
});

describe("Wazuh's full_log", () => {
  it('is the record when nothing else is', () => {
    const event = SYSMON_SAMPLES.processStart();
    const { data, ...outside } = wazuh(event);
    const alone = { ...outside, full_log: JSON.stringify(data) };
    expect(essence(read(alone))).toEqual(essence(read(wazuh(event))));
    expect(readAll({ ...wazuh(event), full_log: JSON.stringify(data) })).toHaveLength(1);
  });

  it('of Sysmon for Linux is XML behind a header, or decoded without `win`', () => {
    const event = SYSMON_SAMPLES.connection();
    const text = `May 14 12:00:00 pc1 sysmon: ${eventXml(event)}`;
    expect(essence(read({ full_log: text, agent: { name: 'other' } }))).toEqual(essence(read(eventXml(event))));
    const { data } = wazuh(event) as { data: { win: object } };
    expect(essence(read({ data: data.win, full_log: text }))).toEqual(essence(read(eventXml(event))));
  });
});

describe('Format-List', () => {
  it('gives the events of a list, the zone of its clock told by the others', () => {
    const events = [SYSMON_SAMPLES.processStart(), SYSMON_SAMPLES.connection(), SYSMON_SAMPLES.fileCreate()];
    const found = readText(events.map((event) => formatList(event, -5)).join('\r\n'));
    expect(found.events.map(essence)).toEqual(
      expect.arrayContaining(events.map((event) => essence(read(eventXml(event))))),
    );
    expect(found.events).toHaveLength(3);
    expect(found.damaged + found.unknown).toBe(0);
  });

  it('may wrap a value at the width of the console', () => {
    const event = SYSMON_SAMPLES.processStart();
    const text = formatList(event).replace('out.rar C:\\Docs', 'out.rar\r\n               C:\\Docs');
    expect(text).toContain('out.rar\r\n');
    expect(readText(text).events).toMatchObject([{ process: { commandLine: event.data.CommandLine } }]);
  });

  it('and classic text do not gather a line that never ends', () => {
    for (const head of ['TimeCreated  : x\n', '05/14/2024 01:00:00 AM\n']) {
      const reader = new TextReader(new FeedNormalizer(), {});
      reader.push(head);
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < 64; i++) reader.push('x'.repeat(1024 * 1024));
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 1024 * 1024);
    }
  });
});

describe('a message that lost its line breaks', () => {
  it('is read for Sysmon', () => {
    const event = SYSMON_SAMPLES.processStart();
    const Message = `Process Create:  ${Object.entries(event.data)
      .map(([name, value]) => `${name}: ${value}`)
      .join('  ')}`;
    const record = { EventID: 1, SourceName: 'Microsoft-Windows-Sysmon', ComputerName: 'pc1', Message };
    expect((read(record) as { process: object }).process).toEqual(
      (read(eventXml(event)) as { process: object }).process,
    );
  });

  it('is read for the Security log', () => {
    const Message =
      'A new process has been created.  Creator Subject:  Security ID:  S-1-5-21-1-2-3-1001  Account Name:  ann  ' +
      'Account Domain:  CORP  Logon ID:  0x3E7A  Target Subject:  Security ID:  S-1-0-0  Account Name:  -  Account Domain:  -  ' +
      'Logon ID:  0x0  Process Information:  New Process ID:  0x1234  New Process Name:  C:\\Tools\\rar.exe  ' +
      'Token Elevation Type:  %%1938  Mandatory Label:  S-1-16-8192  Creator Process ID:  0x378  ' +
      'Creator Process Name:  C:\\Windows\\explorer.exe  Process Command Line:  rar a "out.rar"  ' +
      'Token Elevation Type indicates the type of token that was assigned to the new process.';
    const record = {
      EventCode: '4688',
      LogName: 'Security',
      ComputerName: 'pc1',
      TimeCreated: '2024-05-14T12:00:00Z',
      Message,
    };
    expect(read(record)).toMatchObject({
      kind: 'process_start',
      process: {
        pid: 4660,
        image: 'C:\\Tools\\rar.exe',
        commandLine: 'rar a "out.rar"',
        user: { domain: 'CORP', name: 'ann', id: 'S-1-5-21-1-2-3-1001' },
        integrity: 'Medium',
        parent: { pid: 888, image: 'C:\\Windows\\explorer.exe' },
      },
    });
  });
});
