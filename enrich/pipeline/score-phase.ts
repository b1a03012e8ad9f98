import { alertDocument } from '../alert/alert-document.ts';
import type { HostClocks } from '../join/clock.ts';
import { isEncrypted } from '../join/encrypted.ts';
import { hostShard } from '../join/facts.ts';
import { HostProcesses } from '../join/host-processes.ts';
import { type Episode, episodesOfHost } from '../score/episode.ts';
import { episodeMark, marksWithin } from '../score/episode-mark.ts';
import { observationsOf } from '../score/familiarity.ts';
import { restingFacts } from '../score/resting.ts';
import { rolloutFact } from '../score/rollout.ts';
import { isYoung, scoreEpisode } from '../score/score.ts';
import { isInLedger, ledgerFacts, ledgerOfHost } from '../score/slow.ts';
import type { Touched } from '../score/touched.ts';
import type { Settings } from '../settings.ts';
import type { FactKind, Store } from '../store/store.ts';
import type { AlertChanges } from './alert-changes.ts';
import { type HostSpans, widen } from './host-spans.ts';
import type { Ledgers } from './ledgers.ts';
import { observe } from './observe.ts';

/** What a host must have for an alert to be made, or to be taken back. */
const LEADS: readonly FactKind[] = ['staging', 'file', 'episode'];

/** Finds and judges the episodes of touched hosts: raises their alerts, and takes back those that are true no more. */
export class ScorePhase {
  private readonly store: Store;
  private readonly settings: Settings;
  private readonly clocks: HostClocks;
  private readonly touched: Touched;
  private readonly ledgers: Ledgers;
  private scored: HostSpans = new Map();
  /** Episodes of which somebody may have noted that they are suspected, and looked at nothing that rests on it. */
  private again = false;
  private readonly suspectedAgain = new Set<string>();

  constructor(store: Store, settings: Settings, clocks: HostClocks, touched: Touched, ledgers: Ledgers) {
    this.store = store;
    this.settings = settings;
    this.clocks = clocks;
    this.touched = touched;
    this.ledgers = ledgers;
  }

  /** A new round. `again`: of what somebody else may have scored in part. */
  begin(again: boolean): void {
    this.again = again;
    this.suspectedAgain.clear();
  }

  /** The spans of hosts that were scored since this was asked last. */
  takeScored(): HostSpans {
    const { scored } = this;
    this.scored = new Map();
    return scored;
  }

  /** Scores the episodes of touched hosts that began before `until`. */
  async score(until: number, alerts: AlertChanges): Promise<void> {
    const due = [...this.touched.hosts].filter(([, { from }]) => from < until).sort(([a], [b]) => (a < b ? -1 : 1));
    const kinds = await this.store.kinds(due.map(([host]) => hostShard(host)));
    for (const [i, [host, span]] of due.entries()) {
      const [first, to] = [span.from, Math.min(span.to, until)];
      widen(this.scored, host, first, to);
      if (span.to < until) this.touched.hosts.delete(host);
      else span.from = until - this.settings.horizonMicros;
      // Most hosts have packed nothing and were never suspected: nothing of theirs needs to be read.
      if (!LEADS.some((kind) => kinds[i]!.has(kind))) continue;
      // One horizon at a time: a look at more would read more facts than one read gives.
      const { horizonMicros } = this.settings;
      for (let from = first; from <= to; from += horizonMicros) {
        await this.scoreWithin(host, from, Math.min(to, from + horizonMicros - 1), alerts);
      }
    }
  }

  /** Scores the episodes of one host whose windows touch [from, to], and takes back what is no episode any more. */
  private async scoreWithin(host: string, from: number, to: number, alerts: AlertChanges): Promise<void> {
    const episodes = await episodesOfHost(this.store, this.clocks, host, from, to, this.settings);
    const raised: Episode[] = [];
    for (const episode of episodes) if (await this.judge(host, episode, alerts)) raised.push(episode);
    const about = new Set(episodes.map((episode) => episode.id));
    for (const id of await marksWithin(this.store, host, from, to, this.settings.horizonMicros)) {
      // Late evidence made another episode of its flows: a process, or its root.
      if (about.has(id)) continue;
      await alerts.drop(id, raised);
      this.ledgers.touch(ledgerOfHost(host), to);
    }
  }

  /** @returns whether there is an alert about it */
  private async judge(host: string, episode: Episode, alerts: AlertChanges): Promise<boolean> {
    const verdict = scoreEpisode(episode, this.settings);
    const alert = alertDocument(episode, verdict);
    const { rolloutScope: scope } = episode;
    if (episode.drill === undefined) {
      const rollout =
        scope && verdict.gate.passed ? [rolloutFact(scope, host, episode.id, episode.flows[0]!.start)] : [];
      await this.store.put([...rollout, ...restingFacts(episode, verdict)]);
      // While everything is new, that something is met first after packing says nothing against it.
      if (verdict.tier !== 'none' && !isYoung(episode, this.settings)) await this.suspect(host, episode);
      else if (verdict.tier !== 'none') await this.store.put([episodeMark(episode)]);
      if (verdict.tier === 'ledger') await this.store.put(ledgerFacts(episode));
    }
    if (verdict.tier !== 'none' || (await isInLedger(this.store, episode))) this.ledgers.touchAll(episode);
    if (verdict.tier === 'none' || verdict.tier === 'ledger') {
      // Later evidence may take an alert back: a process that turns out to be a browser.
      await alerts.drop(alert.id);
      return false;
    }
    await this.store.put([episodeMark(episode)]);
    await alerts.raise(alert);
    return true;
  }

  /** Sightings of a suspected episode must not make its destination familiar, nor have made it so. */
  private async suspect(host: string, episode: Episode): Promise<void> {
    const processes = new HostProcesses(this.store, this.clocks, host);
    const seen = await Promise.all(
      episode.flows
        .filter(({ record }) => isEncrypted(record))
        .map(async ({ record, join, start }) => {
          const chain = await processes.chainOf(join, start);
          return observationsOf(chain?.[0], { record, join }, true, this.settings);
        }),
    );
    const [isNew] = await this.store.put([episodeMark(episode)]);
    const isFirst = this.again && !this.suspectedAgain.has(episode.id);
    if (isFirst) this.suspectedAgain.add(episode.id);
    if (isNew || isFirst) await observe(this.store, this.touched, seen.flat());
    else await this.store.observe(seen.flat());
  }
}
