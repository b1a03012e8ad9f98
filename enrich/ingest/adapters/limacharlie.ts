import type { FileEvent, ProcessRef } from '../../event/endpoint-event.ts';
import { end, transportOf } from '../connection-ends.ts';
import { boolOf, hashesFrom, idOf, pidOf, portOf, signatureStatusOf, textOf, userOf } from '../field-values.ts';
import { canonicalIp } from '../ip-text.ts';
import { isObject, type JsonObject, objectAt, own } from '../json-object.ts';
import { parentRef, processRef } from '../process-key.ts';
import { type Draft, type EventBody, hostRef, ignored, MAX_HOST_IPS, type Reading, rejected } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import type { Adapter } from './adapter.ts';

/** Most connections of one record. */
const MAX_CONNECTIONS = 1000;

const FILES: ReadonlyMap<string, readonly [FileEvent['kind'], FileEvent['op']]> = new Map<
  string,
  readonly [FileEvent['kind'], FileEvent['op']]
>([
  ['FILE_CREATE', ['file_write', 'create']],
  ['NEW_DOCUMENT', ['file_write', 'create']],
  ['FILE_MODIFIED', ['file_write', 'modify']],
  ['FILE_DELETE', ['file_delete', 'delete']],
  ['FILE_READ', ['file_read', 'read']],
]);

/** LimaCharlie's sensor: `{routing, event}`; atoms (`this`, `parent`) tie the events of a process (names: its event reference). */
export const limacharlie: Adapter = {
  feed: 'limacharlie',
  claims: (record) => {
    const routing = objectAt(record, 'routing');
    return routing !== undefined && own(routing, 'event_type') !== undefined && isObject(own(record, 'event'));
  },
  read(record): Reading | undefined {
    const routing = objectAt(record, 'routing');
    const event = objectAt(record, 'event');
    if (!routing || !event) return undefined;
    const type = textOf(own(routing, 'event_type'))?.slice(0, 80) ?? 'record';
    const at = utcMicros(own(routing, 'event_time')) ?? utcMicros(own(event, 'TIMESTAMP'));
    if (at === undefined) return rejected('limacharlie', type, 'no time');
    const drafts = draftsOf(type, event, routing, at);
    if (drafts === undefined) return ignored('limacharlie', type);
    if (drafts.length === 0) return rejected('limacharlie', type, 'no facts');
    const id = idOf(own(routing, 'event_id'));
    return {
      kind: 'events',
      feed: 'limacharlie',
      type,
      host: hostRef(textOf(own(routing, 'hostname')), idOf(own(routing, 'sid')), own(routing, 'int_ip')),
      drafts,
      ...(id === undefined ? {} : { vendorId: id }),
    };
  },
};

function draftsOf(type: string, event: JsonObject, routing: JsonObject, at: number): Draft[] | undefined {
  const once = (body: EventBody | undefined): Draft[] => (body ? [{ body, at, clock: 'exact' }] : []);
  const doer = () => processOf(event, own(routing, 'parent'));
  if (type === 'NEW_PROCESS' || type === 'EXISTING_PROCESS') return starts(event, routing, at);
  if (type === 'TERMINATE_PROCESS') return once(known({ kind: 'process_end', process: doer() }));
  if (type === 'NETWORK_CONNECTIONS') return connections(event, doer(), at);
  if (/^NEW_(?:TCP|UDP)[46]_CONNECTION$/.test(type)) return once(connection(event, doer(), type.slice(4, 8)));
  if (type === 'DNS_REQUEST') return once(dnsQuery(event, doer()));
  // The path in these is the file's, so the process is known by its atom and pid alone.
  const process = processRef({ key: idOf(own(routing, 'parent')), pid: pidOf(own(event, 'PROCESS_ID')) });
  const path = textOf(own(event, 'FILE_PATH'));
  const file = FILES.get(type);
  if (file) return once(path === undefined ? undefined : { kind: file[0], op: file[1], process, path });
  if (type === 'MODULE_LOAD') return once(path === undefined ? undefined : { kind: 'image_load', process, path });
  return undefined;
}

