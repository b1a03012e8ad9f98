/**
 * Windows events made from one neutral description, in every shape that a collector may give them; records of other feeds are
 * in feed-records.ts. Names of fields are those of the vendors' documentation; every value is invented.
 */
export interface WindowsEvent {
  readonly log: 'sysmon' | 'security';
  readonly id: number;
  /** Host as the log names it. */
  readonly computer: string;
  readonly recordId: number;
  /** Log time, milliseconds UTC. */
  readonly logged: number;
  readonly data: Readonly<Record<string, string>>;
}

export type Json = Record<string, unknown>;

export const GUID = '{5a1f0c3e-1111-2222-3333-444455556666}';
export const PARENT_GUID = '{5a1f0c3e-aaaa-bbbb-cccc-ddddeeeeffff}';
export const NOON = Date.UTC(2024, 4, 14, 12, 0, 0);

const PROVIDERS = {
  sysmon: {
    name: 'Microsoft-Windows-Sysmon',
    guid: '{5770385F-C22A-43E0-BF4C-06F5698FFBD9}',
    channel: 'Microsoft-Windows-Sysmon/Operational',
  },
  security: {
    name: 'Microsoft-Windows-Security-Auditing',
    guid: '{54849625-5478-4994-A5BA-3E3B0328C30D}',
    channel: 'Security',
  },
} as const;

/** `YYYY-MM-DD HH:MM:SS.mmm`, as Sysmon writes UtcTime. */
export const utcTime = (millis: number): string => new Date(millis).toISOString().replace('T', ' ').slice(0, 23);

let records = 100;

export function sysmon(id: number, data: Record<string, string>, more: Partial<WindowsEvent> = {}): WindowsEvent {
  const logged = more.logged ?? NOON;
  return {
    log: 'sysmon',
    id,
    computer: 'PC1.corp.example',
    recordId: records++,
    logged,
    data: { RuleName: '-', UtcTime: utcTime(logged - 10), ...data },
    ...Object.fromEntries(Object.entries(more).filter(([name]) => name !== 'data')),
  };
}

export function security(id: number, data: Record<string, string>, more: Partial<WindowsEvent> = {}): WindowsEvent {
  return { log: 'security', id, computer: 'PC1.corp.example', recordId: records++, logged: NOON, data, ...more };
}

const WHO = { ProcessGuid: GUID, ProcessId: '4660', Image: 'C:\\Tools\\rar.exe', User: 'CORP\\ann' };

/** One Sysmon event of each kind that is read. */
export const SYSMON_SAMPLES = {
  processStart: () =>
    sysmon(1, {
      ...WHO,
      OriginalFileName: 'Rar.exe',
      Product: 'WinRAR',
      Company: 'Alexander Roshal',
      Description: 'Command line RAR',
      CommandLine: 'rar a -hp"x y" out.rar C:\\Docs\\*.docx',
      CurrentDirectory: 'C:\\Docs\\',
      LogonId: '0x3e7a',
      IntegrityLevel: 'Medium',
      Hashes: `MD5=${'1'.repeat(32)},SHA256=${'a'.repeat(64)}`,
      ParentProcessGuid: PARENT_GUID,
      ParentProcessId: '888',
      ParentImage: 'C:\\Windows\\explorer.exe',
      ParentCommandLine: 'C:\\Windows\\Explorer.EXE',
    }),
  connection: () =>
    sysmon(3, {
      ...WHO,
      Protocol: 'tcp',
      Initiated: 'true',
      SourceIsIpv6: 'false',
      SourceIp: '10.1.2.3',
      SourceHostname: 'PC1.corp.example',
      SourcePort: '50123',
      DestinationIsIpv6: 'false',
      DestinationIp: '203.0.113.9',
      DestinationHostname: 'reverse.name.example',
      DestinationPort: '443',
    }),
  processEnd: () => sysmon(5, WHO),
  imageLoad: () =>
    sysmon(7, {
      ...WHO,
      ImageLoaded: 'C:\\Windows\\System32\\System.IO.Compression.dll',
      Signed: 'true',
      Signature: 'Microsoft Windows',
      SignatureStatus: 'Valid',
    }),
  fileCreate: () => sysmon(11, { ...WHO, TargetFilename: 'C:\\Docs\\out.rar', CreationUtcTime: utcTime(NOON) }),
  dnsQuery: () =>
    sysmon(22, {
      ...WHO,
      QueryName: 'files.example',
      QueryStatus: '0',
      QueryResults: 'type:  5 cdn.files.example;::ffff:203.0.113.9;2001:db8:0:0:0:0:0:7;',
    }),
  fileDelete: () =>
    sysmon(23, { ...WHO, TargetFilename: 'C:\\Docs\\out.rar', IsExecutable: 'false', Archived: 'true' }),
} as const;

