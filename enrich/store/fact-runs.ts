import { DIGEST_BYTES, type Digester } from './digest.ts';
import { RECORD_AT, RECORD_DIGESTS, recordBytes, writeRecord } from './fact-record.ts';
import { BY_KEY, BY_TIME } from './keys.ts';
import type { PackedArray } from './packed-array.ts';
import { SORTABLE_BYTES } from './sortable.ts';
import type { Fact } from './store.ts';

/** All members of an index have the same score: their bytes order them. */
const NO_SCORE = Buffer.from('0');

export interface FactText {
  readonly fact: Fact;
  /** As `textsOf` gives it. */
  readonly text: string;
}

/** About what runs of these take: a little more than that of names of usual length. */
export const expectedBytes = (facts: readonly FactText[]): number =>
  facts.reduce((sum, { fact, text }) => sum + text.length + (4 + fact.keys.length) * (fact.id.length + 32), 0);

/** Facts of one series as the script PUT wants them. Written in place: several buffers a fact would be most of its cost. */
export function packRun(runs: PackedArray, series: number, facts: readonly FactText[], digester: Digester): void {
  const ids = new Set(facts.map(({ fact }) => fact.id));
  const members = facts.reduce((sum, { fact }) => sum + 1 + fact.keys.length, 0);
  for (const each of [series, facts.length, ids.size < facts.length ? 1 : 0, 2 * members]) runs.number(each);
  const idBytes = facts.map(({ fact }) => Buffer.byteLength(fact.id));
  const idAt = facts.map(({ fact }, i) => {
    const at = runs.place(idBytes[i]!);
    runs.bytes.write(fact.id, at);
    return at;
  });
  const recordAt = facts.map(({ fact, text }, i) => {
    copyInto(runs, runs.place(idBytes[i]!), idAt[i]!, idBytes[i]!);
    const at = runs.place(recordBytes(fact, text));
    writeRecord(runs.bytes, at, fact, text, digester);
    return at;
  });
  for (const [i, { fact }] of facts.entries()) {
    packMember(runs, BY_TIME[0]!, { digestAt: -1, timeAt: recordAt[i]! + RECORD_AT, idAt: idAt[i]! }, idBytes[i]!);
    for (let key = 0; key < fact.keys.length; key++) {
      const digestAt = recordAt[i]! + RECORD_DIGESTS + key * DIGEST_BYTES;
      packMember(runs, BY_KEY[0]!, { digestAt, timeAt: recordAt[i]! + RECORD_AT, idAt: idAt[i]! }, idBytes[i]!);
    }
  }
}

/** One place in the index: a letter, a digest where it is of a key, time and id, copied from where they stand already. */
function packMember(
  runs: PackedArray,
  letter: number,
  { digestAt, timeAt, idAt }: { readonly digestAt: number; readonly timeAt: number; readonly idAt: number },
  idBytes: number,
): void {
  runs.string(NO_SCORE);
  const digestBytes = digestAt < 0 ? 0 : DIGEST_BYTES;
  let at = runs.place(1 + digestBytes + SORTABLE_BYTES + idBytes);
  runs.bytes[at++] = letter;
  copyInto(runs, at, digestAt, digestBytes);
  at += digestBytes;
  copyInto(runs, at, timeAt, SORTABLE_BYTES);
  copyInto(runs, at + SORTABLE_BYTES, idAt, idBytes);
}

/** Bytes of the array itself, to another place in it. */
function copyInto({ bytes }: PackedArray, to: number, from: number, length: number): void {
  bytes.copyWithin(to, from, from + length);
}
