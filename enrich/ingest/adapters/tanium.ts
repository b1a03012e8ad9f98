import type { ConnectionEvent, FileEvent, ProcessRef } from '../../event/endpoint-event.ts';
import { end, transportOf } from '../connection-ends.ts';
import { guidOf, hashesFrom, idOf, pidOf, portOf, textOf, userFrom } from '../field-values.ts';
import { ipList } from '../ip-text.ts';
import { isObject, type JsonObject, own } from '../json-object.ts';
import { compact, parentRef, processRef } from '../process-key.ts';
import {
  type Draft,
  type EventBody,
  hostRef,
  ignored,
  type Reading,
  type RecordContext,
  rejected,
} from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import type { Adapter } from './adapter.ts';

type Body = EventBody | { readonly reject: string } | { readonly ignore: true };

/** Names of the same thing: the event stream's first, then those of the recorder's tables, older releases last. */
const NAMES = {
  localIp: ['local_ip', 'local_address', 'source_addr'],
  localPort: ['local_port', 'local_address_port', 'source_port'],
  remoteIp: ['remote_ip', 'remote_address', 'destination_addr'],
  remotePort: ['remote_port', 'remote_address_port', 'destination_port'],
  path: ['full_path', 'file__full_path', 'path', 'file'],
  oldPath: ['src_full_path'],
  newPath: ['dst_full_path', 'dest_full_path'],
  query: ['query', 'dns_query'],
  response: ['response', 'dns_response'],
  module: ['image__full_path', 'image_path', 'file__full_path'],
} as const;

/** Most addresses kept of one DNS answer. */
const MAX_ANSWERS = 256;

type Field = (names: readonly string[]) => unknown;
type Actor = () => ProcessRef;

/** Events of the stream, and the tables of the recorder, to what they tell. */
const READERS: readonly (readonly [type: RegExp, read: (field: Field, actor: Actor, deed: string) => Body])[] = [
  [/^network/, connection],
  [/^dns/, dnsQuery],
  [/^file/, file],
  [/^image/, imageLoad],
];

/**
 * Tanium's recorder (Trace, Threat Response): its event stream through Connect (`{event: "process_start", tanium_computer_id, fields}`),
 * and rows of its tables as the API of Threat Response gives them, which name no host (their times are UTC).
 *
 * Sources: parsers `tanium-process-created-1`, `tanium-network-connection-successful`, `tanium-file-write-2`, `file_move` of
 * ExabeamLabs/Content-Doc and Content-Library-CIM2; `TaniumThreatResponse.py` and its test data in demisto/content.
 */
export const tanium: Adapter = {
  feed: 'tanium',
  claims: (record) => isStream(record) || isRow(record),
  read: (record, context): Reading | undefined => (isStream(record) ? readStream(record) : readRow(record, context)),
};

const isStream = (record: JsonObject): boolean =>
  own(record, 'tanium_computer_id') !== undefined &&
  typeof own(record, 'event') === 'string' &&
  isObject(own(record, 'fields'));

const isRow = (record: JsonObject): boolean =>
  own(record, 'process_table_id') !== undefined &&
  ['process_path', 'process_name'].some((name) => own(record, name) !== undefined);

const fieldIn =
  (values: JsonObject): Field =>
  (names) =>
    names.map((name) => own(values, name)).find((value) => textOf(value) !== undefined);

function readStream(record: JsonObject): Reading | undefined {
  const values = own(record, 'fields');
  if (!isObject(values)) return undefined;
  const type = (textOf(own(record, 'event')) ?? 'event').slice(0, 80);
  const body = type.startsWith('process_')
    ? processEvent(type.slice('process_'.length), values)
    : bodyOf(type, fieldIn(values), () => streamProcess(values, 'process__'));
  const host = hostRef(textOf(own(record, 'hostname')), idOf(own(record, 'tanium_computer_id')), own(record, 'host'));
  return reading(type, body, utcMicros(own(record, 'timestamp')), host);
}

