/** What JSON.parse makes of an object of the outside: its keys are data, so it is only ever read through `own` and `at`. */
export type JsonObject = { readonly [name: string]: unknown };

/** Deepest nesting of objects and arrays that is parsed at all; no feed comes near it. */
export const MAX_JSON_DEPTH = 64;
/** Longest record, UTF-16 units; longer ones are counted as damaged and skipped. */
export const MAX_RECORD_CHARS = 1024 * 1024;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The record's own value of this name; never one inherited from Object.prototype. */
export const own = (object: JsonObject, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined;

const splitPaths = new Map<string, readonly string[]>();

/**
 * The value at a dotted path of ours, whether the record is nested (`{"process":{"pid":4}}`) or flat (`{"process.pid":4}`).
 * Paths are constants of the adapters, so remembering how they split does not grow with input.
 */
export function at(object: JsonObject, path: string): unknown {
  const flat = own(object, path);
  if (flat !== undefined) return flat;
  let parts = splitPaths.get(path);
  if (!parts) {
    parts = path.split('.');
    splitPaths.set(path, parts);
  }
  if (parts.length === 1) return undefined;
  let value: unknown = object;
  for (const part of parts) {
    if (!isObject(value)) return undefined;
    value = own(value, part);
  }
  return value;
}

/** The object at a dotted path, or undefined. */
export function objectAt(object: JsonObject, path: string): JsonObject | undefined {
  const value = at(object, path);
  return isObject(value) ? value : undefined;
}

export type ParsedJson = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

/** JSON.parse with the size and depth checked first: ten megabytes of `[` would keep it busy for seconds. */
export function parseJson(text: string): ParsedJson {
  if (text.length > MAX_RECORD_CHARS) return { ok: false, why: 'longer than 1 MiB' };
  if (nestsDeeperThan(text, MAX_JSON_DEPTH)) return { ok: false, why: `nested deeper than ${MAX_JSON_DEPTH}` };
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    return { ok: false, why: 'not JSON' };
  }
}

function nestsDeeperThan(text: string, cap: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      depth++;
      if (depth > cap) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}
