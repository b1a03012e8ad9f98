import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { Exit, UserError } from '../sensor/base/exit.ts';

/** Bytes of one file. */
const MAX_BYTES = 4_194_304;
/** Complaints listed. */
const MAX_COMPLAINTS = 50;

/** Something wrong with what stands at a path of keys. */
export interface Complaint {
  readonly place: readonly PropertyKey[];
  readonly message: string;
}

/**
 * A YAML file as a schema reads it; throws a `UserError` (exit 2) that lists every complaint with line and column.
 * @param check what a schema cannot know: asked when the schema has no complaint
 */
export function readYaml<T>(
  path: string,
  schema: z.ZodType<T>,
  check: (value: T) => readonly Complaint[] = () => [],
): T {
  let source: Buffer;
  try {
    source = readFileSync(path);
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`, Exit.usage);
  }
  if (source.length > MAX_BYTES) throw new UserError(`${path}: larger than ${MAX_BYTES} bytes`, Exit.usage);
  const lines = new LineCounter();
  const document = parseDocument(source.toString('utf8'), { lineCounter: lines });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const complaints = document.errors.map((e) => `${at(e.pos[0])} ${e.message.split('\n')[0]}`);
    throw new UserError(complaints.slice(0, MAX_COMPLAINTS).join('\n'), Exit.usage);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw new UserError(`${path}: ${(error as Error).message}`, Exit.usage);
  }
  const parsed = schema.safeParse(value);
  const found = parsed.success ? check(parsed.data) : parsed.error.issues.flatMap(complaintsOf);
  if (parsed.success && found.length === 0) return parsed.data;
  const complaints = found.map(({ place, message }) => {
    const range = rangeOf(document, place);
    return `${range === undefined ? path : at(range)} ${place.map(String).join('.') || '(top)'}: ${message}`;
  });
  throw new UserError(complaints.slice(0, MAX_COMPLAINTS).join('\n'), Exit.usage);
}

/** A key that nobody knows is shown where it stands, not where its object begins. */
function complaintsOf(issue: z.core.$ZodIssue): Complaint[] {
  if (issue.code !== 'unrecognized_keys') return [{ place: issue.path, message: issue.message }];
  return issue.keys.map((key) => ({ place: [...issue.path, key], message: 'Unrecognized key' }));
}

/** Offset of what stands at a path; of an unknown key, the key. */
function rangeOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  if (path.length === 0) return document.contents?.range?.[0];
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent)
    ? parent.items.find((item) => isScalar(item.key) && item.key.value === path.at(-1))
    : undefined;
  const value = document.getIn(path, true);
  const node = isNode(value) ? value : isNode(pair?.value) ? pair.value : pair?.key;
  return isNode(node) ? node.range?.[0] : undefined;
}
