import { ladder, maturity, noveltyEvidence, RUNG_MEANING, type Rung } from '../evidence/novelty.ts';
import { WEIGHTS, type Weights } from '../evidence/weights.ts';
import type { Settings } from '../settings.ts';
import { allowed } from './binary-allowlist.ts';
import type { Episode } from './episode.ts';
import { processTerms } from './process-terms.ts';
import { stagingTerms } from './staging-terms.ts';
import { tlsTerms } from './tls-terms.ts';
import { GROUP_NAMES, type Group, type GroupScore, type Term, type Tier, type Verdict } from './verdict.ts';
import { volumeTerms } from './volume-terms.ts';

const GROUPS: readonly Group[] = ['N', 'S', 'V', 'P', 'C', 'T'];
/** A byte match this strong reopens the gate of an established destination. */
const BYTE_MATCH_DB = 6;
/** Maturity of the baseline from which it can call a destination new. */
const LEARNT = 0.5;
/** A process that is less surely the sender does not lend a flow its innocence. */
const EXEMPT_FROM = 0.6;
/** Counterfactuals listed: the terms that matter most. */
const MAX_COUNTERFACTUALS = 6;

/**
 * Scores one episode: prior, plus the evidence groups in decibels, each clipped to its cap. Pure: the same episode,
 * settings and weights give the same verdict, bit for bit.
 */
export function scoreEpisode(episode: Episode, settings: Settings, w: Weights = WEIGHTS): Verdict {
  const day = episode.baseline.day - 1;
  const rung = ladder(episode.baseline, day, w.novelty);
  const historyDays = historyOf(episode, rung);
  const staging = stagingTerms(episode, w);
  const volume = volumeTerms(episode, w);
  const terms = [
    ...noveltyTerms(episode, rung, historyDays, w),
    ...staging.terms,
    ...volume.terms,
    ...processTerms(episode, w),
    ...tlsTerms(episode, w, settings),
  ];
  const learning = maturity(historyDays, w.novelty) < LEARNT ? historyDays : undefined;
  const gate = gateOf(episode, rung, volume.balance.db, learning, settings);
  const prior = settings.score.prior;
  const groups = combine(terms, w);
  const db = scoreOf(groups, prior);
  const probability = gate.passed ? probabilityOf(db) : 0;
  const unavailable = missing(episode);
  return {
    model: w.version,
    gate,
    prior,
    terms,
    groups,
    db,
    probability,
    tier: gate.passed ? tierOf(probability, settings) : 'none',
    attainableDb: attainable(unavailable.groups, prior, w),
    missing: unavailable.reasons,
    counterfactuals: counterfactuals(terms, prior, w),
  };
}

/** Days of the history that a rung is judged by: what the organisation knows, or what the host knows. */
function historyOf({ baseline }: Episode, rung: Rung): number {
  const byOrg = rung === 'F0' || rung === 'F1' || rung === 'F2';
  return byOrg ? Math.max(baseline.orgDays, baseline.days) : baseline.days;
}

function noveltyTerms(episode: Episode, rung: Rung, historyDays: number, w: Weights): Term[] {
  const novelty = noveltyEvidence({ rung, historyDays, own: episode.baseline.novelty }, w.novelty);
  const history = `${historyDays} days of history${novelty.maturity < 0.99 ? `, maturity ${novelty.maturity.toFixed(2)}` : ''}`;
  const detail = `${rung}: ${RUNG_MEANING[rung]} (${history})`;
  const evidence = [episode.destination.ladder.name];
  const terms: Term[] = [{ group: 'N', name: `familiarity_${rung}`, db: novelty.db, detail, evidence }];
  const { rollout } = episode;
  if (rollout?.spread === true && novelty.db > 0) {
    const count = `${rollout.hosts} of ${rollout.of} hosts`;
    const what = `the same signed program met this destination on ${count} that day`;
    terms.push({ group: 'N', name: 'rollout', db: w.novelty.rollout, detail: what, evidence });
  }
  return terms;
}

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
  return { passed: !browsing && exception === undefined && !nothing && !silent, reasons };
}

function combine(terms: readonly Term[], w: Weights): GroupScore[] {
  return GROUPS.map((group) => {
    const sum = terms.filter((t) => t.group === group).reduce((total, t) => total + t.db, 0);
    const { floor, cap } = w.groups[GROUP_NAMES[group] as keyof Weights['groups']];
    return { group, sum, cap, db: Math.min(cap, Math.max(floor, sum)) };
  });
}

const oddsDb = (probability: number): number => 10 * Math.log10(probability / (1 - probability));

const scoreOf = (groups: readonly GroupScore[], prior: number): number =>
  groups.reduce((total, g) => total + g.db, oddsDb(prior));

export const probabilityOf = (db: number): number => 1 / (1 + 10 ** (-db / 10));

function tierOf(probability: number, settings: Settings): Tier {
  const { high, medium, ledger } = settings.score;
  if (probability >= high) return 'high';
  if (probability >= medium) return 'medium';
  return probability >= ledger ? 'ledger' : 'none';
}

/** The probability without one term, for those that carry the verdict. */
function counterfactuals(terms: readonly Term[], prior: number, w: Weights): Verdict['counterfactuals'] {
  return terms
    .map((term) => ({
      term: term.name,
      probability: probabilityOf(
        scoreOf(
          combine(
            terms.filter((t) => t !== term),
            w,
          ),
          prior,
        ),
      ),
      weight: Math.abs(term.db),
    }))
    .sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1))
    .slice(0, MAX_COUNTERFACTUALS)
    .map(({ term, probability }) => ({ term, probability: Math.round(probability * 1e4) / 1e4 }));
}

/** What could not be seen, and which groups it takes away. Never scored: neither as innocence nor as guilt. */
function missing(episode: Episode): { reasons: string[]; groups: Group[] } {
  const reasons: string[] = [];
  const groups: Group[] = [];
  const { process, flows, baseline, staging } = episode;
  if (!process) {
    reasons.push('no endpoint event names the process that opened the connection');
    groups.push('P');
  } else {
    if (!process.started) reasons.push('the start of the process was not seen: command line and parent may be unknown');
    if (process.signatureStatus === undefined) reasons.push('the feed gives no signature of the program');
  }
  if (!staging.some((s) => s.story.archive?.size !== undefined)) {
    reasons.push('no archive size is known: bytes sent cannot be compared with bytes packed');
    groups.push('V');
  }
  if (baseline.orgDays < 7) {
    reasons.push(`the baseline is ${baseline.orgDays} days old: little can be called unfamiliar`);
    groups.push('N');
  }
  if (flows.some((f) => f.record.destination.domain === undefined))
    reasons.push('a connection names no server (no SNI)');
  if (flows.some((f) => f.record.tls?.client?.ech === 'outer'))
    reasons.push('ECH: the visible server name may be an outer one');
  if (flows.some((f) => !f.record.waybill.bytes_exact))
    reasons.push('packets were missing: some byte counts are from sequence numbers');
  if (flows.every((f) => f.record.tls?.server?.subject === undefined)) {
    reasons.push('no certificate was visible (TLS 1.3, resumption or QUIC)');
  }
  if (episode.lookedUp === undefined) reasons.push('the host shows no DNS look-ups');
  return { reasons, groups };
}

/** The highest score that the telemetry at hand could have given: unavailable groups count 0. */
function attainable(unavailable: readonly Group[], prior: number, w: Weights): number {
  return GROUPS.filter((g) => !unavailable.includes(g)).reduce(
    (total, g) => total + w.groups[GROUP_NAMES[g] as keyof Weights['groups']].cap,
    oddsDb(prior),
  );
}
