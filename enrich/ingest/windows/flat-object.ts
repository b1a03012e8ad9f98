import { textOf } from '../field-values.ts';
import { isObject, type JsonObject, own } from '../json-object.ts';
import type { RecordContext } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import { assembleRecord, type Field, flatField, logByFields, nestedField } from './assemble-record.ts';
import { extractedField, inputChannel } from './extracted-names.ts';
import { type LogTime, localLogTime, utcLogTime, type WindowsRecord } from './windows-record.ts';

/** Fields of events themselves: a record with none of them has only the log's fields at its top, and the rest in its message. */
const EVENT_FIELDS = [
  'UtcTime',
  'ProcessGuid',
  'SourceProcessGUID',
  'SubjectUserName',
  'SubjectUserSid',
  'NewProcessId',
  'NewProcessName',
  'SourceAddress',
  'Application',
  'ObjectName',
];

/**
 * Everything flattened to the top level: NXLog, the OTRF recordings, ConvertTo-Json of parsed events, CSV exports, Fluentd, Fluent
 * Bit. The subject's pid is taken only under exactly its own name, and only where event fields stand at the top at all: beside
 * a message, `ProcessID` is the logging service's (FEEDS 11.1).
 */
export function flatObject(record: JsonObject, context: RecordContext): WindowsRecord | undefined {
  const fields = withExtracted(flatField(record), record);
  const eventId = firstOf(record, fields, ['EventID', 'EventId', 'EventCode', 'Event ID']);
  if (eventId === undefined) return undefined;
  const named = firstOf(record, fields, ['SourceName', 'ProviderName', 'Provider', 'Source']);
  const input = inputChannel(named) ?? inputChannel(own(record, 'sourcetype'));
  const provider = inputChannel(named) === undefined ? named : undefined;
  const channel = firstOf(record, fields, ['Channel', 'LogName', 'EventLog', 'Log Name']) ?? input;
  if (provider === undefined && channel === undefined && logByFields(fields) === 'other') return undefined;
  const computer = firstOf(record, fields, ['Hostname', 'Computer', 'ComputerName', 'MachineName']);
  return assembleRecord({
    provider,
    guid: firstOf(record, fields, ['ProviderGuid']),
    channel,
    eventId,
    computer: computer ?? hostOfTable(record) ?? context.host,
    sender: own(record, 'host') ?? own(record, 'SourceModuleName'),
    recordId: firstOf(record, fields, ['RecordNumber', 'EventRecordID', 'RecordId']),
    logged: flatTime(record, fields, context),
    zoneHint: receivedHint(record),
    keywords: firstOf(record, fields, ['Keywords', 'EventType']),
    fields: eventFields(record, fields),
    inserts: own(record, 'StringInserts') ?? own(record, 'ReplacementStrings'),
    message: firstOf(record, fields, ['Message', 'Description']),
  });
}

/** The fields of the event: those of its own part where it has one (Velociraptor, Tanium), else those at the top. */
function eventFields(record: JsonObject, fields: Field): Field {
  const data = own(record, 'EventData') ?? own(record, 'event_data');
  if (isObject(data) && !Array.isArray(own(data, 'Data'))) return nestedField(data);
  const hasOwn = EVENT_FIELDS.some((name) => fields(name) !== undefined) || extractedField(record) !== undefined;
  return hasOwn ? fields : () => undefined;
}

/** A field as it is, else as Splunk's add-on extracts it. */
function withExtracted(fields: Field, record: JsonObject): Field {
  const extracted = extractedField(record);
  return extracted ? (name) => fields(name) ?? extracted(name) : fields;
}

/** The host in tables that have it under the name others use for the forwarder: Splunk's beside `_time`, Graylog's `source`. */
function hostOfTable(record: JsonObject): unknown {
  if (own(record, '_time') !== undefined) return own(record, 'host');
  const source = textOf(own(record, 'source'));
  const isGraylog = own(record, 'timestamp') !== undefined && source !== undefined;
  return isGraylog && /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/.test(source) ? source : undefined;
}

const TIME_FIELDS = [
  'EventTime',
  'TimeCreated',
  'SystemTime',
  'TimeGenerated',
  '_time',
  '@timestamp',
  'date',
  'timestamp',
  'Date and Time',
];

function flatTime(record: JsonObject, fields: Field, context: RecordContext): LogTime | undefined {
  const given = firstOf(record, fields, TIME_FIELDS);
  const local = localLogTime(given);
  // Splunk writes the zone of whoever searched, and knows it.
  if (local?.zoned === true && given === own(record, '_time')) return utcLogTime(given);
  if (context.at !== undefined && local?.zone !== 'utc') return { micros: context.at, zone: 'utc', zoned: true };
  return local;
}

/** NXLog stamps receipt in its local time, Logstash stamps the same moment in UTC: their distance tells the zone. */
function receivedHint(record: JsonObject): WindowsRecord['zoneHint'] {
  const received = own(record, 'EventReceivedTime');
  const utc = own(record, '@timestamp');
  if (received === undefined || utc === undefined || utc === own(record, 'TimeCreated')) return undefined;
  const localStamp = localLogTime(received);
  const utcStamp = utcMicros(utc);
  if (localStamp === undefined || localStamp.zoned || utcStamp === undefined) return undefined;
  return { local: localStamp.micros, utc: utcStamp };
}

/** The first of these that is filled in: as written, else in any case. */
function firstOf(record: JsonObject, fields: Field, names: readonly string[]): unknown {
  for (const lookUp of [(name: string) => own(record, name), fields]) {
    for (const name of names) {
      const value = lookUp(name);
      if (value !== undefined && value !== null && value !== '') return value;
    }
  }
  return undefined;
}
