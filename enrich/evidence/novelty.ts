import type { Familiarity, NoveltyDay } from '../store/store.ts';
import { type NoveltyWeights, WEIGHTS } from './weights.ts';

/** Days that the bitmap of a familiarity holds. */
const BITMAP_DAYS = 32;

/**
 * How well a destination is known, as one category so that nested scopes are not counted twice.
 *
 * F0 nobody in the organisation has met name, registrable domain or network operator. F1 the tenant or name is new to the
 * organisation, its provider is known. F2 known to the organisation, never from this process identity. F3 this identity
 * uses it elsewhere, new to this host and user. F4 seen here on too few days, or too long ago. F5 established: enough
 * distinct days on this host with this identity.
 */
export type Rung = 'F0' | 'F1' | 'F2' | 'F3' | 'F4' | 'F5';

/** Familiarity of one destination by scope; undefined where it was never observed or the scope is not known. */
export interface Acquaintance {
  /** Tenant or name, in the organisation. */
  readonly org: Familiarity | undefined;
  /** Registrable domain or provider, in the organisation. */
  readonly orgRegistrable?: Familiarity | undefined;
  /** Network operator, in the organisation. */
  readonly orgAsn?: Familiarity | undefined;
  readonly identity: Familiarity | undefined;
  readonly host: Familiarity | undefined;
  readonly user: Familiarity | undefined;
  readonly hostIdentity: Familiarity | undefined;
}

/** What a familiarity was at the end of a day. */
export interface KnownBy {
  /** Met by then, and out of probation. */
  readonly met: boolean;
  /** Distinct days in the window that ends with that day. */
  readonly days: number;
}

const NEVER: KnownBy = { met: false, days: 0 };

/**
 * Reads a familiarity as it was at the end of `throughDay`; sightings after it are ignored, so that a re-run gives what the
 * first run gave. A destination whose first sighting followed staging counts as never met for `probationDays`: a theft
 * must not make its own destination familiar.
 */
export function knownBy(
  familiarity: Familiarity | undefined,
  throughDay: number,
  weights: NoveltyWeights = WEIGHTS.novelty,
): KnownBy {
  if (familiarity === undefined || familiarity.firstDay > throughDay) return NEVER;
  const { firstDay, lastDay, firstTainted } = familiarity;
  if (firstTainted && throughDay < firstDay + weights.probationDays) return NEVER;
  let days = 0;
  for (let age = 0; age < BITMAP_DAYS; age++) {
    const day = lastDay - age;
    const inWindow = day <= throughDay && day > throughDay - weights.windowDays;
    if (inWindow && ((familiarity.days >>> age) & 1) === 1) days++;
  }
  return { met: true, days };
}

/**
 * What the peers of a host know of a destination and program, at the end of `throughDay`: met when as many of them as
 * make it work of the group used it within the window, and days on which any of those did.
 * @param cells familiarity by cell of peers, the host's own cell left out; each is of one host at least
 */
export function knownByPeers(
  cells: readonly (Familiarity | undefined)[],
  throughDay: number,
  weights: NoveltyWeights = WEIGHTS.novelty,
): KnownBy {
  const using = cells.filter((cell) => knownBy(cell, throughDay, weights).days > 0);
  if (using.length < weights.peersWithIt) return NEVER;
  let days = 0;
  for (let day = throughDay; day > throughDay - weights.windowDays; day--)
    if (using.some((cell) => isSeenOn(cell!, day))) days++;
  return { met: true, days };
}

const isSeenOn = ({ lastDay, days }: Familiarity, day: number): boolean =>
  day <= lastDay && lastDay - day < BITMAP_DAYS && ((days >>> (lastDay - day)) & 1) === 1;

/**
 * The rung of a destination at the end of `throughDay`. Pass the day before the episode's, so that an episode never
 * vouches for itself.
 */
export function ladder(known: Acquaintance, throughDay: number, weights: NoveltyWeights = WEIGHTS.novelty): Rung {
  const at = (familiarity: Familiarity | undefined): KnownBy => knownBy(familiarity, throughDay, weights);
  const here = at(known.hostIdentity);
  if (here.met) return here.days >= weights.establishedDays ? 'F5' : 'F4';
  if (at(known.identity).met) return at(known.host).met || at(known.user).met ? 'F4' : 'F3';
  if (at(known.org).met || at(known.host).met || at(known.user).met) return 'F2';
  return at(known.orgRegistrable).met || at(known.orgAsn).met ? 'F1' : 'F0';
}