const known = (body: { kind: 'process_end'; process: ProcessRef }): EventBody | undefined =>
  body.process.entityKind === 'none' ? undefined : body;

function processOf(event: JsonObject, atom: unknown, parent?: ReturnType<typeof parentRef>): ProcessRef {
  const signed = boolOf(own(event, 'FILE_IS_SIGNED'));
  return processRef({
    key: idOf(atom),
    pid: pidOf(own(event, 'PROCESS_ID')),
    startedAt: utcMicros(own(event, 'CREATION_TIME')),
    image: textOf(own(event, 'FILE_PATH')),
    commandLine: textOf(own(event, 'COMMAND_LINE')),
    hashes: hashesFrom({ sha256: own(event, 'HASH') }),
    signatureStatus: signatureStatusOf(undefined, signed),
    user: userOf(own(event, 'USER_NAME')),
    parent: parent ?? parentRef({ pid: pidOf(own(event, 'PARENT_PROCESS_ID')) }),
  });
}

function starts(event: JsonObject, routing: JsonObject, at: number): Draft[] {
  const above = objectAt(event, 'PARENT');
  const parent = parentRef({
    entityId: idOf(own(routing, 'parent')),
    pid: pidOf(own(event, 'PARENT_PROCESS_ID') ?? (above && own(above, 'PROCESS_ID'))),
    image: above && textOf(own(above, 'FILE_PATH')),
    commandLine: above && textOf(own(above, 'COMMAND_LINE')),
  });
  const process = processOf(event, own(routing, 'this'), parent);
  if (process.entityKind === 'none') return [];
  const startedAt = process.startedAt;
  const body = { kind: 'process_start' as const, process };
  return [
    startedAt === undefined
      ? { body, at, clock: 'exact', startsProcess: true }
      : { body, at: startedAt, clock: 'exact' },
  ];
}

/** A summary of what a process has opened lately, each with its own time. */
function connections(event: JsonObject, process: ProcessRef, at: number): Draft[] {
  const list = own(event, 'NETWORK_ACTIVITY');
  if (!Array.isArray(list)) return [];
  const drafts: Draft[] = [];
  for (const entry of list.slice(0, MAX_CONNECTIONS) as unknown[]) {
    if (!isObject(entry)) continue;
    const body = connection(entry, process, textOf(own(entry, 'PROTOCOL')));
    if (body) drafts.push({ body, at: utcMicros(own(entry, 'TIMESTAMP')) ?? at, clock: 'exact' });
  }
  return drafts;
}

/** The source is who opened it, whichever end that is. */
function connection(entry: JsonObject, process: ProcessRef, protocol: string | undefined): EventBody | undefined {
  const endAt = (name: string) => {
    const object = objectAt(entry, name);
    return end(object && textOf(own(object, 'IP_ADDRESS')), portOf(object && own(object, 'PORT')));
  };
  const [source, destination] = [endAt('SOURCE'), endAt('DESTINATION')];
  if (source.ip === '' && destination.ip === '') return undefined;
  const outgoing = boolOf(own(entry, 'IS_OUTGOING'));
  return {
    kind: 'connection',
    process,
    direction: outgoing === undefined ? 'unknown' : outgoing ? 'egress' : 'ingress',
    transport: transportOf(protocol?.replace(/[46]$/, '')),
    source,
    destination,
  };
}

function dnsQuery(event: JsonObject, process: ProcessRef): EventBody | undefined {
  const name = textOf(own(event, 'DOMAIN_NAME'));
  if (name === undefined) return undefined;
  const list = own(event, 'IP_ADDRESS');
  const texts = Array.isArray(list) ? list.slice(0, MAX_HOST_IPS) : [list];
  const answers = texts.flatMap((entry: unknown) => canonicalIp(textOf(entry)) ?? []);
  return { kind: 'dns_query', process, name, answers };
}
