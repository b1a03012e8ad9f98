import { textOf } from './field-values.ts';
import { isObject, type JsonObject, own } from './json-object.ts';

/** Most columns of a table of an answer. */
const MAX_COLUMNS = 1_000;

/**
 * Names of the columns of a table as Log Analytics and Elasticsearch (`columns: [{name}]`) and Kusto (`Columns: [{ColumnName}]`) give
 * them, rows being arrays of values in their order; undefined when it is no such list.
 */
export function columnNames(columns: unknown): readonly string[] | undefined {
  if (!Array.isArray(columns) || columns.length === 0 || columns.length > MAX_COLUMNS) return undefined;
  const names = columns.map((column: unknown) =>
    isObject(column) ? textOf(own(column, 'name') ?? own(column, 'ColumnName')) : undefined,
  );
  return names.some((name) => name !== undefined) ? names.map((name) => name ?? '') : undefined;
}

/** The rows of a table as objects (`values` in answers of ES|QL); undefined when the object is no table. */
export function rowsOfTable(table: unknown): JsonObject[] | undefined {
  if (!isObject(table)) return undefined;
  const names = columnNames(own(table, 'columns') ?? own(table, 'Columns'));
  const rows = own(table, 'rows') ?? own(table, 'Rows') ?? own(table, 'values');
  return names && Array.isArray(rows) ? rows.filter(Array.isArray).map((row) => rowObject(names, row)) : undefined;
}

/** A row as an object. `Object.fromEntries` defines properties, so a column called `__proto__` is a property like any other. */
export const rowObject = (names: readonly string[], row: readonly unknown[]): JsonObject =>
  Object.fromEntries(names.map((name, i) => [name, row[i]]));