/** One Security event of each kind that is read. */
export const SECURITY_SAMPLES = {
  processStart: () =>
    security(4688, {
      SubjectUserSid: 'S-1-5-21-1-2-3-1001',
      SubjectUserName: 'ann',
      SubjectDomainName: 'CORP',
      SubjectLogonId: '0x3e7a',
      NewProcessId: '0x1234',
      NewProcessName: 'C:\\Tools\\rar.exe',
      TokenElevationType: '%%1938',
      ProcessId: '0x378',
      CommandLine: 'rar a out.rar',
      TargetUserSid: 'S-1-0-0',
      TargetUserName: '-',
      TargetDomainName: '-',
      TargetLogonId: '0x0',
      ParentProcessName: 'C:\\Windows\\explorer.exe',
      MandatoryLabel: 'S-1-16-8192',
    }),
  processEnd: () =>
    security(4689, {
      SubjectUserSid: 'S-1-5-21-1-2-3-1001',
      SubjectUserName: 'ann',
      SubjectDomainName: 'CORP',
      SubjectLogonId: '0x3e7a',
      Status: '0x0',
      ProcessId: '0x1234',
      ProcessName: 'C:\\Tools\\rar.exe',
    }),
  connection: () =>
    security(5156, {
      ProcessID: '4660',
      Application: '\\device\\harddiskvolume2\\tools\\rar.exe',
      Direction: '%%14593',
      SourceAddress: '10.1.2.3',
      SourcePort: '50123',
      DestAddress: '203.0.113.9',
      DestPort: '443',
      Protocol: '6',
      LayerName: '%%14611',
    }),
  objectAccess: () =>
    security(4663, {
      SubjectUserSid: 'S-1-5-21-1-2-3-1001',
      SubjectUserName: 'ann',
      SubjectDomainName: 'CORP',
      SubjectLogonId: '0x3e7a',
      ObjectServer: 'Security',
      ObjectType: 'File',
      ObjectName: 'C:\\Docs\\plan.docx',
      HandleId: '0x50',
      AccessList: '%%4416\n\t\t\t\t',
      AccessMask: '0x1',
      ProcessId: '0x1234',
      ProcessName: 'C:\\Tools\\rar.exe',
    }),
} as const;

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\n', '&#10;');

/** Event XML with either kind of quotes. */
export function eventXml(event: WindowsEvent, quote: '"' | "'" = '"'): string {
  const { name, guid, channel } = PROVIDERS[event.log];
  const q = quote;
  const data = Object.entries(event.data).map(([key, value]) =>
    value === '' ? `<Data Name=${q}${key}${q}/>` : `<Data Name=${q}${key}${q}>${escapeXml(value)}</Data>`,
  );
  return (
    `<Event xmlns=${q}http://schemas.microsoft.com/win/2004/08/events/event${q}><System><Provider Name=${q}${name}${q} Guid=${q}${guid}${q}/>` +
    `<EventID>${event.id}</EventID><Version>5</Version><Keywords>0x8020000000000000</Keywords>` +
    `<TimeCreated SystemTime=${q}${new Date(event.logged).toISOString()}${q}/><EventRecordID>${event.recordId}</EventRecordID>` +
    `<Correlation/><Execution ProcessID=${q}2740${q} ThreadID=${q}12${q}/><Channel>${channel}</Channel><Computer>${event.computer}</Computer>` +
    `<Security UserID=${q}S-1-5-18${q}/></System><EventData>${data.join('')}</EventData></Event>`
  );
}

export function evtxDump(event: WindowsEvent): Json {
  const { name, guid, channel } = PROVIDERS[event.log];
  const data: Json = { ...event.data };
  // evtx_dump gives numbers as numbers and GUIDs without braces.
  for (const key of ['ProcessId', 'ParentProcessId', 'SourcePort', 'DestinationPort']) {
    if (/^\d+$/.test(String(data[key] ?? ''))) data[key] = Number(data[key]);
  }
  for (const key of ['ProcessGuid', 'ParentProcessGuid']) {
    if (typeof data[key] === 'string') data[key] = data[key].replace(/[{}]/g, '').toUpperCase();
  }
  return {
    Event: {
      '#attributes': { xmlns: 'http://schemas.microsoft.com/win/2004/08/events/event' },
      System: {
        Provider: { '#attributes': { Name: name, Guid: guid.replace(/[{}]/g, '') } },
        EventID: { '#attributes': { Qualifiers: '' }, '#text': event.id },
        TimeCreated: { '#attributes': { SystemTime: new Date(event.logged).toISOString() } },
        EventRecordID: event.recordId,
        Execution: { '#attributes': { ProcessID: 2740, ThreadID: 12 } },
        Channel: channel,
        Computer: event.computer,
        Keywords: '0x8020000000000000',
      },
      EventData: data,
    },
  };
}

