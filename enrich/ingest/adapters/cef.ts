import type { ConnectionEvent } from '../../event/endpoint-event.ts';
import { deviceAction } from '../cef/device-action.ts';
import { deviceField, LabelledFields } from '../cef/device-fields.ts';
import type { DeviceLine } from '../cef/device-line.ts';
import { deviceOfObject } from '../cef/device-object.ts';
import { falconProcess, processAt, type Side, sideWithProcess, startedProcess } from '../cef/device-process.ts';
import { deviceTime } from '../cef/device-time.ts';
import { windowsOfDevice } from '../cef/device-windows.ts';
import { end, transportOf } from '../connection-ends.ts';
import { idOf, integerOf, portOf } from '../field-values.ts';
import { joinedPath } from '../joined-path.ts';
import type { JsonObject } from '../json-object.ts';
import { processRef } from '../process-key.ts';
import { type EventBody, hostRef, ignored, type Reading, type RecordContext, rejected } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import { readWindows } from '../windows/read-windows.ts';
import type { Adapter } from './adapter.ts';
import { carbonBlack } from './carbon-black.ts';

/** CEF that a collector took apart: Sentinel's `CommonSecurityLog`, Filebeat's `cef`, Logstash's codec. */
export const cef: Adapter = {
  feed: 'cef',
  claims: (record) => deviceOfObject(record) !== undefined,
  read(record, context): Reading | undefined {
    const line = deviceOfObject(record);
    if (!line) return undefined;
    const windows = windowsOfDevice(line, context);
    return windows ? readWindows(windows, context) : readDevice(line, context);
  },
};

/**
 * What a line of CEF or LEEF says that is no Windows event. Products use the dictionary differently, so a line is an event only by
 * the fields that it has: a process with a connection, with a file that the line says was written, or with a word for its start
 * or end. Everything else, alerts above all, is counted under the product's own names.
 */
export function readDevice(line: DeviceLine, context: RecordContext): Reading {
  const original = carbonBlackObject(line);
  const reading = original && carbonBlack.claims(original) ? carbonBlack.read(original, context) : undefined;
  if (reading) return reading;

  const feed = line.format;
  const type = [line.vendor, line.product, line.eventClass].join(' ').trim().slice(0, 80);
  const isFalcon = line.vendor.toLowerCase() === 'crowdstrike';
  const body = isFalcon ? falconBody(line) : deviceBody(line);
  if (!body) return ignored(feed, type);
  const time = deviceTime(line, isFalcon ? ['rt', 'devTime'] : ['start', 'end', 'rt', 'devTime', 'TimeGenerated']);
  const at = started(body) ?? time?.micros;
  if (at === undefined) return rejected(feed, type, 'no time');
  const host = hostOf(line, isFalcon, context);
  const isLocal = started(body) === undefined && time?.zone === 'local';
  return {
    kind: 'events',
    feed,
    type,
    host,
    drafts: [
      {
        body,
        at,
        // Falcon's `rt` is when the detection was made, some time after what it is about.
        clock: isLocal ? 'local' : isFalcon && started(body) === undefined ? 'received' : 'log',
        ...(body.kind === 'process_start' && body.process.startedAt === undefined ? { startsProcess: true } : {}),
      },
    ],
    ...(isLocal ? { clockSource: { sender: context.sender ?? '', host: host.id, zoned: false } } : {}),
  };
}

const started = (body: EventBody): number | undefined =>
  body.kind === 'process_start' ? body.process.startedAt : undefined;

/** Keys that name the endpoint, by vendor; elsewhere it is the device that reports. Apex Central's `dvchost` is its server. */
const HOST_KEYS: readonly (readonly [vendor: RegExp, keys: readonly string[]])[] = [
  [/^crowdstrike$/i, ['dhost', 'shost', 'resource']],
  [/^trend ?micro$/i, ['TMCMLogDetectedHost', 'shost', 'dvchost']],
  [/^sentinelone$/i, ['sourceHostName', 'deviceHostName', 'dvchost']],
  [/^sophos$/i, ['dhost', 'shost', 'dvchost']],
];
const DEVICE_KEYS = ['dvchost', 'identHostName', 'resource', 'dvc'];

function hostOf(line: DeviceLine, isFalcon: boolean, context: RecordContext) {
  const keys = HOST_KEYS.find(([vendor]) => vendor.test(line.vendor))?.[1] ?? DEVICE_KEYS;
  const name = keys.map((name) => deviceField(line, name)).find((value) => value !== undefined);
  // The sensor's id, as in the data replicator.
  return hostRef(name ?? context.host, isFalcon ? idOf(deviceField(line, 'externalId')) : undefined);
}

/** Carbon Black EDR's forwarder writes the keys of its JSON as LEEF (`cmd/cb-event-forwarder/leef_encoder.go`); templates, as CEF. */
function carbonBlackObject(line: DeviceLine): JsonObject | undefined {
  if (!/^(?:ingress|endpoint)\.event\./.test(line.eventClass)) return undefined;
  const type = line.fields.get('type') ?? line.eventClass.replace(/\.process$/, '.procstart');
  return { ...Object.fromEntries(line.fields), type };
}

