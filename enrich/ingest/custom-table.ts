import type { Unwrapped } from './envelope.ts';
import { textOf } from './field-values.ts';
import { type JsonObject, own } from './json-object.ts';
import type { RecordContext } from './reading.ts';

/** Ending that Log Analytics gives a custom column by its type: string, double, GUID, time, boolean. */
const SUFFIX = /_[sdgtb]$/;
/** Columns with such an ending that make a row one of a custom table. */
const MIN_SUFFIXED = 2;
/** The row's own times; beside one of them, `TimeGenerated` is when the row was taken in. */
const OWN_TIMES = [
  'EventTime',
  'TimeCreated',
  'SystemTime',
  'UtcTime',
  'Timestamp',
  'timestamp',
  'event_time',
  'eventTime',
];

/** A row of a custom table of Log Analytics (`…_CL`): the record with its columns under their own names again. */
export function customTable(object: JsonObject, context: RecordContext): readonly Unwrapped[] | undefined {
  const isCustom = textOf(own(object, 'Type'))?.endsWith('_CL') === true;
  if (!isCustom && own(object, 'TimeGenerated') === undefined && own(object, 'TimeGenerated [UTC]') === undefined)
    return undefined;
  const names = Object.keys(object);
  if (names.filter((name) => SUFFIX.test(name)).length < MIN_SUFFIXED) return undefined;
  const bare = (name: string): string => name.replace(SUFFIX, '');
  // A column that has a value wins over its namesake of another type.
  const filled = names.filter((name) => own(object, name) !== null && own(object, name) !== '');
  const record: JsonObject = Object.fromEntries(filled.map((name) => [bare(name), own(object, name)]));
  if (!OWN_TIMES.some((name) => Object.hasOwn(record, name))) return [{ record, context }];
  const { TimeGenerated: _ingested, ...timed } = record;
  return [{ record: timed, context }];
}
