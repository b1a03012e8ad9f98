import { integerOf, textOf } from '../field-values.ts';
import { at, isObject, type JsonObject, objectAt, own, parseJson } from '../json-object.ts';
import type { RecordContext } from '../reading.ts';
import { assembleRecord, type Field, nestedField } from './assemble-record.ts';
import { collected, graylogBeats } from './collector-object.ts';
import { ecsField } from './ecs-fields.ts';
import { readEventDataXml } from './event-xml.ts';
import { flatObject } from './flat-object.ts';
import { hayabusa } from './hayabusa-object.ts';
import { type LogTime, localLogTime, logOf, utcLogTime, type WindowsRecord } from './windows-record.ts';
import { withoutLists } from './xml-arrays.ts';

type Reader = (record: JsonObject, context: RecordContext) => WindowsRecord | undefined;

/**
 * Reads a Windows event log record out of a JSON object of any known shape (FEEDS 1.2); undefined when it is none. Every shape
 * only says where things are; what they mean is in the Sysmon and Security adapters.
 */
export function readWindowsObject(record: JsonObject, context: RecordContext): WindowsRecord | undefined {
  for (const read of SHAPES) {
    const found = read(record, context);
    if (found) return found;
  }
  return undefined;
}

/** evtx_dump, chainsaw, Velociraptor and other direct translations of the Event XML. */
const translatedXml: Reader = (record) => {
  const chainsaw = objectAt(record, 'document.data.Event') ?? objectAt(record, 'data.Event');
  const given = chainsaw ?? objectAt(record, 'Event') ?? record;
  const turned = Array.isArray(own(given, 'System')) ? withoutLists(given) : given;
  const event = isObject(turned) ? turned : given;
  const system = objectAt(event, 'System');
  if (!system) return undefined;
  const attribute = (element: string, name: string): unknown => {
    const value = own(system, element);
    const aside = own(system, `${element}_attributes`);
    const places = [aside, isObject(value) ? own(value, '#attributes') : undefined, value];
    for (const place of places) {
      if (!isObject(place)) continue;
      const text = own(place, name) ?? own(place, `@${name}`);
      if (text !== undefined) return text;
    }
    return undefined;
  };
  const data = own(event, 'EventData');
  return assembleRecord({
    provider: attribute('Provider', 'Name'),
    guid: attribute('Provider', 'Guid'),
    channel: content(own(system, 'Channel')),
    eventId: content(own(system, 'EventID')),
    computer: content(own(system, 'Computer')),
    recordId: content(own(system, 'EventRecordID')),
    logged: utcLogTime(attribute('TimeCreated', 'SystemTime') ?? content(own(system, 'TimeCreated'))),
    keywords: content(own(system, 'Keywords')),
    fields: namedData(data),
    inserts: isObject(data) ? own(data, 'Data') : undefined,
    message: own(event, 'Message') ?? own(record, 'Message'),
  });
};

/** Text of an element that may carry attributes: `1`, `{"#text": 1, …}`, `{"Value": 1}`. */
function content(value: unknown): unknown {
  if (!isObject(value)) return value;
  return own(value, '#text') ?? own(value, 'Value') ?? own(value, 'value') ?? own(value, '_');
}

/** EventData as an object of names, or as a list of `{Name, text}` pairs under `Data`. */
function namedData(data: unknown): Field {
  if (!isObject(data)) return () => undefined;
  const list = own(data, 'Data');
  if (!Array.isArray(list)) return nestedField(data);
  const pairs = new Map<string, unknown>();
  for (const entry of list.slice(0, 512) as unknown[]) {
    if (!isObject(entry)) continue;
    const attributes = objectAt(entry, '#attributes') ?? entry;
    const name = textOf(own(attributes, '@Name') ?? own(attributes, 'Name'));
    if (name !== undefined && !pairs.has(name)) pairs.set(name, content(entry));
  }
  return (name) => pairs.get(name);
}

/** Winlogbeat 7 and later, Elastic Agent: `winlog.*`, and `process.*` and friends once an ingest pipeline has moved the data. */
const winlog: Reader = (record) => {
  const eventId =
    at(record, 'winlog.event_id') ??
    (at(record, 'winlog.channel') === undefined ? undefined : at(record, 'event.code'));
  if (eventId === undefined) return undefined;
  const data = objectAt(record, 'winlog.event_data');
  const raw = data ? nestedField(data) : (name: string) => at(record, `winlog.event_data.${name}`);
  const provider = at(record, 'winlog.provider_name') ?? at(record, 'event.provider');
  const channel = at(record, 'winlog.channel');
  const log = logOf(textOf(provider), textOf(at(record, 'winlog.provider_guid')), textOf(channel));
  const number = integerOf(eventId);
  return assembleRecord({
    provider,
    guid: at(record, 'winlog.provider_guid'),
    channel,
    eventId,
    computer: at(record, 'winlog.computer_name') ?? at(record, 'host.name'),
    recordId: at(record, 'winlog.record_id'),
    logged: utcLogTime(at(record, 'winlog.time_created')) ?? utcLogTime(at(record, '@timestamp')),
    keywords: at(record, 'winlog.keywords'),
    fields: (name) => textOf(raw(name)) ?? ecsField(record, log, number ?? 0, name),
    message: own(record, 'message'),
  });
};

