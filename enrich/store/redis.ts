import { alertRecord, decodeAlert } from './alert-record.ts';
import { Digester } from './digest.ts';
import { DEFAULT_SHAPE, RedisKeys, type RedisShape } from './keys.ts';
import { boundedLimit, checkObservations, MAX_ALERTS, MAX_FACTS_PER_SERIES } from './limits.ts';
import { PackedArray } from './packed-array.ts';
import { numbers, pairs, upTo } from './redis-calls.ts';
import { checkRedis } from './redis-check.ts';
import { connectRedis } from './redis-connect.ts';
import { RedisFacts } from './redis-facts.ts';
import { RedisFamiliarity } from './redis-familiarity.ts';
import { type RedisLayout, settleLayout } from './redis-layout.ts';
import type { RedisLink, RedisOptions } from './redis-link.ts';
import { RedisReads } from './redis-reads.ts';
import { DROP_ALERT, FIND, PUT_ALERT } from './redis-scripts.ts';
import { dayOf } from './sighting.ts';
import { SORTABLE_BYTES, sortable } from './sortable.ts';
import type {
  Fact,
  FactKind,
  FactQuery,
  Familiarity,
  FamiliarityKey,
  NoveltyDay,
  Observation,
  Store,
  StoreCounters,
  StoredAlert,
} from './store.ts';

export interface RedisStoreOptions extends RedisOptions {
  /** First part of every key: stores of different prefixes share a Redis without meeting. Default `waybill`. */
  readonly prefix?: string;
  /** Start although the maxmemory-policy evicts. */
  readonly allowEviction?: boolean;
  /** How the store is laid out when it is new; an existing one keeps its own. */
  readonly shape?: RedisShape;
  /** Default MAX_FACTS_PER_SERIES. */
  readonly maxFactsPerSeries?: number;
  /** Default MAX_ALERTS. */
  readonly maxAlerts?: number;
  /** Days after the last write to a key when Redis drops it, expire or not. Defaults 30 and 120. */
  readonly factDays?: number;
  readonly familiarityDays?: number;
}

export interface RedisStore extends Store {
  /** Asks again what was asked at the start: policy, version, role. Rejects as openRedis does. */
  check(): Promise<void>;
}

const DAY_MS = 86_400_000;

/**
 * Opens the store in a Redis (redis-url.ts: standalone, cluster, sentinel). Any number of processes may. StoreError codes:
 * `bad-url`, `unavailable`, `denied`, `too-old`, `evicting`, `read-only`, `newer-schema`, `corrupt`.
 */
export async function openRedis(url: string, options: RedisStoreOptions = {}): Promise<RedisStore> {
  const link = await connectRedis(url, options);
  try {
    await checkRedis(link, options.allowEviction ?? false);
    const prefix = options.prefix ?? 'waybill';
    const layout = await settleLayout(link, prefix, options.shape ?? DEFAULT_SHAPE);
    const store = new Redis(link, prefix, layout, options);
    await store.prove();
    return store;
  } catch (error) {
    await link.close();
    throw error;
  }
}

class Redis implements RedisStore {
  private readonly link: RedisLink;
  private readonly options: RedisStoreOptions;
  private readonly keys: RedisKeys;
  private readonly facts: RedisFacts;
  private readonly reads: RedisReads;
  private readonly known: RedisFamiliarity;
  private evictedAlerts = 0;

  constructor(link: RedisLink, prefix: string, { salt, shape }: RedisLayout, options: RedisStoreOptions) {
    const digester = new Digester(salt);
    this.link = link;
    this.options = options;
    this.keys = new RedisKeys(prefix, shape, digester);
    this.facts = new RedisFacts(link, this.keys, {
      digester,
      tags: shape.tags,
      ttlMs: (options.factDays ?? 30) * DAY_MS,
      factsPerSeries: options.maxFactsPerSeries ?? MAX_FACTS_PER_SERIES,
    });
    this.reads = new RedisReads(link, this.keys, digester);
    const ttlMs = (options.familiarityDays ?? 120) * DAY_MS;
    this.known = new RedisFamiliarity(link, this.keys, { shape, ttlMs });
  }

