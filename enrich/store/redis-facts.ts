import { monotonicMillis } from '../../sensor/base/clock.ts';
import type { Digester } from './digest.ts';
import { textsOf } from './fact-record.ts';
import { expectedBytes, type FactText, packRun } from './fact-runs.ts';
import { BY_TIME, kindBit, type RedisKeys } from './keys.ts';
import { PackedArray } from './packed-array.ts';
import { callsOf, numbers, pairs, settled, staggered, upTo } from './redis-calls.ts';
import type { RedisArgument, RedisLink, RedisReply } from './redis-link.ts';
import { PUT, TRIM } from './redis-scripts.ts';
import { sortable } from './sortable.ts';
import { FACT_KINDS, type Fact, type FactKind } from './store.ts';

/** Facts in one call of a script: Redis does nothing else meanwhile. */
const MAX_FACTS_A_CALL = 200;
/** TTLs are of days: one that was set by us so recently is not set again. Milliseconds. */
const REFRESH_MS = 3_600_000;
/** Series of which that is remembered, about 100 bytes each; all are forgotten when there are more. */
const MAX_REFRESHED = 100_000;
/** Facts that one call of TRIM removes. */
const TRIM_AT_A_TIME = 500;
/** Series, or tags, that maintenance has under way at a time. */
const IN_FLIGHT = 64;

/** Writes facts to Redis and forgets them; keys.ts says where, redis-reads.ts reads them. */
export class RedisFacts {
  evicted = 0;
  private readonly link: RedisLink;
  private readonly keys: RedisKeys;
  private readonly digester: Digester;
  private readonly tags: number;
  private readonly ttlMs: number;
  private readonly most: number;
  private readonly refreshedAt = new Map<string, number>();

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
    const texts = textsOf(facts);
    const changed: boolean[] = new Array(facts.length).fill(false);
    // Facts of one name stay in the batch's order: their calls go out in order on one connection.
    const calls = callsOf(this.link, bySeries(facts), {
      tagOf: (place) => this.keys.tagOf(facts[place]!.shard),
      most: MAX_FACTS_A_CALL,
    });
    const replies = await staggered(calls, (call) =>
      this.putCall(call.map((place) => ({ fact: facts[place]!, text: texts[place]! }))),
    );
    for (const [n, call] of calls.entries()) {
      const [evicted = 0, ...each] = numbers(replies[n] ?? null);
      this.evicted += evicted;
      for (const [i, place] of call.entries()) changed[place] = each[i] === 1;
    }
    return changed;
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

  /** Writes facts of one route, those of a series together. */
  private async putCall(facts: readonly FactText[]): Promise<RedisReply> {
    const keys: string[] = [];
    const names: RedisArgument[] = [];
    const runs = new PackedArray(expectedBytes(facts));
    const now = monotonicMillis();
    const refreshed: string[] = [];
    for (let first = 0, last = 0; first < facts.length; first = last) {
      const { shard, kind } = facts[first]!.fact;
      last++;
      while (last < facts.length && facts[last]!.fact.shard === shard && facts[last]!.fact.kind === kind) last++;
      const tag = this.keys.tagOf(shard);
      const key = this.keys.facts(tag, kind, shard);
      const series = keys.push(this.keys.registry(tag), key, this.keys.index(tag, kind, shard)) / 3;
      const isDue = (this.refreshedAt.get(key) ?? Number.NEGATIVE_INFINITY) + REFRESH_MS <= now;
      if (isDue) refreshed.push(key);
      names.push(shard, String(kindBit(kind)), isDue ? '1' : '0');
      packRun(runs, series, facts.slice(first, last), this.digester);
    }
    const reply = await this.link.evaluate(PUT, keys, [String(this.most), String(this.ttlMs), ...names, runs.end()]);
    if (this.refreshedAt.size + refreshed.length > MAX_REFRESHED) this.refreshedAt.clear();
    for (const key of refreshed) this.refreshedAt.set(key, now);
    return reply;
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

/** Places of facts in the batch, those of one series together, each in the order of the batch: Redis writes them as one. */
function bySeries(facts: readonly Fact[]): number[] {
  const series = new Map<string, number[]>();
  for (const [place, { kind, shard }] of facts.entries()) {
    const name = `${kind} ${shard}`;
    const places = series.get(name);
    if (places) places.push(place);
    else series.set(name, [place]);
  }
  return [...series.values()].flat();
}
