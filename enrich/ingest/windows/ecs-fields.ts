import { textOf } from '../field-values.ts';
import { at, isObject, type JsonObject, own } from '../json-object.ts';
import type { WindowsRecord } from './windows-record.ts';

type Place = string | ((record: JsonObject) => unknown);

/** Where Elastic's Sysmon pipeline puts an event's fields once it has emptied `winlog.event_data`. */
const SYSMON: ReadonlyMap<string, Place> = new Map<string, Place>([
  ['ProcessGuid', 'process.entity_id'],
  ['ProcessId', 'process.pid'],
  ['Image', 'process.executable'],
  ['CommandLine', 'process.command_line'],
  ['CurrentDirectory', 'process.working_directory'],
  ['OriginalFileName', 'process.pe.original_file_name'],
  ['Company', 'process.pe.company'],
  ['Description', 'process.pe.description'],
  ['Product', 'process.pe.product'],
  ['ParentProcessGuid', 'process.parent.entity_id'],
  ['ParentProcessId', 'process.parent.pid'],
  ['ParentImage', 'process.parent.executable'],
  ['ParentCommandLine', 'process.parent.command_line'],
  // `user.id` is the logging service's, so only the names are taken.
  ['User', (record) => domainUser(at(record, 'user.domain'), at(record, 'user.name'))],
  ['Protocol', 'network.transport'],
  ['Initiated', (record) => initiated(at(record, 'network.direction'))],
  ['SourceIp', 'source.ip'],
  ['SourcePort', 'source.port'],
  ['SourceHostname', 'source.domain'],
  ['DestinationIp', 'destination.ip'],
  ['DestinationPort', 'destination.port'],
  ['DestinationHostname', 'destination.domain'],
  ['TargetFilename', 'file.path'],
  ['ImageLoaded', (record) => at(record, 'dll.path') ?? at(record, 'file.path')],
  [
    'Signature',
    (record) => at(record, 'dll.code_signature.subject_name') ?? at(record, 'file.code_signature.subject_name'),
  ],
  ['SignatureStatus', (record) => at(record, 'dll.code_signature.status') ?? at(record, 'file.code_signature.status')],
  ['Signed', (record) => at(record, 'dll.code_signature.signed') ?? at(record, 'file.code_signature.signed')],
  ['Hashes', (record) => hashText(at(record, 'process.hash'), at(record, 'process.pe.imphash'))],
  ['QueryName', 'dns.question.name'],
  ['QueryStatus', 'sysmon.dns.status'],
  ['QueryResults', (record) => joined(at(record, 'dns.resolved_ip'))],
]);

const SECURITY_START: ReadonlyMap<string, Place> = new Map<string, Place>([
  ['NewProcessId', 'process.pid'],
  ['NewProcessName', 'process.executable'],
  ['CommandLine', 'process.command_line'],
  ['ProcessId', 'process.parent.pid'],
  ['ParentProcessName', 'process.parent.executable'],
]);

const SECURITY: ReadonlyMap<string, Place> = new Map<string, Place>([
  ['ProcessId', 'process.pid'],
  ['ProcessName', 'process.executable'],
  ['SourceAddress', 'source.ip'],
  ['SourcePort', 'source.port'],
  ['DestAddress', 'destination.ip'],
  ['DestPort', 'destination.port'],
  ['Protocol', (record) => at(record, 'network.iana_number') ?? at(record, 'network.transport')],
  ['Direction', 'network.direction'],
  ['Application', 'process.executable'],
]);

/** A Windows event field out of the ECS fields of the same document. */
export function ecsField(record: JsonObject, log: WindowsRecord['log'], eventId: number, name: string): unknown {
  const table =
    log === 'sysmon' ? SYSMON : log !== 'security' ? undefined : eventId === 4688 ? SECURITY_START : SECURITY;
  const place = table?.get(name);
  if (place === undefined) return undefined;
  return typeof place === 'string' ? at(record, place) : place(record);
}

function domainUser(domain: unknown, name: unknown): string | undefined {
  const user = textOf(name);
  const realm = textOf(domain);
  return user === undefined || realm === undefined ? user : `${realm}\\${user}`;
}

function initiated(direction: unknown): string | undefined {
  const word = textOf(direction)?.toLowerCase();
  if (word === 'egress' || word === 'outbound') return 'true';
  return word === 'ingress' || word === 'inbound' ? 'false' : undefined;
}

function hashText(hash: unknown, imphash: unknown): string | undefined {
  if (!isObject(hash)) return undefined;
  const parts = ['md5', 'sha1', 'sha256', 'imphash']
    .map((name) => [name, textOf(own(hash, name) ?? (name === 'imphash' ? imphash : undefined))] as const)
    .filter(([, value]) => value !== undefined);
  return parts.map(([name, value]) => `${name}=${value}`).join(',');
}

const joined = (list: unknown): string | undefined =>
  Array.isArray(list)
    ? list
        .slice(0, 256)
        .map((entry) => textOf(entry) ?? '')
        .join(';')
    : textOf(list);
