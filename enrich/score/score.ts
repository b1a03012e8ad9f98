import type { Settings } from '../settings.ts';
import type { Episode } from './episode.ts';
import type { Verdict } from './verdict.ts';
export function scoreEpisode(_episode: Episode, _settings: Settings): Verdict {
  return { model: 'x', gate: { passed: false, reasons: [] }, prior: 1e-5, terms: [], groups: [], db: -50, probability: 0, tier: 'none', attainableDb: 0, missing: [], counterfactuals: [] };
}
