/**
 * All that enrich remembers, behind one interface. The implementations pass the same contract tests: embedded (lmdb) and
 * Redis. Every write is idempotent and commutative: the same facts in any order, any number of times, from any number of
 * workers leave the same state, so no worker owns anything and a retried batch changes nothing. That holds up to the
 * caps of limits.ts; at a cap the oldest goes, and `counters` says how often.
 *
 * Every method rejects with a StoreError (store-error.ts) and nothing else. A write that was rejected may or may not have
 * happened: repeat it.
 */
export interface Store {
  /**
   * Adds facts. A fact is named by (shard, kind, id); of two with one name the higher `version` stays, at equal
   * versions the later `at`, at equal times the greater UTF-8 JSON of `[keys, body]`, byte by byte.
   * Rejects with `refused` before anything is written when a fact breaks a limit; `factRefusal` asks beforehand.
   * @returns for each fact whether it changed the store.
   */
  put(facts: readonly Fact[]): Promise<boolean[]>;

  get(shard: string, kind: FactKind, id: string): Promise<Fact | undefined>;

  /**
   * Facts of one shard and kind that carry this index key, by (at, id); at most `limit`, the newest ones.
   * No read gives more than MAX_FOUND facts.
   */
  find(shard: string, kind: FactKind, key: string, limit: number): Promise<Fact[]>;

  /** Facts of one shard and kind with from <= at <= to, by (at, id); at most `limit`, the newest ones. */
  between(shard: string, kind: FactKind, from: number, to: number, limit: number): Promise<Fact[]>;

  /** How many facts `between` would find without a limit. */
  count(shard: string, kind: FactKind, from: number, to: number): Promise<number>;

  /**
   * The answers of `find` (a key) and `between` (a span) to many questions, in the order asked, in as few journeys to the
   * store as it has parts that are asked.
   */
  query(queries: readonly FactQuery[]): Promise<Fact[][]>;

  /**
   * Kinds of which each of these shards may have facts, in the order asked: of one left out it has none. Cheap: what most
   * hosts have nothing of needs no question of its own.
   */
  kinds(shards: readonly string[]): Promise<ReadonlySet<FactKind>[]>;

  /** Shards that have facts of this kind, in no order. For maintenance and pages, not for the hot path. */
  shards(kind: FactKind): AsyncIterable<string>;

  /** Adds sightings of destinations to the familiarity of scopes. */
  observe(observations: readonly Observation[]): Promise<void>;

  /** What is known of each (scope, destination), in the order asked; undefined when never observed. */
  familiarity(queries: readonly FamiliarityKey[]): Promise<(Familiarity | undefined)[]>;

  /**
   * Per UTC day in [fromDay, toDay], ascending: destinations seen by the scope, and how many of them were new to it that
   * day. Days without a sighting are left out, and so are days more than 31 before the newest day of the scope: a day
   * far in the future forgets the present, so the caller bounds `day` by its own clock.
   */
  novelty(scope: string, fromDay: number, toDay: number): Promise<NoveltyDay[]>;

  /**
   * Keeps the alert with the higher revision (then the later `at`, then the greater JSON of the body); false when the
   * store already had it or a newer one. With `replace` the alert given stays, whatever was known; nobody who reads meanwhile
   * finds none.
   */
  putAlert(alert: StoredAlert, options?: { readonly replace?: boolean }): Promise<boolean>;
  dropAlert(id: string): Promise<void>;
  getAlert(id: string): Promise<StoredAlert | undefined>;
  /** Newest first by (at, id); with `before`, only those with at < before. */
  listAlerts(options: { limit: number; before?: number }): Promise<StoredAlert[]>;

  /**
   * Forgets facts with at < before (microseconds), familiarity whose last day ended by then, and the novelty of those
   * days. Returns how many facts and familiarity entries went.
   */
  expire(before: number): Promise<number>;

  /**
   * Grows when the connection to the store was lost: a store that replicates or writes later may have come back without the
   * last of what it had acknowledged, so that nobody may rely on having written it.
   */
  losses(): number;