function bodyOf(type: string, field: Field, actor: Actor, deed = type): Body {
  const read = READERS.find(([pattern]) => pattern.test(type))?.[1];
  return read ? read(field, actor, deed.toLowerCase()) : { ignore: true };
}

function reading(type: string, body: Body, time: number | undefined, host: ReturnType<typeof hostRef>): Reading {
  if ('ignore' in body) return ignored('tanium', type);
  if ('reject' in body) return rejected('tanium', type, body.reject);
  const started = body.kind === 'process_start' ? body.process.startedAt : undefined;
  const at = started ?? time;
  if (at === undefined) return rejected('tanium', type, 'no time');
  const startsProcess = body.kind === 'process_start' && started === undefined;
  const draft: Draft = { body, at, clock: 'exact', ...(startsProcess ? { startsProcess: true } : {}) };
  return { kind: 'events', feed: 'tanium', type, host, drafts: [draft] };
}

/** The process of an event; its own events name it without a prefix. */
function streamProcess(values: JsonObject, prefix: 'process__' | ''): ProcessRef {
  const field = (...names: readonly string[]) => fieldIn(values)(names);
  const isOwn = prefix === '';
  return processRef({
    key: guidOf(field(`${prefix}tanium_process_id`, 'tanium_process_id')),
    pid: pidOf(field(`${prefix}pid`, 'pid')),
    startedAt: utcMicros(field(`${prefix}create_time`)),
    image: textOf(field(`${prefix}file__full_path`)),
    commandLine: textOf(field(`${prefix}command_line`)),
    hashes: hashesFrom({ md5: field(`${prefix}file__md5`), sha256: field(`${prefix}file__sha256`) }),
    user: userFrom(field(`${prefix}user__name`, `${prefix}login__user_name`), field(`${prefix}user__group`), undefined),
    ...(isOwn
      ? {
          parent: parentRef({
            entityId: guidOf(field('tanium_parent_process_id')),
            pid: pidOf(field('parent_pid')),
            image: textOf(field('parent__file__full_path')),
            commandLine: textOf(field('parent__command_line')),
          }),
        }
      : {}),
  });
}

function processEvent(deed: string, values: JsonObject): Body {
  const process = streamProcess(values, '');
  if (process.entityKind === 'none') return { reject: 'no process' };
  if (deed === 'start' || deed === 'create') return { kind: 'process_start', process };
  return deed === 'end' || deed === 'stop' || deed === 'exit' ? { kind: 'process_end', process } : { ignore: true };
}

/** A row is of the table whose columns it has. */
function readRow(record: JsonObject, context: RecordContext): Reading {
  const field = fieldIn(record);
  const deed = textOf(own(record, 'operation')) ?? '';
  const host = hostRef(textOf(field(['hostname', 'computer_name'])) ?? context.host);
  const has = (names: readonly string[]) => field(names) !== undefined;
  const table = has(NAMES.remoteIp)
    ? 'network'
    : has(NAMES.query)
      ? 'dns'
      : has(['file'])
        ? 'file'
        : has(['create_time', 'create_time_raw'])
          ? 'process'
          : 'row';
  const time = utcMicros(field(['timestamp_raw', 'timestamp']));
  if (table !== 'process')
    return reading(
      table,
      bodyOf(table, field, () => rowProcess(record), deed),
      time,
      host,
    );
  return readProcessRow(record, host);
}

/** A process with its start and, once it is over, its end. */
function readProcessRow(record: JsonObject, host: ReturnType<typeof hostRef>): Reading {
  const process = rowProcess(record);
  const started = reading('process', { kind: 'process_start', process }, undefined, host);
  const ended = utcMicros(own(record, 'end_time_raw')) ?? utcMicros(own(record, 'end_time'));
  if (started.kind !== 'events' || ended === undefined) return started;
  const end_: Draft = { body: { kind: 'process_end', process }, at: ended, clock: 'exact' };
  return { ...started, drafts: [...started.drafts, end_] };
}

