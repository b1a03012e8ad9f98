/** What the runs came to, as numbers. */
import { type Candidate, GROUPS_LEFT_OUT, type LeftOut } from './candidates.ts';
import { RULES } from './rules-of-today.ts';
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
}

/** Which alerts are about thefts, by any of their flows. */
export function foundIn({ options, truth, raised }: Outcome): Found[] {
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
      return { theft, seed: options.seed, tier, gone };
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
  readonly whileLearning: { readonly hostDays: number; readonly high: number; readonly medium: number };
  /** By what the main flow was for. */
  readonly causes: readonly { readonly activity: string; readonly high: number; readonly medium: number }[];
}

export function falseAlerts(outcomes: readonly Outcome[]): FalseAlerts {
  const causes = new Map<string, { high: number; medium: number }>();
  const counted = { high: 0, medium: 0 };
  const learning = { hostDays: 0, high: 0, medium: 0 };
  let hostDays = 0;
  for (const { options, truth, raised, flows } of outcomes) {
    const { hosts, days, warmUp } = options;
    hostDays += hosts * (days - warmUp);
    learning.hostDays += hosts * warmUp;
    for (const alert of raised) {
      if (theftsOf(alert, truth).size > 0) continue;
      const main = alert.flows
        .map((id) => flows.get(id))
        .reduce((best, flow) => ((flow?.sent ?? 0) > (best?.sent ?? -1) ? flow : best), undefined);
      const early = (main?.start ?? 0) < FIRST_DAY + warmUp * DAY;
      (early ? learning : counted)[alert.tier]++;
      if (early) continue;
      const activity = truth.flows.get(main?.id ?? '')?.activity ?? 'unknown';
      const cause = causes.get(activity) ?? { high: 0, medium: 0 };
      cause[alert.tier]++;
      causes.set(activity, cause);
    }
  }
  const sorted = [...causes]
    .map(([activity, count]) => ({ activity, ...count }))
    .sort((a, b) => b.high + b.medium - a.high - a.medium || (a.activity < b.activity ? -1 : 1));
  return { hostDays, ...counted, whileLearning: learning, causes: sorted };
}

export const perThousand = (count: number, hostDays: number): number =>
  hostDays === 0 ? 0 : (1000 * count) / hostDays;

/** Quantiles of the share of bytes gone at the first alert. */
export function timeToAlert(found: readonly Found[]): {
  readonly quartiles: readonly [number, number, number];
  readonly beforeHalf: Share;
} {
  const gone = found
    .map((each) => each.gone)
    .filter((value) => value !== undefined)
    .sort((a, b) => a - b);
  const at = (q: number): number => gone[Math.min(gone.length - 1, Math.floor(q * gone.length))] ?? Number.NaN;
  return {
    quartiles: [at(0.25), at(0.5), at(0.75)],
    beforeHalf: share(gone.filter((value) => value < 0.5).length, gone.length),
  };
}

export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly candidates: number;
  readonly meanProbability: number;
  readonly thefts: number;
}

const EDGES = [0, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 1];

export interface Calibration {
  readonly candidates: number;
  readonly thefts: number;
  readonly brier: number;
  /** Of a forecaster that knows nothing but the share of thefts. */
  readonly brierOfShare: number;
  readonly bins: readonly Bin[];
}

/** Over the candidates that passed the gate. */
export function calibration(candidates: readonly Candidate[]): Calibration {
  const gated = candidates.filter(({ gate }) => gate);
  const outcomeOf = ({ theft }: Candidate): number => (theft === undefined ? 0 : 1);
  const thefts = gated.filter(({ theft }) => theft !== undefined).length;
  const base = gated.length === 0 ? 0 : thefts / gated.length;
  const mean = (values: readonly number[]): number =>
    values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;
  const bins = EDGES.slice(1).map((to, i) => {
    const from = EDGES[i]!;
    const inside = gated.filter(({ probability: p }) => p >= from && (p < to || (to === 1 && p <= 1)));
    return {
      from,
      to,
      candidates: inside.length,
      meanProbability: mean(inside.map(({ probability }) => probability)),
      thefts: inside.filter(({ theft }) => theft !== undefined).length,
    };
  });
  return {
    candidates: gated.length,
    thefts,
    brier: mean(gated.map((each) => (each.probability - outcomeOf(each)) ** 2)),
    brierOfShare: mean(gated.map((each) => (base - outcomeOf(each)) ** 2)),
    bins,
  };
}

export interface JoinFigures {
  readonly method: string;
  readonly flows: number;
  /** A process is named. */
  readonly named: number;
  /** And it is another one than the one that made the flow. */
  readonly wrong: number;
  /** The flow is laid to another host than the one that made it. */
  readonly wrongHost: number;
}

