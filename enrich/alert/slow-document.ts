import { formatMicros } from '../../sensor/base/timestamp.ts';
import { formatBytes } from '../score/format.ts';
import type { SlowTheft } from '../score/slow.ts';
import type { StoredAlert } from '../store/store.ts';
import { alertDocument, sentBytes } from './alert-document.ts';
import { storyOf } from './story.ts';

/** The alert about many small steps: the strongest of them in full, and the list of all. */
export function slowDocument({ id, about, probability, candidates }: SlowTheft): StoredAlert {
  const strongest = candidates.reduce((best, each) =>
    each.verdict.probability > best.verdict.probability ? each : best,
  );
  const newest = candidates.at(-1)!;
  const base = alertDocument(strongest.episode, strongest.verdict).body as {
    readonly event: object;
    readonly waybill: object;
  };
  const bytes = candidates.reduce((sum, { episode }) => sum + sentBytes(episode), 0);
  const { host, process } = newest.episode;
  const who = about === 'user' ? (process?.user?.name ?? 'one user') : (host.name ?? host.id);
  const first = candidates[0]!.at;
  const at = Math.max(...candidates.flatMap(({ episode }) => episode.flows.map((flow) => flow.end)));
  return {
    id,
    at,
    revision: Math.floor(at / 1000) * 1024 + candidates.length,
    body: {
      ...base,
      '@timestamp': formatMicros(at),
      message: `${candidates.length} small transfers after staging by ${who} since ${formatMicros(first).slice(0, 10)}, ${formatBytes(bytes)} together.`,
      event: {
        ...base.event,
        action: 'slow_exfiltration_suspected',
        id,
        start: formatMicros(first),
        end: formatMicros(at),
        severity: 47,
        risk_score: Math.round(probability * 1000) / 10,
      },
      waybill: {
        ...base.waybill,
        tier: 'medium',
        slow: about,
        probability,
        score_db: Math.round(1000 * Math.log10(probability / (1 - probability))) / 100,
        ledger: candidates.map(({ episode, verdict, at: began }) => ({
          id: episode.id,
          at: formatMicros(began),
          probability: verdict.probability,
          story: storyOf(episode),
        })),
      },
    },
  };
}
