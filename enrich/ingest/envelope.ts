import { deviceLineAt } from './cef/device-line.ts';
import { customTable } from './custom-table.ts';
import { alertsOfPage, elementsOfAnswer } from './edr-pages.ts';
import { HEADER_CHARS } from './event-header.ts';
import { textOf } from './field-values.ts';
import { at, isObject, type JsonObject, own } from './json-object.ts';
import { otlpRecord, otlpResource } from './otlp.ts';
import type { RecordContext } from './reading.ts';
import { rowsOfTable } from './table-rows.ts';
import { utcMicros } from './time-text.ts';
import { looksClassic } from './windows/classic-text.ts';
import { isAgentLine } from './windows/syslog-line.ts';

/** A record taken out of its envelope: an object, or text that still has to be recognised. */
export interface Unwrapped {
  readonly record: unknown;
  readonly context: RecordContext;
}

/** Deepest stack of envelopes taken off. */
const MAX_ENVELOPES = 8;
/** Most records in one envelope object (which itself is at most 1 MiB of text). */
const MAX_INNER = 100_000;

/** Names under which a batch may hold its records. */
export const BATCH_KEYS: readonly string[] = [
  'records',
  'Records',
  'events',
  'Events',
  'results',
  'Results',
  'value',
  'data',
  'Data',
  'hits',
  'logs',
  'items',
  'rows',
  'documents',
  'matches',
  'responses',
  'resourceLogs',
  'scopeLogs',
  'logRecords',
];

/** What one envelope holds, or undefined when the object is no envelope. */
type Opener = (object: JsonObject, context: RecordContext) => readonly Unwrapped[] | undefined;

/** Takes a value out of all its envelopes (FEEDS 10); `onAction` is told of `_bulk` action lines, which hold no record. */
export function unwrap(value: unknown, context: RecordContext, onAction: () => void, depth = 0): Unwrapped[] {
  if (Array.isArray(value)) {
    if (depth >= MAX_ENVELOPES) return [{ record: value, context }];
    return value.slice(0, MAX_INNER).flatMap((entry) => unwrap(entry, context, onAction, depth + 1));
  }
  if (!isObject(value) || depth >= MAX_ENVELOPES) return [{ record: value, context }];
  if (isBulkAction(value)) {
    onAction();
    return [];
  }
  for (const open of OPENERS) {
    const inner = open(value, context);
    if (inner) return inner.flatMap((entry) => unwrap(entry.record, entry.context, onAction, depth + 1));
  }
  return [{ record: value, context }];
}

/** `{"index":{"_index":…}}` and its kin: one key, and an object of `_…` settings under it. */
function isBulkAction(object: JsonObject): boolean {
  const keys = Object.keys(object);
  const action = keys.length === 1 ? keys[0] : undefined;
  if (action !== 'index' && action !== 'create' && action !== 'update' && action !== 'delete') return false;
  const settings = own(object, action);
  return isObject(settings) && Object.keys(settings).every((key) => BULK_SETTINGS.has(key));
}

const BULK_SETTINGS = new Set([
  '_index',
  '_id',
  '_type',
  'routing',
  '_routing',
  'pipeline',
  'version',
  'version_type',
  'if_seq_no',
  'if_primary_term',
  'retry_on_conflict',
  'require_alias',
  'dynamic_templates',
]);

const keysWithin = (object: JsonObject, allowed: ReadonlySet<string>): boolean =>
  Object.keys(object).every((key) => allowed.has(key));

/** `{records:[…]}` and the like; only when the object has nothing of a record itself. */
const batch: Opener = (object, context) => {
  for (const key of BATCH_KEYS) {
    const list = own(object, key);
    if (
      !Array.isArray(list) ||
      (list.length > 0 && !list.some((entry) => isObject(entry) || typeof entry === 'string'))
    )
      continue;
    if (RECORD_KEYS.some((name) => Object.hasOwn(object, name))) return undefined;
    return [{ record: list, context }];
  }
  const hits =
    at(object, 'hits.hits') ?? at(object, 'rawResponse.hits.hits') ?? at(object, 'result.rawResponse.hits.hits');
  return Array.isArray(hits) ? [{ record: hits, context }] : undefined;
};

