import { textOf } from '../field-values.ts';
import { type JsonObject, own } from '../json-object.ts';
import type { Field } from './assemble-record.ts';

/**
 * Names that Splunk's add-on for Windows extracts from the text of Security events, where they are not the event's own with
 * underscores. A label that stands in several sections (`Account_Name`) has several values, the subject's first.
 */
const NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ['CommandLine', ['Process_Command_Line']],
  ['ProcessId', ['Creator_Process_ID', 'Process_ID']],
  ['ProcessID', ['Process_ID']],
  ['ParentProcessName', ['Creator_Process_Name']],
  ['ProcessName', ['Process_Name']],
  ['SubjectUserName', ['Account_Name']],
  ['SubjectDomainName', ['Account_Domain']],
  ['SubjectUserSid', ['Security_ID']],
  ['SubjectLogonId', ['Logon_ID']],
  ['Application', ['Application_Name']],
  ['DestAddress', ['Destination_Address']],
  ['DestPort', ['Destination_Port']],
  ['AccessList', ['Accesses']],
]);
/** Any of these says that the fields of a record were extracted so. */
const MARKS = [
  'New_Process_Name',
  'New_Process_ID',
  'Process_ID',
  'Creator_Process_ID',
  'Application_Name',
  'Object_Name',
];

/** Fields under the extracted names; the first line of several, as tables have them in one cell. */
export function extractedField(record: JsonObject): Field | undefined {
  if (!MARKS.some((name) => Object.hasOwn(record, name))) return undefined;
  return (name) => {
    for (const extracted of NAMES.get(name) ?? []) {
      const value = own(record, extracted);
      const text = typeof value === 'string' ? textOf(value.split('\n', 1)[0]) : value;
      if (text !== undefined && text !== null) return text;
    }
    return undefined;
  };
}

/** `XmlWinEventLog:Security`, Splunk's name of the input, as the channel; undefined when it is no such name. */
export function inputChannel(source: unknown): string | undefined {
  const text = textOf(source);
  const found = text === undefined ? null : /^(?:Xml)?WinEventLog:(.{1,200})$/i.exec(text);
  return found?.[1];
}
