import type { ConnectionEvent, ProcessRef } from '../../event/endpoint-event.ts';
import { archiveTypeOfWord } from '../archive-magic.ts';
import { end, transportOf } from '../connection-ends.ts';
import {
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
import { ipList } from '../ip-text.ts';
import { type JsonObject, own } from '../json-object.ts';
import { compact, parentRef, processRef } from '../process-key.ts';
import { type Draft, type EventBody, hostRef, ignored, ipsOf, type Reading, rejected } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import type { Adapter } from './adapter.ts';

type Body = EventBody | { readonly reject: string };
type Read = (record: JsonObject) => Body;

/** Most addresses kept of one DNS answer. */
const MAX_ANSWERS = 256;

const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['ProcessRollup2', processStart],
  ['SyntheticProcessRollup2', processStart],
  ['EndOfProcess', (record) => ({ kind: 'process_end', process: startedProcess(record) })],
  ['NetworkConnectIP4', (record) => connection(record, 'IP4', 'attempt')],
  ['NetworkConnectIP6', (record) => connection(record, 'IP6', 'attempt')],
  ['NetworkReceiveAcceptIP4', (record) => connection(record, 'IP4', 'ok', '1')],
  ['NetworkReceiveAcceptIP6', (record) => connection(record, 'IP6', 'ok', '1')],
  ['NetworkCloseIP4', (record) => closed(connection(record, 'IP4', 'ok'))],
  ['NetworkCloseIP6', (record) => closed(connection(record, 'IP6', 'ok'))],
  ['DnsRequest', dnsQuery],
  ['SuspiciousDnsRequest', dnsQuery],
  ['FileRenameInfo', (record) => fileEvent(record, 'rename')],
  ['NewExecutableWritten', (record) => fileEvent(record, 'create')],
  ['NewScriptWritten', (record) => fileEvent(record, 'create')],
  ['NewExecutableRenamed', (record) => fileEvent(record, 'rename')],
  ['ExecutableDeleted', deleted],
  ['FileDeleteInfo', deleted],
  ['FileDeleted', deleted],
  ['ClassifiedModuleLoad', moduleLoad],
  ['LocalIpAddressIP4', (record) => hostAddress(record, 'LocalAddressIP4')],
  ['LocalIpAddressIP6', (record) => hostAddress(record, 'LocalAddressIP6')],
  ['aidmaster', (record) => hostAddress(record, 'LocalAddressIP4')],
]);

/** `ZipFileWritten`, `SevenZipFileWritten`, `OoxmlFileWritten`…: the type is told from the content of the file (FEEDS 5). */
const TYPED_WRITE = /^([A-Za-z0-9]{2,24})FileWritten$/;
/** Counts of suppressed repeats say nothing of one file or process. */
const ENTROPY_WRITE = /^FileWrittenWithEntropyHigh/;

/** CrowdStrike Falcon Data Replicator: every value is text, the key of a process is `TargetProcessId`. */
export const crowdstrikeFdr: Adapter = {
  feed: 'crowdstrike-fdr',
  claims: (record) => nameOf(record) !== undefined,
  read(record): Reading | undefined {
    const type = nameOf(record);
    if (type === undefined) return undefined;
    const read = READERS.get(type) ?? writeReader(type);
    if (!read) return ignored('crowdstrike-fdr', type);
    const body = read(record);
    if ('reject' in body) return rejected('crowdstrike-fdr', type, body.reject);
    const time = timeOf(record, body);
    if (!time) return rejected('crowdstrike-fdr', type, 'no time');
    const id = idOf(field(record, 'id'));
    return {
      kind: 'events',
      feed: 'crowdstrike-fdr',
      type,
      host: hostRef(textOf(field(record, 'ComputerName')), idOf(field(record, 'aid'))),
      drafts: [{ body, ...time }],
      ...(id === undefined ? {} : { vendorId: id }),
    };
  },
};

/** A field under its name, or with the suffix that Splunk's extraction adds to numbers. */
const field = (record: JsonObject, name: string): unknown => own(record, name) ?? own(record, `${name}_decimal`);

function nameOf(record: JsonObject): string | undefined {
  const name = textOf(
    own(record, 'event_simpleName') ?? own(record, 'event_simplename') ?? own(record, '#event_simpleName'),
  );
  if (name !== undefined) return name.slice(0, 80);
  const isMaster =
    field(record, 'aid') !== undefined &&
    field(record, 'ComputerName') !== undefined &&
    field(record, 'AgentVersion') !== undefined;
  return isMaster ? 'aidmaster' : undefined;
}

function writeReader(type: string): Read | undefined {
  if (ENTROPY_WRITE.test(type)) return (record) => fileEvent(record, 'modify');
  const word = TYPED_WRITE.exec(type)?.[1] ?? (type.endsWith('ExtensionFileWritten') ? type : undefined);
  if (word === undefined) return undefined;
  const mimeType = archiveTypeOfWord(word.replace(/Extension$/, ''));
  return (record) => fileEvent(record, 'create', mimeType);
}

