import { parseMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { isObject, type JsonObject, objectAt, own, parseJson } from '../ingest/json-object.ts';

/** Longest flow record, characters: the sensor's own stay far below. */
const MAX_FLOW_CHARS = 48 * 1024;
/** A name of this kind in a record is nobody's field, and somebody's attempt. */
const FORBIDDEN_NAMES = ['__proto__', 'constructor', 'prototype'] as const;

export type FlowLine =
  | { readonly ok: true; readonly record: FlowRecord }
  | { readonly ok: false; readonly why: string };

/** Reads one line as a flow record; what the join and the score read of it is checked, the rest is carried along. */
export function readFlowLine(line: string): FlowLine {
  if (line.length > MAX_FLOW_CHARS) return refused(`longer than ${MAX_FLOW_CHARS} characters`);
  const parsed = parseJson(line);
  if (!parsed.ok) return refused(parsed.why);
  if (!isObject(parsed.value)) return refused('not an object');
  const name = FORBIDDEN_NAMES.find((n) => line.includes(`"${n}"`) && holdsName(parsed.value, n));
  if (name !== undefined) return refused(`${name} is not a field of a flow record`);
  const why = complaint(parsed.value);
  return why === undefined ? { ok: true, record: parsed.value as unknown as FlowRecord } : refused(why);
}

const refused = (why: string): FlowLine => ({ ok: false, why });

/** parseJson has bounded the depth. */
function holdsName(value: unknown, name: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, name) || Object.values(value).some((inner) => holdsName(inner, name));
}

type Check = (value: unknown) => boolean;
const text: Check = (value) => typeof value === 'string' && value.length > 0 && value.length <= 512;
const time: Check = (value) => typeof value === 'string' && value.length <= 64 && parseMicros(value) !== undefined;
const count: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const port: Check = (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535;
const isBoolean: Check = (value) => typeof value === 'boolean';
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.some((word) => word === value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const texts: Check = (value) =>
  Array.isArray(value) && value.length <= 4_096 && value.every((v) => typeof v === 'string');
const counts: Check = (value) => Array.isArray(value) && value.length <= 64 && value.every(count);

/** Objects and their fields; an object that may be absent ends in `?`. */
const FIELDS: readonly (readonly [object: string, field: string, check: Check])[] = [
  ['event', 'action', oneOf('flow_open', 'flow_update', 'flow_end')],
  ['event', 'start', time],
  ['event', 'end', time],
  ['network', 'transport', oneOf('tcp', 'udp')],
  ['network', 'protocol', optional(text)],
  ['network', 'direction', text],
  ['network', 'community_id', text],
  ['source', 'ip', text],
  ['source', 'port', port],
  ['source', 'bytes', count],
  ['source', 'packets', count],
  ['destination', 'ip', text],
  ['destination', 'port', port],
  ['destination', 'bytes', count],
  ['destination', 'packets', count],
  ['destination', 'domain', optional(text)],
  ['observer', 'name', text],
  ['waybill', 'flow_id', text],
  ['waybill', 'bytes_exact', isBoolean],
  ['waybill', 'via', optional(text)],
  ['waybill', 'via_target', optional(text)],
  ['waybill', 'tunnel', optional(texts)],
  ['waybill', 'anomalies', optional(texts)],
  ['waybill', 'first_bytes_at', optional(time)],
  ['waybill', 'upstream_bursts', optional(counts)],
  ['waybill', 'missed_bytes', optional(count)],
  ['waybill', 'domain_source', optional(text)],
  ['tls?', 'established', isBoolean],
  ['tls?', 'version', optional(text)],
  ['tls?', 'cipher', optional(text)],
  ['tls?', 'resumed', optional(isBoolean)],
  ['tls.client?', 'server_name', optional((value) => typeof value === 'string' && value.length <= 4_096)],
  ['tls.client?', 'ja3', optional(text)],
  ['tls.client?', 'ja4', optional(text)],
  ['tls.client?', 'ech', optional(text)],
  ['tls.client?', 'alpn', optional(texts)],
  ['tls.server?', 'ja3s', optional(text)],
  ['tls.server?', 'subject', optional((value) => typeof value === 'string')],
  ['tls.server?', 'issuer', optional((value) => typeof value === 'string')],
  ['tls.server?', 'not_before', optional(time)],
  ['tls.server?', 'not_after', optional(time)],
  ['tls.server?', 'self_signed', optional(isBoolean)],
  ['tls.server?', 'name_matches', optional(isBoolean)],
];

interface CheckedObject {
  readonly path: string;
  readonly isOptional: boolean;
  readonly fields: readonly (readonly [field: string, check: Check])[];
}

/** The same by object, so that each is looked for once. */
const OBJECTS: readonly CheckedObject[] = [...new Set(FIELDS.map(([name]) => name))].map((name) => ({
  path: name.replace('?', ''),
  isOptional: name.endsWith('?'),
  fields: FIELDS.filter(([other]) => other === name).map(([, field, check]) => [field, check] as const),
}));

function complaint(record: JsonObject): string | undefined {
  const version = own(objectAt(record, 'waybill') ?? {}, 'schema');
  if (version !== 1) {
    return typeof version === 'number'
      ? `schema ${version}; this program reads schema 1`
      : 'no flow record: waybill.schema is missing';
  }
  for (const { path, isOptional, fields } of OBJECTS) {
    const object = objectAt(record, path);
    if (!object && isOptional) continue;
    for (const [field, check] of fields) {
      if (!check(object && own(object, field))) return `${path}.${field} is missing or not what it must be`;
    }
  }
  return undefined;
}