/** Answers of the interfaces of EDR servers. */
const edrPage: Opener = (object, context) => {
  const list = alertsOfPage(object) ?? elementsOfAnswer(object, MAX_INNER);
  return list && [{ record: list, context }];
};

/** Keys that make an object a record in its own right, whatever arrays it also has. */
const RECORD_KEYS = [
  'EventID',
  'event_simpleName',
  'class_uid',
  'event.type',
  'ActionType',
  'columns',
  'winlog',
  'process',
];

/** `{tables:[{columns:[{name}],rows:[[…]]}]}` of the Log Analytics query API, `Tables` of Kusto, and a frame of Kusto's second version. */
const tables: Opener = (object, context) => {
  const list = own(object, 'tables') ?? own(object, 'Tables');
  if (!Array.isArray(list)) return rowsOfTable(object)?.map((record) => ({ record, context }));
  return list.flatMap((table) => rowsOfTable(table) ?? []).map((record) => ({ record, context }));
};

/** Splunk HTTP event collector: `{time, host, source, sourcetype, index, event, fields}`. */
const splunkHec: Opener = (object, context) => {
  const event = own(object, 'event');
  if (event === undefined || !(keysWithin(object, HEC_KEYS) || Object.hasOwn(object, 'sourcetype'))) return undefined;
  if (Object.keys(object).length === 1 && !isObject(event)) return undefined;
  // An Elastic document that keeps its record under `event.original`.
  if (isObject(event) && typeof own(event, 'original') === 'string') return undefined;
  return [{ record: event, context: named(context, own(object, 'host'), own(object, 'time')) }];
};

const HEC_KEYS = new Set(['time', 'host', 'source', 'sourcetype', 'index', 'event', 'fields', 'punct']);

/** A Splunk search export: `{result:{_raw,…}}`, and rows with `_raw`. */
const splunkExport: Opener = (object, context) => {
  const result = own(object, 'result');
  if (isObject(result) && Object.hasOwn(object, 'preview')) return [{ record: result, context }];
  const raw = own(object, '_raw');
  if (typeof raw !== 'string' || raw.length < 2) return undefined;
  return [{ record: raw, context: named(context, own(object, 'host'), own(object, '_time')) }];
};

/** Panther and other relays that keep the original under `event`, beside their own columns and a rewritten copy. */
const relayed: Opener = (object, context) => {
  const event = own(object, 'event');
  if (!isObject(event)) return undefined;
  const isPanther = Object.hasOwn(object, 'fdr_event_type') || Object.keys(object).some((key) => key.startsWith('p_'));
  return isPanther || Object.hasOwn(event, 'event_simpleName') ? [{ record: event, context }] : undefined;
};

/** LimaCharlie: a record of a Windows log as the sensor sends it, and the record of a detection. */
const sensorEvent: Opener = (object, context) => {
  const detect = own(object, 'detect');
  if (isObject(detect) && isObject(own(detect, 'routing'))) return [{ record: detect, context }];
  const log = at(object, 'event.EVENT');
  return isObject(log) && isObject(own(object, 'routing')) ? [{ record: log, context }] : undefined;
};

/** An Elasticsearch hit, and the document of a `_bulk` update. */
const elasticHit: Opener = (object, context) => {
  for (const key of ['_source', 'doc', '_doc']) {
    const source = own(object, key);
    if (isObject(source) && (key === '_source' || Object.keys(object).length <= 2))
      return [{ record: source, context }];
  }
  const fields = own(object, 'fields');
  return isObject(fields) && Object.hasOwn(object, '_index') ? [{ record: fields, context }] : undefined;
};