/** `ContextTimeStamp` is the host's clock; `timestamp` is when the sensor's cloud took it. A process tells its own start. */
function timeOf(record: JsonObject, body: EventBody): Pick<Draft, 'at' | 'clock'> | undefined {
  const time = (name: string) => utcMicros(field(record, name));
  const started = body.kind === 'process_start' ? body.process.startedAt : undefined;
  const ended = body.kind === 'process_end' ? time('ProcessEndTime') : undefined;
  const exact = started ?? ended ?? time('ContextTimeStamp');
  if (exact !== undefined) return { at: exact, clock: 'exact' };
  const cloud = time('timestamp') ?? time('_time') ?? time('Time');
  return cloud === undefined ? undefined : { at: cloud, clock: 'received' };
}

/** The process a start or end is about. */
function startedProcess(record: JsonObject): ProcessRef {
  const parent = textOf(field(record, 'ParentBaseFileName'));
  return processRef({
    key: idOf(field(record, 'TargetProcessId')),
    pid: pidOf(field(record, 'RawProcessId')),
    startedAt: utcMicros(field(record, 'ProcessStartTime')),
    image: textOf(field(record, 'ImageFileName')),
    originalName: textOf(field(record, 'OriginalFilename')) ?? textOf(field(record, 'OriginalFileName')),
    commandLine: textOf(field(record, 'CommandLine')),
    hashes: hashesFrom({
      md5: field(record, 'MD5HashData'),
      sha1: field(record, 'SHA1HashData'),
      sha256: field(record, 'SHA256HashData'),
    }),
    user: userFrom(field(record, 'UserName'), field(record, 'LogonDomain'), field(record, 'UserSid')),
    logonId: logonIdOf(field(record, 'AuthenticationId')),
    integrity: integrityOf(field(record, 'IntegrityLevel')),
    parent: parentRef({ entityId: idOf(field(record, 'ParentProcessId')), image: parent }),
  });
}

function processStart(record: JsonObject): Body {
  const process = startedProcess(record);
  return process.entityKind === 'none' ? { reject: 'no process' } : { kind: 'process_start', process };
}

/** The process that did it; a context id of 0 or none is a process the sensor did not report. */
function actor(record: JsonObject): ProcessRef {
  return processRef({
    key: idOf(field(record, 'ContextProcessId')),
    image: textOf(field(record, 'ContextImageFileName')) ?? textOf(field(record, 'ContextBaseFileName')),
    user: userFrom(field(record, 'UserName'), undefined, field(record, 'UserSid') ?? field(record, 'FileOperatorSid')),
  });
}

/** 0 out, 1 in, 2 neither. */
const DIRECTIONS = new Map<string, ConnectionEvent['direction']>([
  ['0', 'egress'],
  ['1', 'ingress'],
]);

function connection(record: JsonObject, family: 'IP4' | 'IP6', outcome: 'ok' | 'attempt', fixed?: string): Body {
  const local = end(textOf(field(record, `LocalAddress${family}`)), portOf(field(record, 'LocalPort')));
  const remote = end(textOf(field(record, `RemoteAddress${family}`)), portOf(field(record, 'RemotePort')));
  if (local.ip === '' && remote.ip === '') return { reject: 'no addresses' };
  const direction = DIRECTIONS.get(fixed ?? textOf(field(record, 'ConnectionDirection')) ?? '0') ?? 'unknown';
  return {
    kind: 'connection',
    process: actor(record),
    direction,
    transport: transportOf(textOf(field(record, 'Protocol'))),
    ...(direction === 'ingress' ? { source: remote, destination: local } : { source: local, destination: remote }),
    outcome,
  };
}

const closed = (body: Body): Body => ('kind' in body && body.kind === 'connection' ? { ...body, phase: 'end' } : body);

function dnsQuery(record: JsonObject): Body {
  const lists = ['IP4Records', 'IP6Records', 'FirstIP4Record', 'FirstIP6Record'].map(
    (name) => textOf(field(record, name)) ?? '',
  );
  return {
    kind: 'dns_query',
    process: actor(record),
    name: textOf(field(record, 'DomainName')) ?? '',
    answers: ipList(lists.join(';'), MAX_ANSWERS),
  };
}

function fileEvent(record: JsonObject, op: 'create' | 'modify' | 'rename', mimeType?: string): Body {
  const path = textOf(field(record, 'TargetFileName'));
  if (path === undefined) return { reject: 'no path' };
  return {
    kind: 'file_write',
    process: actor(record),
    op,
    path,
    ...compact({ oldPath: textOf(field(record, 'SourceFileName')), size: integerOf(field(record, 'Size')), mimeType }),
  };
}

function deleted(record: JsonObject): Body {
  const path = textOf(field(record, 'TargetFileName'));
  return path === undefined
    ? { reject: 'no path' }
    : { kind: 'file_delete', process: actor(record), op: 'delete', path };
}

/** A module came into the context process; `ImageFileName` is the module here, not the process. */
function moduleLoad(record: JsonObject): Body {
  const path = textOf(field(record, 'ImageFileName'));
  return path === undefined ? { reject: 'no module path' } : { kind: 'image_load', process: actor(record), path };
}

/** `aip` is the address the cloud saw, not the host's, and is left out. */
function hostAddress(record: JsonObject, name: string): Body {
  const ips = ipsOf(field(record, name));
  return ips.length === 0 ? { reject: 'no addresses' } : { kind: 'host_address', ips };
}
