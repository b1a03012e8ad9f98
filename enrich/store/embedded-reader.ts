import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { Digester } from './digest.ts';
import { EmbeddedAlerts } from './embedded-alerts.ts';
import { lmdbError } from './embedded-commit.ts';
import { EmbeddedFacts } from './embedded-facts.ts';
import { EmbeddedFamiliarity } from './embedded-familiarity.ts';
import { checkBefore, DATA_FILE, openError } from './embedded-files.ts';
import { SCHEMA } from './embedded-schema.ts';
import { MAX_TABLES, META, openTables, type Tables } from './embedded-tables.ts';
import type {
  Fact,
  FactKind,
  FactQuery,
  Familiarity,
  FamiliarityKey,
  NoveltyDay,
  Store,
  StoreCounters,
  StoredAlert,
} from './store.ts';
import { StoreError } from './store-error.ts';

/** Kept beside the store by the layer above; part of what a backup must hold. */
const COMPANIONS = ['allow.json'];

/**
 * A store that another process may have open and write to: each question is answered as of when it is asked, and what would
 * change the store is refused. Rejects with StoreError.
 */
export async function readEmbedded(directory: string): Promise<Store> {
  const root = await openReadOnly(directory);
  try {
    const tables = openTables(root);
    const schema = tables.meta.get(META.schema)?.readUInt32BE(0);
    const salt = tables.meta.get(META.salt);
    if (schema !== SCHEMA || salt === undefined) {
      const message = `the store in ${directory} has schema ${schema}; this waybill reads ${SCHEMA}. Open it with waybill enrich once.`;
      throw new StoreError('newer-schema', message);
    }
    return new EmbeddedReader(tables, new Digester(salt));
  } catch (error) {
    await root.close();
    throw openError(directory, error);
  }
}

class EmbeddedReader implements Store {
  private readonly root: Tables['root'];
  private readonly facts: EmbeddedFacts;
  private readonly known: EmbeddedFamiliarity;
  private readonly alerts: EmbeddedAlerts;

  constructor(tables: Tables, digester: Digester) {
    this.root = tables.root;
    this.facts = new EmbeddedFacts(tables, digester, { factsPerSeries: 0, bytes: 0 });
    this.known = new EmbeddedFamiliarity(tables, digester);
    this.alerts = new EmbeddedAlerts(tables, 0);
  }

  put = refuse;
  observe = refuse;
  putAlert = refuse;
  dropAlert = refuse;
  expire = refuse;

  get(shard: string, kind: FactKind, id: string): Promise<Fact | undefined> {
    return reading(() => this.facts.get(shard, kind, id));
  }

  find(shard: string, kind: FactKind, key: string, limit: number): Promise<Fact[]> {
    return reading(() => this.facts.find(shard, kind, key, limit));
  }

  between(shard: string, kind: FactKind, from: number, to: number, limit: number): Promise<Fact[]> {
    return reading(() => this.facts.between(shard, kind, from, to, limit));
  }

  count(shard: string, kind: FactKind, from: number, to: number): Promise<number> {
    return reading(() => this.facts.count(shard, kind, from, to));
  }

  query(queries: readonly FactQuery[]): Promise<Fact[][]> {
    return reading(() => queries.map((query) => this.facts.query(query)));
  }

  kinds(shards: readonly string[]): Promise<ReadonlySet<FactKind>[]> {
    return reading(() => shards.map((shard) => this.facts.kinds(shard)));
  }

  async *shards(kind: FactKind): AsyncIterable<string> {
    const names = this.facts.shards(kind);
    for (;;) {
      const next = await reading(() => names.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  familiarity(queries: readonly FamiliarityKey[]): Promise<(Familiarity | undefined)[]> {
    return reading(() => queries.map((query) => this.known.familiarity(query)));
  }

  novelty(scope: string, fromDay: number, toDay: number): Promise<NoveltyDay[]> {
    return reading(() => this.known.novelty(scope, fromDay, toDay));
  }

  getAlert(id: string): Promise<StoredAlert | undefined> {
    return reading(() => this.alerts.get(id));
  }

  listAlerts({ limit, before = Infinity }: { limit: number; before?: number }): Promise<StoredAlert[]> {
    return reading(() => this.alerts.list(limit, before));
  }

  losses(): number {
    return 0;
  }

  counters(): StoreCounters {
    return { evictedFacts: 0, droppedSightings: 0, evictedAlerts: 0 };
  }

  close(): Promise<void> {
    return this.root.close();
  }
}

async function refuse(): Promise<never> {
  throw new StoreError('read-only', 'the store is open for reading only');
}

/**
 * Writes a consistent copy of a store into an empty or new directory, whether a process has it open or not: LMDB copies
 * what one read transaction sees, and writers go on beside it. Rejects with StoreError.
 * @param before called before the store is copied, when `to` is known to be empty
 */
export async function backUpEmbedded(
  directory: string,
  to: string,
  before: () => Promise<void> = async () => {},
): Promise<void> {
  const root = await openReadOnly(directory);
  try {
    await mkdir(to, { recursive: true });
    if ((await readdir(to)).length > 0) throw new StoreError('refused', `${to} is not empty.`);
    await before();
    for (const name of COMPANIONS) {
      if (existsSync(join(directory, name))) await copyFile(join(directory, name), join(to, name));
    }
    await root.backup(to, true);
  } catch (error) {
    throw openError(to, error);
  } finally {
    await root.close();
  }
}

async function openReadOnly(directory: string): Promise<RootDatabase<Buffer, Buffer>> {
  if (!existsSync(join(directory, DATA_FILE))) {
    throw new StoreError('refused', `there is no store in ${directory}.`);
  }
  checkBefore(directory);
  const { open } = await import('lmdb');
  try {
    return open<Buffer, Buffer>({
      path: directory,
      noSubdir: false,
      readOnly: true,
      maxDbs: MAX_TABLES,
      encoding: 'binary',
      keyEncoding: 'binary',
    });
  } catch (error) {
    throw openError(directory, error);
  }
}

async function reading<T>(work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    const message = `the embedded store could not be read: ${error instanceof Error ? error.message : error}`;
    throw lmdbError(error, new StoreError('unexpected', message, { cause: error }));
  }
}
