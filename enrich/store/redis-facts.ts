import type { Digester } from './digest.ts';
import { decodeFact, type PreparedFact, prepareFacts } from './fact-record.ts';
import { BY_KEY, BY_TIME, kindBit, type RedisKeys } from './keys.ts';
import { boundedLimit } from './limits.ts';
import type { RedisArgument, RedisLink, RedisReply } from './redis-link.ts';
import { FIND, PUT, TRIM } from './redis-scripts.ts';
import { afterPrefix, SORTABLE_BYTES, sortable } from './sortable.ts';
import { FACT_KINDS, type Fact, type FactKind } from './store.ts';
import { StoreError } from './store-error.ts';

/** Facts in one call of a script: Redis does nothing else meanwhile. */
const MAX_FACTS_A_CALL = 100;
/** Facts that one call of TRIM removes. */
const TRIM_AT_A_TIME = 500;
/** Series, or tags, that maintenance has under way at a time. */
const IN_FLIGHT = 64;

/** What one script call puts, and where the answers belong. */
interface Call {
  readonly facts: PreparedFact[];
  readonly places: number[];
}

/** Facts in Redis; keys.ts says where. */
export class RedisFacts {
  evicted = 0;
  private readonly link: RedisLink;
  private readonly keys: RedisKeys;
  private readonly digester: Digester;
  private readonly tags: number;
  private readonly ttlMs: number;
  private readonly most: number;

  constructor(
    link: RedisLink,
    keys: RedisKeys,
    options: { digester: Digester; tags: number; ttlMs: number; factsPerSeries: number },
  ) {
    this.link = link;
    this.keys = keys;
    this.digester = options.digester;
    this.tags = options.tags;
    this.ttlMs = options.ttlMs;
    this.most = options.factsPerSeries;
  }

  async put(facts: readonly Fact[]): Promise<boolean[]> {
    const prepared = prepareFacts(facts, this.digester);
    const changed: boolean[] = new Array(facts.length).fill(false);
    const answers = await settled(
      this.callsOf(prepared).map(async (call) => ({ call, reply: await this.putCall(call) })),
    );
    for (const { call, reply } of answers) {
      const [evicted = 0, ...each] = numbers(reply);
      this.evicted += evicted;
      for (const [i, place] of call.places.entries()) changed[place] = each[i] === 1;
    }
    return changed;
  }

  async get(shard: string, kind: FactKind, id: string): Promise<Fact | undefined> {
    const key = this.keys.facts(this.keys.tagOf(shard), kind, shard);
    const record = await this.link.send(key, ['HGET', key, id]);
    return Buffer.isBuffer(record) ? decodeFact(shard, kind, id, record) : undefined;
  }

  async find(shard: string, kind: FactKind, key: string, limit: number): Promise<Fact[]> {
    const prefix = Buffer.concat([BY_KEY, this.digester.of(key)]);
    const found = await this.range(shard, kind, {
      low: prefix,
      high: afterPrefix(prefix),
      before: prefix.length,
      limit,
    });
    return found.filter((fact) => fact.keys.includes(key)); // another key with the same digest
  }

  async between(shard: string, kind: FactKind, from: number, to: number, limit: number): Promise<Fact[]> {
    if (!(from <= to)) return [];
    return this.range(shard, kind, { ...timeRange(from, to), before: BY_TIME.length, limit });
  }

  async count(shard: string, kind: FactKind, from: number, to: number): Promise<number> {
    if (!(from <= to)) return 0;
    const { low, high } = timeRange(from, to);
    const key = this.keys.index(this.keys.tagOf(shard), kind, shard);
    return Number(await this.link.send(key, ['ZLEXCOUNT', key, including(low), upTo(high)]));
  }

  async *shards(kind: FactKind): AsyncGenerator<string> {
    const bit = kindBit(kind);
    for await (const { shards } of this.registries()) {
      for (const [shard, bits] of shards) if ((bits & bit) !== 0) yield shard;
    }
  }

  async expire(before: number): Promise<number> {
    let gone = 0;
    for await (const { tag, shards } of this.registries()) {
      const series = shards.flatMap(([shard, bits]) =>
        FACT_KINDS.filter((kind) => (bits & kindBit(kind)) !== 0).map((kind) => ({ shard, kind })),
      );
      for (let i = 0; i < series.length; i += IN_FLIGHT) {
        const some = series.slice(i, i + IN_FLIGHT);
        const trimmed = await settled(some.map(({ shard, kind }) => this.trim(tag, kind, shard, before)));
        gone += trimmed.reduce((sum, each) => sum + each, 0);
      }
    }
    return gone;
  }

