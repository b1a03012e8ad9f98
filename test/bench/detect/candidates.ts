/** Every candidate episode of a store with its probability, whole and with each group of evidence left out. */
import { withOverrides } from '../../../enrich/evidence/weights.ts';
import { HostClocks } from '../../../enrich/join/clock.ts';
import { hostsIn, spanOf } from '../../../enrich/score/coverage.ts';
import { type Episode, episodesOfHost } from '../../../enrich/score/episode.ts';
import { scoreEpisode } from '../../../enrich/score/score.ts';
import type { Tier } from '../../../enrich/score/verdict.ts';
import type { Settings } from '../../../enrich/settings.ts';
import type { Store } from '../../../enrich/store/store.ts';
import type { Truth } from './truth.ts';

export const GROUPS_LEFT_OUT = ['none', 'novelty', 'staging', 'volume', 'process', 'tls', 'context'] as const;
export type LeftOut = (typeof GROUPS_LEFT_OUT)[number];

export interface Candidate {
  readonly id: string;
  readonly theft: string | undefined;
  /** What the flow that sent most was for. */
  readonly activity: string;
  /** The peer group that it was judged by, if by one. */
  readonly peers: string | undefined;
  readonly gate: boolean;
  readonly db: number;
  readonly probability: number;
  /** Start of the first flow, microseconds. */
  readonly at: number;
  /** Tier with a group's decibels counted as 0; the gate stays as it is. */
  readonly tiers: Readonly<Record<LeftOut, Tier>>;
}

/** The settings, and the settings with all decibels of one group clipped to 0. */
const leavingOut = (settings: Settings): (readonly [LeftOut, Settings])[] =>
  GROUPS_LEFT_OUT.map((group) => [
    group,
    group === 'none'
      ? settings
      : { ...settings, model: withOverrides({ groups: { [group]: { floor: 0, cap: 0 } } }, settings.model) },
  ]);

export async function candidatesIn(store: Store, truth: Truth, settings: Settings): Promise<Candidate[]> {
  const without = leavingOut(settings);
  const found = new Map<string, Candidate>();
  const span = await spanOf(store);
  if (!span) return [];
  const clocks = new HostClocks(store);
  for (const host of await hostsIn(store)) {
    // One horizon at a time, as a back-test does.
    for (let from = span.from; from <= span.to; from += settings.horizonMicros) {
      const episodes = await episodesOfHost(store, clocks, host, from, from + settings.horizonMicros - 1, settings);
      for (const episode of episodes)
        if (!found.has(episode.id)) found.set(episode.id, candidateOf(episode, truth, without));
    }
  }
  return [...found.values()];
}

function candidateOf(episode: Episode, truth: Truth, without: readonly (readonly [LeftOut, Settings])[]): Candidate {
  const verdicts = without.map(([group, settings]) => [group, scoreEpisode(episode, settings)] as const);
  const whole = verdicts[0]![1];
  const flows = [...episode.flows].sort((a, b) => b.record.source.bytes - a.record.source.bytes);
  const theft = flows
    .map(({ record }) => truth.flows.get(record.waybill.flow_id)?.theft)
    .find((id) => id !== undefined);
  return {
    id: episode.id,
    theft,
    activity: truth.flows.get(flows[0]!.record.waybill.flow_id)?.activity ?? 'unknown',
    peers: episode.baseline.peers?.group,
    gate: whole.gate.passed,
    db: whole.db,
    probability: whole.probability,
    at: episode.flows[0]!.start,
    tiers: Object.fromEntries(verdicts.map(([group, { tier }]) => [group, tier])) as Record<LeftOut, Tier>,
  };
}
