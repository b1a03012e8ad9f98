import {
  knownBy,
  ladder,
  ladderByPeers,
  maturity,
  noveltyEvidence,
  RUNG_BY_PEERS,
  RUNG_MEANING,
  type Rung,
} from '../evidence/novelty.ts';
import type { NoveltyWeights, Weights } from '../evidence/weights.ts';
import type { Episode } from './episode.ts';
import type { Baseline } from './familiarity.ts';
import type { Peers } from './peers.ts';
import type { Term } from './verdict.ts';

/** How familiar the destination is, and what that weighs. */
export interface Novelty {
  readonly rung: Rung;
  /** Days of the history that the rung is judged by. */
  readonly historyDays: number;
  readonly terms: readonly Term[];
}

/** Judges by the host's own history, or by its peers' where `Baseline.peers` says that it has too little. */
export function noveltyTerms(episode: Episode, w: Weights): Novelty {
  const { baseline, rollout } = episode;
  const { peers, day } = baseline;
  const own = { rung: ladder(baseline, day - 1, w.novelty), byPeers: false };
  const { rung, byPeers } = peers ? ladderByPeers(baseline, peers.cells, day - 1, w.novelty) : own;
  const historyDays = historyOf(episode, rung);
  const novelty = noveltyEvidence({ rung, historyDays, own: (peers ?? baseline).novelty }, w.novelty);
  const isUsualWork = rung === 'F3' && isUsualElsewhere(baseline, w.novelty);
  const m = maturity(baseline.days, w.novelty);
  const db = isUsualWork ? m * novelty.db + (1 - m) * w.novelty.newHostF3 : novelty.db;
  const grown = novelty.maturity < 0.99 ? `, maturity ${novelty.maturity.toFixed(2)}` : '';
  const meaning = (peers && (byPeers || rung === 'F3') ? RUNG_BY_PEERS[rung] : undefined) ?? RUNG_MEANING[rung];
  const history = peers ? judgedBy(peers, rung, historyDays, grown) : `${historyDays} days of history${grown}`;
  const usual = isUsualWork ? '; to a new host all is new, and elsewhere it is established' : '';
  const detail = `${rung}: ${meaning}${usual} (${history})`;
  const evidence = [episode.destination.ladder.name];
  const terms: Term[] = [{ group: 'N', name: `familiarity_${rung}`, db, detail, evidence }];
  if (rollout?.spread === true && db > 0) {
    const count = `${rollout.hosts} of ${rollout.of} hosts`;
    const what = `the same signed program met this destination on ${count} that day`;
    terms.push({ group: 'N', name: 'rollout', db: w.novelty.rollout, detail: what, evidence });
  }
  return { rung, historyDays, terms };
}

/**
 * A host of few days meets what is everyday work elsewhere for the first time, as it meets everything. Where its peers can say
 * what their work is, one of them does it.
 */
function isUsualElsewhere({ days, day, identity, peers }: Baseline, w: NoveltyWeights): boolean {
  if (maturity(days, w) >= w.backOffBelow || knownBy(identity, day - 1, w).days < w.establishedDays) return false;
  return peers === undefined || peers.cells.some((cell) => knownBy(cell, day - 1, w).days > 0);
}

const isOfOrg = (rung: Rung): boolean => rung === 'F0' || rung === 'F1' || rung === 'F2';

/** Days of the history that a rung is judged by: what the organisation knows, or what the host or its peers know. */
function historyOf({ baseline }: Episode, rung: Rung): number {
  const { days, orgDays, peers } = baseline;
  return isOfOrg(rung) ? Math.max(orgDays, days) : (peers?.days ?? days);
}

function judgedBy({ group, hosts, days }: Peers, rung: Rung, historyDays: number, grown: string): string {
  const peers = `judged by its peer group ${group}: ${hosts} hosts, ${days} days`;
  return isOfOrg(rung) ? `${historyDays} days of history${grown}; ${peers}` : `${peers}${grown}`;
}
