import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { TextReader } from '../../enrich/ingest/read-endpoint-file.ts';
import { isAgentLine } from '../../enrich/ingest/windows/syslog-line.ts';
import { eventXml, NOON, SYSMON_SAMPLES, type WindowsEvent } from '../build/endpoint.ts';
import { read } from '../build/read-records.ts';

function readText(text: string): { events: EndpointEvent[]; damaged: number } {
  const normalizer = new FeedNormalizer();
  const reader = new TextReader(normalizer, {});
  const events = [...reader.push(text), ...reader.end()];
  return { events, damaged: normalizer.summary.damaged.total };
}

const CHANNEL = 'Microsoft-Windows-Sysmon/Operational';
const PROVIDER = 'Microsoft-Windows-Sysmon';

const message = (event: WindowsEvent): string =>
  `An event:  ${Object.entries(event.data)
    .map(([name, value]) => `${name}: ${value}`)
    .join('  ')}`;

/** The host's clock is two hours ahead of UTC. */
const LOCAL = { snare: 'Tue May 14 14:00:00 2024', ossec: '2024 May 14 14:00:00' };

const snare = (event: WindowsEvent, tab = '\t'): string =>
  [
    '<13>May 14 14:00:00 PC1 MSWinEventLog',
    '1',
    CHANNEL,
    '9',
    LOCAL.snare,
    event.id,
    PROVIDER,
    'SYSTEM',
    'User',
    'Information',
    event.computer,
    'Any',
    '',
    message(event),
    event.recordId,
  ].join(tab);

const ossec = (event: WindowsEvent): string =>
  `${LOCAL.ossec} WinEvtLog: ${CHANNEL}: INFORMATION(${event.id}): ${PROVIDER}: SYSTEM: NT AUTHORITY: ${event.computer}: ${message(event)}`;

const winCollect = (event: WindowsEvent): string =>
  [
    '<13>May 14 12:00:00 10.1.2.3 AgentDevice=WindowsLog',
    `AgentLogFile=${CHANNEL}`,
    `Source=${PROVIDER}`,
    `Computer=${event.computer}`,
    `EventID=${event.id}`,
    `EventIDCode=${event.id}`,
    `RecordNumber=${event.recordId}`,
    `TimeGenerated=${NOON / 1000}`,
    `Message=${message(event)}`,
  ].join('\t');

const LINES: readonly (readonly [string, (event: WindowsEvent) => string])[] = [
  ['Snare', (event) => snare(event)],
  ['Snare behind a relay that escapes tabs', (event) => snare(event, '#011')],
  ['OSSEC', ossec],
  ["OSSEC in Wazuh's archive", (event) => `2024 May 14 12:00:05 (pc1) 10.1.2.3->WinEvtLog ${ossec(event)}`],
  ['WinCollect', winCollect],
];

describe('an event in a line of syslog', () => {
  it.each(LINES)('of %s reads as its XML does', (_name, render) => {
    const events = Object.values(SYSMON_SAMPLES).map((make) => make());
    const found = readText(`${events.map(render).join('\n')}\n`);
    expect(found.damaged).toBe(0);
    const expected = events.map((event) => read(eventXml(event)));
    const essence = (event: EndpointEvent | undefined) => ({ ...event, id: '', timeQuality: '' });
    const byKind = (list: readonly (EndpointEvent | undefined)[]) =>
      list.map(essence).sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
    expect(byKind(found.events)).toEqual(byKind(expected));
  });

  it.each(['message', '_raw', 'full_log'])('is read out of %s', (key) => {
    const event = SYSMON_SAMPLES.processEnd();
    expect(read({ [key]: ossec(event), agent: { name: 'pc1' } })).toMatchObject({
      kind: 'process_end',
      host: { id: 'pc1' },
    });
    const classic = `05/14/2024 12:00:00 PM\nLogName=${CHANNEL}\nSourceName=${PROVIDER}\nEventCode=5\nMessage=${message(event)}`;
    expect(read({ [key]: classic, host: 'pc1' })).toMatchObject({ kind: 'process_end', process: { pid: 4660 } });
  });

  it('is not seen where there is none, and what is not whole is counted', () => {
    expect(isAgentLine('May 14 12:00:00 host sshd[1]: accepted')).toBe(false);
    for (const line of [
      'MSWinEventLog',
      'x WinEvtLog: y',
      'AgentDevice=WindowsLog\tEventID=x',
      `${LOCAL.ossec} WinEvtLog: a: B(1)`,
    ]) {
      expect(readText(`${line}\n`).events).toEqual([]);
    }
  });
});

describe('classic text', () => {
  const rest = [
    'LogName=Security',
    'SourceName=Microsoft Windows security auditing.',
    'EventCode=4688',
    'ComputerName=PC1',
  ];
  const text = (date: string): string =>
    [
      date,
      ...rest,
      'Message=A new process has been created.',
      '',
      'Process Information:',
      '\tNew Process ID:\t\t0x1234',
      '',
    ].join('\n');

  it.each([
    '2024-05-14T12:00:00.000+0000',
    '2024-05-14 12:00:00',
    '20240514120000.000000',
    '20240514060000.000000-360',
  ])('may begin with %s', (date) => {
    const found = readText(text(date) + text(date));
    expect(found).toMatchObject({
      damaged: 0,
      events: [{ kind: 'process_start', at: NOON * 1000 }, { at: NOON * 1000 }],
    });
  });
});

describe("the Event Viewer's CSV", () => {
  it('has the message in a column that its header lacks', () => {
    const event = SYSMON_SAMPLES.processEnd();
    const cell = message(event).replaceAll('  ', '\r\n');
    const csv = `Level,Date and Time,Source,Event ID,Task Category\r\nInformation,5/14/2024 2:00:00 PM,${PROVIDER},5,Any,"${cell}"\r\n`;
    expect(readText(csv)).toMatchObject({ damaged: 0, events: [{ kind: 'process_end', process: { pid: 4660 } }] });
  });
});
