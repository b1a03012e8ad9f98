import { DIGEST_BYTES, type Digester } from './digest.ts';
import { FACT_KINDS, type FactKind } from './store.ts';

/**
 * Every key that the store has in Redis. `P` is the prefix (`waybill`), `T` a tag number below `tags`, `D` a digest of 8
 * bytes as 11 characters of base64url. Outside text is never part of a key; what carries names are fields and members.
 * All keys of one tag are in one slot of a cluster, so each script touches one slot only; a host's facts have one tag,
 * and so have the destinations of a scope, except those of `org` and of `peers:`, which go round WIDE_TAGS tags by destination.
 *
 * | key            | type   | holds                                                    | size                         | TTL |
 * |----------------|--------|----------------------------------------------------------|------------------------------|-----|
 * | P:layout       | hash   | schema, salt, tags, buckets: how the rest is to be read  | 4 fields                     | none |
 * | P:{T}:s        | hash   | shard name → bits of the kinds it has facts of           | shards / tags fields         | none; `expire` empties it |
 * | P:{T}:f:KIND:D | hash   | fact id → record (fact-record.ts)                        | up to MAX_FACTS_PER_SERIES   | facts |
 * | P:{T}:x:KIND:D | zset   | all scores 0: `T` at id, and `K` digest at id for each index key | facts × (1 + index keys) | facts |
 * | P:{T}:d:N      | hash   | digest of (scope, destination) → entry of 8 bytes (sighting.ts) | entries / (tags × buckets) | familiarity |
 * | P:{T}:n:D      | hash   | day → seen + fresh × 2^26, and `n` → newest day          | 33 fields                    | familiarity |
 * | P:{T}:h        | string | first day whose novelty is kept                          | 5 bytes                      | none |
 * | P:{alerts}:a   | hash   | alert id → record                                        | up to MAX_ALERTS             | none |
 * | P:{alerts}:x   | zset   | all scores 0: at id                                      | the same                     | none |
 *
 * The streams between sensors, receivers and workers have keys of their own (sensor/record/stream-keys.ts).
 *
 * TTLs run by the server's clock from the last write to the key. They are the net under `expire`, which works by event
 * time: what nobody maintains goes away in the end.
 */
export class RedisKeys {
  readonly layout: string;
  readonly alerts: string;
  readonly alertTimes: string;
  private readonly prefix: string;
  private readonly shape: RedisShape;
  private readonly digester: Digester;

  constructor(prefix: string, shape: RedisShape, digester: Digester) {
    this.prefix = prefix;
    this.shape = shape;
    this.digester = digester;
    this.layout = layoutKey(prefix);
    this.alerts = `${prefix}:{alerts}:a`;
    this.alertTimes = `${prefix}:{alerts}:x`;
  }

  /** The tag of a name: of a shard, or of a scope that is not spread. */
  tagOf(name: string): number {
    return this.digester.uint32(name) % this.shape.tags;
  }

  registry(tag: number): string {
    return `${this.prefix}:{${tag}}:s`;
  }

  facts(tag: number, kind: FactKind, shard: string): string {
    return `${this.prefix}:{${tag}}:f:${kind}:${this.short(shard)}`;
  }

  index(tag: number, kind: FactKind, shard: string): string {
    return `${this.prefix}:{${tag}}:x:${kind}:${this.short(shard)}`;
  }

  /** Where the entry of a (scope, destination) is. */
  entry(scope: string, destination: string): EntryPlace {
    const pair = this.digester.ofPair(scope, destination);
    const spread = pair.readUInt32BE(DIGEST_BYTES);
    const tag = isWide(scope) ? (spread % WIDE_TAGS) % this.shape.tags : this.tagOf(scope);
    const bucket = pair.readUInt32BE(DIGEST_BYTES + 4) % this.shape.buckets;
    return { tag, key: this.bucket(tag, bucket), field: pair.subarray(0, DIGEST_BYTES) };
  }

  bucket(tag: number, bucket: number): string {
    return `${this.prefix}:{${tag}}:d:${bucket}`;
  }

  /** Tags that hold something of a scope. */
  tagsOf(scope: string): number[] {
    if (!isWide(scope)) return [this.tagOf(scope)];
    return Array.from({ length: Math.min(WIDE_TAGS, this.shape.tags) }, (_, tag) => tag);
  }

  novelty(tag: number, scope: string): string {
    return `${this.prefix}:{${tag}}:n:${this.short(scope)}`;
  }

  horizon(tag: number): string {
    return `${this.prefix}:{${tag}}:h`;
  }

  private short(name: string): string {
    return this.digester.of(name).toString('base64url');
  }
}

export interface EntryPlace {
  readonly tag: number;
  readonly key: string;
  readonly field: Buffer;
}

/** Fixed when a store is made, since keys are computed from it. */
export interface RedisShape {
  /** Hash tags: into so many parts a cluster can divide the store. */
  readonly tags: number;
  /** Hashes of entries in each tag. tags × buckets × 100 is how many entries stay in Redis' compact form. */
  readonly buckets: number;
}

/**
 * Good for 26 million entries at 100 a hash. Measured with redis-server 7.0.15, all keys, TTLs and day counts included: 10,000
 * hosts × 1,000 destinations take 26.5 bytes an entry; few entries in many hashes take more of them each (about 170 bytes
 * where every hash has one), which is little in sum.
 */
export const DEFAULT_SHAPE: RedisShape = { tags: 1_024, buckets: 256 };

/** Tags over which the destinations of the organisation, and those of a peer group, are spread. */
export const WIDE_TAGS = 64;

export function isWide(scope: string): boolean {
  return scope === 'org' || scope.startsWith('peers:');
}

export function layoutKey(prefix: string): string {
  return `${prefix}:layout`;
}

/** A kind as a bit of the registry. */
export function kindBit(kind: FactKind): number {
  return 1 << FACT_KINDS.indexOf(kind);
}

/** Members of the index begin with one of these. */
export const BY_TIME = Buffer.from('T');
export const BY_KEY = Buffer.from('K');
