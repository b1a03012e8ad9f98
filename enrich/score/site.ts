import { MICROS_PER_SECOND } from '../../sensor/base/timestamp.ts';
import type { Decision } from '../evidence/calibration.ts';
import type { Store, StoredAlert } from '../store/store.ts';
import type { Rescored } from './backtest.ts';

const DAY = 86_400 * MICROS_PER_SECOND;
/** Days of the past that a site is judged by. */
export const SITE_DAYS = 30;
/** Reviews and alerts read, the newest. */
const MAX_REVIEWS = 10_000;
const MAX_ALERTS = 100_000;
/**
 * Thefts to be expected among 1,000 hosts a day, of those that pass the gate: what the built-in prior of 1e-5 is at five
 * candidates a host and day (DETECTION model §4.1). Own judgement; `--incidents` takes the site's.
 */
export const INCIDENTS = 0.05;
/** How many thefts to expect is a guess: it moves the prior by ten times at most. */
const LEAST_PRIOR = 1e-6;
const MOST_PRIOR = 1e-4;

/** How many candidates a site has, and what share of them to expect to be thefts. */
export interface SiteRate {
  readonly hosts: number;
  readonly days: number;
  readonly candidates: number;
  readonly perHostDay: number;
  /** Incidents expected by candidates measured, between 1e-6 and 1e-4. */
  readonly prior: number;
}

/** Counts the candidates (episodes that passed the gate) of the last days of the store; undefined when there are none. */
export function siteRate(
  rescored: Iterable<Rescored>,
  hosts: number,
  span: { readonly from: number; readonly to: number } | undefined,
  incidents: number,
): SiteRate | undefined {
  if (!span || hosts === 0) return undefined;
  const starts = [...rescored].flatMap(({ episode, verdict }) =>
    verdict.gate.passed && episode.drill === undefined ? [episode.flows[0]!.start] : [],
  );
  const last = Math.floor(span.to / DAY);
  const days = Math.min(SITE_DAYS, last - Math.floor(span.from / DAY) + 1);
  const recent = starts.filter((start) => Math.floor(start / DAY) > last - days);
  if (recent.length === 0) return undefined;
  const perHostDay = recent.length / (hosts * days);
  const prior = Math.min(MOST_PRIOR, Math.max(LEAST_PRIOR, incidents / 1_000 / perHostDay));
  return { hosts, days, candidates: recent.length, perHostDay, prior };
}

interface AlertBody {
  readonly event?: { readonly action?: string };
  readonly tags?: readonly string[];
  readonly waybill?: { readonly score_db?: number; readonly probability?: number };
}

export interface Decided extends Decision {
  readonly probability: number;
}

/** Alerts that analysts found true or false, with the score they have now. The newest review of each holds. */
export async function decidedAlerts(store: Store): Promise<Decided[]> {
  const verdicts = new Map<string, string>();
  for (const { body } of await store.between('console:reviews', 'review', 0, Number.MAX_SAFE_INTEGER, MAX_REVIEWS)) {
    const { alert, state } = body as { readonly alert: string; readonly state: string };
    verdicts.set(alert, state);
  }
  const alerts = verdicts.size === 0 ? [] : await store.listAlerts({ limit: MAX_ALERTS });
  return alerts.flatMap((alert) => {
    const state = verdicts.get(alert.id);
    const scored = scoreOf(alert);
    if (scored === undefined || (state !== 'true_positive' && state !== 'false_positive')) return [];
    return [{ ...scored, theft: state === 'true_positive' }];
  });
}

/** Slow alerts have no score of their own, and drills are no decisions about the model. */
function scoreOf({ body }: StoredAlert): { readonly db: number; readonly probability: number } | undefined {
  const { event, tags, waybill } = body as AlertBody;
  if (event?.action !== 'exfiltration_suspected' || tags?.includes('drill')) return undefined;
  const { score_db: db, probability } = waybill ?? {};
  return db === undefined || probability === undefined ? undefined : { db, probability };
}

/** Mean squared distance of a stated probability from what was decided; 0 is perfect. */
export const brier = (pairs: readonly { readonly probability: number; readonly theft: boolean }[]): number =>
  pairs.reduce((sum, { probability, theft }) => sum + (probability - (theft ? 1 : 0)) ** 2, 0) / pairs.length;
