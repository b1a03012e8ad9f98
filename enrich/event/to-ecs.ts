import { formatMicros } from '../../sensor/base/timestamp.ts';
import type {
  EndpointEvent,
  FileEvent,
  HostRef,
  ParentRef,
  ProcessRef,
  SignatureStatus,
  UserRef,
} from './endpoint-event.ts';

/** A JSON object in Elastic Common Schema names; keys are ours, values are data. */
export interface EcsDocument {
  readonly [field: string]: EcsValue | undefined;
}
export type EcsValue = string | number | boolean | readonly string[] | EcsDocument;

/** One endpoint event in ECS, as `waybill normalize` prints it. `event.action` is the kind of the event. */
export function endpointEventToEcs(event: EndpointEvent): EcsDocument {
  const user = 'process' in event ? event.process.user : undefined;
  return {
    '@timestamp': formatMicros(event.at),
    event: { id: event.id, action: actionOf(event), kind: 'event', ...outcomeOf(event) },
    host: hostOf(event.host),
    ...(user === undefined ? {} : { user: userOf(user) }),
    ...('process' in event ? { process: processOf(event.process) } : {}),
    ...partOf(event),
    waybill: waybillOf(event),
  };
}

/**
 * The kind of the event, except where counting it as that would mislead: a stream beside a file is no write of the file, a
 * change of permissions no read, and the end of a connection no further connection.
 */
function actionOf(event: EndpointEvent): string {
  if (event.kind === 'connection' && event.phase === 'end') return 'connection_end';
  if (event.kind === 'file_write' && event.op === 'stream') return 'file_stream';
  if (event.kind === 'file_read' && event.op === 'permissions') return 'file_permissions';
  return event.kind;
}

function outcomeOf(event: EndpointEvent): EcsDocument {
  if (event.kind !== 'connection' || event.outcome === undefined || event.outcome === 'attempt') return {};
  return { outcome: event.outcome === 'ok' ? 'success' : 'failure' };
}

function hostOf(host: HostRef): EcsDocument {
  return { id: host.id, name: host.name, ip: host.ips };
}

function userOf(user: UserRef): EcsDocument {
  return { name: user.name, domain: user.domain, id: user.id };
}

function processOf(process: ProcessRef): EcsDocument {
  return {
    entity_id: process.entityKind === 'none' ? undefined : process.entityId,
    pid: process.pid,
    start: process.startedAt === undefined ? undefined : formatMicros(process.startedAt),
    executable: process.image,
    name: process.image === undefined ? undefined : fileName(process.image),
    command_line: process.commandLine,
    working_directory: process.currentDirectory,
    hash: process.hashes && { md5: process.hashes.md5, sha1: process.hashes.sha1, sha256: process.hashes.sha256 },
    code_signature: signatureOf(process.signer, process.signatureStatus),
    pe: peOf(process),
    parent: process.parent && parentOf(process.parent),
    Ext: extensionOf(process),
  };
}

function peOf(process: ProcessRef): EcsDocument | undefined {
  const pe = {
    original_file_name: process.originalName,
    product: process.product,
    company: process.company,
    description: process.description,
    imphash: process.hashes?.imphash,
  };
  return Object.values(pe).some((value) => value !== undefined) ? pe : undefined;
}

function parentOf(parent: ParentRef): EcsDocument {
  return {
    entity_id: parent.entityId,
    pid: parent.pid,
    executable: parent.image,
    name: parent.image === undefined ? undefined : fileName(parent.image),
    command_line: parent.commandLine,
  };
}

function extensionOf(process: ProcessRef): EcsDocument | undefined {
  if (process.logonId === undefined && process.integrity === undefined) return undefined;
  return {
    authentication_id: process.logonId,
    token: process.integrity === undefined ? undefined : { integrity_level_name: process.integrity },
  };
}

function signatureOf(signer: string | undefined, status: SignatureStatus | undefined): EcsDocument | undefined {
  if (signer === undefined && status === undefined) return undefined;
  return {
    subject_name: signer,
    exists: status === undefined || status === 'unknown' ? undefined : status !== 'unsigned',
    valid: status === 'valid' ? true : status === 'invalid' ? false : undefined,
    status,
  };
}

/** The fields that only this kind of event has. */
function partOf(event: EndpointEvent): EcsDocument {
  switch (event.kind) {
    case 'connection':
      return {
        source: { ip: event.source.ip || undefined, port: event.source.port || undefined, bytes: event.bytes?.sent },
        destination: {
          ip: event.destination.ip || undefined,
          port: event.destination.port || undefined,
          domain: event.remoteName,
          bytes: event.bytes?.received,
        },
        network: {
          transport: event.transport === 'other' ? undefined : event.transport,
          direction: event.direction === 'unknown' ? undefined : event.direction,
        },
      };
    case 'file_write':
    case 'file_read':
    case 'file_delete':
      return { file: fileOf(event) };
    case 'dns_query':
      return { dns: { question: { name: event.name || undefined }, resolved_ip: event.answers } };
    case 'image_load':
      return {
        dll: {
          path: event.path,
          name: fileName(event.path),
          code_signature: signatureOf(event.signer, event.signatureStatus),
        },
      };
    case 'host_address':
      return { host: { ...hostOf(event.host), ip: event.ips } };
    case 'feed_gap':
      return { message: event.reason };
    default:
      return {};
  }
}

function fileOf(event: FileEvent): EcsDocument {
  return {
    path: event.path,
    name: fileName(event.path),
    size: event.size,
    mime_type: event.mimeType,
    origin_url: event.origin,
    Ext:
      event.oldPath === undefined && event.entropy === undefined
        ? undefined
        : { original: { path: event.oldPath }, entropy: event.entropy },
  };
}

function waybillOf(event: EndpointEvent): EcsDocument {
  return {
    feed: event.feed,
    time_quality: event.timeQuality,
    entity_kind: 'process' in event ? event.process.entityKind : undefined,
    file_op: 'op' in event ? event.op : undefined,
    attempt: event.kind === 'connection' && event.outcome === 'attempt' ? true : undefined,
    aggregate:
      event.kind === 'connection' && event.aggregate
        ? { until: formatMicros(event.aggregate.until), count: event.aggregate.count }
        : undefined,
  };
}

const fileName = (path: string): string => path.slice(Math.max(path.lastIndexOf('\\'), path.lastIndexOf('/')) + 1);