export function winlogbeat7(event: WindowsEvent): Json {
  const { name, guid, channel } = PROVIDERS[event.log];
  return {
    // Ingest time, which is not the event's.
    '@timestamp': new Date(event.logged + 86_400_000).toISOString(),
    event: { code: String(event.id), kind: 'event', provider: name },
    host: { name: 'collector' },
    winlog: {
      channel,
      provider_name: name,
      provider_guid: guid,
      event_id: String(event.id),
      record_id: event.recordId,
      computer_name: event.computer,
      time_created: new Date(event.logged).toISOString(),
      process: { pid: 2740, thread: { id: 12 } },
      user: { identifier: 'S-1-5-18' },
      event_data: { ...event.data },
    },
  };
}

export function winlogbeat6(event: WindowsEvent): Json {
  const { name, guid, channel } = PROVIDERS[event.log];
  return {
    '@timestamp': new Date(event.logged).toISOString(),
    beat: { name: 'WECserver', hostname: 'WECserver', version: '6.7.0' },
    host: { name: 'WECserver' },
    computer_name: event.computer,
    event_data: { ...event.data },
    event_id: event.id,
    log_name: channel,
    process_id: 2740,
    provider_guid: guid,
    record_number: String(event.recordId),
    source_name: name,
    user: { identifier: 'S-1-5-18', name: 'SYSTEM', domain: 'NT AUTHORITY' },
  };
}

/** Body of an OpenTelemetry Collector's record; older ones have the data as a list. */
export function otel(event: WindowsEvent, asList = false): Json {
  const { name, guid, channel } = PROVIDERS[event.log];
  return {
    body: {
      channel,
      computer: event.computer,
      event_data: asList ? { data: Object.entries(event.data).map(([key, value]) => ({ [key]: value })) } : event.data,
      event_id: { id: event.id, qualifiers: 0 },
      execution: { process_id: 2740, thread_id: 3000 },
      keywords: ['0x8000000000000000'],
      provider: { guid, name, event_source: '' },
      record_id: event.recordId,
      system_time: new Date(event.logged).toISOString(),
    },
    severityNumber: 9,
    timeUnixNano: '1',
  };
}

/** What Graylog makes of Winlogbeat: dots become underscores under a prefix. */
export function graylogBeats(event: WindowsEvent): Json {
  const { name, channel } = PROVIDERS[event.log];
  return {
    gl2_source_input: 'x',
    source: 'collector',
    timestamp: new Date(event.logged).toISOString(),
    winlogbeat_winlog_event_id: String(event.id),
    winlogbeat_winlog_computer_name: event.computer,
    winlogbeat_winlog_provider_name: name,
    winlogbeat_winlog_channel: channel,
    winlogbeat_winlog_record_id: event.recordId,
    winlogbeat_winlog_process_pid: 2740,
    ...Object.fromEntries(
      Object.entries(event.data).map(([key, value]) => [`winlogbeat_winlog_event_data_${key}`, value]),
    ),
  };
}

/** A GELF message, as NXLog's `om_gelf` sends it. */
export function gelf(event: WindowsEvent): Json {
  const { name, channel } = PROVIDERS[event.log];
  return {
    version: '1.1',
    host: event.computer,
    timestamp: event.logged / 1000,
    short_message: 'An event',
    _EventID: event.id,
    _SourceName: name,
    _Channel: channel,
    _Hostname: event.computer,
    _RecordNumber: event.recordId,
    ...Object.fromEntries(Object.entries(event.data).map(([key, value]) => [`_${key}`, value])),
  };
}

/** Flat, with the log time in a zone of its own and, for Sysmon, without the subject's pid (FEEDS 11.1). */
export function nxlog(event: WindowsEvent, zoneHours = 0): Json {
  const { name, guid, channel } = PROVIDERS[event.log];
  const data: Record<string, string> = { ...event.data };
  if (event.log === 'sysmon') delete data.ProcessId;
  return {
    EventTime: new Date(event.logged + zoneHours * 3_600_000).toISOString().replace('T', ' ').slice(0, 19),
    Hostname: event.computer,
    host: 'wec.internal.example',
    port: 64545,
    Keywords: -(2 ** 63),
    EventType: 'INFO',
    EventID: event.id,
    SourceName: name,
    ProviderGuid: guid,
    RecordNumber: event.recordId,
    ExecutionProcessID: 2740,
    Channel: channel,
    ...data,
  };
}