export interface JoinReport {
  readonly byMethod: readonly JoinFigures[];
  /** Of flows whose connection the endpoint reported: a process is named. */
  readonly coverage: Share;
  /** Of named processes: the right one. */
  readonly precision: Share;
}

export function joinReport(outcomes: readonly Outcome[]): JoinReport {
  const methods = new Map<string, { flows: number; named: number; wrong: number; wrongHost: number }>();
  let reported = 0;
  let covered = 0;
  for (const { truth, joins } of outcomes) {
    for (const [id, real] of truth.flows) {
      const join = joins.get(id);
      const count = methods.get(join?.method ?? 'none') ?? { flows: 0, named: 0, wrong: 0, wrongHost: 0 };
      methods.set(join?.method ?? 'none', count);
      const named = join?.entityId !== undefined;
      count.flows++;
      if (named) count.named++;
      if (join?.host !== undefined && join.host !== real.host) count.wrongHost++;
      if (real.reported) reported++;
      if (real.reported && named) covered++;
      if (named && !(join.host === real.host && (join.entityId === real.entityId || join.pid === real.pid)))
        count.wrong++;
    }
  }
  const byMethod = [...methods].map(([method, count]) => ({ method, ...count })).sort((a, b) => b.flows - a.flows);
  const named = byMethod.reduce((sum, each) => sum + each.named, 0);
  const wrong = byMethod.reduce((sum, each) => sum + each.wrong, 0);
  return { byMethod, coverage: share(covered, reported), precision: share(named - wrong, named) };
}

export interface RuleFigures {
  readonly rule: string;
  readonly recall: Share;
  readonly inReach: Share;
  /** A day and 1,000 hosts, one for each address, destination and day. */
  readonly falseAlerts: number;
}

/** The rules of today after the warm-up, beside Waybill on the same flows. */
export function ruleFigures(outcomes: readonly Outcome[]): RuleFigures[] {
  return RULES.map((rule) => {
    let found = 0;
    let all = 0;
    let foundInReach = 0;
    let inReach = 0;
    let hostDays = 0;
    const wrong = new Set<string>();
    for (const { options, truth, rules, flows } of outcomes) {
      const raised = rules.get(rule)!;
      hostDays += options.hosts * (options.days - options.warmUp);
      for (const theft of truth.thefts) {
        if (theft.sent.length === 0) continue;
        const hit = theft.sent.some(({ flow }) => raised.has(flow)) ? 1 : 0;
        all++;
        found += hit;
        if (OUT_OF_REACH.has(theft.blindSpot)) continue;
        inReach++;
        foundInReach += hit;
      }
      for (const id of raised) {
        const flow = flows.get(id)!;
        if (truth.flows.get(id)?.theft !== undefined || flow.start < FIRST_DAY + options.warmUp * DAY) continue;
        wrong.add(`${options.seed}|${flow.source}|${flow.destination}|${Math.floor(flow.start / DAY)}`);
      }
    }
    return {
      rule,
      recall: share(found, all),
      inReach: share(foundInReach, inReach),
      falseAlerts: perThousand(wrong.size, hostDays),
    };
  });
}

export interface AblationRow {
  readonly without: LeftOut;
  readonly high: Share;
  readonly any: Share;
  readonly falseHigh: number;
  readonly falseAny: number;
}

/** As the candidates stand at the end; ledgers of slow thefts are left out of every row. */
export function ablation(outcomes: readonly Outcome[]): AblationRow[] {
  const hostDays = outcomes.reduce((sum, { options }) => sum + options.hosts * (options.days - options.warmUp), 0);
  return GROUPS_LEFT_OUT.map((without) => {
    const high = new Set<string>();
    const any = new Set<string>();
    let falseHigh = 0;
    let falseAny = 0;
    for (const { options, candidates } of outcomes) {
      for (const { theft, tiers, at } of candidates) {
        const tier = tiers[without];
        if (tier !== 'high' && tier !== 'medium') continue;
        if (theft !== undefined) {
          any.add(theft);
          if (tier === 'high') high.add(theft);
        } else if (at >= FIRST_DAY + options.warmUp * DAY) {
          falseAny++;
          if (tier === 'high') falseHigh++;
        }
      }
    }
    const all = outcomes.reduce((sum, { truth }) => sum + truth.thefts.filter(({ sent }) => sent.length > 0).length, 0);
    return {
      without,
      high: share(high.size, all),
      any: share(any.size, all),
      falseHigh: perThousand(falseHigh, hostDays),
      falseAny: perThousand(falseAny, hostDays),
    };
  });
}