  /** Facts of one name stay in the batch's order: their calls go out in order on one connection. */
  private callsOf(facts: readonly PreparedFact[]): Call[] {
    const open = new Map<number, Call>();
    const calls: Call[] = [];
    for (const [place, fact] of facts.entries()) {
      const route = routeOf(this.link, this.keys.tagOf(fact.shard));
      let call = open.get(route);
      if (call === undefined || call.facts.length === MAX_FACTS_A_CALL) {
        call = { facts: [], places: [] };
        open.set(route, call);
        calls.push(call);
      }
      call.facts.push(fact);
      call.places.push(place);
    }
    return calls;
  }

  private putCall({ facts }: Call): Promise<RedisReply> {
    const keys: string[] = [];
    const names: RedisArgument[] = [];
    const numbered = new Map<string, number>();
    const put: RedisArgument[] = [];
    for (const { shard, kind, id, record } of facts) {
      const tag = this.keys.tagOf(shard);
      const key = this.keys.facts(tag, kind, shard);
      let series = numbered.get(key);
      if (series === undefined) {
        series = numbered.size + 1;
        numbered.set(key, series);
        keys.push(this.keys.registry(tag), key, this.keys.index(tag, kind, shard));
        names.push(shard, String(kindBit(kind)));
      }
      put.push(String(series), id, record);
    }
    return this.link.evaluate(PUT, keys, [String(this.most), String(this.ttlMs), ...names, ...put]);
  }

  private async range(
    shard: string,
    kind: FactKind,
    range: { low: Buffer; high: Buffer | undefined; before: number; limit: number },
  ): Promise<Fact[]> {
    const most = boundedLimit(range.limit);
    if (most === 0) return [];
    const tag = this.keys.tagOf(shard);
    const reply = await this.link.evaluate(
      FIND,
      [this.keys.index(tag, kind, shard), this.keys.facts(tag, kind, shard)],
      // The id stands after its time; an index key's digest before that.
      [upTo(range.high), including(range.low), String(most), String(range.before + SORTABLE_BYTES)],
    );
    return pairs(reply)
      .map(([id, record]) => decodeFact(shard, kind, id.toString(), record))
      .reverse();
  }

  private async trim(tag: number, kind: FactKind, shard: string, before: number): Promise<number> {
    const keys = [this.keys.registry(tag), this.keys.facts(tag, kind, shard), this.keys.index(tag, kind, shard)];
    const end = upTo(Buffer.concat([BY_TIME, sortable(before)]));
    let gone = 0;
    for (let some = TRIM_AT_A_TIME; some === TRIM_AT_A_TIME; gone += some) {
      const args = [end, String(TRIM_AT_A_TIME), shard, String(kindBit(kind))];
      some = Number(await this.link.evaluate(TRIM, keys, args));
    }
    return gone;
  }

  /** The registry of each tag that has one, read some tags at a time. */
  private async *registries(): AsyncGenerator<{ tag: number; shards: [string, number][] }> {
    for (let first = 0; first < this.tags; first += IN_FLIGHT) {
      const tags = Array.from({ length: Math.min(IN_FLIGHT, this.tags - first) }, (_, i) => first + i);
      const replies = await settled(
        tags.map((tag) => this.link.send(this.keys.registry(tag), ['HGETALL', this.keys.registry(tag)])),
      );
      for (const [i, tag] of tags.entries()) {
        const shards = pairs(replies[i] ?? []).map(([shard, bits]): [string, number] => [
          shard.toString(),
          Number(bits),
        ]);
        if (shards.length > 0) yield { tag, shards };
      }
    }
  }
}

/** Things of one route may share a script call: of one tag in a cluster, all of them elsewhere. */
export function routeOf(link: RedisLink, tag: number): number {
  return link.mode === 'cluster' ? tag : 0;
}

/** All of them, or the first error once none is under way any more: a caller that tries again meets no stragglers. */
export async function settled<T>(calls: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(calls);
  return Promise.all(calls);
}

/** A flat reply of two-element rows. */
export function pairs(reply: RedisReply): [Buffer, Buffer][] {
  if (!Array.isArray(reply)) throw new StoreError('unexpected', 'Redis gave no list where one was asked for');
  const rows: [Buffer, Buffer][] = [];
  for (let i = 0; i + 1 < reply.length; i += 2) {
    const [first, second] = [reply[i], reply[i + 1]];
    if (Buffer.isBuffer(first) && Buffer.isBuffer(second)) rows.push([first, second]);
  }
  return rows;
}

export function numbers(reply: RedisReply): number[] {
  return Array.isArray(reply) ? reply.map(Number) : [];
}

function timeRange(from: number, to: number): { low: Buffer; high: Buffer | undefined } {
  const low = Buffer.concat([BY_TIME, sortable(from)]);
  return { low, high: afterPrefix(Buffer.concat([BY_TIME, sortable(to)])) };
}

function including(low: Buffer): Buffer {
  return Buffer.concat([Buffer.from('['), low]);
}

function upTo(high: Buffer | undefined): Buffer {
  return high === undefined ? Buffer.from('+') : Buffer.concat([Buffer.from('('), high]);
}
