import type { FileEvent, ProcessRef } from '../../event/endpoint-event.ts';
import { end, transportOf } from '../connection-ends.ts';
import { hashesFrom, idOf, integerOf, pidOf, portOf, textOf, userFrom } from '../field-values.ts';
import { at, isObject, type JsonObject, own } from '../json-object.ts';
import { compact, parentRef, processRef } from '../process-key.ts';
import { type Draft, hostRef, ignored, type Reading } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import type { Adapter } from './adapter.ts';

/** Most rows of one snapshot. */
const MAX_ROWS = 10_000;

/** Columns under their names today and in the first releases. */
const NAMES = {
  sophosPid: ['sophos_pid', 'sophosPID', 'SophosPID'],
  parent: ['parent_sophos_pid', 'parentSophosPID', 'sophos_parent_pid'],
  time: ['time', 'event_time'],
  processStart: ['process_start_time', 'processStartTime'],
  start: ['start_time', 'startTime'],
  end: ['end_time', 'endTime'],
  eventType: ['event_type', 'eventType'],
  path: ['path', 'pathname'],
  targetPath: ['target_path', 'targetPathname'],
  commandLine: ['cmd_line', 'cmdline', 'cmdLine'],
  processName: ['process_name', 'processName', 'name'],
  fileSize: ['file_size', 'fileSize', 'filesize', 'size'],
  source: ['source'],
  sourcePort: ['source_port', 'sourcePort'],
  destination: ['destination'],
  destinationPort: ['destination_port', 'destinationPort'],
  sent: ['data_sent', 'dataSent'],
  received: ['data_recv', 'dataRecv'],
  protocol: ['protocol'],
  lookedUp: ['name'],
  subject: ['subject'],
  sha256: ['sha256'],
  username: ['username'],
  sid: ['sid'],
  host: ['meta_hostname', 'hostname', 'host_name', 'ep_name', 'endpoint_name'],
  hostId: ['meta_endpoint_id', 'endpoint_id', 'machine_id'],
  hostIp: ['meta_ip_address'],
} as const;

type Row = (name: keyof typeof NAMES) => unknown;

/**
 * Rows of Sophos' event journals (Live Discover, the Data Lake, XDR), bare or in osquery's wrapper. A journal is told by its
 * columns, since the query's name is the shop's own; `sophos_pid`, which only they have, is number and start of the process.
 *
 * Sources: Sophos osquery extension's schema (scribd.com/document/537411608); queries Network.01, Network.06 and File.09 of
 * SophosRapidResponse.
 */
export const sophos: Adapter = {
  feed: 'sophos',
  claims: (record) => {
    const row = rowsOf(record)[0];
    return row !== undefined && identityOf(rowOf(row)('sophosPid')) !== undefined;
  },
  read(record): Reading {
    // What left a result was not seen to end.
    if (own(record, 'action') === 'removed') return ignored('sophos', 'removed');
    const rows = rowsOf(record).map(rowOf);
    const drafts = rows.flatMap((row) => JOURNALS.find(({ has }) => has(row))?.read(row) ?? []);
    const type = (textOf(own(record, 'query_name')) ?? textOf(own(record, 'name')) ?? 'journal').slice(0, 80);
    if (drafts.length === 0) return ignored('sophos', type);
    const first = rows[0];
    const name =
      textOf(first?.('host')) ?? textOf(at(record, 'decorations.hostname')) ?? textOf(own(record, 'hostIdentifier'));
    return {
      kind: 'events',
      feed: 'sophos',
      type,
      host: hostRef(name, idOf(first?.('hostId')), first?.('hostIp')),
      drafts,
    };
  },
};

function rowsOf(record: JsonObject): JsonObject[] {
  const columns = own(record, 'columns');
  if (isObject(columns)) return [columns];
  const snapshot = own(record, 'snapshot');
  return Array.isArray(snapshot) ? snapshot.slice(0, MAX_ROWS).filter(isObject) : [record];
}

const rowOf =
  (values: JsonObject): Row =>
  (name) =>
    NAMES[name].map((column) => own(values, column)).find((value) => textOf(value) !== undefined);

interface Identity {
  readonly key: string;
  readonly pid: number | undefined;
  readonly startedAt: number | undefined;
}

/** `4660:133601616000000000`: the number and the start, a FILETIME. */
function identityOf(value: unknown): Identity | undefined {
  const text = textOf(value);
  const found = text === undefined ? null : /^(\d{1,10}):(\d{1,20})$/.exec(text);
  if (!found || text === undefined) return undefined;
  return { key: text, pid: pidOf(found[1]), startedAt: utcMicros(found[2]) };
}

const known = (row: Row, ...names: readonly (keyof typeof NAMES)[]): boolean =>
  names.every((name) => row(name) !== undefined);
const about = (row: Row, subject: RegExp): boolean => subject.test(textOf(row('subject')) ?? '');

