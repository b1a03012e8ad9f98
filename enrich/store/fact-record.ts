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
/** Where in a record its time and its digests stand. */
export const RECORD_AT = AT;
export const RECORD_DIGESTS = HEADER_BYTES;

/** A fact that passed the limits, in bytes. */
export interface PreparedFact {
  readonly shard: string;
  readonly kind: FactKind;
  readonly id: Buffer;
  readonly record: Buffer;
}

/** Encodes a batch; throws StoreError `refused` naming the first fact that breaks a limit. */
export function prepareFacts(facts: readonly Fact[], digester: Digester): PreparedFact[] {
  const texts = textsOf(facts);
  return facts.map((fact, index) => {
    const record = Buffer.allocUnsafe(recordBytes(fact, texts[index]!));
    writeRecord(record, 0, fact, texts[index]!, digester);
    return { shard: fact.shard, kind: fact.kind, id: Buffer.from(fact.id), record };
  });
}

/** The text of each fact of a batch; throws StoreError `refused` naming the first one that breaks a limit. */
export function textsOf(facts: readonly Fact[]): string[] {
  return facts.map((fact, index) => {
    const why = factRefusal(fact);
    if (why !== undefined) throw refusedFact(fact, index, why);
    const body = jsonOf(fact.body);
    if (body === undefined) throw refusedFact(fact, index, 'its body is not JSON');
    if (3 * body.length > MAX_BODY_BYTES && Buffer.byteLength(body) > MAX_BODY_BYTES) {
      throw refusedFact(fact, index, `its body takes ${Buffer.byteLength(body)} bytes, more than ${MAX_BODY_BYTES}`);
    }
    return `[${JSON.stringify(fact.keys)},${body}]`;
  });
}

/** Bytes of the record of a fact with this text. */
export const recordBytes = (fact: Fact, text: string): number =>
  HEADER_BYTES + fact.keys.length * DIGEST_BYTES + Buffer.byteLength(text);

/** Writes the record of a fact into `recordBytes` bytes. */
export function writeRecord(target: Buffer, at: number, fact: Fact, text: string, digester: Digester): void {
  writeSortable(target, at, fact.version);
  writeSortable(target, at + AT, fact.at);
  target[at + COUNT] = fact.keys.length;
  let end = at + HEADER_BYTES;
  for (const key of fact.keys) {
    digester.write(key, target, end);
    end += DIGEST_BYTES;
  }
  target.write(text, end);
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

/** Digests of the fact's index keys, views. */
export function keyDigestsOf(record: Buffer): Buffer[] {
  const count = record[COUNT] ?? 0;
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

function textStart(record: Buffer): number {
  return HEADER_BYTES + (record[COUNT] ?? 0) * DIGEST_BYTES;
}

function refusedFact(fact: Fact, index: number, why: string): StoreError {
  return new StoreError('refused', `fact ${index} of the batch (kind ${String(fact.kind)}) is refused: ${why}`, {
    index,
  });
}
