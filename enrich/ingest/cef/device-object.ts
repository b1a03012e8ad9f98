import { textOf } from '../field-values.ts';
import { at, isObject, type JsonObject, objectAt, own } from '../json-object.ts';
import type { DeviceLine } from './device-line.ts';
import { delimitedPairs } from './key-values.ts';

/** Most fields taken of one record. */
const MAX_FIELDS = 512;

/** Before the keys of a document whose nesting was flattened. */
const EXTENSIONS = 'cef.extensions.';

/** Where collectors keep the parts of the header. */
interface Names {
  readonly vendor: string;
  readonly product: string;
  readonly eventClass: string;
  readonly name: string;
}

const SHAPES: readonly Names[] = [
  { vendor: 'DeviceVendor', product: 'DeviceProduct', eventClass: 'DeviceEventClassID', name: 'Activity' },
  { vendor: 'deviceVendor', product: 'deviceProduct', eventClass: 'deviceEventClassId', name: 'name' },
  {
    vendor: 'cef.device.vendor',
    product: 'cef.device.product',
    eventClass: 'cef.device.event_class_id',
    name: 'cef.name',
  },
];

/**
 * A CEF line that a collector has taken apart, put together again: a row of Sentinel's `CommonSecurityLog`, a document of Filebeat's
 * `decode_cef` (`cef.extensions.sourceAddress`), or one of Logstash's CEF codec.
 */
export function deviceOfObject(record: JsonObject): DeviceLine | undefined {
  for (const names of SHAPES) {
    const vendor = textOf(at(record, names.vendor));
    const eventClass = textOf(at(record, names.eventClass));
    const product = textOf(at(record, names.product));
    if (vendor === undefined || product === undefined || eventClass === undefined) continue;
    const fields = fieldsOf(objectAt(record, 'cef.extensions') ?? record);
    return { format: 'cef', vendor, product, eventClass, name: textOf(at(record, names.name)) ?? '', fields };
  }
  return undefined;
}

function fieldsOf(record: JsonObject): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(record).slice(0, MAX_FIELDS)) {
    const text = isObject(value) ? undefined : textOf(value);
    if (text !== undefined) fields.set(name.startsWith(EXTENSIONS) ? name.slice(EXTENSIONS.length) : name, text);
  }
  // Sentinel puts the keys that it has no column for into one text.
  for (const [name, value] of delimitedPairs(textOf(own(record, 'AdditionalExtensions')) ?? '', ';'))
    if (!fields.has(name)) fields.set(name, value);
  return fields;
}
