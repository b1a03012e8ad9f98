import { FACT_KINDS, type Fact, type Observation, type StoredAlert } from './store.ts';
import { StoreError } from './store-error.ts';

/** Names (shard, id, index key, scope, destination), bytes of UTF-8. */
export const MAX_NAME_BYTES = 512;
/** Index keys of one fact. */
export const MAX_KEYS = 8;
/** JSON of a fact's body, bytes of UTF-8. */
export const MAX_BODY_BYTES = 64 * 1024;
/** JSON of an alert's body, bytes of UTF-8: it carries raw endpoint events. */
export const MAX_ALERT_BYTES = 256 * 1024;
/** Facts of one shard and kind; the oldest by (at, id) goes when there are more. */
export const MAX_FACTS_PER_SERIES = 200_000;
/** Facts that one read gives. */
export const MAX_FOUND = 10_000;
/** Destinations that may become new to one scope on one day; the rest stay unknown, which is the safe side. */
export const MAX_FRESH_A_DAY = 50_000;
/** The same for scopes that gather many hosts: `org`, `identity:` and those of peer groups. */
export const MAX_FRESH_A_DAY_SHARED = 1_000_000;
/** Alerts kept; the oldest goes. */
export const MAX_ALERTS = 100_000;
/** Last day that is stored (16 bits): 2149-06-06. */
export const MAX_DAY = 0xffff;

const KINDS: ReadonlySet<string> = new Set(FACT_KINDS);

/** Why `put` would refuse this fact, in one line, or undefined. */
export function factRefusal(fact: Fact): string | undefined {
  if (!KINDS.has(fact.kind)) return 'its kind is unknown';
  if (!isName(fact.shard)) return `its shard is empty or over ${MAX_NAME_BYTES} bytes`;
  if (!isName(fact.id)) return `its id is empty or over ${MAX_NAME_BYTES} bytes`;
  if (!Number.isFinite(fact.at)) return 'its time is not a number';
  if (!Number.isFinite(fact.version)) return 'its version is not a number';
  if (fact.keys.length > MAX_KEYS) return `it has ${fact.keys.length} keys, more than ${MAX_KEYS}`;
  if (!fact.keys.every(isName)) return `one of its keys is empty or over ${MAX_NAME_BYTES} bytes`;
  return undefined;
}

/** Why `observe` would refuse this observation, in one line, or undefined. */
export function observationRefusal(observation: Observation): string | undefined {
  if (!isName(observation.scope)) return `its scope is empty or over ${MAX_NAME_BYTES} bytes`;
  if (!isName(observation.destination)) return `its destination is empty or over ${MAX_NAME_BYTES} bytes`;
  if (!isDay(observation.day)) return `its day is not a whole number from 0 to ${MAX_DAY}`;
  return undefined;
}

/** Throws StoreError `refused` naming the first observation that breaks a limit. */
export function checkObservations(observations: readonly Observation[]): void {
  for (const [index, observation] of observations.entries()) {
    const why = observationRefusal(observation);
    if (why !== undefined) throw new StoreError('refused', `observation ${index} is refused: ${why}`, { index });
  }
}

/** Why `putAlert` would refuse this alert, in one line, or undefined. */
export function alertRefusal(alert: StoredAlert): string | undefined {
  if (!isName(alert.id)) return `its id is empty or over ${MAX_NAME_BYTES} bytes`;
  if (!Number.isFinite(alert.at)) return 'its time is not a number';
  if (!Number.isFinite(alert.revision)) return 'its revision is not a number';
  return undefined;
}

export function maxFreshADay(scope: string): number {
  return /^(org$|identity:|peers:|peer-)/.test(scope) ? MAX_FRESH_A_DAY_SHARED : MAX_FRESH_A_DAY;
}

/** How many facts a read may give when asked for `limit`. */
export function boundedLimit(limit: number): number {
  return limit >= 1 ? Math.min(Math.floor(limit), MAX_FOUND) : 0;
}

function isName(text: string): boolean {
  // A UTF-16 unit is at most three bytes, so most names need no count.
  if (text.length === 0 || text.length > MAX_NAME_BYTES) return false;
  return text.length * 3 <= MAX_NAME_BYTES || Buffer.byteLength(text) <= MAX_NAME_BYTES;
}

function isDay(day: number): boolean {
  return Number.isInteger(day) && day >= 0 && day <= MAX_DAY;
}
