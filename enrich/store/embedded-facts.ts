import { DIGEST_BYTES, type Digester } from './digest.ts';
import { keyRange, lookupKey, META, NOTHING, prefixRange, type Tables } from './embedded-tables.ts';
import { atBytesOf, decodeFact, keyDigestsOf, type PreparedFact, supersedes } from './fact-record.ts';
import { boundedLimit } from './limits.ts';
import { afterPrefix, SORTABLE_BYTES, sortable } from './sortable.ts';
import { FACT_KINDS, type Fact, type FactKind, type FactQuery } from './store.ts';
import { StoreError } from './store-error.ts';

const SERIES_BYTES = 1 + DIGEST_BYTES;
const COUNT_BYTES = 4;
/** Series names that `shards` reads at a time: no read transaction stays open while the caller works. */
const SHARDS_AT_A_TIME = 1_000;

interface Span {
  readonly from?: number;
  readonly to?: number;
}

export interface FactCaps {
  /** Facts of one series. */
  readonly factsPerSeries: number;
  /** Bytes of all rows with their keys. */
  readonly bytes: number;
}

/**
 * Facts in the embedded store. Writing methods must run inside a write transaction and are synchronous; nothing here
 * knows about transactions, files or promises.
 */
export class EmbeddedFacts {
  evicted = 0;
  private readonly tables: Tables;
  private readonly digester: Digester;
  private readonly caps: FactCaps;

  constructor(tables: Tables, digester: Digester, caps: FactCaps) {
    this.tables = tables;
    this.digester = digester;
    this.caps = caps;
  }

  /** Throws StoreError `full`, before anything is written, when the batch does not fit under the byte cap. */
  put(facts: readonly PreparedFact[]): boolean[] {
    const bytes = this.storedBytes();
    const more = facts.reduce((sum, fact) => sum + rowBytes(fact.id, fact.record), 0);
    if (bytes + more > this.caps.bytes) throw fullByCap(this.caps.bytes);

    const delta = { bytes: 0 };
    const changed = facts.map((fact) => this.putOne(fact, delta));
    this.tables.meta.put(META.bytes, doubleBytes(bytes + delta.bytes));
    return changed;
  }

  get(shard: string, kind: FactKind, id: string): Fact | undefined {
    const series = this.seriesOf(shard, kind);
    const idBytes = lookupKey(id);
    if (idBytes === undefined) return undefined;
    const at = this.tables.ids.get(Buffer.concat([series, idBytes]));
    if (at === undefined) return undefined;
    return decodeFact(shard, kind, id, this.row(Buffer.concat([series, at, idBytes])));
  }

  find(shard: string, kind: FactKind, key: string, limit: number, { from, to }: Span = {}): Fact[] {
    const series = this.seriesOf(shard, kind);
    const prefix = Buffer.concat([series, this.digester.of(key)]);
    const most = boundedLimit(limit);
    const found: Fact[] = [];
    const range = spanWithin(prefix, from, to, true);
    if (range === undefined || most === 0) return found;
    for (const entry of this.tables.index.getKeys(range)) {
      const atAndId = entry.subarray(prefix.length);
      const id = atAndId.toString('utf8', SORTABLE_BYTES);
      const fact = decodeFact(shard, kind, id, this.row(Buffer.concat([series, atAndId])));
      if (!fact.keys.includes(key)) continue; // another key with the same digest
      found.push(fact);
      if (found.length === most) break;
    }
    return found.reverse();
  }

  query(query: FactQuery): Fact[] {
    const { shard, kind, limit } = query;
    if ('key' in query) return this.find(shard, kind, query.key, limit, query);
    return this.between(shard, kind, query.from, query.to, limit, query.oldest);
  }

  kinds(shard: string): ReadonlySet<FactKind> {
    return new Set(FACT_KINDS.filter((kind) => this.tables.series.doesExist(this.seriesOf(shard, kind))));
  }

