import type { ConnectionEvent, FileEvent, ProcessRef, SignatureStatus } from '../../event/endpoint-event.ts';
import { archiveTypeOfFile } from '../archive-magic.ts';
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
  textOf,
  userFrom,
} from '../field-values.ts';
import { at, type JsonObject } from '../json-object.ts';
import { compact, parentRef, processRef } from '../process-key.ts';
import { type EventBody, hostRef, ignored, ipsOf, type Reading, rejected } from '../reading.ts';
import { readTime } from '../time-text.ts';
import type { Adapter } from './adapter.ts';

export type Body = EventBody | { readonly reject: string } | { readonly ignore: true };

/** Dataset suffix and action → how the record is read; what is not here is ignored by name. */
const READERS: ReadonlyMap<string, (record: JsonObject, time: number) => Body> = new Map([
  ['process start', processStart],
  ['process fork', processStart],
  ['process exec', processStart],
  ['process already_running', processStart],
  ['process end', (record: JsonObject) => ({ kind: 'process_end' as const, process: subject(record) })],
  ['network connection_attempted', (record: JsonObject) => connection(record, 'attempt', 'open')],
  ['network connection_accepted', (record: JsonObject) => connection(record, 'ok', 'open')],
  ['network disconnect_received', (record: JsonObject) => connection(record, 'ok', 'end')],
  // The request names process and name, the result the answers as well; either may be all that is kept.
  ['network lookup_requested', dnsQuery],
  ['network lookup_result', dnsQuery],
  ['dns lookup_requested', dnsQuery],
  ['dns lookup_result', dnsQuery],
  ['file creation', (record: JsonObject) => file(record, 'file_write', 'create')],
  ['file overwrite', (record: JsonObject) => file(record, 'file_write', 'modify')],
  ['file modification', (record: JsonObject) => file(record, 'file_write', 'modify')],
  ['file rename', (record: JsonObject) => file(record, 'file_write', 'rename')],
  ['file deletion', (record: JsonObject) => file(record, 'file_delete', 'delete')],
  ['file open', (record: JsonObject) => file(record, 'file_read', 'open')],
  ['library load', library],
]);

/** Elastic Defend documents: `endpoint.events.process|network|file|library` (FEEDS 3). */
export const elasticDefend: Adapter = {
  feed: 'elastic-defend',
  claims: (record) => textOf(at(record, 'event.module')) === 'endpoint' || datasetOf(record).startsWith('endpoint.'),
  read(record): Reading {
    const feed = 'elastic-defend';
    const dataset = datasetOf(record);
    const kind = dataset.startsWith('endpoint.events.') ? dataset.slice('endpoint.events.'.length) : categoryOf(record);
    const action = textOf(at(record, 'event.action'))?.toLowerCase() ?? '';
    const type = `${kind} ${action}`.trim();
    const stamp = readTime(textOf(at(record, '@timestamp')));
    const read = READERS.get(type);
    if (!read) return ignored(feed, type || dataset || 'record');
    if (!stamp) return rejected(feed, type, 'no time');
    const body = read(record, stamp.micros);
    if ('reject' in body) return rejected(feed, type, body.reject);
    if ('ignore' in body) return ignored(feed, type);
    const id = idOf(at(record, 'event.id'));
    return {
      kind: 'events',
      feed,
      type,
      host: hostRef(
        textOf(at(record, 'host.name')) ?? textOf(at(record, 'host.hostname')),
        idOf(at(record, 'agent.id')) ?? idOf(at(record, 'host.id')),
        at(record, 'host.ip'),
      ),
      drafts: [{ body, at: stamp.micros, clock: 'exact' }],
      ...(id === undefined ? {} : { vendorId: id }),
    };
  },
};

const datasetOf = (record: JsonObject): string =>
  textOf(at(record, 'event.dataset')) ?? textOf(at(record, 'data_stream.dataset')) ?? '';

const categoryOf = (record: JsonObject): string => textOf(at(record, 'event.category'))?.toLowerCase() ?? '';

export function subject(record: JsonObject): ProcessRef {
  const text = (path: string) => textOf(at(record, path));
  return processRef({
    key: idOf(at(record, 'process.entity_id')),
    pid: pidOf(at(record, 'process.pid')),
    image: text('process.executable') ?? text('process.name'),
    originalName: text('process.pe.original_file_name'),
    product: text('process.pe.product'),
    company: text('process.pe.company'),
    description: text('process.pe.description'),
    commandLine: text('process.command_line') ?? argumentsOf(record),
    currentDirectory: text('process.working_directory'),
    hashes: hashesFrom({
      md5: at(record, 'process.hash.md5'),
      sha1: at(record, 'process.hash.sha1'),
      sha256: at(record, 'process.hash.sha256'),
      imphash: at(record, 'process.pe.imphash'),
    }),
    ...signature(record, 'process'),
    user: userFrom(at(record, 'user.name'), at(record, 'user.domain'), at(record, 'user.id')),
    logonId: logonIdOf(at(record, 'process.Ext.authentication_id')),
    integrity: integrityOf(at(record, 'process.Ext.token.integrity_level_name')),
    parent: parentRef({
      entityId: idOf(at(record, 'process.parent.entity_id')),
      pid: pidOf(at(record, 'process.parent.pid')),
      image: text('process.parent.executable') ?? text('process.parent.name'),
      commandLine: text('process.parent.command_line'),
    }),
  });
}