  /** What the caps have cost since this store was opened. */
  counters(): StoreCounters;
  close(): Promise<void>;
}

/** Order is part of the stored format (a kind is stored as its place here): append only. */
export const FACT_KINDS = [
  'flow',
  'connection',
  'lease',
  'dns',
  'process',
  'staging',
  'joined',
  'gap',
  'identity',
  'match',
  'episode',
  'file',
  'review',
  'drill',
  'delivery',
  'unexplained',
  'hello',
] as const;

export type FactKind = (typeof FACT_KINDS)[number];

export interface Fact {
  /**
   * `host:<host id>` or `ip:<address>`; for marks of episodes also `ledger:<host id>`, `user:<sid>` and `rollout:<hash>`;
   * `output:<name>` for deliveries.
   * At most 512 bytes: facts that are read together live together (one Redis hash tag).
   */
  readonly shard: string;
  readonly kind: FactKind;
  /** 1 to 512 bytes. */
  readonly id: string;
  /** Event time, microseconds since 1970 UTC. */
  readonly at: number;
  /** Index keys for `find`; at most 8, each at most 512 bytes (longer ones are hashed by the caller). */
  readonly keys: readonly string[];
  readonly version: number;
  /** JSON value, at most 64 KiB encoded. */
  readonly body: unknown;
}

/** A question for facts of one shard and kind, as `find` or `between` would ask it. */
export type FactQuery = {
  readonly shard: string;
  readonly kind: FactKind;
  readonly limit: number;
} /** From the beginning, to the end, where no time is given. */ & (
  | { readonly key: string; readonly from?: number; readonly to?: number }
  | {
      readonly from: number;
      readonly to: number;
      /** Of more than `limit` facts the oldest ones, not the newest. */
      readonly oldest?: boolean;
    }
);

export interface FamiliarityKey {
  /**
   * Whose familiarity: `host:<id>`, `user:<id>`, `identity:<id>`, `host-identity:<id>|<id>`, `org`; `ja4:<identity>` for
   * handshakes; `hosts`, `rollout:<hash>` and `peer-hosts:<group>` to count hosts by day; `peers:<group>` for what each host
   * of a group met, `peer-identity:<group>|<cell>|<identity>` for what peers met with a program.
   */
  readonly scope: string;
  /** Destination entity, e.g. `tenant:bucket.s3.amazonaws.com`, `domain:example.com`. */
  readonly destination: string;
}

export interface Observation extends FamiliarityKey {
  /** Days since 1970-01-01 UTC, 0 to 65535. */
  readonly day: number;
  /** The sighting followed staging, so that it must not train the baseline at once (DETECTION.md §4.2). */
  readonly tainted: boolean;
}

/** Names are hashed to 64 bits in storage; an entry takes at most 40 bytes in Redis at 1,000 destinations a scope. */
export interface Familiarity {
  readonly firstDay: number;
  readonly lastDay: number;
  /** Bit i set = seen on day lastDay - i; 32 bits, unsigned. Days older than that are forgotten. */
  readonly days: number;
  /** A sighting on `firstDay` was tainted. */
  readonly firstTainted: boolean;
}

export interface NoveltyDay {
  readonly day: number;
  readonly seen: number;
  readonly fresh: number;
}

export interface StoreCounters {
  /** Facts pushed out of a (shard, kind) that held MAX_FACTS_PER_SERIES. */
  readonly evictedFacts: number;
  /** Sightings of new destinations not stored because the scope had MAX_FRESH_A_DAY of them on that day. */
  readonly droppedSightings: number;
  /** Alerts pushed out by MAX_ALERTS. */
  readonly evictedAlerts: number;
}

export interface StoredAlert {
  readonly id: string;
  /** Microseconds since 1970 UTC: newest evidence. */
  readonly at: number;
  readonly revision: number;
  /** The alert document (ECS JSON), at most 256 KiB encoded. */
  readonly body: unknown;
}
