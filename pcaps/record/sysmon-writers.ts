/** The same Sysmon event as three collectors deliver it: Winlogbeat 8 (ECS), NXLog flat JSON, and event XML. */
import { DNS_SUFFIX, type Host } from './hosts.ts';
import { SYSMON_VERSIONS, type SysmonEvent } from './sysmon-fields.ts';

const CHANNEL = 'Microsoft-Windows-Sysmon/Operational';
const PROVIDER = 'Microsoft-Windows-Sysmon';
const PROVIDER_GUID = '{5770385F-C22A-43E0-BF4C-06F5698FFBD9}';
/** The Sysmon service itself, which every record names as its writer. */
const SERVICE_PID = 3284;
const SERVICE_THREAD = 4616;
/** The NXLog sender writes host-local time without a zone (CET). */
const NXLOG_ZONE_MINUTES = 60;
/** What the collector takes to pick a record up, microseconds. */
const NXLOG_LAG_MICROS = 1_600_000;

const TASKS: ReadonlyMap<number, string> = new Map([
  [1, 'Process Create (rule: ProcessCreate)'],
  [3, 'Network connection detected (rule: NetworkConnect)'],
  [5, 'Process terminated (rule: ProcessTerminate)'],
  [7, 'Image loaded (rule: ImageLoad)'],
  [11, 'File created (rule: FileCreate)'],
  [22, 'Dns query (rule: DnsQuery)'],
  [23, 'File Delete archived (rule: FileDelete)'],
]);

/** RFC 3339 with microseconds. */
export function isoMicros(micros: number): string {
  const millis = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 23);
  return `${millis}${String(micros % 1000).padStart(3, '0')}Z`;
}

const isoMillis = (micros: number): string => new Date(Math.floor(micros / 1000)).toISOString();

export function winlogbeatLine(host: Host, event: SysmonEvent, record: number): string {
  return JSON.stringify({
    '@timestamp': isoMillis(event.at),
    agent: { type: 'winlogbeat', version: '8.11.4', name: host.name },
    ecs: { version: '8.0.0' },
    event: { code: String(event.id), kind: 'event', provider: PROVIDER, action: TASKS.get(event.id) },
    host: { name: host.name.toLowerCase(), hostname: host.name, ip: [host.ip, host.ip6] },
    log: { level: 'information' },
    winlog: {
      channel: CHANNEL,
      provider_name: PROVIDER,
      provider_guid: PROVIDER_GUID,
      event_id: String(event.id),
      record_id: record,
      version: SYSMON_VERSIONS.get(event.id),
      computer_name: `${host.name}.${DNS_SUFFIX}`,
      time_created: isoMillis(event.at),
      opcode: 'Info',
      process: { pid: SERVICE_PID, thread: { id: SERVICE_THREAD } },
      user: { identifier: 'S-1-5-18' },
      event_data: Object.fromEntries(event.fields),
    },
  });
}

function localSecond(micros: number): string {
  return isoMillis(micros + NXLOG_ZONE_MINUTES * 60e6)
    .replace('T', ' ')
    .slice(0, 19);
}

export function nxlogLine(host: Host, event: SysmonEvent, record: number): string {
  return JSON.stringify({
    EventTime: localSecond(event.at),
    Hostname: `${host.name}.${DNS_SUFFIX}`,
    // Kept as text in the template so that no digit is lost.
    Keywords: '-9223372036854775808',
    EventType: 'INFO',
    SeverityValue: 2,
    Severity: 'INFO',
    EventID: event.id,
    SourceName: PROVIDER,
    ProviderGuid: PROVIDER_GUID,
    Version: SYSMON_VERSIONS.get(event.id),
    Task: event.id,
    OpcodeValue: 0,
    Opcode: 'Info',
    RecordNumber: record,
    ExecutionProcessID: SERVICE_PID,
    ThreadID: SERVICE_THREAD,
    Channel: CHANNEL,
    Domain: 'NT AUTHORITY',
    AccountName: 'SYSTEM',
    UserID: 'S-1-5-18',
    AccountType: 'User',
    Category: TASKS.get(event.id),
    ...Object.fromEntries(event.fields),
    EventReceivedTime: localSecond(event.at + NXLOG_LAG_MICROS),
    SourceModuleName: 'eventlog',
    SourceModuleType: 'im_msvistalog',
  }).replace('"Keywords":"-9223372036854775808"', '"Keywords":-9223372036854775808');
}

const XML_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);
const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => XML_ESCAPES.get(character)!);

export function eventXmlLine(host: Host, event: SysmonEvent, record: number): string {
  const data = event.fields.map(([name, value]) => `<Data Name="${name}">${escapeXml(value)}</Data>`).join('');
  return (
    '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>' +
    `<Provider Name="${PROVIDER}" Guid="${PROVIDER_GUID}"/><EventID>${event.id}</EventID>` +
    `<Version>${SYSMON_VERSIONS.get(event.id)}</Version><Level>4</Level><Task>${event.id}</Task><Opcode>0</Opcode>` +
    `<Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime="${isoMicros(event.at).slice(0, -1)}000Z"/>` +
    `<EventRecordID>${record}</EventRecordID><Correlation/>` +
    `<Execution ProcessID="${SERVICE_PID}" ThreadID="${SERVICE_THREAD}"/><Channel>${CHANNEL}</Channel>` +
    `<Computer>${host.name}.${DNS_SUFFIX}</Computer><Security UserID="S-1-5-18"/></System>` +
    `<EventData>${data}</EventData></Event>`
  );
}
