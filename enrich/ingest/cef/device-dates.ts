import { type DateOrder, datesOf, evidenceIn, orderIn, withDates } from '../date-order.ts';
import { textOf } from '../field-values.ts';
import type { DeviceLine } from './device-line.ts';

/** The order of the dates of a line, as LEEF's `devTimeFormat` states it or as the line proves it; see `orderIn`. */
export function orderOfLine(line: DeviceLine): DateOrder | 'either' | undefined {
  const fields = Object.fromEntries(line.fields);
  const dates = datesOf(fields);
  if (!dates) return undefined;
  const order = orderIn(dates.values(), evidenceIn(fields));
  const format = line.fields.get('devTimeFormat');
  if (order === undefined || format === undefined) return order;
  if (format.startsWith('dd')) return 'day-first';
  return format.startsWith('MM') ? 'month-first' : order;
}

/** The line with its dates as the reader of times takes them. */
export function lineInOrder(line: DeviceLine, order: DateOrder | undefined): DeviceLine {
  const fields = Object.fromEntries(line.fields);
  const dates = datesOf(fields) ?? new Map<string, string>();
  const ordered = Object.entries(withDates(fields, dates, order));
  return { ...line, fields: new Map(ordered.map(([name, value]) => [name, textOf(value) ?? ''])) };
}
