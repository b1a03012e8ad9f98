import type { ConnectionEvent, FileEvent, ProcessRef } from '../../event/endpoint-event.ts';
import { end, transportOf } from '../connection-ends.ts';
import {
  boolOf,
  guidOf,
  hashesFrom,
  idOf,
  integerOf,
  integrityOf,
  logonIdOf,
  pidOf,
  portOf,
  textOf,
  userFrom,
} from '../field-values.ts';
import { at, isObject, type JsonObject, objectAt, own } from '../json-object.ts';
import { compact, parentRef, processRef } from '../process-key.ts';
import { type EventBody, hostRef, ignored, ipsOf, MAX_HOST_IPS, type Reading, rejected } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import type { Adapter } from './adapter.ts';

type Body = EventBody | { readonly reject: string };
type Read = (record: JsonObject, time: number) => Body;

/** `class_uid/activity_id` → how the record is read; what is not here is ignored by number. */
const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['1007/1', processStart],
  ['1007/2', (record) => ({ kind: 'process_end', process: processOf(objectAt(record, 'process') ?? actor(record)) })],
  ['4001/1', (record) => connection(record, 'ok', 'open')],
  ['4001/6', (record) => connection(record, 'ok', 'open')],
  ['4001/4', (record) => connection(record, 'failed', 'open')],
  ['4001/5', (record) => connection(record, 'failed', 'open')],
  ['4001/2', (record) => connection(record, 'ok', 'end')],
  ['4001/3', (record) => connection(record, 'ok', 'end')],
  ['1001/1', (record) => file(record, 'file_write', 'create')],
  ['1001/2', (record) => file(record, 'file_read', 'read')],
  ['1001/3', (record) => file(record, 'file_write', 'modify')],
  ['1001/4', (record) => file(record, 'file_delete', 'delete')],
  ['1001/5', (record) => file(record, 'file_write', 'rename')],
  ['1001/14', (record) => file(record, 'file_read', 'open')],
  ['1005/1', moduleLoad],
  ['4003/1', dnsQuery],
  ['4003/2', dnsQuery],
  ['4003/6', dnsQuery],
]);

/** OCSF events of the system and network categories, from any producer (FEEDS 7). */
export const ocsf: Adapter = {
  feed: 'ocsf',
  claims: (record) => integerOf(own(record, 'class_uid')) !== undefined,
  read(record): Reading {
    const type = `${integerOf(own(record, 'class_uid')) ?? 0}/${integerOf(own(record, 'activity_id')) ?? 0}`;
    const read = READERS.get(type);
    if (!read) return ignored('ocsf', type);
    const time = utcMicros(own(record, 'time')) ?? utcMicros(own(record, 'time_dt'));
    if (time === undefined) return rejected('ocsf', type, 'no time');
    const body = read(record, time);
    if ('reject' in body) return rejected('ocsf', type, body.reject);
    const id = idOf(at(record, 'metadata.uid'));
    return {
      kind: 'events',
      feed: 'ocsf',
      type,
      host: deviceOf(record),
      drafts: [
        {
          body,
          at: time,
          // Producers that map Sysmon put its UtcTime here, which is not to be trusted for connections and DNS (FEEDS 11.2).
          clock: type.startsWith('400') ? 'log' : 'exact',
          ...(body.kind === 'process_start' && body.process.startedAt === undefined ? { startsProcess: true } : {}),
        },
      ],
      ...(id === undefined ? {} : { vendorId: id }),
    };
  },
};

function deviceOf(record: JsonObject) {
  const list = at(record, 'device.ip_addresses') ?? at(record, 'device.ip');
  return hostRef(
    textOf(at(record, 'device.hostname')) ?? textOf(at(record, 'device.name')),
    idOf(at(record, 'device.uid')),
    list,
  );
}

const actor = (record: JsonObject): JsonObject => objectAt(record, 'actor.process') ?? {};

/** A process object; `user` and `session` of the actor stand outside of it. */
function processOf(process: JsonObject, outer?: JsonObject, parent?: JsonObject): ProcessRef {
  const text = (path: string) => textOf(at(process, path));
  const user = objectAt(process, 'user') ?? (outer && objectAt(outer, 'user'));
  const above = parent ?? objectAt(process, 'parent_process');
  return processRef({
    key: guidOf(text('uid')),
    pid: pidOf(text('pid')),
    startedAt: utcMicros(at(process, 'created_time')) ?? utcMicros(at(process, 'created_time_dt')),
    image: text('file.path') ?? text('path') ?? text('file.name') ?? text('name'),
    originalName: text('file.internal_name') ?? text('file.original_name'),
    product: text('file.product.name'),
    company: text('file.company_name'),
    description: text('file.desc'),
    commandLine: text('cmd_line'),
    currentDirectory: text('working_directory'),
    hashes: hashesIn(at(process, 'file.hashes') ?? at(process, 'file.fingerprints')),
    signer: text('file.signature.certificate.subject') ?? text('file.signature.developer_uid'),
    user: user && userFrom(own(user, 'name'), own(user, 'domain'), own(user, 'uid')),
    logonId: logonIdOf(text('session.uid')) ?? (outer && logonIdOf(at(outer, 'session.uid'))),
    integrity: integrityOf(text('integrity')),
    parent:
      above &&
      parentRef({
        entityId: guidOf(own(above, 'uid')),
        pid: pidOf(own(above, 'pid')),
        image: textOf(at(above, 'file.path')) ?? textOf(own(above, 'path')) ?? textOf(own(above, 'name')),
        commandLine: textOf(own(above, 'cmd_line')),
      }),
  });
}

