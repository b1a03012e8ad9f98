import type { FileEvent, ProcessRef } from '../../event/endpoint-event.ts';
import { end, transportOf } from '../connection-ends.ts';
import { hashesFrom, integerOf, pidOf, portOf, textOf, userOf } from '../field-values.ts';
import { ipList } from '../ip-text.ts';
import { at, isObject, type JsonObject, own } from '../json-object.ts';
import { compact, parentRef, processRef } from '../process-key.ts';
import { type Draft, type EventBody, hostRef, ignored, type Reading, rejected } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import type { Adapter } from './adapter.ts';

/** Most rows of one snapshot. */
const MAX_ROWS = 10_000;
/** Most addresses kept of one DNS answer. */
const MAX_ANSWERS = 256;

/** What one row of a table says, or undefined when it says nothing of use. */
type ReadRow = (row: JsonObject) => EventBody | undefined;

/**
 * Tables are told by their columns, not by the name of the query, which is the shop's own choice: a table is the first of which
 * a row has all the columns.
 */
const TABLES: readonly { readonly columns: readonly string[]; readonly read: ReadRow }[] = [
  { columns: ['type', 'pid', 'ppid', 'path', 'cmdline'], read: processEvent },
  { columns: ['pid', 'path', 'cmdline', 'parent', 'time'], read: processEvent },
  { columns: ['action', 'pid', 'remote_address', 'remote_port'], read: socketEvent },
  { columns: ['pid', 'remote_address', 'remote_port'], read: openSocket },
  { columns: ['name', 'response', 'pid'], read: dnsLookup },
  { columns: ['action', 'path', 'file_attributes'], read: journalEvent },
  { columns: ['action', 'target_path'], read: fileEvent },
  { columns: ['pid', 'parent', 'path', 'cmdline', 'start_time'], read: runningProcess },
];

/** osquery results: differential rows, batches of them, and snapshots (FEEDS 8). */
export const osquery: Adapter = {
  feed: 'osquery',
  claims: (record) =>
    typeof own(record, 'name') === 'string' &&
    (isObject(own(record, 'columns')) ||
      Array.isArray(own(record, 'snapshot')) ||
      isObject(own(record, 'diffResults'))),
  read(record): Reading {
    const rows = rowsOf(record);
    const type = queryName(record);
    // A row that is no longer in a table was not seen to end (and the log's time says nothing of when it did).
    if (own(record, 'action') === 'removed') return ignored('osquery', `${type} removed`);
    const logged = utcMicros(own(record, 'unixTime')) ?? utcMicros(own(record, 'calendarTime'));
    const drafts: Draft[] = [];
    for (const row of rows) {
      const draft = read(row, logged);
      if (draft) drafts.push(draft);
    }
    if (drafts.length === 0) return rows.length === 0 ? rejected('osquery', type, 'no rows') : ignored('osquery', type);
    const name = textOf(own(record, 'hostIdentifier')) ?? textOf(at(record, 'decorations.hostname'));
    return {
      kind: 'events',
      feed: 'osquery',
      type,
      host: hostRef(textOf(at(record, 'decorations.hostname')) ?? name, hostKey(name)),
      drafts,
    };
  },
};

/** A host identifier is a name or a UUID, as the shop set it. */
const hostKey = (identifier: string | undefined): string | undefined =>
  identifier !== undefined && /^[0-9a-f]{8}-/i.test(identifier) ? identifier : undefined;

const queryName = (record: JsonObject): string =>
  (textOf(own(record, 'name')) ?? 'query').replace(/^pack[_/]/, '').slice(0, 80);

function rowsOf(record: JsonObject): JsonObject[] {
  const columns = own(record, 'columns');
  if (isObject(columns)) return [columns];
  const list = own(record, 'snapshot') ?? at(record, 'diffResults.added');
  return Array.isArray(list) ? list.slice(0, MAX_ROWS).filter(isObject) : [];
}

function read(row: JsonObject, logged: number | undefined): Draft | undefined {
  const table = TABLES.find(({ columns }) => columns.every((column) => Object.hasOwn(row, column)));
  const body = table?.read(row);
  if (!body) return undefined;
  // Event tables carry the time of the event; unixTime is when the result was logged.
  const own_ = utcMicros(own(row, 'time')) ?? utcMicros(own(row, 'datetime')) ?? utcMicros(own(row, 'time_windows'));
  const startedAt = body.kind === 'process_start' ? body.process.startedAt : undefined;
  const exact = startedAt ?? own_;
  if (exact !== undefined)
    return {
      body,
      at: exact,
      clock: 'exact',
      ...(startedAt === undefined && body.kind === 'process_start' ? { startsProcess: true } : {}),
    };
  return logged === undefined ? undefined : { body, at: logged, clock: 'received' };
}