/** `<Pruned Process>` is what the recorder no longer has. */
const known = (value: unknown): string | undefined => {
  const text = textOf(value);
  return text?.startsWith('<') === true ? undefined : text;
};

function rowProcess(record: JsonObject): ProcessRef {
  const field = (...names: readonly string[]) => fieldIn(record)(names);
  const hash = field('process_hash', 'hash');
  return processRef({
    key: guidOf(field('process_table_id')),
    pid: pidOf(field('pid', 'process_id')),
    startedAt: utcMicros(field('create_time_raw')) ?? utcMicros(field('create_time')),
    image: known(field('process_path', 'process_name')),
    commandLine: known(field('process_command_line')),
    hashes: hashesFrom({ md5: hash, sha1: hash, sha256: hash }),
    user: userFrom(field('user_name', 'username'), field('group_name', 'domain'), field('sid')),
    parent: parentRef({
      entityId: guidOf(field('parent_process_table_id')),
      pid: pidOf(field('parent_pid')),
      image: known(field('parent_path')),
      commandLine: known(field('parent_command_line')),
    }),
  });
}

function connection(field: Field, actor: Actor, deed: string): Body {
  const local = end(textOf(field(NAMES.localIp)), portOf(field(NAMES.localPort)));
  const remote = end(textOf(field(NAMES.remoteIp)), portOf(field(NAMES.remotePort)));
  if (remote.ip === '') return { reject: 'no remote address' };
  const isEnd = deed.includes('disconnect') || deed.includes('close');
  const direction: ConnectionEvent['direction'] = isEnd
    ? 'unknown'
    : deed.includes('accept')
      ? 'ingress'
      : deed.includes('connect')
        ? 'egress'
        : 'unknown';
  return {
    kind: 'connection',
    process: actor(),
    direction,
    transport: transportOf(textOf(field(['protocol'])) ?? 'tcp'),
    ...(direction === 'ingress' ? { source: remote, destination: local } : { source: local, destination: remote }),
    ...(isEnd ? { phase: 'end' as const } : {}),
  };
}

const FILE_DEEDS: readonly (readonly [word: string, kind: FileEvent['kind'], op: FileEvent['op']])[] = [
  ['permission', 'file_read', 'permissions'],
  ['owner', 'file_read', 'permissions'],
  ['delete', 'file_delete', 'delete'],
  ['move', 'file_write', 'rename'],
  ['rename', 'file_write', 'rename'],
  ['create', 'file_write', 'create'],
  ['write', 'file_write', 'modify'],
  ['modif', 'file_write', 'modify'],
  ['open', 'file_read', 'open'],
  ['read', 'file_read', 'read'],
];

function file(field: Field, actor: Actor, deed: string): Body {
  const found = FILE_DEEDS.find(([word]) => deed.includes(word));
  if (!found) return { ignore: true };
  const [, kind, op] = found;
  const path = textOf(field(NAMES.newPath)) ?? textOf(field(NAMES.path));
  if (path === undefined) return { reject: 'no path' };
  return { kind, op, path, process: actor(), ...compact({ oldPath: textOf(field(NAMES.oldPath)) }) };
}

function dnsQuery(field: Field, actor: Actor): Body {
  const name = textOf(field(NAMES.query));
  if (name === undefined) return { reject: 'no name' };
  const response = (textOf(field(NAMES.response)) ?? '').replace(/type:\s*\d+\s+[^;]*;?/g, '');
  return { kind: 'dns_query', process: actor(), name, answers: ipList(response, MAX_ANSWERS) };
}

function imageLoad(field: Field, actor: Actor): Body {
  const path = textOf(field(NAMES.module));
  if (path === undefined) return { reject: 'no module path' };
  return {
    kind: 'image_load',
    process: actor(),
    path,
    ...compact({ signer: textOf(field(['signature', 'Signature'])) }),
  };
}