function deviceBody(line: DeviceLine): EventBody | undefined {
  const labels = new LabelledFields(line);
  const joined = connection(line, labels);
  if (joined) return joined;
  const action = deviceAction([
    line.eventClass,
    line.name,
    deviceField(line, 'act'),
    // Trend Micro's behaviour monitoring tells object and deed apart.
    labels.get('eventtype'),
    labels.get('operation'),
    deviceField(line, 'outcome'),
  ]);
  if (action?.on === 'file') return file(line, labels, action);
  if (action?.kind === 'process_start') return start(line, labels);
  const side = action === undefined ? undefined : sideWithProcess(line, ['destination', 'source', 'device']);
  return side === undefined ? undefined : { kind: 'process_end', process: processAt(line, labels, side) };
}

/** A started process; behaviour monitoring names it as the target of the process that started it. */
function start(line: DeviceLine, labels: LabelledFields): EventBody | undefined {
  const process = startedProcess(line, labels);
  const target = targetOf(line, labels);
  if (!process) return undefined;
  if (target === undefined || deviceField(line, 'dproc') !== undefined) return { kind: 'process_start', process };
  const { image } = process;
  return {
    kind: 'process_start',
    process: processRef({ image: target, user: process.user, ...(image === undefined ? {} : { parent: { image } }) }),
  };
}

/** What a process of Trend Micro's behaviour monitoring acted upon. */
const targetOf = (line: DeviceLine, labels: LabelledFields): string | undefined =>
  deviceField(line, 'TMCMLogTarget') ?? labels.get('target');

function file(
  line: DeviceLine,
  labels: LabelledFields,
  action: Pick<Extract<ReturnType<typeof deviceAction>, { on: 'file' }>, 'kind' | 'op'>,
): EventBody | undefined {
  const side = sideWithProcess(line, ['source', 'device', 'destination']);
  const path = joinedPath(deviceField(line, 'filePath'), deviceField(line, 'fname')) ?? targetOf(line, labels);
  if (side === undefined || path === undefined) return undefined;
  const size = integerOf(deviceField(line, 'fsize'));
  const oldPath = deviceField(line, 'oldFilePath');
  return {
    kind: action.kind,
    op: action.op,
    path,
    process: processAt(line, labels, side),
    ...(size === undefined ? {} : { size }),
    ...(oldPath === undefined || action.op !== 'rename' ? {} : { oldPath }),
  };
}

const DIRECTIONS: ReadonlyMap<string, ConnectionEvent['direction']> = new Map([
  ['0', 'ingress'],
  ['inbound', 'ingress'],
  ['1', 'egress'],
  ['outbound', 'egress'],
]);
const SIDES: Readonly<Record<ConnectionEvent['direction'], readonly Side[]>> = {
  egress: ['source', 'device', 'destination'],
  ingress: ['destination', 'device', 'source'],
  unknown: ['source', 'device', 'destination'],
};

/** Both ends and a process; a firewall's line names none. The dictionary's source is who opened the connection. */
function connection(line: DeviceLine, labels: LabelledFields): EventBody | undefined {
  const ends = endsOf(line);
  const direction = DIRECTIONS.get(deviceField(line, 'deviceDirection')?.toLowerCase() ?? '') ?? 'unknown';
  const side = sideWithProcess(line, SIDES[direction]);
  if (!ends || side === undefined) return undefined;
  return { kind: 'connection', process: processAt(line, labels, side), direction, ...ends };
}

function endsOf(line: DeviceLine): Pick<ConnectionEvent, 'source' | 'destination' | 'transport'> | undefined {
  const source = end(deviceField(line, 'src') ?? deviceField(line, 'c6a2'), portOf(deviceField(line, 'spt')));
  const destination = end(deviceField(line, 'dst') ?? deviceField(line, 'c6a3'), portOf(deviceField(line, 'dpt')));
  if (source.ip === '' || destination.ip === '' || destination.port === 0) return undefined;
  return { source, destination, transport: transportOf(deviceField(line, 'proto') ?? 'tcp') };
}

/** What the events inside a Falcon detection are about; the connector sends each in a line of its own. */
function falconBody(line: DeviceLine): EventBody | undefined {
  const labels = new LabelledFields(line);
  const type = `${line.eventClass} ${deviceField(line, 'cat') ?? ''}`;
  const process = falconProcess(line, labels);
  if (process.entityKind === 'none' && process.image === undefined) return undefined;
  if (/network ?access/i.test(type)) {
    const ends = endsOf(line);
    return ends && { kind: 'connection', process, direction: 'unknown', ...ends };
  }
  if (/dns ?request/i.test(type)) {
    const name = deviceField(line, 'domainName');
    return name === undefined ? undefined : { kind: 'dns_query', process, name, answers: [] };
  }
  if (/executables? ?written/i.test(type)) {
    const path = joinedPath(labels.get('writtenexefilepath'), labels.get('writtenexefilename'));
    return path === undefined ? undefined : { kind: 'file_write', op: 'create', path, process };
  }
  if (/documents? ?access/i.test(type)) {
    const path =
      joinedPath(labels.get('accesseddocfilepath'), labels.get('accesseddocfilename')) ??
      joinedPath(deviceField(line, 'docAccessedFilePath'), deviceField(line, 'docAccessedFileName'));
    return path === undefined ? undefined : { kind: 'file_read', op: 'read', path, process };
  }
  // A detection alone says that a process was there, not when it began.
  const startedAt = utcMicros(labels.get('processstarttime') ?? deviceField(line, 'processStartTime'));
  return startedAt === undefined || process.entityKind === 'none'
    ? undefined
    : { kind: 'process_start', process: { ...process, startedAt } };
}
