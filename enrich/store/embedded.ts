import { statfsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { alertRecord } from './alert-record.ts';
import { Digester } from './digest.ts';
import { EmbeddedAlerts } from './embedded-alerts.ts';
import { Committer, lmdbError } from './embedded-commit.ts';
import { expireFacts, expireFamiliarity } from './embedded-expire.ts';
import { EmbeddedFacts } from './embedded-facts.ts';
import { EmbeddedFamiliarity } from './embedded-familiarity.ts';
import { openEnvironment, openError, settleDirectory, unmark } from './embedded-files.ts';
import { beat, HEARTBEAT_MS, leaveOwnership, takeOwnership } from './embedded-owner.ts';
import { SCHEMA, settleSchema, UPGRADES, type Upgrade } from './embedded-schema.ts';
import { openTables, type Tables } from './embedded-tables.ts';
import { prepareFacts } from './fact-record.ts';
import { checkObservations, MAX_ALERTS, MAX_FACTS_PER_SERIES } from './limits.ts';
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

export interface EmbeddedOptions {
  /**
   * True (default): a write is acknowledged when it is on the disk, and a power cut leaves the last acknowledged state.
   * False: for throw-away stores; a power cut may damage the store, a killed process may not.
   */
  readonly durable?: boolean;
  /** Bytes of facts kept; more are refused as `full`. Default 16 GiB. */
  readonly maxBytes?: number;
  /** Bytes of the disk left to others and to `expire`; less free and writes are refused as `full`. Default 64 MiB. */
  readonly reserveBytes?: number;
  /** Facts of one shard and kind. Default MAX_FACTS_PER_SERIES. */
  readonly maxFactsPerSeries?: number;
  /** Default MAX_ALERTS. */
  readonly maxAlerts?: number;
  /** Milliseconds since 1970: the owner's heartbeat. */
  readonly nowMs?: () => number;
  /** For tests of upgrades: the schema to open as, and how to get there. */
  readonly schema?: { readonly version: number; readonly upgrades: ReadonlyMap<number, Upgrade> };
}

export interface EmbeddedStore extends Store {
  /** Writes a consistent copy of the store, while it is in use, into an empty or new directory. */
  backup(directory: string): Promise<void>;
}

const DEFAULT_MAX_BYTES = 16 * 1024 ** 3;
const DEFAULT_RESERVE_BYTES = 64 * 1024 ** 2;

/** Facts or sightings of one transaction: it runs on the main thread, and a caller's batch may be large. */
const WRITE_AT_A_TIME = 500;
/** An alert weighs as much as this many facts: it may be 256 KiB. */
const ALERT_WEIGHT = 10;

/** Longest wait for lmdb to close, milliseconds. */
const CLOSE_MS = 2_000;

/** Directories this process has open, by real path. */
const openHere = new Set<string>();

/**
 * Opens the store in a directory, which is made when missing. One process at a time, else StoreError `locked`; further
 * codes: `newer-schema`, `corrupt`, `read-only`, `full`.
 */
export async function openEmbedded(directory: string, options: EmbeddedOptions = {}): Promise<EmbeddedStore> {
  const place = settleDirectory(directory);
  if (openHere.has(place)) throw new StoreError('locked', `${directory} is open in this process already.`);
  openHere.add(place);
  try {
    return await openPlace(place, options);
  } catch (error) {
    openHere.delete(place);
    throw openError(directory, error);
  }
}

async function openPlace(place: string, options: EmbeddedOptions): Promise<EmbeddedStore> {
  const nowMs = options.nowMs ?? Date.now;
  const schema = options.schema ?? { version: SCHEMA, upgrades: UPGRADES };
  const root = await openEnvironment(place, options.durable ?? true);
  try {
    const tables = openTables(root);
    const salt = root.transactionSync(() => {
      takeOwnership(tables, place, nowMs());
      return settleSchema(tables, place, schema.version, schema.upgrades);
    });
    return new Embedded(place, tables, new Digester(salt), options);
  } catch (error) {
    await root.close();
    throw error;
  }
}

/** After a commit that failed, lmdb's close waits for a flush that never comes. */
async function atMost(milliseconds: number, closing: Promise<void>): Promise<void> {
  const timer = new AbortController();
  const waited = setTimeout(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([closing.finally(() => timer.abort()), waited]);
}

class Embedded implements EmbeddedStore {
  private readonly place: string;
  private readonly tables: Tables;
  private readonly digester: Digester;
  private readonly facts: EmbeddedFacts;
  private readonly known: EmbeddedFamiliarity;
  private readonly alerts: EmbeddedAlerts;
  private readonly committer: Committer;
  private readonly heartbeat: NodeJS.Timeout;
  private readonly reserveBytes: number;
  private closing: Promise<void> | undefined;

  constructor(place: string, tables: Tables, digester: Digester, options: EmbeddedOptions) {
    this.place = place;
    this.tables = tables;
    this.digester = digester;
    this.reserveBytes = options.reserveBytes ?? DEFAULT_RESERVE_BYTES;
    this.facts = new EmbeddedFacts(tables, digester, {
      factsPerSeries: options.maxFactsPerSeries ?? MAX_FACTS_PER_SERIES,
      bytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
    });
    this.known = new EmbeddedFamiliarity(tables, digester);
    this.alerts = new EmbeddedAlerts(tables, options.maxAlerts ?? MAX_ALERTS);
    this.committer = new Committer(tables, () => this.diskRefusal());
    this.heartbeat = setInterval(() => this.beat(options.nowMs ?? Date.now), HEARTBEAT_MS).unref();
  }

  async put(facts: readonly Fact[]): Promise<boolean[]> {
    const prepared = prepareFacts(facts, this.digester);
    const changed: boolean[] = [];
    for (let i = 0; i < prepared.length; i += WRITE_AT_A_TIME) {
      const some = prepared.slice(i, i + WRITE_AT_A_TIME);
      changed.push(...(await this.committer.run(some.length, () => this.facts.put(some))));
    }
    return changed;
  }

  get(shard: string, kind: FactKind, id: string): Promise<Fact | undefined> {
    return this.read(() => this.facts.get(shard, kind, id));
  }

  find(shard: string, kind: FactKind, key: string, limit: number): Promise<Fact[]> {
    return this.read(() => this.facts.find(shard, kind, key, limit));
  }

  between(shard: string, kind: FactKind, from: number, to: number, limit: number): Promise<Fact[]> {
    return this.read(() => this.facts.between(shard, kind, from, to, limit));
  }

  count(shard: string, kind: FactKind, from: number, to: number): Promise<number> {
    return this.read(() => this.facts.count(shard, kind, from, to));
  }

  query(queries: readonly FactQuery[]): Promise<Fact[][]> {
    return this.read(() => queries.map((query) => this.facts.query(query)));
  }

  kinds(shards: readonly string[]): Promise<ReadonlySet<FactKind>[]> {
    return this.read(() => shards.map((shard) => this.facts.kinds(shard)));
  }

  async *shards(kind: FactKind): AsyncIterable<string> {
    const names = this.facts.shards(kind);
    for (;;) {
      const next = await this.read(() => names.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  async observe(observations: readonly Observation[]): Promise<void> {
    checkObservations(observations);
    for (let i = 0; i < observations.length; i += WRITE_AT_A_TIME) {
      const some = observations.slice(i, i + WRITE_AT_A_TIME);
      await this.committer.run(some.length, () => this.known.observe(some));
    }
  }

  familiarity(queries: readonly FamiliarityKey[]): Promise<(Familiarity | undefined)[]> {
    return this.read(() => queries.map((query) => this.known.familiarity(query)));
  }

  novelty(scope: string, fromDay: number, toDay: number): Promise<NoveltyDay[]> {
    return this.read(() => this.known.novelty(scope, fromDay, toDay));
  }

  async putAlert(alert: StoredAlert, { replace = false } = {}): Promise<boolean> {
    const record = alertRecord(alert);
    return this.committer.run(ALERT_WEIGHT, () => this.alerts.put(alert.id, record, replace));
  }

  dropAlert(id: string): Promise<void> {
    return this.committer.runFreeing(ALERT_WEIGHT, () => this.alerts.drop(id));
  }

  getAlert(id: string): Promise<StoredAlert | undefined> {
    return this.read(() => this.alerts.get(id));
  }

  listAlerts({ limit, before = Infinity }: { limit: number; before?: number }): Promise<StoredAlert[]> {
    return this.read(() => this.alerts.list(limit, before));
  }

  async expire(before: number): Promise<number> {
    if (Number.isNaN(before)) return 0;
    await this.read(() => undefined);
    try {
      const facts = await expireFacts(this.facts, this.committer, before);
      return facts + (await expireFamiliarity(this.known, this.committer, dayOf(before)));
    } catch (error) {
      throw readError(error);
    }
  }

  losses(): number {
    return 0;
  }

  counters(): StoreCounters {
    return {
      evictedFacts: this.facts.evicted,
      droppedSightings: this.known.dropped,
      evictedAlerts: this.alerts.evicted,
    };
  }

  async backup(directory: string): Promise<void> {
    await this.read(() => undefined);
    try {
      await mkdir(directory, { recursive: true });
      if ((await readdir(directory)).length > 0) throw new StoreError('refused', `${directory} is not empty.`);
      await this.tables.root.backup(directory, true);
    } catch (error) {
      throw openError(directory, error);
    }
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    clearInterval(this.heartbeat);
    await this.committer.close();
    try {
      this.tables.root.transactionSync(() => leaveOwnership(this.tables));
      unmark(this.place);
    } catch {
      // A full disk; the next owner sees that this process is gone.
    }
    await atMost(CLOSE_MS, this.tables.root.close());
    openHere.delete(this.place);
  }

  private async read<T>(work: () => T): Promise<T> {
    if (this.closing !== undefined) throw new StoreError('closed', 'the embedded store is closed');
    try {
      return work();
    } catch (error) {
      throw readError(error);
    }
  }

  private beat(nowMs: () => number): void {
    // A beat that fails is followed by another; that the disk is full is told to those who write.
    this.committer.runFreeing(1, () => beat(this.tables, this.place, nowMs())).catch(() => undefined);
  }

  private diskRefusal(): StoreError | undefined {
    const { bavail, bsize } = statfsSync(this.place);
    if (bavail * bsize >= this.reserveBytes) return undefined;
    const message = `the disk under ${this.place} has less than ${this.reserveBytes} bytes free. Free space.`;
    return new StoreError('full', message);
  }
}

function readError(error: unknown): StoreError {
  const message = `the embedded store could not be read: ${error instanceof Error ? error.message : error}`;
  return lmdbError(error, new StoreError('unexpected', message, { cause: error }));
}