  between(shard: string, kind: FactKind, from: number, to: number, limit: number, oldest = false): Fact[] {
    const most = boundedLimit(limit);
    const range = this.timeRange(shard, kind, from, to, !oldest);
    if (range === undefined || most === 0) return [];
    const found: Fact[] = [];
    for (const { key, value } of this.tables.rows.getRange({ ...range, limit: most })) {
      found.push(decodeFact(shard, kind, key.toString('utf8', SERIES_BYTES + SORTABLE_BYTES), value));
    }
    return oldest ? found : found.reverse();
  }

  count(shard: string, kind: FactKind, from: number, to: number): number {
    const range = this.timeRange(shard, kind, from, to, false);
    return range === undefined ? 0 : this.tables.rows.getKeysCount(range);
  }

  *shards(kind: FactKind): Generator<string> {
    let from: Buffer | undefined = Buffer.of(FACT_KINDS.indexOf(kind));
    const end = afterPrefix(from);
    while (from !== undefined) {
      const range = { ...keyRange(from, end, false), limit: SHARDS_AT_A_TIME };
      const page: { key: Buffer; value: Buffer }[] = [...this.tables.series.getRange(range)];
      for (const { value } of page) yield value.toString('utf8', COUNT_BYTES);
      from = page.length < SHARDS_AT_A_TIME ? undefined : following(page.at(-1)!.key);
    }
  }

  /** Of `most` series after `last`, those with a fact before `before`; `next` goes on from there. */
  staleAfter(last: Buffer | undefined, before: number, most: number): { stale: Buffer[]; next: Buffer | undefined } {
    const start = last === undefined ? Buffer.of(0) : following(last);
    const page: Buffer[] = [...this.tables.series.getKeys({ start, limit: most })];
    const stale = page.filter((series) => this.oldest(series, before, 1).length > 0);
    return { stale, next: page.length < most ? undefined : page.at(-1) };
  }

  /** Removes facts of these series with at < before, at most `most`; returns how many. */
  expire(stale: readonly Buffer[], before: number, most: number): number {
    let gone = 0;
    for (const series of stale) {
      const old = this.oldest(series, before, most - gone);
      this.removeRows(series, old);
      gone += old.length;
      if (gone === most) break;
    }
    return gone;
  }

  private oldest(series: Buffer, before: number, most: number): Buffer[] {
    const range = keyRange(series, Buffer.concat([series, sortable(before)]), false);
    return [...this.tables.rows.getKeys({ ...range, limit: most })];
  }

  private putOne(fact: PreparedFact, delta: { bytes: number }): boolean {
    const series = this.seriesOf(fact.shard, fact.kind);
    const idKey = Buffer.concat([series, fact.id]);
    const knownAt = this.tables.ids.get(idKey);
    if (knownAt !== undefined) {
      const rowKey = Buffer.concat([series, knownAt, fact.id]);
      const known = this.row(rowKey);
      if (!supersedes(fact.record, known)) return false;
      this.unindex(series, rowKey, known);
      this.tables.rows.remove(rowKey);
      delta.bytes -= rowBytes(fact.id, known);
    }
    this.insert(series, fact);
    delta.bytes += rowBytes(fact.id, fact.record);
    return knownAt !== undefined || this.countIn(series, fact, delta);
  }

  private insert(series: Buffer, fact: PreparedFact): void {
    const at = atBytesOf(fact.record);
    this.tables.ids.put(Buffer.concat([series, fact.id]), at);
    this.tables.rows.put(Buffer.concat([series, at, fact.id]), fact.record);
    for (const digest of keyDigestsOf(fact.record)) {
      this.tables.index.put(Buffer.concat([series, digest, at, fact.id]), NOTHING);
    }
  }

