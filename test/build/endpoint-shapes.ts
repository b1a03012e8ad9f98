import { eventXml, evtxDump, type Json, type WindowsEvent } from './endpoint.ts';

/**
 * More shapes of the same event (see endpoint.ts): those of exports, custom tables and collectors. Names of fields are those of
 * each tool's documentation or of samples it publishes; every value is invented.
 */
const NAMES = {
  sysmon: ['Microsoft-Windows-Sysmon', 'Microsoft-Windows-Sysmon/Operational'],
  security: ['Microsoft-Windows-Security-Auditing', 'Security'],
} as const;

const iso = (event: WindowsEvent): string => new Date(event.logged).toISOString();

/** Hayabusa's timeline with `AllFieldInfo`, whose zone is the analyst's. */
export function hayabusaRow(event: WindowsEvent, form: 'json' | 'text'): Json {
  const parts = Object.entries(event.data).map(([name, value]) => `${name}: ${value}`);
  return {
    Timestamp: new Date(event.logged + 8 * 3_600_000).toISOString().replace('T', ' ').replace('Z', ' +08:00'),
    RuleTitle: 'A rule',
    Level: 'info',
    Computer: event.computer,
    Channel: event.log === 'sysmon' ? 'Sysmon' : 'Sec',
    EventID: event.id,
    RecordID: event.recordId,
    AllFieldInfo: form === 'json' ? { ...event.data } : parts.join(' ¦ '),
  };
}

/** A row of a custom table of Log Analytics: an ending by type on every column, and the time it was taken in. */
export function customTableRow(event: WindowsEvent): Json {
  const [name, channel] = NAMES[event.log];
  const isGuid = (key: string): boolean => key.endsWith('Guid');
  return {
    TenantId: 'x',
    TimeGenerated: new Date(event.logged + 86_400_000).toISOString(),
    Type: 'Endpoint_CL',
    EventTime_t: `${iso(event).slice(0, -1)}+00:00`,
    EventID_d: event.id,
    Hostname_s: event.computer,
    Channel_s: channel,
    SourceName_s: name,
    RecordNumber_d: event.recordId,
    Empty_s: '',
    ...Object.fromEntries(
      Object.entries(event.data).map(([key, value]) => [
        `${key}_${isGuid(key) ? 'g' : 's'}`,
        isGuid(key) ? value.slice(1, -1) : value,
      ]),
    ),
  };
}

/** A custom table that Winlogbeat was sent to. */
export function customBeatsRow(event: WindowsEvent): Json {
  const [name, channel] = NAMES[event.log];
  return {
    TimeGenerated: new Date(event.logged + 86_400_000).toISOString(),
    Type: 'Winlog_CL',
    _timestamp_t: iso(event),
    winlog_event_id_s: String(event.id),
    winlog_channel_s: channel,
    winlog_provider_name_s: name,
    winlog_computer_name_s: event.computer,
    winlog_record_id_d: event.recordId,
    ...Object.fromEntries(Object.entries(event.data).map(([key, value]) => [`winlog_event_data_${key}_s`, value])),
  };
}

/** A value of the OpenTelemetry protocol in its JSON mapping. */
export function anyValue(value: unknown): Json {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { intValue: String(value) };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  const entries = Object.entries(value as Json);
  return { kvlistValue: { values: entries.map(([key, inner]) => ({ key, value: anyValue(inner) })) } };
}

/** OTLP/JSON around log records. */
export const otlpLogs = (bodies: readonly unknown[], host = 'collector'): Json => ({
  resourceLogs: [
    {
      resource: { attributes: [{ key: 'host.name', value: { stringValue: host } }] },
      scopeLogs: [
        {
          scope: {},
          logRecords: bodies.map((body) => ({ timeUnixNano: '1715688000500000000', body: anyValue(body) })),
        },
      ],
    },
  ],
});

/** The `windowseventlog` receiver's body in OTLP/JSON. */
export function otlp(event: WindowsEvent): Json {
  const [name, channel] = NAMES[event.log];
  const body = {
    channel,
    computer: event.computer,
    event_data: event.data,
    event_id: { id: event.id, qualifiers: 0 },
    provider: { name },
    record_id: event.recordId,
    system_time: iso(event),
  };
  return otlpLogs([body]);
}

/** Velociraptor's rows, and others that keep the event's fields in a part of their own under a flat head. */
export function flatWithData(event: WindowsEvent): Json {
  const [name, channel] = NAMES[event.log];
  return {
    EventTime: `${iso(event).slice(0, -1)}+00:00`,
    Computer: event.computer,
    Channel: channel,
    Provider: name,
    EventID: event.id,
    EventRecordID: event.recordId,
    EventData: { ...event.data },
  };
}

/** Event XML as xml2js turns it: every child a list. */
export function xml2js(event: WindowsEvent): Json {
  const [name, channel] = NAMES[event.log];
  return {
    Event: {
      $: { xmlns: 'http://schemas.microsoft.com/win/2004/08/events/event' },
      System: [
        {
          Provider: [{ $: { Name: name } }],
          EventID: [String(event.id)],
          TimeCreated: [{ $: { SystemTime: iso(event) } }],
          EventRecordID: [String(event.recordId)],
          Channel: [channel],
          Computer: [event.computer],
        },
      ],
      EventData: [{ Data: Object.entries(event.data).map(([Name, text]) => ({ _: text, $: { Name } })) }],
    },
  };
}

/** A chainsaw detection over several records. */
export const chainsawAggregate = (event: WindowsEvent): Json => ({
  group: 'Sigma',
  kind: 'aggregate',
  name: 'A rule',
  documents: [{ kind: 'evtx', path: 'x.evtx', data: evtxDump(event) }],
});

/** Event XML behind the header of a syslog line, as text in a table. */
export const syslogTable = (event: WindowsEvent): Json => ({
  TimeGenerated: iso(event),
  HostName: 'relay',
  SyslogMessage: `May 14 12:00:00 relay sysmon: ${eventXml(event)}`,
  Type: 'Syslog',
});

/** `Get-WinEvent | Format-List`, the log's time in the reader's zone. */
export function formatList(event: WindowsEvent, zoneHours = 0): string {
  const local = new Date(event.logged + zoneHours * 3_600_000).toISOString();
  const [name] = NAMES[event.log];
  const [year, month, day] = local.slice(0, 10).split('-').map(Number);
  const message = ['An event:', ...Object.entries(event.data).map(([key, value]) => `${key}: ${value}`)];
  const hour = Number(local.slice(11, 13));
  const time = `${hour % 12 === 0 ? 12 : hour % 12}${local.slice(13, 19)} ${hour < 12 ? 'AM' : 'PM'}`;
  return [
    '',
    `TimeCreated  : ${month}/${day}/${year} ${time}`,
    `ProviderName : ${name}`,
    `Id           : ${event.id}`,
    `MachineName  : ${event.computer}`,
    `RecordId     : ${event.recordId}`,
    `Message      : ${message.join('\r\n               ')}`,
    '',
  ].join('\r\n');
}

/** The shapes of one event that must read alike, by name. */
export const NEWER_SHAPES: Readonly<Record<string, (event: WindowsEvent) => Json | string>> = {
  'Hayabusa JSON': (event) => hayabusaRow(event, 'json'),
  'Hayabusa text': (event) => hayabusaRow(event, 'text'),
  'a custom table': customTableRow,
  'a custom table of Winlogbeat': customBeatsRow,
  'OTLP/JSON': otlp,
  'flat with EventData': flatWithData,
  xml2js,
  'chainsaw aggregate': chainsawAggregate,
  'syslog in a table': syslogTable,
};
