import { DIGEST_BYTES, type Digester } from './digest.ts';
import { factRefusal, MAX_BODY_BYTES } from './limits.ts';
import { readSortable, SORTABLE_BYTES, writeSortable } from './sortable.ts';
import type { Fact, FactKind } from './store.ts';
import { StoreError } from './store-error.ts';

/**
 * A fact as both stores keep it:
 *
 *     version            8   sortable
 *     at                 8   sortable
 *     key count          1
 *     key digests     8 · n   where the fact stands in the index, so that a replaced one is taken out without parsing JSON
 *     [keys, body]       …   JSON, UTF-8
 *
 * shard, kind and id are the record's name and stand outside of it. Which of two records with one name stays is decided
 * by bytes alone (`supersedes`), here and in the Redis script.
 */
const AT = SORTABLE_BYTES;
const COUNT = AT + SORTABLE_BYTES;
const HEADER_BYTES = COUNT + 1;

/** A fact that passed the limits, in bytes. */
export interface PreparedFact {
  readonly shard: string;
  readonly kind: FactKind;
  readonly id: Buffer;
  readonly record: Buffer;
}

/** Encodes a batch; throws StoreError `refused` naming the first fact that breaks a limit. */
export function prepareFacts(facts: readonly Fact[], digester: Digester): PreparedFact[] {
  return facts.map((fact, index) => {
    const why = factRefusal(fact);
    if (why !== undefined) throw refusedFact(fact, index, why);
    const body = jsonOf(fact.body);
    if (body === undefined) throw refusedFact(fact, index, 'its body is not JSON');
    if (Buffer.byteLength(body) > MAX_BODY_BYTES) {
      throw refusedFact(fact, index, `its body takes ${Buffer.byteLength(body)} bytes, more than ${MAX_BODY_BYTES}`);
    }
    const text = `[${JSON.stringify(fact.keys)},${body}]`;
    return { shard: fact.shard, kind: fact.kind, id: Buffer.from(fact.id), record: recordOf(fact, text, digester) };
  });
}

/** JSON of a value, `null` for undefined; undefined when it has none (cycles, bigint, functions). */
export function jsonOf(value: unknown): string | undefined {
  if (value === undefined) return 'null';
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // the caller names the fact; which member it was does not matter
  }
}

/** True when `ours` takes the place of `theirs`: version, then time, then JSON, all as bytes. */
export function supersedes(ours: Buffer, theirs: Buffer): boolean {
  const byRank = ours.compare(theirs, 0, COUNT, 0, COUNT);
  if (byRank !== 0) return byRank > 0;
  return ours.compare(theirs, textStart(theirs), theirs.length, textStart(ours), ours.length) > 0;
}

/** The fact's `at` as 8 sortable bytes, a view. */
export function atBytesOf(record: Buffer): Buffer {
  return record.subarray(AT, COUNT);
}

/** How many index keys the fact has. */
export const keyCountOf = (record: Buffer): number => record[COUNT] ?? 0;

/** Digests of the fact's index keys, views. */
export function keyDigestsOf(record: Buffer): Buffer[] {
  const count = keyCountOf(record);
  return Array.from({ length: count }, (_, i) =>
    record.subarray(HEADER_BYTES + i * DIGEST_BYTES, HEADER_BYTES + (i + 1) * DIGEST_BYTES),
  );
}

/** Gives back the fact; throws StoreError `corrupt` when the bytes are not a record. */
export function decodeFact(shard: string, kind: FactKind, id: string, record: Buffer): Fact {
  try {
    const [keys, body]: [readonly string[], unknown] = JSON.parse(record.toString('utf8', textStart(record)));
    return { shard, kind, id, at: readSortable(record, AT), keys, version: readSortable(record, 0), body };
  } catch (cause) {
    throw new StoreError('corrupt', `a stored ${kind} fact cannot be read back: its bytes are damaged`, { cause });
  }
}

function recordOf(fact: Fact, text: string, digester: Digester): Buffer {
  const start = HEADER_BYTES + fact.keys.length * DIGEST_BYTES;
  const record = Buffer.allocUnsafe(start + Buffer.byteLength(text));
  writeSortable(record, 0, fact.version);
  writeSortable(record, AT, fact.at);
  record[COUNT] = fact.keys.length;
  for (const [i, key] of fact.keys.entries()) digester.of(key).copy(record, HEADER_BYTES + i * DIGEST_BYTES);
  record.write(text, start);
  return record;
}

function textStart(record: Buffer): number {
  return HEADER_BYTES + keyCountOf(record) * DIGEST_BYTES;
}

function refusedFact(fact: Fact, index: number, why: string): StoreError {
  return new StoreError('refused', `fact ${index} of the batch (kind ${String(fact.kind)}) is refused: ${why}`, {
    index,
  });
}
