import type { ConnectionEvent, FileEvent } from '../../event/endpoint-event.ts';
import { end, transportOf } from '../connection-ends.ts';
import { integerOf, portOf, textOf } from '../field-values.ts';
import { isObject, type JsonObject, objectAt, own, parseJson } from '../json-object.ts';
import { compact } from '../process-key.ts';
import { type EventBody, hostRef, ignored, ipsOf, MAX_HOST_IPS, type Reading, rejected } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import type { Adapter } from './adapter.ts';
import { createdProcess, imagePath, initiatingProcess } from './mde-process.ts';

type Body = EventBody | { readonly reject: string };

/** What an aggregated network row covers when it does not say: the reporting interval of the agent, one hour. */
const AGGREGATE_MICROS = 3600 * 1_000_000;

type Direction = ConnectionEvent['direction'];
type Outcome = NonNullable<ConnectionEvent['outcome']>;

/** There is no direction column: the action tells (FEEDS 4). */
const CONNECTIONS: ReadonlyMap<string, readonly [Direction, Outcome]> = new Map<string, readonly [Direction, Outcome]>([
  ['ConnectionSuccess', ['egress', 'ok']],
  ['ConnectionFailed', ['egress', 'failed']],
  ['ConnectionRequest', ['egress', 'attempt']],
  ['ConnectionAttempt', ['egress', 'attempt']],
  ['ConnectionFound', ['unknown', 'ok']],
  ['ConnectionAcknowledged', ['ingress', 'ok']],
  ['InboundConnectionAccepted', ['ingress', 'ok']],
  ['InboundConnectionAttempt', ['ingress', 'attempt']],
]);

const FILES: ReadonlyMap<string, readonly [FileEvent['kind'], FileEvent['op']]> = new Map<
  string,
  readonly [FileEvent['kind'], FileEvent['op']]
>([
  ['FileCreated', ['file_write', 'create']],
  ['FileModified', ['file_write', 'modify']],
  ['FileRenamed', ['file_write', 'rename']],
  ['FileDeleted', ['file_delete', 'delete']],
]);

/** Microsoft Defender for Endpoint: rows of advanced hunting, in the streaming envelope or without it, and of the backend export. */
export const mde: Adapter = {
  feed: 'mde',
  claims: (record) => rowOf(record) !== undefined,
  read(record): Reading | undefined {
    const row = rowOf(record);
    if (!row) return undefined;
    const type = typeOf(record, row);
    const body = bodyOf(row, type);
    if (body === undefined) return ignored('mde', type);
    if ('reject' in body) return rejected('mde', type, body.reject);
    const time = utcMicros(timeColumn(body, row)) ?? utcMicros(own(record, 'time'));
    if (time === undefined) return rejected('mde', type, 'no time');
    const device = textOf(own(row, 'DeviceId')) ?? textOf(own(row, 'MachineId'));
    return {
      kind: 'events',
      feed: 'mde',
      type,
      host: hostRef(textOf(own(row, 'DeviceName')) ?? textOf(own(row, 'ComputerDnsName')), device),
      drafts: [{ body, at: time, clock: 'exact' }],
      ...vendorId(row, device),
    };
  },
};

/** The row itself, out of the streaming envelope if it has one. */
function rowOf(record: JsonObject): JsonObject | undefined {
  const category = own(record, 'category');
  const properties = objectAt(record, 'properties');
  if (typeof category === 'string' && category.startsWith('AdvancedHunting-') && properties) return properties;
  // Some clients of the API write every column in camel case.
  if (own(record, 'actionType') !== undefined && (own(record, 'deviceId') ?? own(record, 'deviceName')) !== undefined)
    return capitalised(record);
  const hasDevice = ['DeviceId', 'DeviceName', 'MachineId'].some((name) => Object.hasOwn(record, name));
  const hasAction = ['ActionType', 'CreatedProcessId', 'IPAddresses'].some((name) => Object.hasOwn(record, name));
  return hasDevice && hasAction ? record : undefined;
}

