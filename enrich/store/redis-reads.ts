import type { Digester } from './digest.ts';
import { decodeFact } from './fact-record.ts';
import { kindBit, type RedisKeys } from './keys.ts';
import { boundedLimit, MAX_FOUND } from './limits.ts';
import { PackedArray } from './packed-array.ts';
import { callsOf, numbers, pairs, settled, staggered } from './redis-calls.ts';
import type { RedisLink, RedisReply } from './redis-link.ts';
import { bytesBeforeId, packRange } from './redis-range.ts';
import { COUNT, FIND, PEEK } from './redis-scripts.ts';
import { FACT_KINDS, type Fact, type FactKind, type FactQuery } from './store.ts';

/** Questions in one call of a script: Redis does nothing else meanwhile. */
const MAX_QUESTIONS_A_CALL = 200;
/** What one takes, about. */
const QUESTION_BYTES = 96;
/** Shards whose kinds one call asks for. */
const MAX_SHARDS_A_CALL = 500;

interface Counting {
  readonly shard: string;
  readonly kind: FactKind;
  readonly from: number;
  readonly to: number;
  readonly answer: (count: number) => void;
  readonly fail: (error: unknown) => void;
}

/** Reads of facts in Redis; keys.ts says where they are. */
export class RedisReads {
  private readonly link: RedisLink;
  private readonly keys: RedisKeys;
  private readonly digester: Digester;
  private counting: Counting[] = [];

  constructor(link: RedisLink, keys: RedisKeys, digester: Digester) {
    this.link = link;
    this.keys = keys;
    this.digester = digester;
  }

  async get(shard: string, kind: FactKind, id: string): Promise<Fact | undefined> {
    const key = this.keys.facts(this.keys.tagOf(shard), kind, shard);
    const record = await this.link.send(key, ['HGET', key, id]);
    return Buffer.isBuffer(record) ? decodeFact(shard, kind, id, record) : undefined;
  }

  /** Asked together with what else is to be counted before the program has to wait. */
  count(shard: string, kind: FactKind, from: number, to: number): Promise<number> {
    if (!(from <= to)) return Promise.resolve(0);
    return new Promise((answer, fail) => {
      if (this.counting.push({ shard, kind, from, to, answer, fail }) === 1) {
        process.nextTick(() => void this.countAll());
      }
    });
  }

  async query(queries: readonly FactQuery[]): Promise<Fact[][]> {
    const answers: Fact[][] = queries.map(() => []);
    let asked = queries.flatMap((query, place) => (isEmpty(query) ? [] : [place]));
    while (asked.length > 0) {
      const tagOf = (place: number) => this.keys.tagOf(queries[place]!.shard);
      const calls = callsOf(this.link, asked, { tagOf, most: MAX_QUESTIONS_A_CALL });
      const left: number[] = [];
      await staggered(calls, async (call) => {
        const replies = await this.ask(call.map((place) => queries[place]!));
        for (const [i, place] of call.entries()) {
          const reply = replies[i] ?? null;
          // A call ends where it has found much: what it left is asked again. The first of it never is.
          if (reply === null && i > 0) left.push(place);
          else answers[place] = factsOf(queries[place]!, reply ?? []);
        }
      });
      asked = left;
    }
    return answers;
  }

  async kinds(shards: readonly string[]): Promise<ReadonlySet<FactKind>[]> {
    const found: Set<FactKind>[] = shards.map(() => new Set());
    const tagOf = (place: number) => this.keys.tagOf(shards[place]!);
    const calls = callsOf(this.link, [...shards.keys()], { tagOf, most: MAX_SHARDS_A_CALL });
    const replies = await settled(
      calls.map((call) => {
        const names = call.map((place) => shards[place]!);
        return this.link.evaluate(
          PEEK,
          names.map((shard) => this.keys.registry(this.keys.tagOf(shard))),
          names,
        );
      }),
    );
    for (const [n, call] of calls.entries()) {
      const reply = replies[n];
      for (const [i, place] of call.entries()) {
        const bits = Number(Array.isArray(reply) ? reply[i] : 0);
        found[place] = new Set(FACT_KINDS.filter((kind) => (bits & kindBit(kind)) !== 0));
      }
    }
    return found;
  }

  private async countAll(): Promise<void> {
    const { counting } = this;
    this.counting = [];
    const tagOf = ({ shard }: Counting) => this.keys.tagOf(shard);
    await staggered(callsOf(this.link, counting, { tagOf, most: MAX_QUESTIONS_A_CALL }), async (call) => {
      try {
        const keys = call.map(({ shard, kind }) => this.keys.index(this.keys.tagOf(shard), kind, shard));
        const ends = new PackedArray(call.length * QUESTION_BYTES);
        for (const { from, to } of call) packRange(ends, { key: undefined, from, to }, this.digester);
        const counts = numbers(await this.link.evaluate(COUNT, keys, [ends.end()]));
        for (const [i, { answer }] of call.entries()) answer(counts[i] ?? 0);
      } catch (error) {
        for (const { fail } of call) fail(error);
      }
    });
  }

  private async ask(queries: readonly FactQuery[]): Promise<RedisReply[]> {
    const keys: string[] = [];
    const numbered = new Map<string, number>();
    const questions = new PackedArray(queries.length * QUESTION_BYTES);
    for (const query of queries) {
      const { shard, kind, limit } = query;
      const name = `${kind} ${shard}`;
      let series = numbered.get(name);
      if (series === undefined) {
        const tag = this.keys.tagOf(shard);
        series = keys.push(this.keys.index(tag, kind, shard), this.keys.facts(tag, kind, shard)) / 2;
        numbered.set(name, series);
      }
      const { from = -Infinity, to = Infinity } = query;
      const [key, oldest] = 'key' in query ? [query.key, false] : [undefined, query.oldest === true];
      questions.number(series);
      packRange(questions, { key, from, to }, this.digester);
      questions.number(boundedLimit(limit));
      questions.number(bytesBeforeId({ key }));
      questions.number(oldest ? 1 : 0);
    }
    const reply = await this.link.evaluate(FIND, keys, [String(MAX_FOUND), questions.end()]);
    return Array.isArray(reply) ? reply : [];
  }
}

const isEmpty = ({ limit, from = -Infinity, to = Infinity }: FactQuery): boolean =>
  boundedLimit(limit) === 0 || !(from <= to);

/** By time, then id: Redis gives the newest first unless the oldest were asked for. */
function factsOf(query: FactQuery, reply: RedisReply): Fact[] {
  const { shard, kind } = query;
  const facts = pairs(reply).map(([id, record]) => decodeFact(shard, kind, id.toString(), record));
  if ('key' in query) return facts.reverse().filter((fact) => fact.keys.includes(query.key)); // else another key with the same digest
  return query.oldest === true ? facts : facts.reverse();
}
