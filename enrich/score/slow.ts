import { hashId } from '../evidence/staging-fact.ts';
import type { HostClocks } from '../join/clock.ts';
import type { Settings } from '../settings.ts';
import type { Fact, Store } from '../store/store.ts';
import { type Episode, episodesOfHost } from './episode.ts';
import { scoreEpisode } from './score.ts';
import type { Verdict } from './verdict.ts';

const DAY = 86_400_000_000;
const WEEK = 7 * DAY;
/** Candidates older than this are worth less than a sixteenth. */
const MEMORY = 4 * WEEK;
/** Candidates of one host or user that one look takes in; the newest. */
const MAX_CANDIDATES = 32;
/** One candidate is no series. */
const MIN_CANDIDATES = 2;

export interface Candidate {
  readonly episode: Episode;
  readonly verdict: Verdict;
  /** Start of its first flow, microseconds. */
  readonly at: number;
}

/** Many small steps of one host or user, none of which was suspicious enough by itself. */
export interface SlowTheft {
  readonly id: string;
  readonly about: 'host' | 'user';
  /** 1 − Π(1 − p·2^(−age/7 d)), as of the newest candidate. */
  readonly probability: number;
  /** By time. */
  readonly candidates: readonly Candidate[];
}

/** Remembers a candidate for the ledgers of its host and its user. What it weighs is asked of the facts each time. */
export function ledgerFacts(episode: Episode): Fact[] {
  return ledgersOf(episode).map((shard) => ({
    shard,
    kind: 'episode' as const,
    id: `ledger|${episode.id}`,
    at: episode.flows[0]!.start,
    keys: [],
    version: 0,
    body: { host: episode.host.id },
  }));
}

/** The ledgers that an episode enters. */
export function ledgersOf({ host, process }: Episode): string[] {
  const sid = process?.user?.id?.toLowerCase();
  const person = sid !== undefined && /^s-1-5-21-/.test(sid) ? [`user:${sid.slice(0, 200)}`] : [];
  return [ledgerOfHost(host.id), ...person];
}

export const ledgerOfHost = (hostId: string): string => `ledger:${hostId}`.slice(0, 500);

/** The episode was a candidate once, so that ledgers may hold it. */
export const isInLedger = async (store: Store, { id, host }: Episode): Promise<boolean> =>
  (await store.get(ledgerOfHost(host.id), 'episode', `ledger|${id}`)) !== undefined;

/** Id of the alert of one ledger and calendar week: stable while candidates are added. */
export const slowId = (ledger: string, week: number): string => `ws-${hashId([ledger, String(week)]).slice(0, 16)}`;

/** Weeks whose ledger a candidate at this time counts in. */
export function weeksOf(at: number): number[] {
  const week = Math.floor(at / WEEK);
  return Array.from({ length: MEMORY / WEEK }, (_, index) => week + index);
}

/**
 * The ledger of one host or user in one calendar week, newest candidate included; undefined when it does not reach
 * `medium`. Each candidate is scored again from the facts, so that the outcome does not depend on when it was first seen.
 */
export async function slowTheftIn(
  store: Store,
  clocks: HostClocks,
  ledger: string,
  week: number,
  settings: Settings,
): Promise<SlowTheft | undefined> {
  const end = (week + 1) * WEEK - 1;
  const marks = await store.between(ledger, 'episode', end - MEMORY, end, MAX_CANDIDATES);
  // A week in which nothing was added says nothing that the week before did not say.
  if (marks.length < MIN_CANDIDATES || (marks.at(-1)?.at ?? 0) < week * WEEK) return undefined;
  const candidates: Candidate[] = [];
  for (const mark of marks) {
    const candidate = await scored(store, clocks, mark, settings);
    if (candidate?.verdict.tier === 'ledger') candidates.push(candidate);
  }
  const newest = candidates.at(-1);
  if (!newest || candidates.length < MIN_CANDIDATES) return undefined;
  // A user who works on one host is told of by that host's ledger.
  const about = ledger.startsWith('user:') ? 'user' : 'host';
  if (about === 'user' && new Set(candidates.map((c) => c.episode.host.id)).size < 2) return undefined;
  const halfLife = settings.model.tiers.ledgerHalfLifeDays * DAY;
  const none = candidates.reduce(
    (product, { verdict, at }) => product * (1 - verdict.probability * 2 ** (-(newest.at - at) / halfLife)),
    1,
  );
  const probability = 1 - none;
  if (probability < settings.score.medium) return undefined;
  return { id: slowId(ledger, week), about, probability, candidates };
}

/** A candidate as the facts show it now; undefined when they make other episodes of its flows. */
async function scored(
  store: Store,
  clocks: HostClocks,
  mark: Fact,
  settings: Settings,
): Promise<Candidate | undefined> {
  const { host } = mark.body as { host: string };
  const episodes = await episodesOfHost(store, clocks, host, mark.at, mark.at, settings);
  const episode = episodes.find(({ id }) => `ledger|${id}` === mark.id);
  return episode && { episode, verdict: scoreEpisode(episode, settings), at: mark.at };
}
