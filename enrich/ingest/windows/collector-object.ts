import { isObject, type JsonObject, objectAt, own } from '../json-object.ts';
import { assembleRecord, type Field, nestedField } from './assemble-record.ts';
import { utcLogTime, type WindowsRecord } from './windows-record.ts';

/** Most entries of an `event_data` list that are read. */
const MAX_ENTRIES = 512;

/**
 * The `windowseventlog` receiver of the OpenTelemetry Collector, and collectors with the same names (Vector): everything in
 * `snake_case`, `provider` and `event_id` objects in the first and plain in the others. Top-level `process_id`, and `execution`,
 * are the logging service's.
 */
export function collected(record: JsonObject): WindowsRecord | undefined {
  const data = objectAt(record, 'event_data');
  const channel = own(record, 'channel');
  if (!data || (channel === undefined && own(record, 'provider_name') === undefined)) return undefined;
  const eventId = own(record, 'event_id');
  const provider = own(record, 'provider');
  return assembleRecord({
    provider: isObject(provider) ? own(provider, 'name') : (own(record, 'provider_name') ?? provider),
    guid: isObject(provider) ? own(provider, 'guid') : own(record, 'provider_guid'),
    channel,
    eventId: isObject(eventId) ? own(eventId, 'id') : eventId,
    computer: own(record, 'computer') ?? own(record, 'host'),
    recordId: own(record, 'record_id'),
    logged: utcLogTime(TIMES.map((name) => own(record, name)).find((value) => value !== undefined)),
    keywords: own(record, 'keywords'),
    fields: dataField(data),
    message: own(record, 'message'),
  });
}

/** The event's own time first; `timestamp` is the collector's where there is another. */
const TIMES = ['system_time', 'time_created', 'timestamp', '@timestamp'];

/** A map of names, or (older collectors) a list of objects of one name each under `data`. */
function dataField(data: JsonObject): Field {
  const list = own(data, 'data');
  if (!Array.isArray(list)) return nestedField(data);
  const pairs = (list.slice(0, MAX_ENTRIES) as unknown[]).filter(isObject).flatMap((entry) => Object.entries(entry));
  // The first value of a name stays; fromEntries keeps the last.
  return nestedField(Object.fromEntries(pairs.reverse()));
}

/**
 * Copies of a Winlogbeat document in which dots became underscores: Graylog's, with `winlogbeat_` before all (`timestamp` is the
 * event's, `source` the collector), and a custom table's of Log Analytics.
 */
export function graylogBeats(record: JsonObject): WindowsRecord | undefined {
  const part = (name: string) =>
    own(record, `winlogbeat_winlog_${name}`) ?? own(record, `winlogbeat_${name}`) ?? own(record, `winlog_${name}`);
  const eventId = part('event_id') ?? own(record, 'winlogbeat_event_code');
  if (eventId === undefined) return undefined;
  return assembleRecord({
    provider: part('provider_name') ?? part('source_name') ?? own(record, 'winlogbeat_event_provider'),
    guid: part('provider_guid'),
    channel: part('channel') ?? part('log_name'),
    eventId,
    computer: part('computer_name'),
    recordId: part('record_id') ?? part('record_number'),
    logged: TIMES_OF_COPIES.map((name) => utcLogTime(part(name) ?? own(record, name))).find(
      (time) => time !== undefined,
    ),
    keywords: part('keywords'),
    fields: (name) => part(`event_data_${name}`),
    message: own(record, 'winlogbeat_message') ?? own(record, 'message'),
  });
}

const TIMES_OF_COPIES = ['time_created', 'timestamp', '_timestamp', '@timestamp', 'TimeGenerated'];
