import type { ConnectionEvent, FileEvent, ProcessRef } from '../../event/endpoint-event.ts';
import { end, transportOf } from '../connection-ends.ts';
import {
  boolOf,
  hashesFrom,
  idOf,
  integerOf,
  integrityOf,
  logonIdOf,
  pidOf,
  portOf,
  signatureStatusOf,
  textOf,
  userFrom,
} from '../field-values.ts';
import { ipList } from '../ip-text.ts';
import { type JsonObject, own } from '../json-object.ts';
import { compact, parentRef, processRef } from '../process-key.ts';
import { type EventBody, hostRef, ignored, type Reading, rejected } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import type { Adapter } from './adapter.ts';

type Body = EventBody | { readonly reject: string };
type Read = (record: JsonObject) => Body;

/** Most addresses kept of one DNS answer. */
const MAX_ANSWERS = 256;

/** Sub-types of the schema's events, without their `ENUM.`. */
const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['PROCESS_START', processStart],
  ['PROCESS_STOP', (record) => ended(processAt(record, 'action_process'))],
  ['PROCESS_TERMINATE', (record) => ended(processAt(record, 'action_process'))],
  ['NETWORK_STREAM_CONNECT', (record) => connection(record, 'egress', 'ok')],
  ['NETWORK_STREAM_CONNECT_FAILED', (record) => connection(record, 'egress', 'failed')],
  ['NETWORK_STREAM_ACCEPT', (record) => connection(record, 'ingress', 'ok')],
  ['NETWORK_STREAM_DISCONNECT', (record) => closed(connection(record, 'unknown', 'ok'))],
  ['NETWORK_DNS_QUERY', dnsQuery],
  ['NETWORK_DNS_RESPONSE', dnsQuery],
  ['FILE_CREATE_NEW', (record) => file(record, 'file_write', 'create')],
  ['FILE_WRITE', (record) => file(record, 'file_write', 'modify')],
  ['FILE_RENAME', (record) => file(record, 'file_write', 'rename')],
  ['FILE_REMOVE', (record) => file(record, 'file_delete', 'delete')],
  ['FILE_OPEN', (record) => file(record, 'file_read', 'open')],
  ['LOAD_IMAGE_MODULE', moduleLoad],
]);

/** Cortex XDR's `xdr_data`, as queries and the event forwarder give it: `actor_…` did it, `action_…` is what was done. */
export const cortexXdr: Adapter = {
  feed: 'cortex-xdr',
  claims: (record) =>
    own(record, 'event_sub_type') !== undefined &&
    ['actor_process_image_name', 'actor_process_instance_id', 'agent_hostname', 'actor_process_image_path'].some(
      (name) => own(record, name) !== undefined,
    ),
  read(record): Reading {
    const feed = 'cortex-xdr';
    const type = (textOf(own(record, 'event_sub_type')) ?? 'record').replace(/^ENUM\./, '').slice(0, 80);
    const read = READERS.get(type.toUpperCase());
    if (!read) return ignored(feed, type);
    const at = utcMicros(own(record, 'event_timestamp')) ?? utcMicros(own(record, '_time'));
    if (at === undefined) return rejected(feed, type, 'no time');
    const body = read(record);
    if ('reject' in body) return rejected(feed, type, body.reject);
    const id = idOf(own(record, 'event_id'));
    return {
      kind: 'events',
      feed,
      type,
      host: hostRef(
        textOf(own(record, 'agent_hostname')) ?? textOf(own(record, 'host_name')),
        idOf(own(record, 'agent_id')),
        own(record, 'agent_ip_addresses'),
      ),
      drafts: [
        {
          body,
          at,
          clock: 'exact',
          ...(body.kind === 'process_start' && body.process.startedAt === undefined ? { startsProcess: true } : {}),
        },
      ],
      ...(id === undefined ? {} : { vendorId: id }),
    };
  },
};

/** The status of a signature that was checked; what is `N/A` or failed to be read says nothing. */
const STATUS = new Map([
  ['SIGNED', 'valid'],
  ['SIGNATURE_SIGNED', 'valid'],
  ['UNSIGNED', 'unsigned'],
  ['SIGNATURE_UNSIGNED', 'unsigned'],
  ['SIGNED_INVALID', 'invalid'],
  ['SIGNATURE_SIGNED_INVALID', 'invalid'],
  ['INVALID_CVE2020_0601', 'invalid'],
]);