function processRow(row: JsonObject): ProcessRef {
  const start = utcMicros(own(row, 'start_time'));
  return processRef({
    pid: pidOf(own(row, 'pid')),
    startedAt: start,
    image: textOf(own(row, 'path')) ?? textOf(own(row, 'name')),
    commandLine: textOf(own(row, 'cmdline')),
    // Process events have it in quotes.
    currentDirectory: textOf(own(row, 'cwd'))?.replace(/^"(.*)"$/s, '$1'),
    hashes: hashesFrom({ md5: own(row, 'md5'), sha1: own(row, 'sha1'), sha256: own(row, 'sha256') }),
    user: userOf(own(row, 'username')),
    parent: parentRef({ pid: pidOf(own(row, 'ppid') ?? own(row, 'parent')), image: textOf(own(row, 'parent_path')) }),
  });
}

/** process_etw_events (Windows), process_events and es_process_events (POSIX). */
function processEvent(row: JsonObject): EventBody | undefined {
  const process = processRow(row);
  if (process.pid === undefined) return undefined;
  const type = textOf(own(row, 'type'))?.toLowerCase() ?? 'start';
  return type.includes('stop') || type.includes('exit')
    ? { kind: 'process_end', process }
    : { kind: 'process_start', process };
}

/** processes: polled, so only those that live longer than the interval, but with their start. */
function runningProcess(row: JsonObject): EventBody | undefined {
  const process = processRow(row);
  return process.entityKind === 'pid-start' ? { kind: 'process_start', process } : undefined;
}

function socketEvent(row: JsonObject): EventBody | undefined {
  const action = textOf(own(row, 'action'))?.toLowerCase() ?? '';
  if (action !== 'connect' && action !== 'accept') return undefined;
  return socket(row, action === 'accept' ? 'ingress' : 'egress');
}

/** process_open_sockets: polled. Who opened the connection is not told. */
function openSocket(row: JsonObject): EventBody | undefined {
  return socket(row, 'unknown');
}

function socket(row: JsonObject, direction: 'egress' | 'ingress' | 'unknown'): EventBody | undefined {
  const local = end(textOf(own(row, 'local_address')), portOf(own(row, 'local_port')));
  const remote = end(textOf(own(row, 'remote_address')), portOf(own(row, 'remote_port')));
  if (remote.ip === '' || remote.ip === '0.0.0.0' || remote.ip === '::' || remote.port === 0) return undefined;
  return {
    kind: 'connection',
    process: processRow(row),
    direction,
    transport: transportOf(textOf(own(row, 'protocol')) ?? '6'),
    ...(direction === 'ingress' ? { source: remote, destination: local } : { source: local, destination: remote }),
  };
}

function dnsLookup(row: JsonObject): EventBody | undefined {
  const name = textOf(own(row, 'name'));
  if (name === undefined) return undefined;
  const response = (textOf(own(row, 'response')) ?? '').replace(/type:\s*\d+\s+[^;]*;?/g, '');
  return { kind: 'dns_query', process: processRow(row), name, answers: ipList(response, MAX_ANSWERS) };
}

type FileKind = readonly [FileEvent['kind'], FileEvent['op']];
const FILE_ACTIONS: ReadonlyMap<string, FileKind> = new Map<string, FileKind>([
  ['created', ['file_write', 'create']],
  ['updated', ['file_write', 'modify']],
  ['moved_to', ['file_write', 'rename']],
  ['deleted', ['file_delete', 'delete']],
  ['filecreate', ['file_write', 'create']],
  ['filewrite', ['file_write', 'modify']],
  ['filerename_newname', ['file_write', 'rename']],
  ['filedelete', ['file_delete', 'delete']],
]);

/** ntfs_journal_events. */
function journalEvent(row: JsonObject): EventBody | undefined {
  return fileRow(row, own(row, 'path'));
}

/** file_events: the table does not know the process. */
function fileEvent(row: JsonObject): EventBody | undefined {
  return fileRow(row, own(row, 'target_path'));
}

function fileRow(row: JsonObject, target: unknown): EventBody | undefined {
  const found = FILE_ACTIONS.get(textOf(own(row, 'action'))?.toLowerCase() ?? '');
  const path = textOf(target);
  if (!found || path === undefined) return undefined;
  const [kind, op] = found;
  return {
    kind,
    op,
    path,
    process: processRef({}),
    ...compact({ oldPath: textOf(own(row, 'old_path')), size: integerOf(own(row, 'size')) }),
  };
}