const capitalised = (record: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name.charAt(0).toUpperCase() + name.slice(1), value]),
  );

function typeOf(record: JsonObject, row: JsonObject): string {
  const action = textOf(own(row, 'ActionType'));
  if (action !== undefined) return action.slice(0, 80);
  if (own(row, 'CreatedProcessId') !== undefined) return 'ProcessCreated';
  const category = textOf(own(record, 'category')) ?? textOf(own(record, 'Type')) ?? '';
  return (
    category.replace('AdvancedHunting-', '').slice(0, 80) ||
    (own(row, 'IPAddresses') === undefined ? 'row' : 'DeviceNetworkInfo')
  );
}

/** A process starts when it was created; every other row is about its own time. */
function timeColumn(body: EventBody, row: JsonObject): unknown {
  const reported =
    own(row, 'Timestamp') ?? own(row, 'TimeGenerated') ?? own(row, 'ReportTime') ?? own(row, 'EventTime');
  if (body.kind !== 'process_start') return reported;
  return body.process.startedAt ?? reported;
}

/** DeviceId, ReportId and Timestamp together name a row; the backend export has an id of its own. */
function vendorId(row: JsonObject, device: string | undefined): { vendorId?: string | readonly string[] } {
  const guid = textOf(own(row, 'ReportGuid'));
  if (guid !== undefined) return { vendorId: guid };
  const report = textOf(own(row, 'ReportId'));
  const time = textOf(own(row, 'Timestamp')) ?? textOf(own(row, 'TimeGenerated'));
  const action = textOf(own(row, 'ActionType')) ?? '';
  return report === undefined || time === undefined ? {} : { vendorId: ['mde', device ?? '', report, time, action] };
}

function bodyOf(row: JsonObject, type: string): Body | undefined {
  if (type === 'ProcessCreated') return processStart(row);
  const file = FILES.get(type);
  if (file) return fileEvent(row, ...file);
  const isAggregate = type.endsWith('AggregatedReport');
  const connection = CONNECTIONS.get(isAggregate ? type.slice(0, -'AggregatedReport'.length) : type);
  if (connection) return connectionEvent(row, connection, isAggregate);
  if (type === 'DnsConnectionInspected' || type === 'DnsQueryResponse') return dnsQuery(row);
  if (type === 'ImageLoaded') return imageLoad(row);
  return type === 'DeviceNetworkInfo' ? hostAddress(row) : undefined;
}

function processStart(row: JsonObject): Body {
  const process = createdProcess(row);
  return process.entityKind === 'none' ? { reject: 'no process' } : { kind: 'process_start', process };
}

function fileEvent(row: JsonObject, kind: FileEvent['kind'], op: FileEvent['op']): Body {
  const path = imagePath(textOf(own(row, 'FolderPath')), textOf(own(row, 'FileName')));
  if (path === undefined) return { reject: 'no path' };
  return {
    kind,
    process: initiatingProcess(row),
    op,
    path,
    ...compact({
      oldPath: imagePath(textOf(own(row, 'PreviousFolderPath')), textOf(own(row, 'PreviousFileName'))),
      size: integerOf(own(row, 'FileSize')),
      origin: textOf(own(row, 'FileOriginUrl')),
    }),
  };
}

function connectionEvent(
  row: JsonObject,
  [direction, outcome]: readonly [Direction, Outcome],
  isAggregate: boolean,
): Body {
  const local = end(textOf(own(row, 'LocalIP')), portOf(own(row, 'LocalPort')));
  const remote = end(textOf(own(row, 'RemoteIP')), portOf(own(row, 'RemotePort')));
  const remoteName = hostOfUrl(textOf(own(row, 'RemoteUrl')));
  if (local.ip === '' && remote.ip === '' && remoteName === undefined) return { reject: 'no addresses' };
  return {
    kind: 'connection',
    process: initiatingProcess(row),
    direction,
    transport: transportOf(textOf(own(row, 'Protocol'))),
    ...(direction === 'ingress' ? { source: remote, destination: local } : { source: local, destination: remote }),
    outcome,
    ...compact({ remoteName, aggregate: isAggregate ? aggregateOf(row) : undefined }),
  };
}