  /** Counts a new fact into its series and, over the cap, takes the oldest out; false when that was the new one. */
  private countIn(series: Buffer, fact: PreparedFact, delta: { bytes: number }): boolean {
    const known = this.tables.series.get(series);
    const facts = (known === undefined ? 0 : known.readUInt32BE(0)) + 1;
    const header = Buffer.allocUnsafe(COUNT_BYTES);
    header.writeUInt32BE(facts, 0);
    this.tables.series.put(series, Buffer.concat([header, Buffer.from(fact.shard)]));
    if (facts <= this.caps.factsPerSeries) return true;

    const [oldest] = [...this.tables.rows.getKeys({ ...prefixRange(series), limit: 1 })];
    if (oldest === undefined) return true;
    delta.bytes -= this.removeRows(series, [oldest], false);
    this.evicted++;
    return !oldest.subarray(SERIES_BYTES + SORTABLE_BYTES).equals(fact.id);
  }

  /** Takes rows and all that points to them out; returns the bytes that went. */
  private removeRows(series: Buffer, rowKeys: readonly Buffer[], account = true): number {
    let bytes = 0;
    for (const rowKey of rowKeys) {
      const record = this.row(rowKey);
      const id = rowKey.subarray(SERIES_BYTES + SORTABLE_BYTES);
      this.unindex(series, rowKey, record);
      this.tables.ids.remove(Buffer.concat([series, id]));
      this.tables.rows.remove(rowKey);
      bytes += rowBytes(id, record);
    }
    if (rowKeys.length > 0) this.countOut(series, rowKeys.length);
    if (account) this.tables.meta.put(META.bytes, doubleBytes(Math.max(0, this.storedBytes() - bytes)));
    return bytes;
  }

  private countOut(series: Buffer, gone: number): void {
    const known = this.tables.series.get(series);
    if (known === undefined) return;
    const facts = known.readUInt32BE(0) - gone;
    if (facts <= 0) {
      this.tables.series.remove(series);
      return;
    }
    const changed = Buffer.from(known);
    changed.writeUInt32BE(facts, 0);
    this.tables.series.put(series, changed);
  }

  private unindex(series: Buffer, rowKey: Buffer, record: Buffer): void {
    const atAndId = rowKey.subarray(SERIES_BYTES);
    for (const digest of keyDigestsOf(record)) this.tables.index.remove(Buffer.concat([series, digest, atAndId]));
  }

  private timeRange(shard: string, kind: FactKind, from: number, to: number, reverse: boolean) {
    return spanWithin(this.seriesOf(shard, kind), from, to, reverse);
  }

  private seriesOf(shard: string, kind: FactKind): Buffer {
    return Buffer.concat([Buffer.of(FACT_KINDS.indexOf(kind)), this.digester.of(shard)]);
  }

  private row(rowKey: Buffer): Buffer {
    const record = this.tables.rows.get(rowKey);
    if (record === undefined)
      throw new StoreError('corrupt', 'the index of the embedded store names a fact that is not there');
    return record;
  }

  private storedBytes(): number {
    const bytes = this.tables.meta.get(META.bytes);
    return bytes === undefined ? 0 : bytes.readDoubleBE(0);
  }
}

/** What begins with a prefix and has its time within the span behind it; undefined when nothing can have. */
function spanWithin(prefix: Buffer, from = -Infinity, to = Infinity, reverse = false) {
  if (!(from <= to)) return undefined; // also when one of them is NaN
  const low = Buffer.concat([prefix, sortable(from)]);
  return keyRange(low, afterPrefix(Buffer.concat([prefix, sortable(to)])), reverse);
}

function rowBytes(id: Buffer, record: Buffer): number {
  return 2 * (SERIES_BYTES + SORTABLE_BYTES + id.length) + record.length;
}

function following(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}

function doubleBytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(value, 0);
  return bytes;
}

function fullByCap(bytes: number): StoreError {
  return new StoreError(
    'full',
    `the embedded store holds its limit of ${bytes} bytes of facts. Shorten the retention or raise the limit.`,
  );
}
