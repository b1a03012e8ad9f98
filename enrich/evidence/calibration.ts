import { z } from 'zod';
import { readYaml } from '../yaml-file.ts';

/** Where probability stands at so many decibels; both ascend. Between two points it runs straight in decibels. */
export interface CalibrationPoint {
  readonly db: number;
  readonly probability: number;
}

/** What decisions of analysts say of the score: `waybill calibrate` makes it. */
export interface Calibration {
  /** Model whose decibels were compared. */
  readonly model: string;
  /** Prior of those decibels. */
  readonly prior: number;
  /** Decided alerts it rests on. */
  readonly decisions: number;
  readonly points: readonly CalibrationPoint[];
}

/** A decided alert. */
export interface Decision {
  readonly db: number;
  readonly theft: boolean;
}

/** The model's own curve counts as one decision at every so many decibels, over this span. */
const OWN_STEP_DB = 2;
const OWN_FROM_DB = -30;
const OWN_TO_DB = 40;
const OWN_WEIGHT = 0.5;
/** No decisions make anything certain. */
const MOST = 0.9999;
const MAX_POINTS = 1_000;

export const CalibrationFile = z
  .strictObject({
    model: z.string().max(100),
    prior: z.number().gt(0).lt(1),
    decisions: z.number().int().min(0),
    points: z
      .array(z.strictObject({ db: z.number().min(-200).max(200), probability: z.number().gt(0).lt(1) }))
      .min(2)
      .max(MAX_POINTS),
  })
  .refine(({ points }) => ascend(points), { message: 'expected points whose db and probability ascend' });

const ascend = (points: readonly CalibrationPoint[]): boolean =>
  points.every((point, i) => {
    const before = points[i - 1];
    return before === undefined || (before.db < point.db && before.probability <= point.probability);
  });

/** Throws a `UserError` with every complaint; decibels of another prior are others. */
export const readCalibration = (path: string, prior: number): Calibration =>
  readYaml(path, CalibrationFile, (file) =>
    file.prior === prior
      ? []
      : [{ place: ['prior'], message: `made with prior ${file.prior}, but score.prior is ${prior}` }],
  );

/**
 * Isotonic regression of decisions over decibels (pool adjacent violators), with the model's own curve as a weak prior, so
 * that ten decisions bend it a little and a thousand make it. Never falls with the score; the order of decisions is
 * irrelevant.
 */
export function calibrate(decisions: readonly Decision[], model: string, prior: number): Calibration {
  const samples = decisions.map(({ db, theft }) => ({ db, value: theft ? 1 : 0, weight: 1 }));
  for (let db = OWN_FROM_DB; db <= OWN_TO_DB; db += OWN_STEP_DB) {
    samples.push({ db, value: 1 / (1 + 10 ** (-db / 10)), weight: OWN_WEIGHT });
  }
  samples.sort((a, b) => a.db - b.db || a.value - b.value);
  interface Block {
    readonly from: number;
    readonly to: number;
    readonly weight: number;
    readonly mean: number;
  }
  const blocks: Block[] = [];
  for (const { db, value, weight } of samples) {
    let block: Block = { from: db, to: db, weight, mean: value };
    for (;;) {
      const last = blocks.at(-1);
      if (last === undefined || (last.mean < block.mean && last.to < block.from)) break;
      blocks.pop();
      const both = last.weight + block.weight;
      const mean = (last.mean * last.weight + block.mean * block.weight) / both;
      block = { from: last.from, to: block.to, weight: both, mean };
    }
    blocks.push(block);
  }
  const points = blocks.flatMap(({ from, to, mean }) => {
    const probability = round(Math.min(MOST, Math.max(1 - MOST, mean)));
    return from === to
      ? [{ db: from, probability }]
      : [
          { db: from, probability },
          { db: to, probability },
        ];
  });
  return { model, prior, decisions: decisions.length, points: thinned(points) };
}

const round = (value: number): number => Math.round(value * 1e6) / 1e6;

/** At most MAX_POINTS, evenly; the ends stay. */
function thinned(points: readonly CalibrationPoint[]): readonly CalibrationPoint[] {
  if (points.length <= MAX_POINTS) return points;
  const step = (points.length - 1) / (MAX_POINTS - 1);
  return Array.from({ length: MAX_POINTS }, (_, i) => points[Math.round(i * step)]!);
}

/** Probability of a score. Without a calibration the model's own: 1 / (1 + 10^(−db/10)). */
export function probabilityAt(db: number, calibration?: Calibration): number {
  const points = calibration?.points ?? [];
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return ofDb(db);
  // Outside what was compared the curve goes on as the model's own, from where it ends.
  if (db <= first.db) return ofDb(dbOf(first.probability) + db - first.db);
  if (db >= last.db) return ofDb(dbOf(last.probability) + db - last.db);
  const next = points.findIndex((point) => point.db >= db);
  const [low, high] = [points[next - 1]!, points[next]!];
  const share = (db - low.db) / (high.db - low.db);
  return ofDb(dbOf(low.probability) + share * (dbOf(high.probability) - dbOf(low.probability)));
}

const ofDb = (db: number): number => 1 / (1 + 10 ** (-db / 10));
const dbOf = (probability: number): number => 10 * Math.log10(probability / (1 - probability));