/** Winlogbeat 5 and 6: `event_data` at the top; `beat` and `host` name the collector. */
const winlogbeat6: Reader = (record) => {
  const data = objectAt(record, 'event_data');
  if (!data && (own(record, 'event_id') === undefined || own(record, 'log_name') === undefined)) return undefined;
  return assembleRecord({
    provider: own(record, 'source_name'),
    guid: own(record, 'provider_guid'),
    channel: own(record, 'log_name'),
    eventId: own(record, 'event_id'),
    computer: own(record, 'computer_name'),
    recordId: own(record, 'record_number'),
    logged: utcLogTime(own(record, '@timestamp')),
    keywords: own(record, 'keywords'),
    fields: data ? nestedField(data) : () => undefined,
    message: own(record, 'message'),
  });
};

/** Azure Monitor `Event`, `SecurityEvent` and Sentinel `WindowsEvent`: EventData as object, JSON text or XML text. */
const azure: Reader = (record) => {
  const data = own(record, 'EventData');
  const table = textOf(own(record, 'Type'));
  if (own(record, 'TimeGenerated') === undefined || own(record, 'EventID') === undefined) return undefined;
  if (data === undefined && table !== 'SecurityEvent' && own(record, 'Computer') === undefined) return undefined;
  const inData = azureData(data);
  return assembleRecord({
    provider: own(record, 'Provider') ?? own(record, 'Source') ?? own(record, 'EventSourceName'),
    guid: undefined,
    channel: own(record, 'Channel') ?? own(record, 'EventLog') ?? (table === 'SecurityEvent' ? 'Security' : undefined),
    eventId: own(record, 'EventID'),
    computer: own(record, 'Computer'),
    recordId: own(record, 'EventRecordId') ?? own(record, 'EventOriginId'),
    recordIdShared: own(record, 'EventRecordId') === undefined,
    logged: utcLogTime(own(record, 'TimeGenerated')),
    keywords: own(record, 'Keywords'),
    fields: (name) => inData(name) ?? own(record, name),
    message: own(record, 'RenderedDescription'),
  });
};

function azureData(data: unknown): Field {
  if (isObject(data)) return namedData(data);
  const text = textOf(data)?.trim();
  if (text === undefined) return () => undefined;
  if (text.startsWith('<')) {
    const fields = readEventDataXml(text);
    return (name) => fields.get(name);
  }
  const parsed = parseJson(text);
  return parsed.ok && isObject(parsed.value) ? namedData(parsed.value) : () => undefined;
}

/** `Get-WinEvent` as JSON, CSV or list: the fields are only in the message; `ProcessId` at the top is the logging service's. */
const getWinEvent: Reader = (record, context) => {
  if (own(record, 'ProviderName') === undefined || own(record, 'Id') === undefined) return undefined;
  if (own(record, 'MachineName') === undefined && own(record, 'Message') === undefined) return undefined;
  const created = own(record, 'TimeCreated');
  return assembleRecord({
    provider: own(record, 'ProviderName'),
    guid: own(record, 'ProviderId'),
    channel: own(record, 'LogName') ?? own(record, 'ContainerLog'),
    eventId: own(record, 'Id'),
    computer: own(record, 'MachineName') ?? context.host,
    recordId: own(record, 'RecordId'),
    logged: isObject(created) ? utcLogTime(own(created, 'value')) : dotnetTime(created),
    keywords: own(record, 'Keywords'),
    fields: () => undefined,
    inserts: own(record, 'Properties'),
    message: own(record, 'Message'),
  });
};

/** `/Date(ms)/` counts from 1970 UTC; text may be local. */
const dotnetTime = (value: unknown): LogTime | undefined =>
  typeof value === 'string' && value.includes('Date(') ? utcLogTime(value) : localLogTime(value);

/** EvtxECmd rows: the event fields are JSON text under `Payload`; `ProcessId` beside it is the logging service's. */
const evtxECmd: Reader = (record) => {
  const payload = textOf(own(record, 'Payload'));
  if (payload === undefined || own(record, 'EventId') === undefined || own(record, 'Channel') === undefined)
    return undefined;
  const parsed = parseJson(payload);
  const data = parsed.ok && isObject(parsed.value) ? own(parsed.value, 'EventData') : undefined;
  return assembleRecord({
    provider: own(record, 'Provider'),
    guid: undefined,
    channel: own(record, 'Channel'),
    eventId: own(record, 'EventId'),
    computer: own(record, 'Computer'),
    recordId: own(record, 'EventRecordId'),
    logged: utcLogTime(own(record, 'TimeCreated')),
    keywords: own(record, 'Keywords'),
    fields: namedData(data),
    message: undefined,
  });
};

const SHAPES: readonly Reader[] = [
  translatedXml,
  winlog,
  collected,
  graylogBeats,
  winlogbeat6,
  getWinEvent,
  evtxECmd,
  hayabusa,
  azure,
  flatObject,
];
