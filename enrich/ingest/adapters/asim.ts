import type { ConnectionEvent, FileEvent, ProcessRef } from '../../event/endpoint-event.ts';
import { end, transportOf } from '../connection-ends.ts';
import { guidOf, hashesFrom, idOf, integerOf, integrityOf, pidOf, portOf, textOf, userOf } from '../field-values.ts';
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

/** `EventSchema/EventType`, without case. */
const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['processevent/processcreated', processStart],
  ['processevent/processterminated', processEnd],
  ['networksession/networksession', connection],
  ['networksession/endpointnetworksession', connection],
  ['fileevent/filecreated', (record) => file(record, 'file_write', 'create')],
  ['fileevent/filemodified', (record) => file(record, 'file_write', 'modify')],
  ['fileevent/filecreatedormodified', (record) => file(record, 'file_write', 'modify')],
  ['fileevent/filerenamed', (record) => file(record, 'file_write', 'rename')],
  ['fileevent/filedeleted', (record) => file(record, 'file_delete', 'delete')],
  ['fileevent/fileaccessed', (record) => file(record, 'file_read', 'open')],
  ['dns/query', dnsQuery],
]);

/** Microsoft Sentinel's normalised tables (ASIM): process, network session, file and DNS schemas, of whichever product. */
export const asim: Adapter = {
  feed: 'asim',
  claims: (record) => own(record, 'EventSchema') !== undefined && own(record, 'EventType') !== undefined,
  read(record): Reading {
    const feed = 'asim';
    const type = `${textOf(own(record, 'EventSchema')) ?? ''}/${textOf(own(record, 'EventType')) ?? ''}`.slice(0, 80);
    const read = READERS.get(type.toLowerCase());
    if (!read) return ignored(feed, type);
    const at = utcMicros(own(record, 'EventStartTime')) ?? utcMicros(own(record, 'TimeGenerated'));
    if (at === undefined) return rejected(feed, type, 'no time');
    const body = read(record);
    if ('reject' in body) return rejected(feed, type, body.reject);
    const id = idOf(own(record, 'EventOriginalUid'));
    return {
      kind: 'events',
      feed,
      type,
      host: hostRef(
        textOf(own(record, 'DvcHostname')) ?? textOf(own(record, 'DvcFQDN')) ?? textOf(own(record, 'Dvc')),
        undefined,
        own(record, 'DvcIpAddr'),
      ),
      drafts: [{ body, at, clock: 'log', ...(body.kind === 'process_start' ? { startsProcess: true } : {}) }],
      ...(id === undefined ? {} : { vendorId: [feed, type, id] }),
    };
  },
};

function processAt(record: JsonObject, prefix: string, user: unknown): ProcessRef {
  const value = (name: string) => own(record, `${prefix}${name}`);
  return processRef({
    key: guidOf(value('Guid')),
    pid: pidOf(value('Id')),
    image: textOf(value('Name')),
    originalName: textOf(value('FileOriginalName')),
    product: textOf(value('FileProduct')),
    company: textOf(value('FileCompany')),
    description: textOf(value('FileDescription')),
    commandLine: textOf(value('CommandLine')),
    currentDirectory: textOf(value('CurrentDirectory')),
    hashes: hashesFrom({ md5: value('MD5'), sha1: value('SHA1'), sha256: value('SHA256'), imphash: value('IMPHASH') }),
    integrity: integrityOf(value('IntegrityLevel')),
    user: userOf(user),
  });
}

const actor = (record: JsonObject): ProcessRef => processAt(record, 'ActingProcess', own(record, 'ActorUsername'));

function processStart(record: JsonObject): Body {
  const user = textOf(own(record, 'TargetUsername')) ?? own(record, 'ActorUsername');
  const process = processAt(record, 'TargetProcess', user);
  if (process.entityKind === 'none') return { reject: 'no process' };
  const { entityId, entityKind, pid, image, commandLine } = actor(record);
  const parent = parentRef({ entityId: entityKind === 'vendor' ? entityId : undefined, pid, image, commandLine });
  return { kind: 'process_start', process: { ...process, ...compact({ parent }) } };
}

function processEnd(record: JsonObject): Body {
  const process = processAt(record, 'TargetProcess', own(record, 'ActorUsername'));
  return process.entityKind === 'none' ? { reject: 'no process' } : { kind: 'process_end', process };
}

/** Source is who initiated; the process is the one of the end that is this device. */
function connection(record: JsonObject): Body {
  const endAt = (side: string) => end(textOf(own(record, `${side}IpAddr`)), portOf(own(record, `${side}PortNumber`)));
  const [source, destination] = [endAt('Src'), endAt('Dst')];
  if (source.ip === '' && destination.ip === '') return { reject: 'no addresses' };
  const word = textOf(own(record, 'NetworkDirection'))?.toLowerCase();
  const direction: ConnectionEvent['direction'] =
    word === 'outbound' ? 'egress' : word === 'inbound' ? 'ingress' : 'unknown';
  const side = direction === 'ingress' ? 'Dst' : 'Src';
  return {
    kind: 'connection',
    process: processAt(record, `${side}Process`, own(record, `${side}Username`)),
    direction,
    transport: transportOf(textOf(own(record, 'NetworkProtocol'))),
    source,
    destination,
    outcome: textOf(own(record, 'EventResult')) === 'Failure' ? 'failed' : 'ok',
  };
}

function file(record: JsonObject, kind: FileEvent['kind'], op: FileEvent['op']): Body {
  const path = textOf(own(record, 'TargetFilePath')) ?? textOf(own(record, 'TargetFileName'));
  if (path === undefined) return { reject: 'no path' };
  const oldPath = op === 'rename' ? textOf(own(record, 'SrcFilePath')) : undefined;
  return {
    kind,
    process: actor(record),
    op,
    path,
    ...compact({ oldPath, size: integerOf(own(record, 'TargetFileSize')) }),
  };
}

function dnsQuery(record: JsonObject): Body {
  const name = textOf(own(record, 'DnsQuery'));
  if (name === undefined) return { reject: 'no name' };
  const response = (textOf(own(record, 'DnsResponseName')) ?? '').replace(/type:\s{0,8}\d{1,5}\s{1,8}[^;]*;?/g, '');
  return {
    kind: 'dns_query',
    process: processAt(record, 'SrcProcess', own(record, 'SrcUsername')),
    name,
    answers: ipList(response, MAX_ANSWERS),
  };
}
