import type { ConnectionEvent, ProcessRef } from '../../event/endpoint-event.ts';
import { end, transportOf } from '../connection-ends.ts';
import { boolOf, guidOf, hashesFrom, idOf, pidOf, portOf, signatureStatusOf, textOf, userOf } from '../field-values.ts';
import { isObject, type JsonObject, own } from '../json-object.ts';
import { compact, parentRef, processRef } from '../process-key.ts';
import { type EventBody, hostRef, ignored, type Reading, rejected } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import type { Adapter } from './adapter.ts';
import { fileAction } from './carbon-black-files.ts';

type Body = EventBody | { readonly reject: string } | { readonly ignore: true };

/** Carbon Black Cloud's data forwarder and Carbon Black EDR's event forwarder name their types so. */
const TYPE = /^(?:endpoint|ingress)\.event\.([a-z_]{1,40})$/;

const READERS: ReadonlyMap<string, (record: JsonObject) => Body> = new Map<string, (record: JsonObject) => Body>([
  ['procstart', processStart],
  ['procend', processEnd],
  ['netconn', connection],
  ['netconn_proxy', connection],
  ['filemod', file],
  ['moduleload', moduleLoad],
]);

/**
 * Carbon Black: `endpoint.event.…` of the Cloud's data forwarder and `ingress.event.…` of EDR's event forwarder (names: the
 * forwarders' documentation and samples). The Cloud has `process_…` before the acting process' fields, EDR has none.
 */
export const carbonBlack: Adapter = {
  feed: 'carbon-black',
  claims: (record) =>
    TYPE.test(textOf(own(record, 'type')) ?? '') &&
    ['process_guid', 'device_id', 'sensor_id', 'cb_server'].some((name) => own(record, name) !== undefined),
  read(record): Reading | undefined {
    const feed = 'carbon-black';
    const type = TYPE.exec(textOf(own(record, 'type')) ?? '')?.[1];
    if (type === undefined) return undefined;
    const body = READERS.get(type)?.(record);
    if (body === undefined || 'ignore' in body) return ignored(feed, type);
    if ('reject' in body) return rejected(feed, type, body.reject);
    const at = utcMicros(own(record, 'device_timestamp')) ?? utcMicros(own(record, 'timestamp'));
    const cloud = utcMicros(own(record, 'create_time')) ?? utcMicros(own(record, 'backend_timestamp'));
    if (at === undefined && cloud === undefined) return rejected(feed, type, 'no time');
    const id = idOf(own(record, 'event_id'));
    return {
      kind: 'events',
      feed,
      type,
      host: hostRef(
        withoutDomain(textOf(own(record, 'device_name')) ?? textOf(own(record, 'computer_name'))),
        idOf(own(record, 'device_id')) ?? idOf(own(record, 'sensor_id')),
      ),
      drafts: [
        {
          body,
          at: at ?? cloud ?? 0,
          clock: at === undefined ? 'received' : 'exact',
          ...(body.kind === 'process_start' ? { startsProcess: true } : {}),
        },
      ],
      ...(id === undefined ? {} : { vendorId: id }),
    };
  },
};

const withoutDomain = (name: string | undefined): string | undefined => name?.slice(name.lastIndexOf('\\') + 1);

/** `[md5, sha256]` in either order. */
function hashList(list: unknown): ProcessRef['hashes'] {
  const values = Array.isArray(list) ? list.slice(0, 8).map((entry: unknown) => textOf(entry)) : [];
  const ofLength = (length: number) => values.find((value) => value?.length === length);
  return hashesFrom({ md5: ofLength(32), sha1: ofLength(40), sha256: ofLength(64) });
}

/** `[{name, state: "FILE_SIGNATURE_STATE_SIGNED | …"}]`. */
function signature(list: unknown) {
  const first = Array.isArray(list) ? (list[0] as unknown) : undefined;
  if (!isObject(first)) return {};
  const state = textOf(own(first, 'state')) ?? '';
  const word = state.includes('NOT_SIGNED') ? 'unsigned' : state.includes('VERIFIED') ? 'valid' : undefined;
  return { signer: textOf(own(first, 'name')), signatureStatus: signatureStatusOf(word, undefined) };
}

