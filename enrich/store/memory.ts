import { alertRecord, alertTimeOf, decodeAlert } from './alert-record.ts';
import { Digester, newSalt } from './digest.ts';
import { prepareFacts } from './fact-record.ts';
import { boundedLimit, checkObservations, MAX_ALERTS, MAX_FACTS_PER_SERIES } from './limits.ts';
import { MemoryFacts } from './memory-facts.ts';
import { MemoryFamiliarity } from './memory-familiarity.ts';
import { type Ranked, RankedList, ranked } from './ranked-list.ts';
import { dayOf } from './sighting.ts';
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
import { StoreError } from './store-error.ts';

export interface MemoryOptions {
  /** Bytes of facts kept; more are refused as `full`. Default 2 GiB. */
  readonly maxBytes?: number;
  /** Default MAX_FACTS_PER_SERIES. */
  readonly maxFactsPerSeries?: number;
  /** Default MAX_ALERTS. */
  readonly maxAlerts?: number;
}

const DEFAULT_MAX_BYTES = 2 * 1024 ** 3;

/** A throw-away store in this process's memory, for replays: the same contract, nothing on the disk, gone when closed. */
export function openMemory(options: MemoryOptions = {}): Store {
  return new Memory(options);
}

class Memory implements Store {
  private readonly digester = new Digester(newSalt());
  private readonly facts: MemoryFacts;
  private readonly known = new MemoryFamiliarity();
  private readonly alerts = new Map<string, Ranked>();
  private readonly alertsByTime = new RankedList();
  private readonly maxAlerts: number;
  private evictedAlerts = 0;
  private closed = false;

  constructor(options: MemoryOptions) {
    this.facts = new MemoryFacts(this.digester, {
      bytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
      factsPerSeries: options.maxFactsPerSeries ?? MAX_FACTS_PER_SERIES,
    });
    this.maxAlerts = options.maxAlerts ?? MAX_ALERTS;
  }

  async put(facts: readonly Fact[]): Promise<boolean[]> {
    this.checkOpen();
    return this.facts.put(prepareFacts(facts, this.digester));
  }

  async get(shard: string, kind: FactKind, id: string): Promise<Fact | undefined> {
    this.checkOpen();
    return this.facts.get(shard, kind, id);
  }

  async find(shard: string, kind: FactKind, key: string, limit: number): Promise<Fact[]> {
    this.checkOpen();
    return this.facts.find(shard, kind, key, boundedLimit(limit));
  }

  async between(shard: string, kind: FactKind, from: number, to: number, limit: number): Promise<Fact[]> {
    this.checkOpen();
    return this.facts.between(shard, kind, from, to, boundedLimit(limit));
  }

  async count(shard: string, kind: FactKind, from: number, to: number): Promise<number> {
    this.checkOpen();
    return this.facts.count(shard, kind, from, to);
  }

  async query(queries: readonly FactQuery[]): Promise<Fact[][]> {
    this.checkOpen();
    return queries.map((query) => {
      const { shard, kind } = query;
      const most = boundedLimit(query.limit);
      if ('key' in query) return this.facts.find(shard, kind, query.key, most, query);
      return this.facts.between(shard, kind, query.from, query.to, most, query.oldest);
    });
  }

  async kinds(shards: readonly string[]): Promise<ReadonlySet<FactKind>[]> {
    this.checkOpen();
    return shards.map((shard) => this.facts.kinds(shard));
  }

  async *shards(kind: FactKind): AsyncIterable<string> {
    this.checkOpen();
    yield* this.facts.shards(kind);
  }

  async observe(observations: readonly Observation[]): Promise<void> {
    this.checkOpen();
    checkObservations(observations);
    this.known.observe(observations);
  }

  async familiarity(queries: readonly FamiliarityKey[]): Promise<(Familiarity | undefined)[]> {
    this.checkOpen();
    return queries.map((query) => this.known.familiarity(query));
  }

  async novelty(scope: string, fromDay: number, toDay: number): Promise<NoveltyDay[]> {
    this.checkOpen();
    return this.known.novelty(scope, fromDay, toDay);
  }

  async putAlert(alert: StoredAlert, { replace = false } = {}): Promise<boolean> {
    this.checkOpen();
    const record = alertRecord(alert);
    const known = this.alerts.get(alert.id);
    const rank = known === undefined ? 1 : record.compare(known.record);
    if (rank === 0 || (rank < 0 && !replace)) return false;
    this.forgetAlert(known);
    const entry = ranked(alert.id, alertTimeOf(record), record);
    this.alerts.set(alert.id, entry);
    this.alertsByTime.insert(entry);
    if (this.alerts.size <= this.maxAlerts) return true;
    const oldest = this.alertsByTime.first;
    this.forgetAlert(oldest);
    this.evictedAlerts++;
    return oldest !== entry;
  }

  async dropAlert(id: string): Promise<void> {
    this.checkOpen();
    this.forgetAlert(this.alerts.get(id));
  }

  async getAlert(id: string): Promise<StoredAlert | undefined> {
    this.checkOpen();
    const known = this.alerts.get(id);
    return known === undefined ? undefined : decodeAlert(id, known.record);
  }

  async listAlerts({ limit, before = Infinity }: { limit: number; before?: number }): Promise<StoredAlert[]> {
    this.checkOpen();
    const most = Number.isNaN(before) ? 0 : boundedLimit(limit);
    const newest = this.alertsByTime.newestBefore(before, most).reverse();
    return newest.map(({ id, record }) => decodeAlert(id, record));
  }

  async expire(before: number): Promise<number> {
    this.checkOpen();
    return Number.isNaN(before) ? 0 : this.facts.expire(before) + this.known.expire(dayOf(before));
  }

  losses(): number {
    return 0;
  }

  counters(): StoreCounters {
    return {
      evictedFacts: this.facts.evicted,
      droppedSightings: this.known.dropped,
      evictedAlerts: this.evictedAlerts,
    };
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  private forgetAlert(entry: Ranked | undefined): void {
    if (entry === undefined) return;
    this.alerts.delete(entry.id);
    this.alertsByTime.remove(entry);
  }

  private checkOpen(): void {
    if (this.closed) throw new StoreError('closed', 'the store in memory is closed');
  }
}
