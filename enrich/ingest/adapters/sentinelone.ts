import type { ConnectionEvent, FileEvent, ProcessRef } from '../../event/endpoint-event.ts';
import { archiveTypeOfWord } from '../archive-magic.ts';
import { end, transportOf } from '../connection-ends.ts';
import {
  guidOf,
  hashesFrom,
  idOf,
  integerOf,
  integrityOf,
  pidOf,
  portOf,
  signatureStatusOf,
  textOf,
  userOf,
} from '../field-values.ts';
import { ipList } from '../ip-text.ts';
import { at, type JsonObject } from '../json-object.ts';
import { compact, type Loose, type ProcessFacts, parentRef, processRef } from '../process-key.ts';
import { type EventBody, hostRef, ignored, type Reading, rejected } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import type { Adapter } from './adapter.ts';
import { fromDeepVisibility, isDeepVisibility } from './deep-visibility.ts';

type Body = EventBody | { readonly reject: string };
type Read = (record: JsonObject, time: number) => Body;

/** Event types without case and blanks: `ProcessCreation`, `Process Creation` and `PROCESSCREATION` are one. */
const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['processcreation', processStart],
  ['processexit', (record) => ({ kind: 'process_end', process: processAt(record, 'src.process') })],
  ['processtermination', (record) => ({ kind: 'process_end', process: processAt(record, 'src.process') })],
  ['ipconnect', connection],
  ['tcpv4', connection],
  ['tcpv6', connection],
  ['filecreation', (record) => file(record, 'file_write', 'create')],
  ['filemodification', (record) => file(record, 'file_write', 'modify')],
  ['filerename', (record) => file(record, 'file_write', 'rename')],
  ['filedeletion', (record) => file(record, 'file_delete', 'delete')],
  ['dnsresolved', dnsQuery],
  ['dnsunresolved', dnsQuery],
  ['dns', dnsQuery],
  ['moduleload', moduleLoad],
]);

/** Most addresses kept of one DNS answer. */
const MAX_ANSWERS = 256;

/** SentinelOne Deep Visibility and Cloud Funnel 2: flat dotted names (FEEDS 6), and the first Deep Visibility's in camel case. `timestamp` has no date and is not read. */
export const sentinelone: Adapter = {
  feed: 'sentinelone',
  claims: (record) =>
    isDeepVisibility(record) ||
    (at(record, 'event.type') !== undefined &&
      (at(record, 'src.process.uid') ?? at(record, 'agent.uuid') ?? at(record, 'mgmt.url')) !== undefined),
  read(given): Reading {
    const record = isDeepVisibility(given) ? fromDeepVisibility(given) : given;
    const type = textOf(at(record, 'event.type'))?.slice(0, 80) ?? 'record';
    const read = READERS.get(type.replace(/[\s_]/g, '').toLowerCase());
    if (!read) return ignored('sentinelone', type);
    const time = utcMicros(at(record, 'event.time'));
    if (time === undefined) return rejected('sentinelone', type, 'no time');
    const body = read(record, time);
    if ('reject' in body) return rejected('sentinelone', type, body.reject);
    const id = idOf(at(record, 'event.id'));
    return {
      kind: 'events',
      feed: 'sentinelone',
      type,
      host: hostRef(textOf(at(record, 'endpoint.name')), idOf(at(record, 'agent.uuid'))),
      drafts: [{ body, at: time, clock: 'exact' }],
      ...(id === undefined ? {} : { vendorId: id }),
    };
  },
};

function facts(record: JsonObject, prefix: string): Loose<ProcessFacts> {
  const text = (name: string) => textOf(at(record, `${prefix}.${name}`));
  return {
    key: guidOf(text('uid')),
    pid: pidOf(text('pid')),
    startedAt: utcMicros(at(record, `${prefix}.startTime`)),
    image: text('image.path') ?? text('name'),
    description: text('displayName'),
    commandLine: text('cmdline'),
    hashes: hashesFrom({ md5: text('image.md5'), sha1: text('image.sha1'), sha256: text('image.sha256') }),
    signer: text('publisher'),
    signatureStatus: signatureStatusOf(statusWord(text('verifiedStatus'), text('signedStatus')), undefined),
    user: userOf(text('user')),
    integrity: integrityOf(text('integrityLevel')),
  };
}