function processAt(record: JsonObject, prefix: string): ProcessRef {
  const value = (name: string) => own(record, `${prefix}_${name}`);
  const isActor = prefix.startsWith('actor');
  const account = isActor
    ? (textOf(own(record, 'actor_effective_username')) ?? textOf(own(record, 'actor_primary_username')))
    : textOf(value('username'));
  return processRef({
    key: idOf(value('instance_id')),
    pid: pidOf(value('os_pid')),
    startedAt: utcMicros(value('instance_execution_time') ?? value('execution_time')),
    image: textOf(value('image_path')) ?? textOf(value('image_name')),
    commandLine: textOf(value('image_command_line')) ?? textOf(value('command_line')),
    hashes: hashesFrom({ md5: value('image_md5'), sha256: value('image_sha256') }),
    signer: textOf(value('signature_vendor')),
    signatureStatus: signatureStatusOf(STATUS.get(textOf(value('signature_status'))?.toUpperCase() ?? ''), undefined),
    user: userFrom(account, undefined, isActor ? own(record, 'actor_primary_user_sid') : value('user_sid')),
    logonId: logonIdOf(value('logon_id')),
    integrity: integrityOf(value('integrity_level')),
  });
}

const actor = (record: JsonObject): ProcessRef => processAt(record, 'actor_process');

const ended = (process: ProcessRef): Body =>
  process.entityKind === 'none' ? { reject: 'no process' } : { kind: 'process_end', process };

function processStart(record: JsonObject): Body {
  const process = processAt(record, 'action_process');
  if (process.entityKind === 'none') return { reject: 'no process' };
  const { entityId, entityKind, pid, image, commandLine } = actor(record);
  const parent = parentRef({ entityId: entityKind === 'vendor' ? entityId : undefined, pid, image, commandLine });
  return { kind: 'process_start', process: { ...process, ...compact({ parent }) } };
}

/** Local and remote; which of them opened it is told by the sub-type, or by who is the server. */
function connection(record: JsonObject, told: ConnectionEvent['direction'], outcome: 'ok' | 'failed'): Body {
  const endAt = (side: string) =>
    end(
      textOf(own(record, `action_${side}_ip`)) ?? textOf(own(record, `action_${side}_ip_v6`)),
      portOf(own(record, `action_${side}_port`)),
    );
  const [local, remote] = [endAt('local'), endAt('remote')];
  if (local.ip === '' && remote.ip === '') return { reject: 'no addresses' };
  const isServer = boolOf(own(record, 'action_network_is_server'));
  const direction = told === 'unknown' && isServer !== undefined ? (isServer ? 'ingress' : 'egress') : told;
  return {
    kind: 'connection',
    process: actor(record),
    direction,
    transport: transportOf(textOf(own(record, 'action_network_protocol'))?.replace(/^ENUM\./, '') ?? 'tcp'),
    ...(direction === 'ingress' ? { source: remote, destination: local } : { source: local, destination: remote }),
    outcome,
    ...compact({ remoteName: textOf(own(record, 'action_external_hostname')) }),
  };
}

const closed = (body: Body): Body => ('kind' in body && body.kind === 'connection' ? { ...body, phase: 'end' } : body);

function dnsQuery(record: JsonObject): Body {
  const name = textOf(own(record, 'dns_query_name')) ?? textOf(own(record, 'action_external_hostname'));
  if (name === undefined) return { reject: 'no name' };
  const list = own(record, 'dns_resolutions') ?? own(record, 'dns_reply_resolutions');
  const texts = Array.isArray(list)
    ? list.slice(0, MAX_ANSWERS).map((entry: unknown) => textOf(entry) ?? '')
    : [textOf(list) ?? ''];
  return { kind: 'dns_query', process: actor(record), name, answers: ipList(texts.join(';'), MAX_ANSWERS) };
}

function file(record: JsonObject, kind: FileEvent['kind'], op: FileEvent['op']): Body {
  const path = textOf(own(record, 'action_file_path'));
  if (path === undefined) return { reject: 'no path' };
  const oldPath = textOf(own(record, 'action_file_previous_file_path'));
  return {
    kind,
    process: actor(record),
    op,
    path,
    ...compact({ oldPath, size: integerOf(own(record, 'action_file_size')) }),
  };
}

function moduleLoad(record: JsonObject): Body {
  const path = textOf(own(record, 'action_module_path'));
  if (path === undefined) return { reject: 'no module path' };
  const signer = textOf(own(record, 'action_module_signature_vendor'));
  return { kind: 'image_load', process: actor(record), path, ...compact({ signer }) };
}