/** A Kafka REST message: `{key, value, partition, …}`. */
const kafka: Opener = (object, context) => {
  const value = own(object, 'value');
  if (!isObject(value) || !keysWithin(object, KAFKA_KEYS)) return undefined;
  return [{ record: value, context }];
};

const KAFKA_KEYS = new Set(['key', 'value', 'partition', 'offset', 'headers', 'topic', 'timestamp']);

/** A GELF message (Graylog 1.1): the fields of the record have `_` before their names, host and time stand beside them. */
const gelf: Opener = (object, context) => {
  const text = own(object, 'short_message');
  if (textOf(own(object, 'version'))?.startsWith('1.') !== true || text === undefined) return undefined;
  const fields = Object.entries(object).flatMap(([name, value]) =>
    name.startsWith('_') ? [[name.slice(1), value]] : [],
  );
  const record = Object.fromEntries([['Message', own(object, 'full_message') ?? text], ...fields]) as JsonObject;
  return [{ record, context: named(context, own(object, 'host'), own(object, 'timestamp')) }];
};

/** A message of an Event Hub capture, of an OpenTelemetry collector or of Filebeat's JSON input: the record, or a batch of them, is the body. */
const bodyInside: Opener = (object, context) => {
  const body = own(object, 'Body') ?? own(object, 'body') ?? own(object, 'json');
  if (!isObject(body) || RECORD_KEYS.some((name) => Object.hasOwn(object, name))) return undefined;
  return [{ record: body, context }];
};

/** Names under which a relay may put a record, or a batch of them, as text. */
const TEXT_KEYS = [
  'message',
  'log',
  'body',
  'Body',
  'MESSAGE',
  'line',
  'records',
  'Records',
  'value',
  'full_log',
  'RawData',
  'RawEvent',
  'RawMessage',
  'rawLog',
  'raw_log',
  'raw',
  'rawEvent',
  'SyslogMessage',
  '@rawstring',
  'original_message',
  'payload',
  'msg',
  'xml_string',
];

/** A whole record handed on as text in `message`, `log` or `body`, as shippers do that do not parse what they read. */
const textInside: Opener = (object, context) => {
  for (const key of TEXT_KEYS) {
    const text = own(object, key);
    if (typeof text !== 'string' || !looksLikeRecord(text)) continue;
    if (RECORD_KEYS.some((name) => Object.hasOwn(object, name))) return undefined;
    // Wazuh decodes what it keeps here.
    if (isObject(at(object, 'data.win') ?? at(object, 'data.eventdata'))) return undefined;
    return [{ record: text, context: named(context, hostBeside(object), undefined) }];
  }
  return undefined;
};

/** The host that a shipper names beside the text of a record. */
const hostBeside = (object: JsonObject): unknown =>
  at(object, 'agent.name') ?? at(object, 'host.name') ?? own(object, 'HostName') ?? own(object, 'hostname');

/** JSON or Event XML, or Event XML behind the header of a syslog line. */
const LOOKS_LIKE_RECORD = /^(?:\s{0,16}(?:\[\s{0,16})?\{\s{0,16}"|[^{]{0,512}?<Event[\s>])/;

/** Whether a text may be a record that was handed on whole. */
export const looksLikeRecord = (text: string): boolean =>
  LOOKS_LIKE_RECORD.test(text) ||
  looksClassic(text) ||
  isAgentLine(text.slice(0, HEADER_CHARS)) ||
  deviceLineAt(text) >= 0;

function named(context: RecordContext, host: unknown, time: unknown): RecordContext {
  const hostName = textOf(host);
  const micros = utcMicros(time);
  return {
    ...context,
    ...(hostName === undefined ? {} : { host: hostName }),
    ...(micros === undefined ? {} : { at: micros }),
  };
}

const OPENERS: readonly Opener[] = [
  otlpResource,
  otlpRecord,
  customTable,
  sensorEvent,
  relayed,
  gelf,
  splunkHec,
  splunkExport,
  elasticHit,
  kafka,
  edrPage,
  batch,
  tables,
  bodyInside,
  textInside,
];
