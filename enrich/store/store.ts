/**
 * All that enrich remembers, behind one interface. Two implementations pass the same contract tests: embedded (lmdb) and
 * Redis. Every write is idempotent and commutative: the same facts in any order, any number of times, from any number of
 * workers leave the same state, so no worker owns anything and a retried batch changes nothing.
 */
export interface Store {
  /**
   * Adds facts. A fact is named by (shard, kind, id); of two with one name the higher `version` stays, at equal
   * versions the one whose JSON is greater (any fixed rule does: it makes the result independent of order).
   * @returns for each fact whether it changed the store.
   */
  put(facts: readonly Fact[]): Promise<boolean[]>;

  get(shard: string, kind: FactKind, id: string): Promise<Fact | undefined>;

  /** Facts of one shard and kind that carry this index key, by (at, id); at most `limit`, the newest ones. */
  find(shard: string, kind: FactKind, key: string, limit: number): Promise<Fact[]>;

  /** Facts of one shard and kind with from <= at <= to, by (at, id); at most `limit`, the newest ones. */
  between(shard: string, kind: FactKind, from: number, to: number, limit: number): Promise<Fact[]>;

  /** How many facts `between` would find without a limit. */
  count(shard: string, kind: FactKind, from: number, to: number): Promise<number>;

  /** Shards that have facts of this kind, in no order. For maintenance and pages, not for the hot path. */
  shards(kind: FactKind): AsyncIterable<string>;

  /** Adds sightings of destinations to the familiarity of scopes. */
  observe(observations: readonly Observation[]): Promise<void>;

  /** What is known of each (scope, destination), in the order asked; undefined when never observed. */
  familiarity(queries: readonly FamiliarityKey[]): Promise<(Familiarity | undefined)[]>;

  /** Per UTC day in [fromDay, toDay]: destinations seen by the scope, and how many of them were new to it that day. */
  novelty(scope: string, fromDay: number, toDay: number): Promise<NoveltyDay[]>;

  /** Keeps the alert with the higher revision; false when the store already had it or a newer one. */
  putAlert(alert: StoredAlert): Promise<boolean>;
  dropAlert(id: string): Promise<void>;
  getAlert(id: string): Promise<StoredAlert | undefined>;
  /** Newest first by `at`. */
  listAlerts(options: { limit: number; before?: number }): Promise<StoredAlert[]>;

  /** Forgets facts older than `before` (microseconds) and familiarity not seen since; returns how many entries went. */
  expire(before: number): Promise<number>;
  close(): Promise<void>;
}

export type FactKind = 'flow' | 'connection' | 'lease' | 'dns' | 'process' | 'staging' | 'joined' | 'gap' | 'identity';

export interface Fact {
  /** `host:<host id>` or `ip:<address>`: facts that are read together live together (one Redis hash tag). */
  readonly shard: string;
  readonly kind: FactKind;
  readonly id: string;
  /** Event time, microseconds since 1970 UTC. */
  readonly at: number;
  /** Index keys for `find`; at most 8, each at most 512 bytes (longer ones are hashed by the caller). */
  readonly keys: readonly string[];
  readonly version: number;
  /** JSON value, at most 64 KiB encoded. */
  readonly body: unknown;
}

export interface FamiliarityKey {
  /** Whose familiarity: `host:<id>`, `user:<id>`, `identity:<id>`, `host-identity:<id>|<id>`, `org`. */
  readonly scope: string;
  /** Destination entity, e.g. `tenant:bucket.s3.amazonaws.com`, `domain:example.com`. */
  readonly destination: string;
}

export interface Observation extends FamiliarityKey {
  /** Days since 1970-01-01 UTC. */
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

export interface StoredAlert {
  readonly id: string;
  /** Microseconds since 1970 UTC: newest evidence. */
  readonly at: number;
  readonly revision: number;
  /** The alert document (ECS JSON). */
  readonly body: unknown;
}
