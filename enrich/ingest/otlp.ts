import type { Unwrapped } from './envelope.ts';
import { textOf } from './field-values.ts';
import { isObject, type JsonObject, own } from './json-object.ts';
import type { RecordContext } from './reading.ts';
import { utcMicros } from './time-text.ts';

/** Deepest nesting, and most entries of one list or map, of a value that is decoded. */
const MAX_DEPTH = 16;
const MAX_ENTRIES = 1024;

/** `AnyValue` of the OpenTelemetry protocol, in the spelling of its JSON mapping and in that of the message's definition. */
const KINDS: ReadonlyMap<string, 'plain' | 'map' | 'list'> = new Map([
  ['stringValue', 'plain'],
  ['string_value', 'plain'],
  ['boolValue', 'plain'],
  ['bool_value', 'plain'],
  ['intValue', 'plain'],
  ['int_value', 'plain'],
  ['doubleValue', 'plain'],
  ['double_value', 'plain'],
  ['bytesValue', 'plain'],
  ['bytes_value', 'plain'],
  ['kvlistValue', 'map'],
  ['kvlist_value', 'map'],
  ['arrayValue', 'list'],
  ['array_value', 'list'],
]);

/** OTLP/JSON: the logs of one resource, which names their host (`resourceLogs` and `scopeLogs` are batches like others). */
export function otlpResource(object: JsonObject, context: RecordContext): readonly Unwrapped[] | undefined {
  const resource = own(object, 'resource');
  const scopes = SCOPES.map((name) => own(object, name)).find(Array.isArray);
  if (!isObject(resource) || !scopes) return undefined;
  const attributes = pairs(own(resource, 'attributes'), 0);
  const host = textOf(own(attributes, 'host.name'));
  return [{ record: scopes, context: host === undefined ? context : { ...context, host } }];
}

const SCOPES = ['scopeLogs', 'scope_logs', 'instrumentationLibraryLogs'];

/** One log record of OTLP/JSON: its body is the record, or, where a parser has moved the fields, its attributes are. */
export function otlpRecord(object: JsonObject, context: RecordContext): readonly Unwrapped[] | undefined {
  const body = own(object, 'body');
  if (!isObject(body)) return undefined;
  // The Elasticsearch exporter's form of the same.
  const structured = own(body, 'structured');
  if (isObject(structured)) return [{ record: structured, context }];
  if (!isAnyValue(body)) return undefined;
  const record = anyValue(body, 0);
  const micros = utcMicros(own(object, 'timeUnixNano') ?? own(object, 'time_unix_nano'));
  const dated = micros === undefined ? context : { ...context, at: micros };
  if (typeof record === 'string' && !/^\s{0,16}[{<[]/.test(record)) {
    const attributes = pairs(own(object, 'attributes'), 0);
    if (Object.keys(attributes).length > 2) return [{ record: { message: record, ...attributes }, context: dated }];
  }
  // What is parsed tells its own time; text may not.
  return [{ record, context: typeof record === 'string' ? dated : context }];
}

const isAnyValue = (value: JsonObject): boolean => {
  const keys = Object.keys(value);
  return keys.length === 1 && KINDS.has(keys[0] ?? '');
};

function anyValue(value: unknown, depth: number): unknown {
  if (!isObject(value) || depth > MAX_DEPTH) return undefined;
  for (const [name, kind] of KINDS) {
    const inner = own(value, name);
    if (inner === undefined) continue;
    if (kind === 'plain') return inner;
    const list = isObject(inner) ? own(inner, 'values') : inner;
    if (kind === 'map') return pairs(list, depth + 1);
    return Array.isArray(list) ? list.slice(0, MAX_ENTRIES).map((entry) => anyValue(entry, depth + 1)) : [];
  }
  return undefined;
}

/** `[{key, value}]` as an object; a key called `__proto__` is a property like any other. */
function pairs(list: unknown, depth: number): JsonObject {
  if (!Array.isArray(list)) return {};
  const known = list.slice(0, MAX_ENTRIES).filter(isObject);
  return Object.fromEntries(
    known.flatMap((entry) => {
      const key = own(entry, 'key');
      return typeof key === 'string' ? [[key, anyValue(own(entry, 'value'), depth)]] : [];
    }),
  );
}