/** Most arguments of a command line that has to be put together. */
const MAX_ARGUMENTS = 256;

/** The arguments as one line, for agents that send nothing else (Auditbeat). */
function argumentsOf(record: JsonObject): string | undefined {
  const list = at(record, 'process.args');
  if (!Array.isArray(list) || list.length === 0) return undefined;
  return textOf(
    list
      .slice(0, MAX_ARGUMENTS)
      .map((entry: unknown) => textOf(entry) ?? '')
      .join(' '),
  );
}

/** Signer and status. `trusted: false` alone is no tampering: an expired chain is reported so, too (FEEDS 3). */
function signature(record: JsonObject, of: 'process' | 'dll'): { signer?: string; signatureStatus?: SignatureStatus } {
  const exists = boolOf(at(record, `${of}.code_signature.exists`));
  const trusted = boolOf(at(record, `${of}.code_signature.trusted`));
  const status = textOf(at(record, `${of}.code_signature.status`))?.toLowerCase();
  const signer = textOf(at(record, `${of}.code_signature.subject_name`));
  if (exists === undefined && status === undefined && signer === undefined) return {};
  return compact({ signer, signatureStatus: statusOf(exists, trusted, status) });
}

function statusOf(
  exists: boolean | undefined,
  trusted: boolean | undefined,
  status: string | undefined,
): SignatureStatus {
  if (exists === false) return 'unsigned';
  if (trusted === true || status === 'trusted') return 'valid';
  return status !== undefined && BROKEN.has(status) ? 'invalid' : 'unknown';
}

const BROKEN = new Set(['errorbaddigest', 'errorrevoked', 'erroruntrustedroot', 'errorexplicitdistrust']);

export function processStart(record: JsonObject, time: number): Body {
  const process = subject(record);
  if (process.entityKind === 'none' && process.image === undefined) return { reject: 'no process' };
  // A process that was there before the agent is described, not started.
  const before = textOf(at(record, 'event.action')) === 'already_running';
  const startedAt = readTime(textOf(at(record, 'process.start')))?.micros ?? (before ? undefined : time);
  return { kind: 'process_start', process: { ...process, ...compact({ startedAt }) } };
}

export function connection(
  record: JsonObject,
  outcome: NonNullable<ConnectionEvent['outcome']>,
  phase: 'open' | 'end',
): Body {
  const source = end(textOf(at(record, 'source.ip')), portOf(at(record, 'source.port')));
  const destination = end(textOf(at(record, 'destination.ip')), portOf(at(record, 'destination.port')));
  if (source.ip === '' && destination.ip === '') return { reject: 'no addresses' };
  const direction = directionOf(record);
  const own = new Set(ipsOf(at(record, 'host.ip')));
  // Source is who initiated; should an agent write the local end there instead, the host's own addresses tell.
  const isTurned = direction === 'ingress' && own.has(source.ip) && !own.has(destination.ip);
  const sent = integerOf(at(record, 'source.bytes'));
  const received = integerOf(at(record, 'destination.bytes'));
  const bytes =
    sent === undefined || received === undefined
      ? undefined
      : isTurned
        ? { sent: received, received: sent }
        : { sent, received };
  return {
    kind: 'connection',
    process: subject(record),
    direction,
    transport: transportOf(textOf(at(record, 'network.transport'))),
    ...(isTurned ? { source: destination, destination: source } : { source, destination }),
    outcome,
    ...(phase === 'end' ? { phase } : {}),
    ...(phase === 'end' && bytes ? { bytes } : {}),
  };
}

function directionOf(record: JsonObject): ConnectionEvent['direction'] {
  const word = textOf(at(record, 'network.direction'))?.toLowerCase();
  if (word === 'egress' || word === 'outbound' || word === 'outgoing') return 'egress';
  if (word === 'ingress' || word === 'inbound' || word === 'incoming') return 'ingress';
  const action = textOf(at(record, 'event.action'));
  if (action === 'connection_attempted') return 'egress';
  return action === 'connection_accepted' ? 'ingress' : 'unknown';
}

export function dnsQuery(record: JsonObject): Body {
  return {
    kind: 'dns_query',
    process: subject(record),
    name: textOf(at(record, 'dns.question.name')) ?? '',
    answers: ipsOf(at(record, 'dns.resolved_ip')),
  };
}

export function file(record: JsonObject, kind: FileEvent['kind'], op: FileEvent['op']): Body {
  const path = textOf(at(record, 'file.path'));
  if (path === undefined) return { reject: 'no path' };
  const header = textOf(at(record, 'file.Ext.header_bytes'));
  const entropy = at(record, 'file.Ext.entropy');
  return {
    kind,
    process: subject(record),
    op,
    path,
    ...compact({
      oldPath: textOf(at(record, 'file.Ext.original.path')),
      size: integerOf(at(record, 'file.size')),
      mimeType: header === undefined ? undefined : archiveTypeOfFile(header, path),
      entropy: typeof entropy === 'number' && entropy >= 0 && entropy <= 8 ? entropy : undefined,
      origin: textOf(at(record, 'file.origin_url')) ?? textOf(at(record, 'file.Ext.windows.zone_identifier')),
    }),
  };
}

export function library(record: JsonObject): Body {
  const path = textOf(at(record, 'dll.path'));
  if (path === undefined) return { reject: 'no module path' };
  return { kind: 'image_load', process: subject(record), path, ...signature(record, 'dll') };
}
