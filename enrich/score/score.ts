import { probabilityAt } from '../evidence/calibration.ts';
import { maturity, type Rung } from '../evidence/novelty.ts';
import type { Weights } from '../evidence/weights.ts';
import type { Settings } from '../settings.ts';
import { allowed } from './binary-allowlist.ts';
import { contextTerms } from './context-terms.ts';
import type { Episode } from './episode.ts';
import { joinTerms } from './join-terms.ts';
import { attainable, missing } from './missing.ts';
import { noveltyTerms } from './novelty-terms.ts';
import { processTerms } from './process-terms.ts';
import { stagingTerms } from './staging-terms.ts';
import { tlsTerms } from './tls-terms.ts';
import { GROUP_NAMES, type Group, type GroupScore, LEARNT, type Term, type Tier, type Verdict } from './verdict.ts';
import { volumeTerms } from './volume-terms.ts';

const GROUPS: readonly Group[] = ['N', 'S', 'V', 'P', 'C', 'T'];
/** A byte match this strong reopens the gate of an established destination. */
const BYTE_MATCH_DB = 6;
/** A process that is less surely the sender does not lend a flow its innocence. */
const EXEMPT_FROM = 0.6;
/** Counterfactuals listed: the terms that matter most. */
const MAX_COUNTERFACTUALS = 6;

/**
 * Scores one episode: prior, plus the evidence groups in decibels, each clipped to its cap. Pure: the same episode and
 * settings give the same verdict, bit for bit.
 */
export function scoreEpisode(episode: Episode, settings: Settings): Verdict {
  const w = settings.model;
  const { rung, historyDays, terms: novelty } = noveltyTerms(episode, w);
  const staging = stagingTerms(episode, w);
  const volume = volumeTerms(episode, rung, settings);
  const terms = [
    ...novelty,
    ...staging.terms,
    ...volume.terms,
    ...processTerms(episode, settings),
    ...joinTerms(episode),
    ...tlsTerms(episode, settings),
    ...contextTerms(episode, volume.sent, settings),
  ];
  const learning = maturity(historyDays, w.novelty) < LEARNT ? historyDays : undefined;
  const gate = gateOf(episode, rung, volume.balance.matchDb, learning, settings);
  const { prior } = settings.score;
  const groups = combine(terms, w);
  const judge = (db: number): { probability: number; tier: Tier } => {
    if (!gate.passed) return { probability: 0, tier: 'none' };
    const probability = probabilityAt(db, settings.calibration);
    return { probability, tier: tierOf(probability, settings) };
  };
  const db = scoreOf(groups, prior);
  return {
    model: w.version,
    gate,
    prior,
    terms,
    groups,
    db,
    ...judge(db),
    attainableDb: attainable(episode, historyDays, settings),
    missing: missing(episode),
    withoutGroup: groups
      .filter((group) => group.db !== 0)
      .map((group) => ({ group: group.group, db: db - group.db, ...judge(db - group.db) })),
    counterfactuals: counterfactuals(terms, w, (groupsLeft) => judge(scoreOf(groupsLeft, prior)).probability),
  };
}

/** Nothing can be called new yet in this organisation. */
export const isYoung = ({ baseline }: Episode, { model }: Settings): boolean =>
  maturity(baseline.orgDays, model.novelty) < LEARNT;

function gateOf(
  episode: Episode,
  rung: Rung,
  balanceDb: number,
  learning: number | undefined,
  settings: Settings,
): Verdict['gate'] {
  const reasons: string[] = [];
  const { class: kind, abused, reasons: why } = episode.browser;
  const sure = episode.joinProbability >= EXEMPT_FROM;
  const browsing = kind === 'browser' && !abused && sure;
  if (kind === 'browser' && !sure)
    reasons.push(`open: the sender is a browser only by a join of ${episode.joinProbability}`);
  reasons.push(
    `${browsing ? 'closed' : 'open'}: the sender is of class ${kind}${abused ? ', abused' : ''} (${why.join('; ')})`,
  );
  const exception = sure ? allowed(episode, settings) : undefined;
  if (exception !== undefined) reasons.push(`closed: ${exception}`);
  const nothing = episode.staging.length === 0;
  reasons.push(nothing ? 'closed: nothing was staged' : `open: ${episode.staging.length} staging events in the window`);
  const matches = balanceDb >= BYTE_MATCH_DB;
  const established = rung === 'F5';
  // Before the baseline can tell new from usual, only bytes that match an archive speak.
  const silent = !matches && (established || learning !== undefined);
  if (matches) reasons.push('open: the bytes sent match an archive');
  else if (established) reasons.push('closed: the destination is established and the bytes match no archive');
  else if (learning !== undefined)
    reasons.push(`closed: still learning what is usual (${learning} days) and the bytes match no archive`);
  else reasons.push('open: the destination is not established');
  const passed = !browsing && exception === undefined && !nothing;
  const young = passed && !matches && !established && learning !== undefined;
  return { passed: passed && !silent, ...(young ? { learning: true } : {}), reasons };
}

function combine(terms: readonly Term[], w: Weights): GroupScore[] {
  return GROUPS.map((group) => {
    const sum = terms.filter((t) => t.group === group).reduce((total, t) => total + t.db, 0);
    const { floor, cap } = w.groups[GROUP_NAMES[group]];
    return { group, sum, cap, db: Math.min(cap, Math.max(floor, sum)) };
  });
}

export const oddsDb = (probability: number): number => 10 * Math.log10(probability / (1 - probability));

const scoreOf = (groups: readonly GroupScore[], prior: number): number =>
  groups.reduce((total, g) => total + g.db, oddsDb(prior));

function tierOf(probability: number, settings: Settings): Tier {
  const { high, medium, ledger } = settings.score;
  if (probability >= high) return 'high';
  if (probability >= medium) return 'medium';
  return probability >= ledger ? 'ledger' : 'none';
}

/** The probability without one term, for those that carry the verdict. */
function counterfactuals(
  terms: readonly Term[],
  w: Weights,
  probabilityOf: (groups: readonly GroupScore[]) => number,
): Verdict['counterfactuals'] {
  const strongest = [...terms].sort((a, b) => Math.abs(b.db) - Math.abs(a.db) || (a.name < b.name ? -1 : 1));
  return strongest.slice(0, MAX_COUNTERFACTUALS).map((term) => {
    const left = combine(
      terms.filter((each) => each !== term),
      w,
    );
    return { term: term.name, probability: Math.round(probabilityOf(left) * 1e4) / 1e4 };
  });
}
