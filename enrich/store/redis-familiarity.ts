import type { EntryPlace, RedisKeys, RedisShape } from './keys.ts';
import { MAX_DAY, maxFreshADay } from './limits.ts';
import { pairs, routeOf, settled } from './redis-calls.ts';
import type { RedisArgument, RedisLink, RedisReply } from './redis-link.ts';
import { PEEK } from './redis-scripts.ts';
import { FORGET, OBSERVE } from './redis-sighting-scripts.ts';
import { ENTRY_BYTES, unpackEntry, WINDOW_DAYS } from './sighting.ts';
import type { Familiarity, FamiliarityKey, NoveltyDay, Observation } from './store.ts';

/** Sightings in one call of a script. */
const MAX_SIGHTINGS_A_CALL = 100;
/** Entries that one call reads. */
const MAX_PEEKS_A_CALL = 500;
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
    const calls = this.calls(observations, MAX_SIGHTINGS_A_CALL, (call, observation, { tag, key, field }) => {
      const { scope, day, tainted } = observation;
      const places = [this.keys.horizon(tag), key, this.keys.novelty(tag, scope)].map((each) => call.numberOf(each));
      call.args.push(...places, field, String(day), tainted ? '1' : '0', String(this.mostFresh(scope)));
    });
    const ttl = String(this.ttlMs);
    const dropped = await settled(calls.map((call) => this.link.evaluate(OBSERVE, call.keys, [ttl, ...call.args])));
    for (const each of dropped) this.dropped += Number(each);
  }

  async familiarity(queries: readonly FamiliarityKey[]): Promise<(Familiarity | undefined)[]> {
    const calls = this.calls(queries, MAX_PEEKS_A_CALL, (call, _, { key, field }) => {
      call.keys.push(key);
      call.args.push(field);
    });
    const replies = await settled(calls.map((call) => this.link.evaluate(PEEK, call.keys, call.args)));
    const known: (Familiarity | undefined)[] = new Array(queries.length).fill(undefined);
    for (const [i, { places }] of calls.entries()) {
      const entries = replies[i];
      for (const [j, place] of places.entries())
        known[place] = entryOf(Array.isArray(entries) ? entries[j] : undefined);
    }
    return known;
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

  /** Things of one route put into as few calls as their size allows. */
  private calls<T extends FamiliarityKey>(
    things: readonly T[],
    mostACall: number,
    put: (call: Call, thing: T, entry: EntryPlace) => void,
  ): Call[] {
    const open = new Map<number, Call>();
    const calls: Call[] = [];
    for (const [place, thing] of things.entries()) {
      const entry = this.keys.entry(thing.scope, thing.destination);
      const route = routeOf(this.link, () => entry.tag);
      let call = open.get(route);
      if (call === undefined || call.places.length === mostACall) {
        call = new Call();
        open.set(route, call);
        calls.push(call);
      }
      call.places.push(place);
      put(call, thing, entry);
    }
    return calls;
  }

  /** A scope that is spread has its cap spread as well. */
  private mostFresh(scope: string): number {
    return Math.ceil(maxFreshADay(scope) / this.keys.tagsOf(scope).length);
  }
}

/** Keys and arguments of one script call, and where its answers belong. */
class Call {
  readonly keys: string[] = [];
  readonly args: RedisArgument[] = [];
  readonly places: number[] = [];
  private readonly numbered = new Map<string, string>();

  /** The key's number among KEYS, from 1. */
  numberOf(key: string): string {
    const known = this.numbered.get(key);
    if (known !== undefined) return known;
    const number = String(this.keys.push(key));
    this.numbered.set(key, number);
    return number;
  }
}

function entryOf(reply: RedisReply | undefined): Familiarity | undefined {
  return Buffer.isBuffer(reply) && reply.length === ENTRY_BYTES ? unpackEntry(reply) : undefined;
}