/** The rung of a host that is new itself: work of its peers counts as its own, which can only lower it. */
export function ladderByPeers(
  known: Acquaintance,
  cells: readonly (Familiarity | undefined)[],
  throughDay: number,
  weights: NoveltyWeights = WEIGHTS.novelty,
): { readonly rung: Rung; readonly byPeers: boolean } {
  const own = ladder(known, throughDay, weights);
  const theirs = knownByPeers(cells, throughDay, weights);
  if (!theirs.met || own === 'F5') return { rung: own, byPeers: false };
  const rung = theirs.days >= weights.establishedDays ? 'F5' : 'F4';
  return { rung, byPeers: rung !== own };
}

/** A sentence for each rung. */
export const RUNG_MEANING: Readonly<Record<Rung, string>> = {
  F0: 'nobody here has ever met this destination, its domain or its network',
  F1: 'this name or tenant is new to the organisation, its provider is known',
  F2: 'known to the organisation, never from this program',
  F3: 'this program uses it elsewhere, new to this host and user',
  F4: 'seen here before, on few days or long ago',
  F5: 'established: this program on this host meets it regularly',
};

/** The same where peers decided. */
export const RUNG_BY_PEERS: Readonly<Partial<Record<Rung, string>>> = {
  F3: 'this program uses it elsewhere, new to this host and user, and no work of its peers',
  F4: 'its peers use it with this program, on few days so far',
  F5: 'established work of its peers: several of them meet it regularly with this program',
};

/** m = 1 − e^(−days/τ): how much a history of that many days can call new. */
export const maturity = (days: number, weights: NoveltyWeights = WEIGHTS.novelty): number =>
  days > 0 ? 1 - Math.exp(-days / weights.maturityDays) : 0;

/**
 * 10·log10(0.9/ν) for the scope's own share ν of first sightings (Good–Turing estimate of the unseen): about +16 dB at 2 %,
 * +6 dB at 20 %. Undefined below the minimum sample; ν is held between a floor and a ceiling.
 */
export function ownNovelty(
  days: readonly Pick<NoveltyDay, 'seen' | 'fresh'>[],
  weights: NoveltyWeights = WEIGHTS.novelty,
): { readonly rate: number; readonly db: number } | undefined {
  let seen = 0;
  let fresh = 0;
  for (const day of days) {
    seen += Math.max(0, day.seen);
    fresh += Math.max(0, day.fresh);
  }
  if (seen < weights.minimumSample) return undefined;
  const rate = Math.min(weights.rateCeiling, Math.max(weights.rateFloor, fresh / seen));
  return { rate, db: 10 * Math.log10(weights.theftNovelty / rate) };
}

export interface NoveltyEvidence {
  readonly rung: Rung;
  readonly db: number;
  /** dB by which the scope's own rate moved the rung's weight. */
  readonly correction: number;
  readonly maturity: number;
}

/**
 * What novelty weighs: the rung, moved by how often this scope meets something new (a developer's machine does daily),
 * times maturity where it is positive. Old acquaintance is not discounted: it is a fact, not an absence.
 */
export function noveltyEvidence(
  input: {
    readonly rung: Rung;
    /** Days of history of the scope. */
    readonly historyDays: number;
    readonly own?: readonly Pick<NoveltyDay, 'seen' | 'fresh'>[];
    /** The same signed program meets it on many hosts at once. */
    readonly rollout?: boolean;
  },
  weights: NoveltyWeights = WEIGHTS.novelty,
): NoveltyEvidence {
  const base = weights.rung[input.rung];
  const m = maturity(input.historyDays, weights);
  const own = base > 0 ? ownNovelty(input.own ?? [], weights) : undefined;
  const reference = 10 * Math.log10(weights.theftNovelty / weights.referenceRate);
  const correction =
    own === undefined ? 0 : Math.min(weights.correctionUp, Math.max(-weights.correctionDown, own.db - reference));
  const moved = base > 0 ? Math.max(0, base + correction) * m : base;
  return { rung: input.rung, db: moved + (input.rollout === true ? weights.rollout : 0), correction, maturity: m };
}
