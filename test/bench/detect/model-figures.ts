/** How far the probabilities, the joins and each group of evidence can be trusted. */
import { type Candidate, GROUPS_LEFT_OUT, type LeftOut } from './candidates.ts';
import { perThousand, type Share, share } from './figures.ts';
import type { Outcome } from './run-detection.ts';
import { DAY, FIRST_DAY } from './scene.ts';

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

export interface AblationRow {
  readonly without: LeftOut;
  readonly high: Share;
  readonly any: Share;
  readonly falseHigh: number;
  readonly falseAny: number;
}

/** As the candidates stand at the end; ledgers of slow thefts are left out of every row. */
export function ablation(outcomes: readonly Outcome[]): AblationRow[] {
  const hostDays = outcomes.reduce((sum, { hostDays: { judged } }) => sum + judged, 0);
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