/** Newer agents report once an hour what a process did many times (FEEDS 4). */
function aggregateOf(row: JsonObject): { until: number; count: number } {
  const fields = additional(row);
  const from = utcMicros(own(row, 'Timestamp') ?? own(row, 'TimeGenerated')) ?? 0;
  const last = fields && (own(fields, 'lastEventTime') ?? own(fields, 'LastSeen') ?? own(fields, 'lastSeen'));
  const count = fields && integerOf(own(fields, 'uniqueEventsAggregated') ?? own(fields, 'count'));
  const until = utcMicros(last) ?? from + AGGREGATE_MICROS;
  return { until: Math.max(from, until), count: Math.max(1, count ?? 1) };
}

/** `AdditionalFields` comes as an object, as JSON text, as `"[]"` or not at all. */
function additional(row: JsonObject): JsonObject | undefined {
  const value = own(row, 'AdditionalFields');
  if (isObject(value)) return value;
  const text = textOf(value);
  if (text?.trimStart().startsWith('{') !== true) return undefined;
  const parsed = parseJson(text);
  return parsed.ok && isObject(parsed.value) ? parsed.value : undefined;
}

function dnsQuery(row: JsonObject): Body {
  const fields = additional(row);
  const name = fields && textOf(own(fields, 'query') ?? own(fields, 'DnsQueryString'));
  return {
    kind: 'dns_query',
    process: initiatingProcess(row),
    name: name ?? hostOfUrl(textOf(own(row, 'RemoteUrl'))) ?? '',
    answers: fields ? answersOf(own(fields, 'answers') ?? own(fields, 'DnsQueryResult')) : [],
  };
}

/** A list, or a list as JSON text, of addresses or of objects that hold one. */
function answersOf(value: unknown): string[] {
  const text = typeof value === 'string' ? value : undefined;
  const parsed = text === undefined ? undefined : parseJson(text);
  const list = parsed?.ok === true ? parsed.value : value;
  if (!Array.isArray(list)) return [];
  return ipsOf(
    list.slice(0, MAX_HOST_IPS).map((entry: unknown) => {
      if (!isObject(entry)) return entry;
      return own(entry, 'Result') ?? own(entry, 'Address') ?? own(entry, 'IPAddress');
    }),
  );
}

function imageLoad(row: JsonObject): Body {
  const path = imagePath(textOf(own(row, 'FolderPath')), textOf(own(row, 'FileName')));
  return path === undefined
    ? { reject: 'no module path' }
    : { kind: 'image_load', process: initiatingProcess(row), path };
}

function hostAddress(row: JsonObject): Body {
  const addresses = own(row, 'IPAddresses');
  const text = typeof addresses === 'string' ? parseJson(addresses) : undefined;
  const list = text?.ok === true ? text.value : addresses;
  if (!Array.isArray(list)) return { reject: 'no addresses' };
  const ips = ipsOf(list.map((entry: unknown) => (isObject(entry) ? own(entry, 'IPAddress') : entry)));
  return ips.length === 0 ? { reject: 'no addresses' } : { kind: 'host_address', ips };
}

/** The host of a URL, or the text itself when it is only a host. */
export function hostOfUrl(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const authority = url.replace(/^[a-z][a-z0-9+.-]{0,15}:\/\//i, '').split(/[/?#]/, 1)[0] ?? '';
  const host = authority
    .slice(authority.lastIndexOf('@') + 1)
    .replace(/:\d{1,5}$/, '')
    .toLowerCase();
  return host === '' || host.length > 255 ? undefined : host;
}
