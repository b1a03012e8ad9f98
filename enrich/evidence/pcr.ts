import { type VolumeWeights, WEIGHTS } from './weights.ts';

/**
 * Producer–consumer ratio (out − in) / (out + in), from −1 (only receives) to +1 (only sends), after Bullard and Gerth.
 * Undefined when nothing was transferred: then the direction says nothing.
 */
export function producerConsumerRatio(bytesOut: number, bytesIn: number): number | undefined {
  const total = bytesOut + bytesIn;
  return total > 0 && Number.isFinite(total) && bytesOut >= 0 && bytesIn >= 0
    ? (bytesOut - bytesIn) / total
    : undefined;
}

/** What the direction weighs, dB: an upload counts for, a download against. */
export function ratioDb(ratio: number | undefined, weights: VolumeWeights = WEIGHTS.volume): number {
  if (ratio === undefined) return 0;
  if (ratio > weights.pcrHighAbove) return weights.pcrHigh;
  return ratio < weights.pcrLowBelow ? weights.pcrLow : 0;
}

/** Plus per unit of robust z of log(1 + bytes out) above the threshold, dB. */
export function volumeDb(z: number | undefined, weights: VolumeWeights = WEIGHTS.volume): number {
  if (z === undefined || !Number.isFinite(z) || z <= weights.zFrom) return 0;
  return Math.min(weights.zCap, weights.zPerUnit * (z - weights.zFrom));
}

/** Below this the needed sample is too small for median and MAD to mean anything. */
export const ROBUST_Z_MIN_SAMPLE = 10;

/**
 * How far log(1 + bytes) lies from what is usual: (x − median) / (1.4826·MAD). The deviation has a floor of 0.1 so that a
 * process that always sends the same does not turn a byte more into a sensation.
 */
export function robustZ(bytes: number, history: readonly number[]): number | undefined {
  if (history.length < ROBUST_Z_MIN_SAMPLE || !(bytes >= 0)) return undefined;
  const logs = history.map((value) => Math.log1p(Math.max(0, value)));
  const center = median(logs);
  const spread = median(logs.map((value) => Math.abs(value - center)));
  return (Math.log1p(bytes) - center) / Math.max(0.1, 1.4826 * spread);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
