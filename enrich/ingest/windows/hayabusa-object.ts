import { integerOf, textOf } from '../field-values.ts';
import { isObject, type JsonObject, own } from '../json-object.ts';
import { assembleRecord, type Field, nestedField } from './assemble-record.ts';
import { localLogTime, utcLogTime, type WindowsRecord } from './windows-record.ts';

/** Most fields of one `Details` text. */
const MAX_PARTS = 256;

/** Channels that the timeline abbreviates (`rules/config/channel_abbreviations.txt`), of those that are read. */
const CHANNELS = new Map([
  ['sec', 'Security'],
  ['sysmon', 'Microsoft-Windows-Sysmon/Operational'],
]);

/** Short names of `Details` (`rules/config/default_details.txt`) by event: the field of the event that they show. */
const SYSMON_NAMES: ReadonlyMap<string, string> = new Map([
  ['CommandLine', 'Cmdline'],
  ['Image', 'Proc'],
  ['ProcessId', 'PID'],
  ['ProcessGuid', 'PGUID'],
  ['LogonId', 'LID'],
  ['ParentCommandLine', 'ParentCmdline'],
  ['ParentProcessId', 'ParentPID'],
  ['ParentProcessGuid', 'ParentPGUID'],
  ['Protocol', 'Proto'],
  ['SourceIp', 'SrcIP'],
  ['SourcePort', 'SrcPort'],
  ['SourceHostname', 'SrcHost'],
  ['DestinationIp', 'TgtIP'],
  ['DestinationPort', 'TgtPort'],
  ['DestinationHostname', 'TgtHost'],
  ['TargetFilename', 'Path'],
  ['ImageLoaded', 'Image'],
  ['QueryName', 'Query'],
  ['QueryResults', 'Result'],
  ['Hashes', 'Hash'],
]);
const SECURITY_START: ReadonlyMap<string, string> = new Map([
  ['NewProcessName', 'Proc'],
  ['NewProcessId', 'PID'],
  ['ProcessId', 'ParentPID'],
  ['ParentProcessName', 'ParentProc'],
  ['CommandLine', 'Cmdline'],
  ['SubjectUserName', 'User'],
  ['SubjectLogonId', 'LID'],
]);
const SECURITY_NAMES: ReadonlyMap<string, string> = new Map([
  ['ProcessName', 'Proc'],
  ['Application', 'Proc'],
  ['ProcessId', 'PID'],
  ['ProcessID', 'PID'],
  ['SubjectUserName', 'User'],
  ['SubjectLogonId', 'LID'],
  ['SourceAddress', 'SrcIP'],
  ['SourcePort', 'SrcPort'],
  ['DestAddress', 'TgtIP'],
  ['DestPort', 'TgtPort'],
  ['Protocol', 'Proto'],
  ['ObjectName', 'Path'],
]);

/**
 * A row of Hayabusa's timeline, JSON or CSV: `AllFieldInfo` has the event's fields under their own names; `Details` has the most
 * telling ones under short names and `ExtraFieldInfo` the rest. In CSV they are text, `Name: value ¦ Name: value`.
 */
export function hayabusa(record: JsonObject): WindowsRecord | undefined {
  const eventId = own(record, 'EventID') ?? own(record, 'EID') ?? own(record, 'Event ID');
  if (eventId === undefined || !TITLES.some((name) => Object.hasOwn(record, name))) return undefined;
  const parts = PARTS.map((name) => own(record, name));
  if (parts.every((part) => part === undefined)) return undefined;
  const channel = textOf(own(record, 'Channel'));
  const time = own(record, 'Timestamp') ?? own(record, 'datetime');
  const zoned = localLogTime(time);
  const log = CHANNELS.get(channel?.toLowerCase() ?? '') ?? channel;
  const found = assembleRecord({
    provider: own(record, 'Provider'),
    guid: undefined,
    channel: log,
    eventId,
    computer: own(record, 'Computer') ?? own(record, 'Hostname'),
    recordId: own(record, 'RecordID') ?? own(record, 'Record ID'),
    logged: zoned?.zoned === true ? utcLogTime(time) : zoned,
    keywords: undefined,
    fields: shortField(parts.map(partField), namesOf(log, integerOf(eventId))),
    message: undefined,
  });
  return found && { ...found, repeats: true };
}

const TITLES = ['RuleTitle', 'Title', 'EventTitle', 'RuleID', 'RuleFile', 'EvtxFile', 'timestamp_desc'];
const PARTS = ['AllFieldInfo', 'Details', 'ExtraFieldInfo'];

function namesOf(channel: string | undefined, eventId: number | undefined): ReadonlyMap<string, string> {
  if (channel?.toLowerCase() !== 'security') return SYSMON_NAMES;
  return eventId === 4688 ? SECURITY_START : SECURITY_NAMES;
}

/** A field under its own name in any part, else under its short name in `Details`. */
function shortField([all, details, extra]: readonly Field[], names: ReadonlyMap<string, string>): Field {
  return (name) => {
    // `Image` of `Details` is the module that was loaded; the process is `Proc` there.
    const isModule = name === 'Image' && details?.('Proc') !== undefined;
    const long = all?.(name) ?? extra?.(name) ?? (isModule ? undefined : details?.(name));
    const short = names.get(name);
    return long ?? (short === undefined ? undefined : details?.(short));
  };
}

function partField(part: unknown): Field {
  if (isObject(part)) return nestedField(part);
  const text = textOf(part);
  if (text === undefined) return () => undefined;
  const separator = text.includes(' ¦ ') ? ' ¦ ' : text.includes('\t') ? '\t' : '\n';
  const fields = new Map<string, string>();
  let last: string | undefined;
  for (const piece of text.split(separator, MAX_PARTS)) {
    const colon = piece.indexOf(': ');
    const name = colon > 0 ? piece.slice(0, colon).trim() : piece.endsWith(':') ? piece.slice(0, -1) : '';
    if (/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name)) {
      last = name;
      if (!fields.has(name)) fields.set(name, colon > 0 ? piece.slice(colon + 2) : '');
    } else if (last !== undefined) fields.set(last, `${fields.get(last) ?? ''}${separator}${piece}`);
  }
  return (name) => fields.get(name);
}
