import type { Fact, FactKind, Familiarity, FamiliarityKey, NoveltyDay, Store } from '../store/store.ts';

/** Everything that some work has read from a store: enough to do that work again without the store. */
export interface Recording {
  /** By shard, kind, id. */
  readonly facts: readonly Fact[];
  readonly baseline: Baseline;
}

/** What was known of destinations, hosts and programs, as far as it was asked. */
export interface Baseline {
  readonly familiarity: readonly (FamiliarityKey & { readonly known?: Familiarity })[];
  readonly novelty: readonly {
    readonly scope: string;
    readonly from: number;
    readonly to: number;
    readonly days: readonly NoveltyDay[];
  }[];
  readonly counts: readonly {
    readonly shard: string;
    readonly kind: FactKind;
    readonly from: number;
    readonly to: number;
    readonly count: number;
  }[];
  readonly kinds: readonly { readonly shard: string; readonly kinds: readonly FactKind[] }[];
}

/** A store that remembers what it was asked. What is read through it must be read only. */
export class RecordingStore {
  readonly store: Store;
  private readonly facts = new Map<string, Fact>();
  private readonly familiarity = new Map<string, Baseline['familiarity'][number]>();
  private readonly novelty = new Map<string, Baseline['novelty'][number]>();
  private readonly counts = new Map<string, Baseline['counts'][number]>();
  private readonly kinds = new Map<string, Baseline['kinds'][number]>();

  constructor(store: Store) {
    const keep = (found: readonly Fact[]): void => {
      for (const fact of found) this.facts.set(JSON.stringify([fact.shard, fact.kind, fact.id]), fact);
    };
    const through = async <T extends readonly Fact[]>(asked: Promise<T>): Promise<T> => {
      const found = await asked;
      keep(found);
      return found;
    };
    this.store = {
      ...refusing,
      get: async (...asked) => {
        const found = await store.get(...asked);
        if (found) keep([found]);
        return found;
      },
      find: (...asked) => through(store.find(...asked)),
      between: (...asked) => through(store.between(...asked)),
      query: async (queries) => {
        const answers = await store.query(queries);
        for (const found of answers) keep(found);
        return answers;
      },
      count: async (shard, kind, from, to) => {
        const count = await store.count(shard, kind, from, to);
        this.counts.set(JSON.stringify([shard, kind, from, to]), { shard, kind, from, to, count });
        return count;
      },
      kinds: async (shards) => {
        const answers = await store.kinds(shards);
        for (const [i, shard] of shards.entries()) this.kinds.set(shard, { shard, kinds: [...answers[i]!].sort() });
        return answers;
      },
      familiarity: async (queries) => {
        const answers = await store.familiarity(queries);
        for (const [i, { scope, destination }] of queries.entries()) {
          const known = answers[i];
          const entry = { scope, destination, ...(known === undefined ? {} : { known }) };
          this.familiarity.set(JSON.stringify([scope, destination]), entry);
        }
        return answers;
      },
      novelty: async (scope, from, to) => {
        const days = await store.novelty(scope, from, to);
        this.novelty.set(JSON.stringify([scope, from, to]), { scope, from, to, days });
        return days;
      },
      shards: (kind) => store.shards(kind),
      getAlert: (id) => store.getAlert(id),
      listAlerts: (options) => store.listAlerts(options),
      losses: () => store.losses(),
      counters: () => store.counters(),
    };
  }

  /** What was read so far, in an order that depends on nothing else. */
  get recording(): Recording {
    return {
      facts: sorted(this.facts),
      baseline: {
        familiarity: sorted(this.familiarity),
        novelty: sorted(this.novelty),
        counts: sorted(this.counts),
        kinds: sorted(this.kinds),
      },
    };
  }
}

const sorted = <T>(map: ReadonlyMap<string, T>): T[] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);

const refuse = (): never => {
  throw new Error('this store is read only');
};

/** The methods that change a store. */
export const refusing = {
  put: async () => refuse(),
  observe: async () => refuse(),
  putAlert: async () => refuse(),
  dropAlert: async () => refuse(),
  expire: async () => refuse(),
  close: async () => {},
} satisfies Partial<Store>;
