import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { MICROS_PER_SECOND } from '../sensor/base/timestamp.ts';
import type { FlowRecord } from '../sensor/record/flow-record.ts';
import { alertDocument } from './alert/alert-document.ts';
import { dayOfAlert, withBudget } from './alert/budget.ts';
import { slowDocument } from './alert/slow-document.ts';
import type { EndpointEvent } from './event/endpoint-event.ts';
import { stagingFrom } from './evidence/staging.ts';
import { HostClocks } from './join/clock.ts';
import { drillOfFlow } from './join/drill-mark.ts';
import { type FlowBody, factOfFlow, factsOfEvent, hostShard } from './join/facts.ts';
import { HostProcesses, HostViews, joinedFact, joinFromStore, movedFact } from './join/gather.ts';
import type { WaybillLine } from './join/join-flow.ts';
import { type FlowName, learnFrom } from './join/learner.ts';
import { type Episode, episodesOfHost } from './score/episode.ts';
import { episodeMark, marksWithin } from './score/episode-mark.ts';
import { observationsOf } from './score/familiarity.ts';
import { restingFacts, restingOn } from './score/resting.ts';
import { episodesIn, rolloutFact } from './score/rollout.ts';
import { isYoung, scoreEpisode } from './score/score.ts';
import { type Sighting, Sightings } from './score/sightings.ts';
import { isInLedger, ledgerFacts, ledgerOfHost, ledgersOf, slowId, slowTheftIn, weeksOf } from './score/slow.ts';
import { Touched } from './score/touched.ts';
import type { Settings } from './settings.ts';
import type { Fact, FactKind, Observation, Store, StoredAlert } from './store/store.ts';

const SECOND = MICROS_PER_SECOND;
const DAY = 86_400 * SECOND;
/** Facts handed to the store at once. */
const BATCH = 500;
/** Batches under way at a time. */
const MAX_PUTS = 8;
/** What a host must have for an alert to be made, or to be taken back. */
const LEADS: readonly FactKind[] = ['staging', 'file', 'episode'];
/** Flows learned from at once: the clock of each host is looked at once for all of them. */
const LEARN_BATCH = 4_096;
/** Flows joined side by side. */
const JOIN_BATCH = 1_024;
/** Alerts that a budget ranks: the newest. */
const MAX_RANKED = 10_000;

export interface PutOptions {
  /**
   * Which facts are looked at again by the next `settle`. `changed` (default): those that changed the store. `all`: known
   * ones too. A batch that is delivered a second time was perhaps stored by a worker that died before it settled: nothing
   * in it is new, and yet nobody has looked at it.
   */
  readonly touch?: 'changed' | 'all';
}

/** By host id: a span of event time, microseconds. */
export type HostSpans = Map<string, { from: number; to: number }>;

export interface SettleOptions {
  /**
   * Give back also alerts that the store has already: the worker that stored them may have died before it told anybody.
   */
  readonly repeat?: boolean;
}

interface JoinedFlow {
  readonly line: WaybillLine;
  readonly facts: readonly Fact[];
  readonly sighting: Sighting | undefined;
}

/**
 * The core of enrich: takes endpoint events and flow records in any order, any number of times, and keeps the alerts true.
 * `put…` only stores and notes what it touches; `settle` joins, observes and scores what was touched, in event time, so
 * that the outcome is a function of what has arrived and not of when.
 */
export class Enricher {
  private readonly onDrop: (alert: StoredAlert) => Promise<void>;
  private readonly store: Store;
  private readonly settings: Settings;
  /** Ledgers of hosts and users that may have changed. */
  private readonly dirtyLedgers = new Map<string, { readonly ledger: string; readonly week: number }>();
  /** Doubted anew by every `settle`: other workers add to what they are learned from. */
  private readonly clocks: HostClocks;
  /** What the facts put since the last `settle` may have changed. */
  private readonly touched: Touched;

  private readonly sightings = new Sightings();
  private readonly hosts: HostViews;
  private losses = 0;
  private scored: HostSpans = new Map();

  /** @param onDrop called before an alert that is no longer true leaves the store; what it rejects with stops that */
  constructor(store: Store, settings: Settings, onDrop: (alert: StoredAlert) => Promise<void> = async () => {}) {
    this.onDrop = onDrop;
    this.store = store;
    this.settings = settings;
    this.touched = new Touched(store, settings.horizonMicros);
    this.clocks = new HostClocks(store);
    this.hosts = new HostViews(store, this.clocks);
  }