/** Flat with a local time that is stamped `Z` all the same. */
export function mordorFlat(event: WindowsEvent, zoneHours = 0): Json {
  const { name, guid, channel } = PROVIDERS[event.log];
  const local = new Date(event.logged + zoneHours * 3_600_000).toISOString();
  return {
    SourceName: name,
    ProviderGuid: guid,
    Level: '4',
    Keywords: '0x8000000000000000',
    Channel: channel,
    Hostname: event.computer,
    TimeCreated: local,
    '@timestamp': local,
    EventID: event.id,
    Message: 'text',
    ...event.data,
  };
}

/** `ConvertTo-Json` of parsed events: no host, no log time. */
export function powershellFlat(event: WindowsEvent): Json {
  return { EventId: event.id, ...event.data };
}

/** `Get-WinEvent | ConvertTo-Json`: the fields stand only in the message. */
export function getWinEvent(event: WindowsEvent): Json {
  const { name, guid, channel } = PROVIDERS[event.log];
  const lines = Object.entries(event.data).map(([key, value]) => `${key}: ${value}`);
  return {
    Id: event.id,
    Version: 5,
    LogName: channel,
    ProviderName: name,
    ProviderId: guid.toLowerCase(),
    RecordId: event.recordId,
    ProcessId: 2740,
    MachineName: event.computer,
    TimeCreated: `/Date(${event.logged})/`,
    Message: ['Event:', ...lines].join('\r\n'),
    Properties: Object.values(event.data).map((Value) => ({ Value })),
  };
}

/** A row of Azure's tables, EventData as JSON text or as XML text. */
export function azure(event: WindowsEvent, form: 'json' | 'xml'): Json {
  const { name, channel } = PROVIDERS[event.log];
  const xml = Object.entries(event.data).map(([key, value]) => `<Data Name="${key}">${escapeXml(value)}</Data>`);
  return {
    TenantId: 'x',
    TimeGenerated: new Date(event.logged).toISOString(),
    Provider: name,
    Channel: channel,
    Computer: event.computer,
    Task: 1,
    EventID: event.id,
    EventOriginId: 'one-per-batch',
    EventData:
      form === 'json'
        ? JSON.stringify(event.data)
        : `<DataItem type="System.XmlData"><EventData>${xml.join('')}</EventData></DataItem>`,
    Type: 'WindowsEvent',
  };
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** Wazuh's decoder: keys in lowerCamelCase, `-` left out, backslashes doubled once more. */
export function wazuh(event: WindowsEvent, doubled = true): Json {
  const { name, guid, channel } = PROVIDERS[event.log];
  const data = Object.entries(event.data)
    .filter(([, value]) => value !== '-' && value !== '')
    .map(([key, value]) => [lowerFirst(key), doubled ? value.replaceAll('\\', '\\\\') : value]);
  return {
    timestamp: new Date(event.logged + 1500).toISOString(),
    agent: { id: '004', name: 'pc1-agent', ip: '10.1.2.3' },
    manager: { name: 'wazuh' },
    data: {
      win: {
        eventdata: Object.fromEntries(data),
        system: {
          channel,
          computer: event.computer,
          eventID: String(event.id),
          eventRecordID: String(event.recordId),
          processID: '2740',
          providerGuid: guid,
          providerName: name,
          systemTime: new Date(event.logged).toISOString(),
        },
      },
    },
  };
}

/** Every shape of a Windows event whose log time is UTC, by name. */
export const WINDOWS_SHAPES: Readonly<Record<string, (event: WindowsEvent) => Json | string>> = {
  'Event XML': (event) => eventXml(event),
  'Splunk XmlWinEventLog': (event) => eventXml(event, "'"),
  'evtx_dump JSON': evtxDump,
  'Winlogbeat 7': winlogbeat7,
  'Winlogbeat 6': winlogbeat6,
  OpenTelemetry: (event) => otel(event),
  'OpenTelemetry with a list': (event) => otel(event, true),
  'Graylog from Winlogbeat': graylogBeats,
  GELF: gelf,
  'flat JSON': (event) => mordorFlat(event),
  'Azure with EventData as JSON': (event) => azure(event, 'json'),
  'Azure with EventData as XML': (event) => azure(event, 'xml'),
  Wazuh: (event) => wazuh(event),
  'Wazuh without doubling': (event) => wazuh(event, false),
};

/** Splunk's classic rendering of a Security event; the time has no zone. */
export const classicText = (date: string, eventCode: number, message: readonly string[]): string =>
  [
    date,
    'LogName=Security',
    'SourceName=Microsoft Windows security auditing.',
    `EventCode=${eventCode}`,
    'EventType=0',
    'Type=Information',
    'ComputerName=PC1.corp.example',
    `RecordNumber=${records++}`,
    'Keywords=Audit Success',
    ...message.map((line, i) => (i === 0 ? `Message=${line}` : line)),
    '',
  ].join('\r\n');
