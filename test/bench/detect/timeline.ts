/** What was known of each theft whenever it was looked at: which evidence came before half of its bytes had gone. */
import { HostClocks } from '../../../enrich/join/clock.ts';
import { episodesOfHost } from '../../../enrich/score/episode.ts';
import { scoreEpisode } from '../../../enrich/score/score.ts';
import type { Settings } from '../../../enrich/settings.ts';
import type { Store } from '../../../enrich/store/store.ts';
import { foundIn } from './figures.ts';
import type { Outcome } from './run-detection.ts';
import { DAY } from './scene.ts';
import { bytesOf, goneBy, type Theft } from './truth.ts';

export interface Look {
  readonly theft: string;
  /** Service time, microseconds. */
  readonly at: number;
  /** Share of its bytes that had gone. */
  readonly gone: number;
  /** The strongest episode that its flows were part of; undefined when they were part of none. */
  readonly episode:
    | {
        /** Bytes that the sensor had told of. */
        readonly told: number;
        readonly join: string;
        readonly program: string | undefined;
        readonly db: number;
        readonly tier: string;
        readonly terms: readonly string[];
      }
    | undefined;
}

export async function lookAt(
  store: Store,
  theft: Theft,
  hostId: string,
  at: number,
  settings: Settings,
): Promise<Look> {
  const flows = new Set(theft.sent.map(({ flow }) => flow));
  const episodes = await episodesOfHost(store, new HostClocks(store), hostId, at - DAY, at, settings);
  const [best] = episodes
    .filter((episode) => episode.flows.some(({ record }) => flows.has(record.waybill.flow_id)))
    .map((episode) => ({ episode, verdict: scoreEpisode(episode, settings) }))
    .sort((a, b) => b.verdict.db - a.verdict.db);
  const look = { theft: theft.id, at, gone: goneBy(theft, at) / bytesOf(theft) };
  if (!best) return { ...look, episode: undefined };
  const { episode, verdict } = best;
  return {
    ...look,
    episode: {
      told: episode.flows.reduce((sum, { record }) => sum + record.source.bytes, 0),
      join: [...new Set(episode.flows.map(({ join }) => join.method))].sort().join(','),
      program: episode.process?.image?.split('\\').at(-1),
      db: verdict.db,
      tier: verdict.gate.passed ? verdict.tier : 'closed',
      terms: verdict.terms.map(({ name, db }) => `${name} ${db.toFixed(0)}`),
    },
  };
}

/** Each theft with its looks, as text. */
export function timelineOf(outcome: Outcome): string {
  const lines: string[] = [];
  for (const { theft, tier, gone } of foundIn(outcome)) {
    const began = Math.min(...theft.sent.map(({ start }) => start));
    const alerted = gone === undefined ? 'no alert' : `${tier}, first alert at ${(100 * gone).toFixed(0)} %`;
    lines.push(`${theft.id} ${theft.kind} (${theft.blindSpot}), ${(bytesOf(theft) / 1e6).toFixed(1)} MB: ${alerted}`);
    for (const { at, gone: share, episode: e } of outcome.looks.filter((look) => look.theft === theft.id)) {
      const when = `  ${((at - began) / 1e6).toFixed(0)} s, ${(100 * share).toFixed(0)} % gone`;
      const what =
        e && `${(e.told / 1e6).toFixed(1)} MB told, ${e.join} ${e.program ?? '-'}, ${e.db.toFixed(1)} dB ${e.tier}`;
      lines.push(e ? `${when}: ${what}: ${e.terms.join(', ')}` : `${when}: no episode`);
    }
  }
  return `${lines.join('\n')}\n`;
}
