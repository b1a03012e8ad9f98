import type { RedisKeys, RedisShape } from './keys.ts';
import { MAX_DAY, maxFreshADay } from './limits.ts';
import { pairs, settled } from './redis-facts.ts';
import type { RedisArgument, RedisLink } from './redis-link.ts';
import { FORGET, OBSERVE } from './redis-scripts.ts';
import { ENTRY_BYTES, unpackEntry, WINDOW_DAYS } from './sighting.ts';
import type { Familiarity, FamiliarityKey, NoveltyDay, Observation } from './store.ts';

/** Sightings in one call of a script. */
const MAX_SIGHTINGS_A_CALL = 100;
/** Hashes of entries that one call of FORGET looks through: about 2,500 entries. */
const HASHES_A_CALL = 64;
/** Calls of FORGET under way at a time; Redis serves others in between. */
const FORGET_IN_FLIGHT = 4;
/** A day's value is seen + fresh × this. */
const FRESH = 2 ** 26;

/** Familiarity and novelty in Redis; keys.ts says where. */
export class RedisFamiliarity {
  dropped = 0;
  private readonly link: RedisLink;
  private readonly keys: RedisKeys;
  private readonly shape: RedisShape;
  private readonly ttlMs: number;

  constructor(link: RedisLink, keys: RedisKeys, options: { shape: RedisShape; ttlMs: number }) {
    this.link = link;
    this.keys = keys;
    this.shape = options.shape;
    this.ttlMs = options.ttlMs;
  }

  async observe(observations: readonly Observation[]): Promise<void> {
    const byTag = new Map<number, Call>();
    const calls: Call[] = [];
    for (const observation of observations) {
      const { tag, key, field } = this.keys.entry(observation.scope, observation.destination);
      let call = byTag.get(tag);
      if (call === undefined || call.sightings === MAX_SIGHTINGS_A_CALL) {
        call = new Call(this.keys.horizon(tag));
        byTag.set(tag, call);
        calls.push(call);
      }
      call.add(key, this.keys.novelty(tag, observation.scope), field, observation, this.mostFresh(observation.scope));
    }
    const ttl = String(this.ttlMs);
    const dropped = await settled(calls.map((call) => this.link.evaluate(OBSERVE, call.keys, [ttl, ...call.args])));
    for (const each of dropped) this.dropped += Number(each);
  }

  async familiarity(queries: readonly FamiliarityKey[]): Promise<(Familiarity | undefined)[]> {
    const replies = await settled(
      queries.map(({ scope, destination }) => {
        const { key, field } = this.keys.entry(scope, destination);
        return this.link.send(key, ['HGET', key, field]);
      }),
    );
    return replies.map((reply) =>
      Buffer.isBuffer(reply) && reply.length === ENTRY_BYTES ? unpackEntry(reply) : undefined,
    );
  }

  async novelty(scope: string, fromDay: number, toDay: number): Promise<NoveltyDay[]> {
    const parts = await settled(this.keys.tagsOf(scope).map((tag) => this.noveltyOf(tag, scope)));
    const newest = Math.max(...parts.map((part) => part.newest));
    const days = new Map<number, { seen: number; fresh: number }>();
    for (const part of parts) {
      for (const { day, seen, fresh } of part.days) {
        const sum = days.get(day) ?? { seen: 0, fresh: 0 };
        days.set(day, { seen: sum.seen + seen, fresh: sum.fresh + fresh });
      }
    }
    return [...days]
      .filter(([day]) => day > newest - WINDOW_DAYS && day >= fromDay && day <= toDay)
      .sort(([a], [b]) => a - b)
      .map(([day, count]) => ({ day, ...count }));
  }

  /** Removes entries last seen before this day and raises the horizon of novelty to it. */
  async expire(before: number): Promise<number> {
    const day = Math.min(Math.max(before, 0), MAX_DAY + 1);
    const tags = Array.from({ length: this.shape.tags }, (_, tag) => tag);
    let gone = 0;
    const work = tags.values();
    const worker = async () => {
      for (const tag of work) {
        const some = await this.forget(tag, day);
        gone += some; // not `gone += await`: the others add to it meanwhile
      }
    };
    await settled(Array.from({ length: FORGET_IN_FLIGHT }, worker));
    return gone;
  }

  private async forget(tag: number, day: number): Promise<number> {
    let gone = 0;
    for (let first = 0; first < this.shape.buckets; first += HASHES_A_CALL) {
      const count = Math.min(HASHES_A_CALL, this.shape.buckets - first);
      const hashes = Array.from({ length: count }, (_, i) => this.keys.bucket(tag, first + i));
      gone += Number(await this.link.evaluate(FORGET, [this.keys.horizon(tag), ...hashes], [String(day)]));
    }
    return gone;
  }

  private async noveltyOf(tag: number, scope: string): Promise<{ newest: number; days: NoveltyDay[] }> {
    const [key, horizonKey] = [this.keys.novelty(tag, scope), this.keys.horizon(tag)];
    const [fields, stored] = await settled([
      this.link.send(key, ['HGETALL', key]),
      this.link.send(key, ['GET', horizonKey]),
    ]);
    const horizon = Buffer.isBuffer(stored) ? Number(stored) : 0;
    let newest = -1;
    const days: NoveltyDay[] = [];
    for (const [field, value] of pairs(fields ?? [])) {
      const name = field.toString();
      const number = Number(value);
      if (name === 'n') newest = number;
      else if (Number(name) >= horizon) {
        days.push({ day: Number(name), seen: number % FRESH, fresh: Math.floor(number / FRESH) });
      }
    }
    return { newest, days };
  }

  /** A scope that is spread has its cap spread as well. */
  private mostFresh(scope: string): number {
    return Math.ceil(maxFreshADay(scope) / this.keys.tagsOf(scope).length);
  }
}

/** The keys and arguments of one call of OBSERVE. */
class Call {
  readonly keys: string[];
  readonly args: RedisArgument[] = [];
  sightings = 0;
  private readonly numbered = new Map<string, number>();

  constructor(horizon: string) {
    this.keys = [horizon];
  }

  add(entries: string, days: string, field: Buffer, { day, tainted }: Observation, mostFresh: number): void {
    const numbers = [String(this.numberOf(entries)), String(this.numberOf(days))];
    this.args.push(...numbers, field, String(day), tainted ? '1' : '0', String(mostFresh));
    this.sightings++;
  }

  private numberOf(key: string): number {
    const known = this.numbered.get(key);
    if (known !== undefined) return known;
    const number = this.keys.push(key);
    this.numbered.set(key, number);
    return number;
  }
}