/** `[{algorithm, value}]`, the algorithm by name or number. */
function hashesIn(list: unknown) {
  if (!Array.isArray(list)) return undefined;
  const byName = new Map<string, unknown>();
  for (const entry of list.slice(0, 16) as unknown[]) {
    if (!isObject(entry)) continue;
    const name = textOf(own(entry, 'algorithm'))?.replace('-', '').toLowerCase();
    if (name !== undefined) byName.set(name, own(entry, 'value'));
  }
  return hashesFrom({
    md5: byName.get('md5'),
    sha1: byName.get('sha1'),
    sha256: byName.get('sha256'),
    imphash: byName.get('imphash'),
  });
}

/** The actor launched the process, and is its parent unless the process names another. */
function processStart(record: JsonObject): Body {
  const launched = objectAt(record, 'process');
  if (!launched) return { reject: 'no process' };
  const parent = objectAt(launched, 'parent_process') ?? objectAt(record, 'actor.process');
  const process = processOf(launched, undefined, parent);
  if (process.entityKind === 'none' && process.image === undefined) return { reject: 'no process' };
  // Windows leaves the new process' user empty when it is the creator's.
  if (process.user?.name !== undefined) return { kind: 'process_start', process };
  const user = objectAt(record, 'actor.user');
  const creator = user && userFrom(own(user, 'name'), own(user, 'domain'), own(user, 'uid'));
  return { kind: 'process_start', process: { ...process, ...compact({ user: creator ?? process.user }) } };
}

const subject = (record: JsonObject): ProcessRef => processOf(actor(record), objectAt(record, 'actor'));

/** OCSF does not say which end is local; source is who initiated, unless the producer says it could not tell. */
function connection(record: JsonObject, outcome: 'ok' | 'failed', phase: 'open' | 'end'): Body {
  const source = end(textOf(at(record, 'src_endpoint.ip')), portOf(at(record, 'src_endpoint.port')));
  const destination = end(textOf(at(record, 'dst_endpoint.ip')), portOf(at(record, 'dst_endpoint.port')));
  if (source.ip === '' && destination.ip === '') return { reject: 'no addresses' };
  const sent = integerOf(at(record, 'traffic.bytes_out'));
  const received = integerOf(at(record, 'traffic.bytes_in'));
  return {
    kind: 'connection',
    process: subject(record),
    direction: boolOf(own(record, 'is_src_dst_assignment_known')) === false ? 'unknown' : directionOf(record),
    transport: transportOf(
      textOf(at(record, 'connection_info.protocol_name')) ?? textOf(at(record, 'connection_info.protocol_num')),
    ),
    source,
    destination,
    outcome,
    ...(phase === 'end' ? { phase } : {}),
    ...(phase === 'end' && sent !== undefined && received !== undefined ? { bytes: { sent, received } } : {}),
  };
}

function directionOf(record: JsonObject): ConnectionEvent['direction'] {
  const id = integerOf(at(record, 'connection_info.direction_id'));
  if (id === 1) return 'ingress';
  if (id === 2) return 'egress';
  const word = textOf(at(record, 'connection_info.direction'))?.toLowerCase();
  if (word === 'inbound') return 'ingress';
  return word === 'outbound' ? 'egress' : 'unknown';
}

function file(record: JsonObject, kind: FileEvent['kind'], op: FileEvent['op']): Body {
  const path = textOf(at(record, 'file.path')) ?? textOf(at(record, 'file.name'));
  if (path === undefined) return { reject: 'no path' };
  const result = op === 'rename' ? textOf(at(record, 'file_result.path')) : undefined;
  return {
    kind,
    process: subject(record),
    op,
    path: result ?? path,
    ...compact({
      oldPath: result === undefined ? undefined : path,
      size: integerOf(at(record, 'file.size')),
      mimeType: textOf(at(record, 'file.mime_type')),
    }),
  };
}

function moduleLoad(record: JsonObject): Body {
  const path = textOf(at(record, 'module.file.path')) ?? textOf(at(record, 'module.file.name'));
  return path === undefined ? { reject: 'no module path' } : { kind: 'image_load', process: subject(record), path };
}

function dnsQuery(record: JsonObject): Body {
  const answers = own(record, 'answers');
  const list = Array.isArray(answers) ? answers.slice(0, MAX_HOST_IPS) : [];
  return {
    kind: 'dns_query',
    process: subject(record),
    name: textOf(at(record, 'query.hostname')) ?? '',
    answers: ipsOf(list.map((entry: unknown) => (isObject(entry) ? own(entry, 'rdata') : entry))),
  };
}