/** The process that did it. `md5` and `path` of EDR are of the process only where the event is about nothing else. */
function actor(record: JsonObject, isAboutProcess = false): ProcessRef {
  const text = (name: string) => textOf(own(record, name));
  const plain = (name: string) => (isAboutProcess ? own(record, name) : undefined);
  return processRef({
    key: guidOf(text('process_guid')),
    pid: pidOf(own(record, 'process_pid') ?? own(record, 'pid')),
    image: text('process_path') ?? textOf(plain('path')),
    commandLine: text('process_cmdline') ?? textOf(plain('command_line')),
    hashes: hashList(own(record, 'process_hash')) ?? hashesFrom({ md5: plain('md5'), sha256: plain('sha256') }),
    ...signature(own(record, 'process_publisher')),
    user: userOf(own(record, 'process_username') ?? own(record, 'username')),
    parent: parentRef({
      entityId: guidOf(text('parent_guid')),
      pid: pidOf(own(record, 'parent_pid')),
      image: text('parent_path'),
      commandLine: text('parent_cmdline'),
    }),
  });
}

/** The Cloud tells of a start in the name of the parent, with the new process under `childproc_…`. */
function processStart(record: JsonObject): Body {
  const doer = actor(record, true);
  const child = guidOf(own(record, 'childproc_guid'));
  const process =
    child === undefined
      ? doer
      : processRef({
          key: child,
          pid: pidOf(own(record, 'childproc_pid')),
          image: textOf(own(record, 'childproc_name')),
          commandLine: textOf(own(record, 'target_cmdline')) ?? textOf(own(record, 'childproc_cmdline')),
          hashes: hashList(own(record, 'childproc_hash')),
          ...signature(own(record, 'childproc_publisher')),
          user: userOf(own(record, 'childproc_username')),
          parent: parentRef({
            entityId: doer.entityKind === 'vendor' ? doer.entityId : undefined,
            pid: doer.pid,
            image: doer.image,
            commandLine: doer.commandLine,
          }),
        });
  return process.entityKind === 'none' ? { reject: 'no process' } : { kind: 'process_start', process };
}

function processEnd(record: JsonObject): Body {
  const process = actor(record, true);
  return process.entityKind === 'none' ? { reject: 'no process' } : { kind: 'process_end', process };
}

function connection(record: JsonObject): Body {
  const local = end(textOf(own(record, 'local_ip')), portOf(own(record, 'local_port')));
  const remote = end(
    textOf(own(record, 'remote_ip')) ?? textOf(own(record, 'ipv4')),
    portOf(own(record, 'remote_port') ?? own(record, 'port')),
  );
  if (remote.ip === '' || remote.ip === '0.0.0.0' || remote.ip === '::') return { reject: 'no remote address' };
  const direction = directionOf(record);
  const action = textOf(own(record, 'action')) ?? '';
  const remoteName = textOf(own(record, 'netconn_domain')) ?? textOf(own(record, 'domain'));
  const protocol = textOf(own(record, 'netconn_protocol')) ?? textOf(own(record, 'protocol'));
  return {
    kind: 'connection',
    process: actor(record),
    direction,
    transport: transportOf(protocol?.replace(/^PROTO_/i, '')),
    ...(direction === 'ingress' ? { source: remote, destination: local } : { source: local, destination: remote }),
    outcome: action.includes('FAILED') ? 'failed' : 'ok',
    ...(action.includes('CLOSE') ? { phase: 'end' as const } : {}),
    ...compact({ remoteName }),
  };
}

function directionOf(record: JsonObject): ConnectionEvent['direction'] {
  const inbound = boolOf(own(record, 'netconn_inbound'));
  if (inbound !== undefined) return inbound ? 'ingress' : 'egress';
  const word = textOf(own(record, 'direction'))?.toLowerCase();
  if (word === 'inbound') return 'ingress';
  return word === 'outbound' ? 'egress' : 'unknown';
}

function file(record: JsonObject): Body {
  const path = textOf(own(record, 'filemod_name')) ?? textOf(own(record, 'path'));
  if (path === undefined) return { reject: 'no path' };
  const found = fileAction(textOf(own(record, 'action')) ?? '');
  if (!found) return { ignore: true };
  const [kind, op] = found;
  return { kind, process: actor(record), op, path };
}

function moduleLoad(record: JsonObject): Body {
  const path = textOf(own(record, 'modload_name')) ?? textOf(own(record, 'path'));
  if (path === undefined) return { reject: 'no module path' };
  return { kind: 'image_load', process: actor(record), path, ...compact(signature(own(record, 'modload_publisher'))) };
}
