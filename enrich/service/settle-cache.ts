import { isDeepStrictEqual } from 'node:util';
import type { Fact, FactKind, FactQuery, Observation, Store } from '../store/store.ts';

/** Settling itself writes none of these: only they are remembered. */
const STABLE: ReadonlySet<FactKind> = new Set<FactKind>(['flow', 'connection', 'lease', 'dns', 'process', 'staging']);
/** Reads remembered during one settling. */
const MAX_READS = 100_000;
/** Sightings remembered from one settling to the next, about 150 bytes each; all are forgotten when there are more. */
const MAX_SIGHTED = 300_000;
/** Facts that say the same again with every event: who has an address, what a process is. */
const REPEATED: ReadonlySet<FactKind> = new Set<FactKind>(['lease', 'process']);
/** Of these, how many are remembered, about 300 bytes each; all are forgotten when there are more. */
const MAX_PUT = 100_000;

interface Question {
  readonly query: FactQuery;
  readonly answer: (facts: Fact[]) => void;
  readonly fail: (error: unknown) => void;
}

type Once = <T>(kind: FactKind, call: readonly (string | number)[], read: () => Promise<T>) => Promise<T>;

/**
 * A store that puts the questions of one moment together into one journey, and asks once, during one settling, what many
 * flows ask: who had this address, what this process is, what was seen already. That is sound with other workers about, and
 * with what we put ourselves meanwhile: a fact that is added is put before it is looked which flows it touches, and finds
 * ours, which were put before we settled. So ours is looked at again then.
 */
export class SettleCache {
  /** What settling works with. */
  readonly store: Store;
  /** What putting works with, also while the batch before is settled: the same, and no read of it is remembered. */
  readonly intake: Store;
  private readonly inner: Store;
  private reads = new Map<string, Promise<unknown>>();
  private readonly sighted = new Set<string>();
  private readonly known = new Map<string, Fact>();
  private losses = 0;
  private open = false;
  private questions: Question[] = [];

  constructor(inner: Store) {
    this.inner = inner;
    this.intake = this.wrapped((_kind, _call, read) => read());
    this.store = this.wrapped((kind, call, read) => this.once(kind, call, read));
  }

  /** Runs one settling; what it remembers is forgotten with it. */
  async during<T>(settling: () => Promise<T>): Promise<T> {
    this.open = true;
    try {
      return await settling();
    } finally {
      this.open = false;
      this.reads = new Map();
    }
  }

  private wrapped(once: Once): Store {
    const { inner } = this;
    return {
      put: (facts) => this.put(facts),
      get: (shard, kind, id) => once(kind, ['get', shard, kind, id], () => inner.get(shard, kind, id)),
      find: (shard, kind, key, limit) =>
        once(kind, ['find', shard, kind, key, limit], () => this.ask({ shard, kind, key, limit })),
      between: (shard, kind, from, to, limit) =>
        once(kind, ['between', shard, kind, from, to, limit], () => this.ask({ shard, kind, from, to, limit })),
      query: async (queries) => (queries.length === 1 ? [await this.ask(queries[0]!)] : inner.query(queries)),
      kinds: (shards) => inner.kinds(shards),
      count: (shard, kind, from, to) => inner.count(shard, kind, from, to),
      shards: (kind) => inner.shards(kind),
      observe: (observations) => this.observe(observations),
      familiarity: (queries) => inner.familiarity(queries),
      novelty: (scope, fromDay, toDay) => inner.novelty(scope, fromDay, toDay),
      putAlert: (alert, options) => inner.putAlert(alert, options),
      dropAlert: (id) => inner.dropAlert(id),
      getAlert: (id) => inner.getAlert(id),
      listAlerts: (options) => inner.listAlerts(options),
      expire: (before) => inner.expire(before),
      losses: () => inner.losses(),
      counters: () => inner.counters(),
      close: () => inner.close(),
    };
  }

  private once<T>(kind: FactKind, call: readonly (string | number)[], read: () => Promise<T>): Promise<T> {
    if (!this.open || !STABLE.has(kind)) return read();
    const name = JSON.stringify(call);
    const known = this.reads.get(name);
    if (known) return known as Promise<T>;
    const result = read();
    if (this.reads.size < MAX_READS) this.reads.set(name, result);
    return result;
  }

  /** Asked together with everything else that is asked before the program has to wait. */
  private ask(query: FactQuery): Promise<Fact[]> {
    return new Promise((answer, fail) => {
      // After the promises that are due: each flow of a batch asks in its own.
      if (this.questions.push({ query, answer, fail }) === 1) process.nextTick(() => void this.askAll());
    });
  }

  private async askAll(): Promise<void> {
    const { questions } = this;
    this.questions = [];
    try {
      const answers = await this.inner.query(questions.map(({ query }) => query));
      for (const [i, { answer }] of questions.entries()) answer(answers[i]!);
    } catch (error) {
      for (const { fail } of questions) fail(error);
    }
  }

  /** Leaves out what the store has already, in this version or a higher one. */
  private async put(facts: readonly Fact[]): Promise<boolean[]> {
    this.doubt();
    const news = [...facts.keys()].filter((place) => !this.hasPut(facts[place]!));
    const changed: boolean[] = new Array(facts.length).fill(false);
    const answers = await this.inner.put(news.map((place) => facts[place]!));
    if (this.known.size + news.length > MAX_PUT) this.known.clear();
    for (const [i, place] of news.entries()) {
      const fact = facts[place]!;
      changed[place] = answers[i]!;
      if (REPEATED.has(fact.kind) && !this.hasPut(fact)) this.known.set(nameOf(fact), fact);
    }
    return changed;
  }

  private hasPut(fact: Fact): boolean {
    const known = REPEATED.has(fact.kind) ? this.known.get(nameOf(fact)) : undefined;
    if (known === undefined || known.version < fact.version) return false;
    return known.version > fact.version || (known.at === fact.at && isDeepStrictEqual(known.body, fact.body));
  }

  /** A store that may have lost something has to be told everything again. */
  private doubt(): void {
    const losses = this.inner.losses();
    if (losses === this.losses) return;
    this.losses = losses;
    this.sighted.clear();
    this.known.clear();
  }

  /** A sighting is never taken back: what was observed needs no second one, as long as the store has kept it. */
  private async observe(observations: readonly Observation[]): Promise<void> {
    this.doubt();
    const fresh = new Map<string, Observation>();
    for (const observation of observations) {
      const { scope, destination, day, tainted } = observation;
      const name = `${day} ${tainted} ${scope.length} ${scope} ${destination}`;
      if (!this.sighted.has(name)) fresh.set(name, observation);
    }
    await this.inner.observe([...fresh.values()]);
    if (this.sighted.size + fresh.size > MAX_SIGHTED) this.sighted.clear();
    for (const name of fresh.keys()) this.sighted.add(name);
  }
}

const nameOf = ({ shard, kind, id }: Fact): string => `${kind} ${shard.length} ${shard} ${id}`;
