/** What the runs came to, as numbers. */
import type { AlertTier, Outcome, Raised } from './run-detection.ts';
import { DAY, FIRST_DAY } from './scene.ts';
import { type BlindSpot, bytesOf, goneBy, type Theft, type Truth } from './truth.ts';

/** So many of so many, with the 95 % interval of Wilson. */
export interface Share {
  readonly count: number;
  readonly of: number;
  readonly low: number;
  readonly high: number;
}

export function share(count: number, of: number): Share {
  if (of === 0) return { count, of, low: 0, high: 1 };
  const z = 1.96;
  const p = count / of;
  const middle = (p + (z * z) / (2 * of)) / (1 + (z * z) / of);
  const half = (z / (1 + (z * z) / of)) * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of));
  return { count, of, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

export interface Found {
  readonly theft: Theft;
  readonly seed: number;
  /** Highest tier that an alert about it had. */
  readonly tier: AlertTier | 'none';
  /** Share of its bytes that were gone at the first alert of any tier. */
  readonly gone: number | undefined;
  /** Share of its bytes that were gone when the feed first told of the process that sent. */
  readonly goneWhenTold: number | undefined;
}

/** Which alerts are about thefts, by any of their flows. */
export function foundIn({ options, truth, raised, senderTold }: Outcome): Found[] {
  const alerts = new Map<string, Raised[]>();
  for (const alert of raised) {
    for (const theft of theftsOf(alert, truth)) {
      const known = alerts.get(theft);
      if (known) known.push(alert);
      else alerts.set(theft, [alert]);
    }
  }
  return truth.thefts
    .filter((theft) => theft.sent.length > 0)
    .map((theft) => {
      const about = alerts.get(theft.id) ?? [];
      const tier = about.some((alert) => alert.tier === 'high') ? 'high' : about.length > 0 ? 'medium' : 'none';
      const first = Math.min(...about.flatMap((alert) => [...alert.first.values()]));
      const gone = about.length === 0 ? undefined : goneBy(theft, first) / bytesOf(theft);
      const told = senderTold.get(theft.id);
      const goneWhenTold = told === undefined ? undefined : goneBy(theft, told) / bytesOf(theft);
      return { theft, seed: options.seed, tier, gone, goneWhenTold };
    });
}

const theftsOf = (alert: Raised, truth: Truth): ReadonlySet<string> =>
  new Set(alert.flows.map((flow) => truth.flows.get(flow)?.theft).filter((theft) => theft !== undefined));

export interface Recall {
  readonly name: string;
  readonly high: Share;
  /** High or medium. */
  readonly any: Share;
}

export function recallBy(found: readonly Found[], nameOf: (found: Found) => string): Recall[] {
  return [...new Set(found.map(nameOf))].sort().map((name) =>
    recallOf(
      name,
      found.filter((each) => nameOf(each) === name),
    ),
  );
}

export const recallOf = (name: string, found: readonly Found[]): Recall => ({
  name,
  high: share(found.filter(({ tier }) => tier === 'high').length, found.length),
  any: share(found.filter(({ tier }) => tier !== 'none').length, found.length),
});

/** Spots that AN1413 cannot see by its own wording, or that take away what it is made of. */
export const OUT_OF_REACH: ReadonlySet<BlindSpot> = new Set([
  'browser',
  'nothing staged',
  'beyond horizon',
  'usual destination',
  'no endpoint feed',
]);

export interface FalseAlerts {
  readonly hostDays: number;
  /** After the warm-up. */
  readonly high: number;
  readonly medium: number;
  /** Of those: about hosts in their first days. */
  readonly onNewHosts: { readonly hostDays: number; readonly high: number; readonly medium: number };
  readonly whileLearning: { readonly hostDays: number; readonly high: number; readonly medium: number };
  /** By what the main flow was for. */
  readonly causes: readonly { readonly activity: string; readonly high: number; readonly medium: number }[];
}

export function falseAlerts(outcomes: readonly Outcome[]): FalseAlerts {
  const causes = new Map<string, { high: number; medium: number }>();
  const counted = { high: 0, medium: 0 };
  const learning = { hostDays: 0, high: 0, medium: 0 };
  const onNew = { hostDays: 0, high: 0, medium: 0 };
  let judged = 0;
  for (const { options, truth, raised, flows, hostDays, isNewHost } of outcomes) {
    const { warmUp } = options;
    judged += hostDays.judged;
    learning.hostDays += hostDays.learning;
    onNew.hostDays += hostDays.onNew;
    for (const alert of raised) {
      if (theftsOf(alert, truth).size > 0) continue;
      const main = alert.flows
        .map((id) => flows.get(id))
        .reduce((best, flow) => ((flow?.sent ?? 0) > (best?.sent ?? -1) ? flow : best), undefined);
      const early = (main?.start ?? 0) < FIRST_DAY + warmUp * DAY;
      (early ? learning : counted)[alert.tier]++;
      if (early) continue;
      if (isNewHost(truth.flows.get(main?.id ?? '')?.host ?? '', main?.start ?? 0)) onNew[alert.tier]++;
      const activity = truth.flows.get(main?.id ?? '')?.activity ?? 'unknown';
      const cause = causes.get(activity) ?? { high: 0, medium: 0 };
      cause[alert.tier]++;
      causes.set(activity, cause);
    }
  }
  const sorted = [...causes]
    .map(([activity, count]) => ({ activity, ...count }))
    .sort((a, b) => b.high + b.medium - a.high - a.medium || (a.activity < b.activity ? -1 : 1));
  return { hostDays: judged, ...counted, onNewHosts: onNew, whileLearning: learning, causes: sorted };
}

export const perThousand = (count: number, hostDays: number): number =>
  hostDays === 0 ? 0 : (1000 * count) / hostDays;

/** Quantiles of the share of bytes gone at the first alert. */
export function timeToAlert(found: readonly Found[]): {
  readonly quartiles: readonly [number, number, number];
  readonly beforeHalf: Share;
  /** The same of those of whose sender the feed had told by then. */
  readonly beforeHalfWhenTold: Share;
} {
  const told = found.filter(({ gone, goneWhenTold }) => gone !== undefined && (goneWhenTold ?? 1) < 0.5);
  const gone = found
    .map((each) => each.gone)
    .filter((value) => value !== undefined)
    .sort((a, b) => a - b);
  const at = (q: number): number => gone[Math.min(gone.length - 1, Math.floor(q * gone.length))] ?? Number.NaN;
  return {
    quartiles: [at(0.25), at(0.5), at(0.75)],
    beforeHalf: share(gone.filter((value) => value < 0.5).length, gone.length),
    beforeHalfWhenTold: share(told.filter((each) => each.gone! < 0.5).length, told.length),
  };
}
