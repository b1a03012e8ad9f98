import { type IpWords, isIpv4 } from '../base/ip.ts';
import { RecencyMap } from '../base/recency-map.ts';
import type { DnsAnswer } from './dns-response.ts';

const SECOND = 1_000_000;

export interface AnsweredLimits {
  /** Pairs of client and address that names are known for; about 200 bytes each. */
  readonly addresses: number;
  /** Pairs of client and name looked up; about 150 bytes each. */
  readonly lookups: number;
  /** Clients that were seen to get answers. */
  readonly clients: number;
  /** Seconds that an address keeps its name, whatever the record's TTL: programs keep addresses longer than they should. */
  readonly addressSeconds: number;
  /** Seconds that a look-up counts as one: resolvers cache up to a day (RFC 8767 §4). */
  readonly lookupSeconds: number;
}

export const ANSWERED_LIMITS: AnsweredLimits = {
  addresses: 131_072,
  lookups: 131_072,
  clients: 65_536,
  addressSeconds: 3_600,
  lookupSeconds: 86_400,
};

/** Names of one address kept, newest first: many sites share the address of a content network. */
const NAMES_PER_ADDRESS = 4;

/** Look-ups without a pause longer than they count for: from the first to the last of them, microseconds since 1970 UTC. */
interface Spell {
  readonly first: number;
  readonly last: number;
}

interface NamedSpell extends Spell {
  readonly name: string;
}

export interface AnsweredCounters {
  /** Answers with at least one address. */
  answers: number;
  /** Entries dropped because a table was full, before their time was over. */
  evicted: number;
}

/**
 * Which names each client was given which addresses for. Time is the answers' capture time. Every table is bounded; when
 * one is full the entry that was learnt longest ago goes, and what can no longer be known is not claimed.
 */
export class AnsweredNames {
  readonly counters: AnsweredCounters = { answers: 0, evicted: 0 };
  private readonly limits: AnsweredLimits;
  /** Keyed by client and address, in the order of last learning, as `lookups` and `clients` are. */
  private readonly addresses = new RecencyMap<readonly NamedSpell[]>();
  private readonly lookups = new RecencyMap<Spell>();
  /** When the client's first answer was seen. */
  private readonly clients = new Map<string, number>();
  /** A look-up of this time or before may have been forgotten. */
  private forgottenAt = Number.NEGATIVE_INFINITY;

  constructor(limits: AnsweredLimits = ANSWERED_LIMITS) {
    this.limits = limits;
  }

  /** Entries of all tables. */
  get size(): number {
    return this.addresses.size + this.lookups.size + this.clients.size;
  }

  /** An answer that `client` was sent. Without addresses it tells of no destination and is left out. */
  learn(client: IpWords, answer: DnsAnswer, at: number): void {
    if (answer.addresses.length === 0) return;
    this.counters.answers++;
    const who = wordsKey(client);
    if (!this.clients.has(who)) this.learnClient(who, at);
    this.learnLookup(who + answer.name, at);
    for (const address of answer.addresses) this.learnAddress(who + wordsKey(address), answer.name, at);
  }

  /** The name that `client` last looked up before `at` and was given `address` for. */
  nameOf(client: IpWords, address: IpWords, at: number): string | undefined {
    if (this.addresses.size === 0) return undefined;
    let newest: NamedSpell | undefined;
    for (const spell of this.addresses.get(wordsKey(client) + wordsKey(address)) ?? []) {
      if (!covers(spell, at, this.limits.addressSeconds)) continue;
      if (!newest || Math.min(spell.last, at) > Math.min(newest.last, at)) newest = spell;
    }
    return newest?.name;
  }

  /** Whether `client` had looked `name` up before `at`; undefined when its look-ups are not all seen. */
  lookedUp(client: IpWords, name: string, at: number): boolean | undefined {
    if (this.clients.size === 0) return undefined;
    const who = wordsKey(client);
    const lookup = this.lookups.get(who + name);
    if (lookup && covers(lookup, at, this.limits.lookupSeconds)) return true;
    const visibleSince = this.clients.get(who);
    if (visibleSince === undefined || visibleSince > at) return undefined;
    return this.forgottenAt < at - this.limits.lookupSeconds * SECOND ? false : undefined;
  }

  private learnClient(who: string, at: number): void {
    this.clients.set(who, at);
    if (this.clients.size <= this.limits.clients) return;
    this.clients.delete(this.clients.keys().next().value!);
    this.counters.evicted++;
  }

  private learnLookup(key: string, at: number): void {
    const spell = prolonged(this.lookups.get(key), at, this.limits.lookupSeconds);
    this.lookups.renew(key, spell);
    const oldest = this.lookups.oldest()!;
    const { last } = this.lookups.get(oldest)!;
    const over = this.lookups.size > this.limits.lookups;
    if (!over && at - last <= this.limits.lookupSeconds * SECOND) return;
    this.lookups.delete(oldest);
    if (!over) return;
    this.counters.evicted++;
    this.forgottenAt = Math.max(this.forgottenAt, last);
  }

  private learnAddress(key: string, name: string, at: number): void {
    const known = this.addresses.get(key) ?? [];
    const spell = prolonged(
      known.find((other) => other.name === name),
      at,
      this.limits.addressSeconds,
    );
    const others = known.filter((other) => other.name !== name);
    this.addresses.renew(key, [{ name, ...spell }, ...others].slice(0, NAMES_PER_ADDRESS));
    const oldest = this.addresses.oldest()!;
    const [newest] = this.addresses.get(oldest)!;
    const over = this.addresses.size > this.limits.addresses;
    if (!over && at - newest!.last <= this.limits.addressSeconds * SECOND) return;
    this.addresses.delete(oldest);
    if (over) this.counters.evicted++;
  }
}

/** A look-up at `at` continues the spell, or begins one when it comes later than `seconds` after it. */
function prolonged(known: Spell | undefined, at: number, seconds: number): Spell {
  if (!known || at - known.last > seconds * SECOND) return { first: at, last: at };
  return { first: Math.min(known.first, at), last: Math.max(known.last, at) };
}

/** Whether something looked up in this spell was known at `at`: never before it was learnt. */
const covers = ({ first, last }: Spell, at: number, seconds: number): boolean =>
  first <= at && at - last <= seconds * SECOND;

/**
 * The words of an address as text of fixed length for its family; IPv4 and IPv6 cannot be mistaken for each other. One
 * character a byte: a name put behind it then takes one byte a character as well.
 */
function wordsKey([w0, w1, w2, w3]: IpWords): string {
  if (isIpv4(w0, w1, w2)) return `4${wordKey(w3)}`;
  return `6${wordKey(w0)}${wordKey(w1)}${wordKey(w2)}${wordKey(w3)}`;
}

const wordKey = (word: number): string =>
  String.fromCharCode(word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255);
