import type { Digester } from './digest.ts';
import { atBytesOf, decodeFact, keyDigestsOf, type PreparedFact, supersedes } from './fact-record.ts';
import { type Ranked, RankedList, ranked } from './ranked-list.ts';
import { FACT_KINDS, type Fact, type FactKind } from './store.ts';
import { StoreError } from './store-error.ts';

/** Facts of one (shard, kind), and by digest of an index key the ones that carry it. */
interface Series {
  readonly shard: string;
  readonly kind: FactKind;
  readonly byId: Map<string, Ranked>;
  readonly byTime: RankedList;
  readonly byKey: Map<string, RankedList>;
}

interface Span {
  readonly from?: number;
  readonly to?: number;
}

/** Facts in memory, as the records that the other stores keep. */
export class MemoryFacts {
  evicted = 0;
  private readonly series = new Map<string, Series>();
  private readonly digester: Digester;
  private readonly caps: { readonly bytes: number; readonly factsPerSeries: number };
  private bytes = 0;

  constructor(digester: Digester, caps: { readonly bytes: number; readonly factsPerSeries: number }) {
    this.digester = digester;
    this.caps = caps;
  }

  put(facts: readonly PreparedFact[]): boolean[] {
    const more = facts.reduce((sum, { record }) => sum + record.length, 0);
    if (this.bytes + more > this.caps.bytes) {
      throw new StoreError('full', `the store in memory holds its limit of ${this.caps.bytes} bytes. Use a directory.`);
    }
    return facts.map((fact) => this.putOne(fact));
  }

  get(shard: string, kind: FactKind, id: string): Fact | undefined {
    const known = this.series.get(nameOf(shard, kind))?.byId.get(id);
    return known === undefined ? undefined : decodeFact(shard, kind, id, known.record);
  }

  find(
    shard: string,
    kind: FactKind,
    key: string,
    most: number,
    { from = -Infinity, to = Infinity }: Span = {},
  ): Fact[] {
    if (!(from <= to)) return [];
    const found = this.series.get(nameOf(shard, kind))?.byKey.get(this.digester.of(key).toString('latin1'));
    if (found === undefined) return [];
    const facts = decoded(shard, kind, found.newest(from, to, most));
    return facts.filter((fact) => fact.keys.includes(key)); // another key with the same digest
  }

  between(shard: string, kind: FactKind, from: number, to: number, most: number, oldest = false): Fact[] {
    const list = this.series.get(nameOf(shard, kind))?.byTime;
    if (list === undefined || !(from <= to)) return [];
    return decoded(shard, kind, oldest ? list.oldest(from, to, most) : list.newest(from, to, most));
  }

  kinds(shard: string): ReadonlySet<FactKind> {
    return new Set(FACT_KINDS.filter((kind) => this.series.has(nameOf(shard, kind))));
  }

  count(shard: string, kind: FactKind, from: number, to: number): number {
    return from <= to ? (this.series.get(nameOf(shard, kind))?.byTime.count(from, to) ?? 0) : 0;
  }

  *shards(kind: FactKind): Generator<string> {
    for (const series of this.series.values()) if (series.kind === kind) yield series.shard;
  }

  expire(before: number): number {
    let gone = 0;
    for (const [name, series] of this.series) {
      const old = series.byTime.takeBefore(before);
      for (const entry of old) this.remove(series, entry);
      gone += old.length;
      if (series.byTime.size === 0) this.series.delete(name);
    }
    return gone;
  }

  private putOne({ shard, kind, id: bytes, record }: PreparedFact): boolean {
    const series = this.seriesOf(shard, kind);
    const id = bytes.toString();
    const known = series.byId.get(id);
    if (known !== undefined && !supersedes(record, known.record)) return false;
    if (known !== undefined) this.remove(series, known);
    this.insert(series, ranked(id, atBytesOf(record), record));
    if (series.byTime.size <= this.caps.factsPerSeries) return true;
    const oldest = series.byTime.first;
    if (oldest !== undefined) this.remove(series, oldest);
    this.evicted++;
    return oldest?.id !== id;
  }

  private insert(series: Series, entry: Ranked): void {
    series.byId.set(entry.id, entry);
    series.byTime.insert(entry);
    for (const digest of keyDigestsOf(entry.record)) {
      const key = digest.toString('latin1');
      const list = series.byKey.get(key) ?? new RankedList();
      list.insert(entry);
      series.byKey.set(key, list);
    }
    this.bytes += entry.record.length;
  }

  private remove(series: Series, entry: Ranked): void {
    series.byId.delete(entry.id);
    series.byTime.remove(entry);
    for (const digest of keyDigestsOf(entry.record)) {
      const key = digest.toString('latin1');
      const list = series.byKey.get(key);
      list?.remove(entry);
      if (list?.size === 0) series.byKey.delete(key);
    }
    this.bytes -= entry.record.length;
  }

  private seriesOf(shard: string, kind: FactKind): Series {
    const name = nameOf(shard, kind);
    let series = this.series.get(name);
    if (series === undefined) {
      series = { shard, kind, byId: new Map(), byTime: new RankedList(), byKey: new Map() };
      this.series.set(name, series);
    }
    return series;
  }
}

function decoded(shard: string, kind: FactKind, found: readonly Ranked[]): Fact[] {
  return found.map(({ id, record }) => decodeFact(shard, kind, id, record));
}

function nameOf(shard: string, kind: FactKind): string {
  return `${kind} ${shard}`;
}