  async putFlows(records: readonly FlowRecord[], options: PutOptions = {}): Promise<void> {
    await this.putFacts(records.map(factOfFlow), options);
  }

  async putEvents(events: readonly EndpointEvent[], options: PutOptions = {}): Promise<void> {
    await this.putFacts(
      events.flatMap((event) => factsOfEvent(event, stagingFrom(event))),
      options,
    );
  }

  /**
   * Brings joins, baseline and alerts up to date.
   * @param onJoined called once for every flow that was joined again
   * @returns the alerts that changed, by time
   */
  async settle(onJoined?: (line: WaybillLine) => void, { repeat = false }: SettleOptions = {}): Promise<StoredAlert[]> {
    const changed = new Map<string, StoredAlert>();
    this.clocks.doubt();
    this.hosts.doubt();
    if (this.store.losses() !== this.losses) this.sightings.forget();
    this.losses = this.store.losses();
    // A day at a time: the baseline that a flow is judged by is made of the days before it.
    while (this.touched.flows.size > 0) {
      let earliest = Number.POSITIVE_INFINITY;
      for (const flow of this.touched.flows.values()) earliest = Math.min(earliest, flow.at);
      const end = (Math.floor(earliest / DAY) + 1) * DAY;
      await this.learn(end);
      const flows = this.touched.flowsBefore(end);
      for (const flow of flows) this.touched.take(flow);
      await this.joinAll(flows, onJoined);
      await this.score(end, changed, repeat);
    }
    // What is suspected late changes what later days rest on.
    while (this.touched.hosts.size > 0) await this.score(Number.POSITIVE_INFINITY, changed, repeat);
    await this.judgeLedgers(changed, repeat);
    return this.budgeted([...changed.values()].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)));
  }

  /** Alerts with their rank among all of their days, where a budget is set. */
  private async budgeted(alerts: StoredAlert[]): Promise<StoredAlert[]> {
    const perDay = this.settings.score.alerts_per_day;
    if (perDay === undefined || alerts.length === 0) return alerts;
    const days = new Set(alerts.map(dayOfAlert));
    const known = await this.store.listAlerts({ limit: MAX_RANKED });
    return withBudget(
      alerts,
      perDay,
      known.filter((alert) => days.has(dayOfAlert(alert))),
    );
  }

  /** Learns from the exact matches of the flows at hand; what changes a clock makes its flows dirty again. */
  private async learn(end: number): Promise<void> {
    const flows = this.touched.flowsBefore(end);
    for (let i = 0; i < flows.length; i += LEARN_BATCH) {
      const batch = flows.slice(i, i + LEARN_BATCH);
      const facts = await Promise.all(batch.map((flow) => this.touched.read(flow)));
      const records = facts.flatMap((fact) => (fact ? [(fact.body as FlowBody).record] : []));
      const learned = await learnFrom(this.store, this.clocks, records);
      for (const flow of learned.flows) this.touched.name(flow);
      for (const { host, day } of learned.days) this.touched.host(host, day * DAY, (day + 1) * DAY);
    }
  }

  private async putFacts(facts: readonly Fact[], { touch = 'changed' }: PutOptions): Promise<void> {
    const puts: Promise<void>[] = [];
    for (let i = 0; i < facts.length; i += BATCH) {
      const put = this.putBatch(facts.slice(i, i + BATCH), touch === 'all');
      put.catch(() => undefined); // told below, where all of them are waited for
      puts.push(put);
      // The store works on one batch while the next is made ready.
      if (puts.length === MAX_PUTS) await Promise.all(puts.splice(0));
      else await setImmediate();
    }
    await Promise.all(puts);
  }

  private async putBatch(facts: readonly Fact[], all: boolean): Promise<void> {
    const changed = await this.store.put(facts);
    // Side by side: what is touched is a set, and each look into the store is a journey to it.
    await Promise.all(facts.map((fact, k) => (changed[k] || all ? this.touched.fact(fact, changed[k]!) : undefined)));
  }

  /** The spans of hosts that were scored since this was asked last. */
  takeScored(): HostSpans {
    const { scored } = this;
    this.scored = new Map();
    return scored;
  }

  /**
   * Has spans scored again by the next `settle`. With several workers on one store the one that looked first may be the one
   * that writes last: a second look, when the others have come to their end too, leaves what is true.
   */
  lookAgain(spans: HostSpans): void {
    for (const [host, { from, to }] of spans) this.touched.host(host, from, to);
  }

  /** Joins flows of one day, many side by side; while the store takes those, the next are joined. */
  private async joinAll(
    flows: readonly FlowName[],
    onJoined: ((line: WaybillLine) => void) | undefined,
  ): Promise<void> {
    let keeping: Promise<void> = Promise.resolve();
    for (let i = 0; i < flows.length; i += JOIN_BATCH) {
      const batch = flows.slice(i, i + JOIN_BATCH);
      const joining = Promise.all(batch.map((flow) => this.joinOne(flow, onJoined !== undefined)));
      // Both are waited for, whichever fails.
      await Promise.allSettled([joining, keeping]);
      await keeping;
      const done = await joining;
      keeping = this.keep(done);
      for (const flow of batch) this.touched.done(flow);
      for (const d of done) if (d && onJoined) onJoined(d.line);
    }
    await keeping;
  }

  /** Gives joined flows to the store, in one batch. */
  private async keep(done: readonly (JoinedFlow | undefined)[]): Promise<void> {
    const facts = done.flatMap((d) => d?.facts ?? []);
    await this.store.put(facts);
    for (const fact of facts) this.touched.host(fact.shard.slice('host:'.length), fact.at, fact.at);
    const sightings = done.flatMap((d) => d?.sighting ?? []);
    const observations = sightings.flatMap((sighting) => sighting.observations);
    await this.observe(observations);
    await this.touchRollouts(observations);
    this.sightings.written(sightings.map(({ key }) => key));
  }

  /** Stores sightings, and has candidates of later days judged again whose baseline they are part of. */
  private async observe(observations: readonly Observation[]): Promise<void> {
    const days = [...new Set(observations.map(({ day }) => day))];
    const watched = await Promise.all(days.map((day) => this.store.novelty('org', day, day)));
    const known = new Set(days.filter((_, index) => watched[index]!.length > 0));
    await this.store.observe(observations);
    for (const { host, at } of await restingOn(this.store, observations, (day) => !known.has(day))) {
      this.touched.host(host, at, at);
    }
  }

  /** One more host with a program and destination may make a rollout of the episodes of others. */
  private async touchRollouts(observations: readonly Observation[]): Promise<void> {
    const counts = new Map<string, Observation>();
    for (const seen of observations)
      if (seen.scope.startsWith('rollout:')) counts.set(`${seen.day}|${seen.scope}`, seen);
    for (const { scope, day } of counts.values()) {
      for (const { host, at } of await episodesIn(this.store, scope, day)) this.touched.host(host, at, at);
    }
  }

  private async joinOne(flow: FlowName, wantsProcess: boolean): Promise<JoinedFlow | undefined> {
    const found = await this.touched.read(flow);
    if (!found) return undefined;
    const { record } = found.body as FlowBody;
    const joining = await joinFromStore(this.store, this.clocks, record);
    const { join } = joining;
    if (!join.host) return { line: { record, join }, facts: [], sighting: undefined };
    const host = join.host.id;
    const drill = (await drillOfFlow(this.store, record, join.host))?.id;
    const fact = joinedFact(record, joining, await this.clocks.of(host, found.at), drill)!;
    const processes = this.hosts.of(host);
    const chain = wantsProcess ? await processes.chainOf(join, found.at) : undefined;
    return {
      line: {
        record,
        join: chain ? { ...join, process: chain[0]! } : join,
        ...(drill === undefined ? {} : { drill }),
      },
      facts: [fact, ...(await this.movedFrom(joining.claimants, host, fact))],
      sighting:
        drill === undefined ? await this.sightings.of(processes, { record, join }, this.settings.knowledge) : undefined,
    };
  }

  /** Takes the flow away from hosts that were thought to have made it. */
  private async movedFrom(claimants: readonly string[], host: string, fact: Fact): Promise<Fact[]> {
    const others = claimants.filter((claimant) => claimant !== host);
    const known = await Promise.all(others.map((other) => this.store.get(hostShard(other), 'joined', fact.id)));
    return others.flatMap((other, index) => (known[index] ? [movedFact(fact, other)] : []));
  }

  /** Scores the episodes of touched hosts that began before `until`. */
  private async score(until: number, changed: Map<string, StoredAlert>, repeat: boolean): Promise<void> {
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
        await this.scoreWithin(host, from, Math.min(to, from + horizonMicros - 1), changed, repeat);
      }
    }
  }

  /** Scores the episodes of one host whose windows touch [from, to], and takes back what is no episode any more. */
  private async scoreWithin(
    host: string,
    from: number,
    to: number,
    changed: Map<string, StoredAlert>,
    repeat: boolean,
  ): Promise<void> {
    const episodes = await episodesOfHost(this.store, this.clocks, host, from, to, this.settings);
    for (const episode of episodes) await this.judge(host, episode, changed, repeat);
    const about = new Set(episodes.map((episode) => episode.id));
    for (const id of await marksWithin(this.store, host, from, to, this.settings.horizonMicros)) {
      // So may evidence that makes another episode of its flows: a process, or its root, that came late.
      if (about.has(id)) continue;
      await this.drop(id, changed);
      this.touchLedger(ledgerOfHost(host), to);
    }
  }

  private async judge(
    host: string,
    episode: Episode,
    changed: Map<string, StoredAlert>,
    repeat: boolean,
  ): Promise<void> {
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
    if (verdict.tier !== 'none' || (await isInLedger(this.store, episode))) this.touchLedgers(episode);
    if (verdict.tier === 'none' || verdict.tier === 'ledger') {
      // Later evidence may take an alert back: a process that turns out to be a browser.
      await this.drop(alert.id, changed);
    } else {
      await this.store.put([episodeMark(episode)]);
      if ((await this.raise(alert)) || repeat) changed.set(alert.id, alert);
    }
  }

  private touchLedgers(episode: Episode): void {
    for (const ledger of ledgersOf(episode)) this.touchLedger(ledger, episode.flows[0]!.start);
  }

  private touchLedger(ledger: string, at: number): void {
    for (const week of weeksOf(at)) this.dirtyLedgers.set(`${week}|${ledger}`, { ledger, week });
  }

  /** Many small steps of one host or user: judged when all that is new has been scored. */
  private async judgeLedgers(changed: Map<string, StoredAlert>, repeat: boolean): Promise<void> {
    const ledgers = [...this.dirtyLedgers.values()];
    this.dirtyLedgers.clear();
    for (const { ledger, week } of ledgers) {
      const slow = await slowTheftIn(this.store, this.clocks, ledger, week, this.settings);
      const id = slowId(ledger, week);
      if (slow === undefined) await this.drop(id, changed);
      else {
        const alert = slowDocument(slow);
        if ((await this.raise(alert)) || repeat) changed.set(id, alert);
      }
    }
  }

  /**
   * Stores what is true now. The store prefers the alert that knew more; but less may be known of a thing than was thought
   * (a flow belongs to another episode, a clock is judged otherwise), so one that it refuses replaces the known one.
   */
  private async raise(alert: StoredAlert): Promise<boolean> {
    if (await this.store.putAlert(alert)) return true;
    const known = await this.store.getAlert(alert.id);
    if (isDeepStrictEqual(known?.body, alert.body)) return false;
    await this.store.dropAlert(alert.id);
    return this.store.putAlert(alert);
  }

  private async drop(id: string, changed: Map<string, StoredAlert>): Promise<void> {
    const known = await this.store.getAlert(id);
    if (known) {
      await this.onDrop(known);
      await this.store.dropAlert(id);
    }
    changed.delete(id);
  }

  /** Sightings of a suspected episode must not make its destination familiar, nor have made it so. */
  private async suspect(host: string, episode: Episode): Promise<void> {
    const processes = new HostProcesses(this.store, this.clocks, host);
    const seen = await Promise.all(
      episode.flows.map(({ record, join }) =>
        observationsOf(processes, { record, join }, true, this.settings.knowledge),
      ),
    );
    const [isNew] = await this.store.put([episodeMark(episode)]);
    if (isNew) await this.observe(seen.flat());
    else await this.store.observe(seen.flat());
  }
}

/** Adds a span to a host's. */
export function widen(spans: HostSpans, host: string, from: number, to: number): void {
  const known = spans.get(host);
  spans.set(host, { from: Math.min(known?.from ?? from, from), to: Math.max(known?.to ?? to, to) });
}