/** The journals by their columns: a row is of the first that has it. */
const JOURNALS: readonly { readonly has: (row: Row) => boolean; readonly read: (row: Row) => Draft[] }[] = [
  { has: (row) => known(row, 'destination', 'destinationPort', 'source'), read: connection },
  { has: (row) => about(row, /^file/i), read: file },
  { has: (row) => known(row, 'path', 'parent'), read: running },
  { has: (row) => known(row, 'path', 'eventType', 'fileSize'), read: file },
  { has: (row) => known(row, 'path', 'commandLine'), read: running },
  { has: (row) => about(row, /^dns/i) || (known(row, 'lookedUp') && !known(row, 'path')), read: dnsLookup },
];

/** The process of a row. `path` and `sha256` are its own only where the row is about nothing else. */
function process(row: Row, isItsOwn: boolean): ProcessRef {
  const identity = identityOf(row('sophosPid'));
  const parent = identityOf(row('parent'));
  return processRef({
    key: identity?.key,
    pid: identity?.pid,
    startedAt: identity?.startedAt ?? utcMicros(row('processStart')),
    image: isItsOwn ? (textOf(row('path')) ?? textOf(row('processName'))) : textOf(row('processName')),
    commandLine: textOf(row('commandLine')),
    hashes: isItsOwn ? hashesFrom({ sha256: row('sha256') }) : undefined,
    user: userFrom(row('username'), undefined, row('sid')),
    parent: parent && parentRef({ entityId: parent.key, pid: parent.pid }),
  });
}

/** Who opened the connection is not told; a flow that is over has what it carried. */
function connection(row: Row): Draft[] {
  const source = end(textOf(row('source')), portOf(row('sourcePort')));
  const destination = end(textOf(row('destination')), portOf(row('destinationPort')));
  const opened = utcMicros(row('start')) ?? utcMicros(row('time'));
  if (destination.ip === '' || opened === undefined) return [];
  const body = {
    kind: 'connection' as const,
    process: process(row, false),
    direction: 'unknown' as const,
    transport: transportOf(textOf(row('protocol')) ?? 'tcp'),
    source,
    destination,
  };
  const drafts: Draft[] = [{ body, at: opened, clock: 'exact' }];
  const ended = utcMicros(row('end'));
  const [sent, received] = [integerOf(row('sent')), integerOf(row('received'))];
  if (ended === undefined) return drafts;
  const bytes = sent === undefined || received === undefined ? {} : { bytes: { sent, received } };
  return [...drafts, { body: { ...body, phase: 'end', ...bytes }, at: ended, clock: 'exact' }];
}

/** A process: started when its key says, and over if the row has an end. */
function running(row: Row): Draft[] {
  const found = process(row, true);
  if (found.startedAt === undefined) return [];
  const drafts: Draft[] = [{ body: { kind: 'process_start', process: found }, at: found.startedAt, clock: 'exact' }];
  const ended = utcMicros(row('end'));
  return ended === undefined
    ? drafts
    : [...drafts, { body: { kind: 'process_end', process: found }, at: ended, clock: 'exact' }];
}

type FileKind = readonly [FileEvent['kind'], FileEvent['op']];

/** Types of the file journal by number and, in queries that spell them out, by name. */
const FILE_TYPES: ReadonlyMap<string, FileKind> = new Map<string, FileKind>([
  ['0', ['file_write', 'create']],
  ['created', ['file_write', 'create']],
  ['1', ['file_write', 'rename']],
  ['renamed', ['file_write', 'rename']],
  ['2', ['file_delete', 'delete']],
  ['deleted', ['file_delete', 'delete']],
  ['3', ['file_write', 'modify']],
  ['modified', ['file_write', 'modify']],
  ['6', ['file_read', 'permissions']],
  ['permissionsmodified', ['file_read', 'permissions']],
  ['8', ['file_read', 'read']],
  ['accessed', ['file_read', 'read']],
]);

function file(row: Row): Draft[] {
  const found = FILE_TYPES.get(textOf(row('eventType'))?.toLowerCase() ?? '');
  const given = textOf(row('path'));
  const time = utcMicros(row('time'));
  if (!found || given === undefined || time === undefined) return [];
  const [kind, op] = found;
  const target = op === 'rename' ? textOf(row('targetPath')) : undefined;
  const body = {
    kind,
    op,
    path: target ?? given,
    process: process(row, false),
    ...compact({ oldPath: target === undefined ? undefined : given, size: integerOf(row('fileSize')) }),
  };
  return [{ body, at: time, clock: 'exact' }];
}

function dnsLookup(row: Row): Draft[] {
  const name = textOf(row('lookedUp'));
  const time = utcMicros(row('time'));
  if (name === undefined || time === undefined) return [];
  // `name` is what was looked up, not the process.
  const { image: _name, ...actor } = process(row, false);
  return [{ body: { kind: 'dns_query', process: actor, name, answers: [] }, at: time, clock: 'exact' }];
}