/** `signed` says that there is a signature, `verified` that it holds. */
function statusWord(verified: string | undefined, signed: string | undefined): string | undefined {
  if (signed?.toLowerCase() === 'unsigned') return 'unsigned';
  return verified ?? signed;
}

function processAt(record: JsonObject, prefix: string): ProcessRef {
  const parent = facts(record, `${prefix}.parent`);
  return processRef({
    ...facts(record, prefix),
    parent: parentRef({ entityId: parent.key, pid: parent.pid, image: parent.image, commandLine: parent.commandLine }),
  });
}

/** The actor is the parent of what it created. */
function processStart(record: JsonObject, time: number): Body {
  const actor = facts(record, 'src.process');
  const target = facts(record, 'tgt.process');
  const process = processRef({
    ...target,
    startedAt: target.startedAt ?? time,
    parent: parentRef({ entityId: actor.key, pid: actor.pid, image: actor.image, commandLine: actor.commandLine }),
  });
  return process.entityKind === 'none' ? { reject: 'no process' } : { kind: 'process_start', process };
}

const DIRECTIONS = new Map<string, ConnectionEvent['direction']>([
  ['outgoing', 'egress'],
  ['outbound', 'egress'],
  ['incoming', 'ingress'],
  ['inbound', 'ingress'],
]);

function connection(record: JsonObject, time: number): Body {
  const source = end(textOf(at(record, 'src.ip.address')), portOf(at(record, 'src.port.number')));
  const destination = end(textOf(at(record, 'dst.ip.address')), portOf(at(record, 'dst.port.number')));
  if (source.ip === '' && destination.ip === '') return { reject: 'no addresses' };
  const status = textOf(at(record, 'event.network.connectionStatus'))?.toLowerCase();
  const count = integerOf(at(record, 'event.repetitionCount')) ?? 1;
  const meta = textOf(at(record, 'meta.event.name')) ?? textOf(at(record, 'event.type'));
  const protocol =
    textOf(at(record, 'event.network.protocol')) ?? (meta?.toLowerCase().startsWith('udp') === true ? 'udp' : 'tcp');
  return {
    kind: 'connection',
    process: processAt(record, 'src.process'),
    direction: DIRECTIONS.get(textOf(at(record, 'event.network.direction'))?.toLowerCase() ?? '') ?? 'unknown',
    transport: transportOf(protocol),
    source,
    destination,
    ...compact({
      outcome: status === 'success' ? ('ok' as const) : status === 'failure' ? ('failed' as const) : undefined,
      aggregate: count > 1 ? { until: time, count } : undefined,
    }),
  };
}

function file(record: JsonObject, kind: FileEvent['kind'], op: FileEvent['op']): Body {
  const path = textOf(at(record, 'tgt.file.path'));
  if (path === undefined) return { reject: 'no path' };
  const type = textOf(at(record, 'tgt.file.type'));
  return {
    kind,
    process: processAt(record, 'src.process'),
    op,
    path,
    ...compact({
      oldPath: textOf(at(record, 'tgt.file.oldPath')),
      size: integerOf(at(record, 'tgt.file.size')),
      mimeType: type === undefined ? undefined : archiveTypeOfWord(type),
    }),
  };
}

/** Answers come as `type:  5 cname;1.2.3.4;`. */
function dnsQuery(record: JsonObject): Body {
  const response = (textOf(at(record, 'event.dns.response')) ?? '').replace(/type:\s*\d+\s+[^;]*;?/g, '');
  return {
    kind: 'dns_query',
    process: processAt(record, 'src.process'),
    name: textOf(at(record, 'event.dns.request')) ?? '',
    answers: ipList(response, MAX_ANSWERS),
  };
}

function moduleLoad(record: JsonObject): Body {
  const path = textOf(at(record, 'module.path')) ?? textOf(at(record, 'tgt.file.path'));
  return path === undefined
    ? { reject: 'no module path' }
    : { kind: 'image_load', process: processAt(record, 'src.process'), path };
}
