import { type TimeWeights, WEIGHTS } from './weights.ts';

const DAY_SECONDS = 86_400;

/** How long before the upload data was packed, and what that weighs. */
export interface TimeLink {
  readonly db: number;
  /** Seconds from packing to the flow, never negative. */
  readonly gapSeconds: number;
  /** Within MITRE's example window. */
  readonly tight: boolean;
}

/**
 * Archives a second on a host: what was counted, drawn towards a guess that is worth a few days. A host that packs forty
 * times a day makes "packed two minutes ago" worthless; one that packs twice a week makes it telling.
 */
export function archiveRate(archives: number, observedDays: number, weights: TimeWeights = WEIGHTS.time): number {
  const count = Number.isFinite(archives) ? Math.max(0, archives) : 0;
  const days = Number.isFinite(observedDays) ? Math.max(0, observedDays) : 0;
  return (count + weights.priorPerDay * weights.priorDays) / (days + weights.priorDays) / DAY_SECONDS;
}

/**
 * 10·log10 of the density of the gap under theft (a mixture of exponentials: minutes, hours, half a day) over that of the
 * host's own habit (Poisson with rate λ a second: the gap back to the last archive is exponential). Where the habit's
 * density falls faster than that of theft, the weight stays at its lowest: a longer gap is never better evidence.
 *
 * @returns undefined when the packing came after the flow, or longer before it than the horizon: no link at all.
 */
export function timeLink(
  gapSeconds: number,
  ratePerSecond: number,
  weights: TimeWeights = WEIGHTS.time,
): TimeLink | undefined {
  if (!Number.isFinite(gapSeconds) || gapSeconds < -weights.slackSeconds || gapSeconds > weights.horizonSeconds)
    return undefined;
  const gap = Math.max(0, gapSeconds);
  const rate = ratePerSecond > 0 && Number.isFinite(ratePerSecond) ? ratePerSecond : archiveRate(0, 0, weights);
  const at = Math.min(gap, turningPoint(rate, weights));
  // In logarithms: with a high rate and a long gap the habit's density underflows.
  const db = 10 * Math.log10(densityAt(at, weights)) - (10 * (Math.log(rate) - rate * at)) / Math.LN10;
  return {
    db: Math.min(weights.ceiling, Math.max(weights.floor, db)),
    gapSeconds: gap,
    tight: gap <= weights.tightSeconds,
  };
}

const densityAt = (gap: number, weights: TimeWeights): number =>
  weights.mixture.reduce(
    (sum, { share, meanSeconds }) => sum + (share / meanSeconds) * Math.exp(-gap / meanSeconds),
    0,
  );

/** Relative fall of the mixture's density, a second. It only ever decreases, towards that of its slowest part. */
function fallAt(gap: number, weights: TimeWeights): number {
  const slope = weights.mixture.reduce(
    (sum, { share, meanSeconds }) => sum + (share / meanSeconds ** 2) * Math.exp(-gap / meanSeconds),
    0,
  );
  return slope / densityAt(gap, weights);
}

/** The gap at which the habit begins to fall faster than theft, found by halving; the horizon when it never does. */
function turningPoint(rate: number, weights: TimeWeights): number {
  let low = 0;
  let high = weights.horizonSeconds;
  if (fallAt(high, weights) >= rate) return high;
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (fallAt(middle, weights) >= rate) low = middle;
    else high = middle;
  }
  return low;
}
