import { isObject, type JsonObject } from '../json-object.ts';

/** Deepest element, and most entries of one, that is turned; an event has four levels. */
const MAX_DEPTH = 8;
const MAX_ENTRIES = 512;

/** An element as xml2js writes it (every child a list, attributes under `$`, text under `_`), in the form of other translators. */
export function withoutLists(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) return undefined;
  if (Array.isArray(value)) {
    if (value.length === 1 && !isData(value[0])) return withoutLists(value[0], depth + 1);
    return value.slice(0, MAX_ENTRIES).map((entry) => withoutLists(entry, depth + 1));
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).slice(0, MAX_ENTRIES);
  return Object.fromEntries(
    entries.map(([name, inner]) => [RENAMED.get(name) ?? name, withoutLists(inner, depth + 1)]),
  );
}

const RENAMED = new Map([
  ['$', '#attributes'],
  ['_', '#text'],
]);

/** A lone `<Data Name="…">` stays in its list, which is where its name is looked for. */
const isData = (value: unknown): boolean => {
  const attributes = isObject(value) ? value['$'] : undefined;
  return (
    isObject(attributes) && Object.hasOwn(attributes as JsonObject, 'Name') && Object.hasOwn(value as JsonObject, '_')
  );
};