  /** A write that changes nothing: missing rights show at the start, not at the first alert. */
  async prove(): Promise<void> {
    await this.dropAlert('none');
  }

  check(): Promise<void> {
    return checkRedis(this.link, this.options.allowEviction ?? false);
  }

  async put(facts: readonly Fact[]): Promise<boolean[]> {
    return this.facts.put(facts);
  }

  get(shard: string, kind: FactKind, id: string): Promise<Fact | undefined> {
    return this.reads.get(shard, kind, id);
  }

  async find(shard: string, kind: FactKind, key: string, limit: number): Promise<Fact[]> {
    return (await this.reads.query([{ shard, kind, key, limit }]))[0]!;
  }

  async between(shard: string, kind: FactKind, from: number, to: number, limit: number): Promise<Fact[]> {
    return (await this.reads.query([{ shard, kind, from, to, limit }]))[0]!;
  }

  count(shard: string, kind: FactKind, from: number, to: number): Promise<number> {
    return this.reads.count(shard, kind, from, to);
  }

  query(queries: readonly FactQuery[]): Promise<Fact[][]> {
    return this.reads.query(queries);
  }

  kinds(shards: readonly string[]): Promise<ReadonlySet<FactKind>[]> {
    return this.reads.kinds(shards);
  }

  shards(kind: FactKind): AsyncIterable<string> {
    return this.facts.shards(kind);
  }

  async observe(observations: readonly Observation[]): Promise<void> {
    checkObservations(observations);
    await this.known.observe(observations);
  }

  familiarity(queries: readonly FamiliarityKey[]): Promise<(Familiarity | undefined)[]> {
    return this.known.familiarity(queries);
  }

  novelty(scope: string, fromDay: number, toDay: number): Promise<NoveltyDay[]> {
    return this.known.novelty(scope, fromDay, toDay);
  }

  async putAlert(alert: StoredAlert, { replace = false } = {}): Promise<boolean> {
    const most = String(this.options.maxAlerts ?? MAX_ALERTS);
    const args = [alert.id, alertRecord(alert), most, replace ? '1' : '0'];
    const reply = await this.link.evaluate(PUT_ALERT, this.alertKeys(), args);
    const [changed, evicted = 0] = numbers(reply);
    this.evictedAlerts += evicted;
    return changed === 1;
  }

  async dropAlert(id: string): Promise<void> {
    await this.link.evaluate(DROP_ALERT, this.alertKeys(), [id]);
  }

  async getAlert(id: string): Promise<StoredAlert | undefined> {
    const record = await this.link.send(this.keys.alerts, ['HGET', this.keys.alerts, id]);
    return Buffer.isBuffer(record) ? decodeAlert(id, record) : undefined;
  }

  async listAlerts({ limit, before = Infinity }: { limit: number; before?: number }): Promise<StoredAlert[]> {
    const most = boundedLimit(limit);
    if (most === 0 || Number.isNaN(before)) return [];
    const keys = [this.keys.alertTimes, this.keys.alerts];
    const question = new PackedArray(64);
    question.number(1);
    question.string(Buffer.from('-'));
    question.string(upTo(before === Infinity ? undefined : sortable(before)));
    for (const each of [most, SORTABLE_BYTES, 0]) question.number(each);
    const reply = await this.link.evaluate(FIND, keys, [String(most), question.end()]);
    return pairs(Array.isArray(reply) ? (reply[0] ?? []) : []).map(([id, record]) =>
      decodeAlert(id.toString(), record),
    );
  }

  async expire(before: number): Promise<number> {
    if (Number.isNaN(before)) return 0;
    return (await this.facts.expire(before)) + (await this.known.expire(dayOf(before)));
  }

  losses(): number {
    return this.link.losses();
  }

  counters(): StoreCounters {
    return {
      evictedFacts: this.facts.evicted,
      droppedSightings: this.known.dropped,
      evictedAlerts: this.evictedAlerts,
    };
  }

  close(): Promise<void> {
    return this.link.close();
  }

  private alertKeys(): string[] {
    return [this.keys.alerts, this.keys.alertTimes];
  }
}
