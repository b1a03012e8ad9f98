import { MICROS_PER_SECOND } from '../sensor/base/timestamp.ts';
import type { FlowRecord } from '../sensor/record/flow-record.ts';
import { alertDocument } from './alert/alert-document.ts';
import type { EndpointEvent } from './event/endpoint-event.ts';
import { stagingFrom } from './evidence/staging.ts';
import { type FlowBody, factOfFlow, factsOfEvent } from './join/facts.ts';
import { HostClocks } from './join/clock.ts';
import { Joiner } from './join/joiner.ts';
import { HostProcesses } from './join/gather.ts';
import { ADDRESS_WINDOW, JA4_WINDOW, LEASE_WINDOW, type WaybillLine } from './join/join-flow.ts';
import { type Episode, episodesOfHost } from './score/episode.ts';
import { observationsOf } from './score/familiarity.ts';
import { scoreEpisode } from './score/score.ts';
import type { Settings } from './settings.ts';
import type { Fact, Store, StoredAlert } from './store/store.ts';

const SECOND = MICROS_PER_SECOND;
const DAY = 86_400 * SECOND;
/** Facts handed to the store at once. */
const BATCH = 500;
/** Flows joined side by side. */
const JOIN_BATCH = 256;
/** Flows re-joined because of one late connection or lease. */
const MAX_REJOINS = 1_000;
/** A process, staging or look-up event may change flows from this long before it … */
const BACKWARD = 600 * SECOND;

export interface PutOptions {
  /**
   * Which facts are looked at again by the next `settle`. `changed` (default): those that changed the store. `all`: known
   * ones too. A batch that is delivered a second time was perhaps stored by a worker that died before it settled: nothing
   * in it is new, and yet nobody has looked at it.
   */
  readonly touch?: 'changed' | 'all';
}

export interface SettleOptions {
  /**
   * Give back also alerts that the store has already: the worker that stored them may have died before it told anybody.
   */
  readonly repeat?: boolean;
}

interface DirtyFlow {
  readonly ip: string;
  readonly id: string;
  readonly at: number;
}

/**
 * The core of enrich: takes endpoint events and flow records in any order, any number of times, and keeps the alerts true.
 * `put…` only stores and notes what it touches; `settle` joins, observes and scores what was touched, in event time, so
 * that the outcome is a function of what has arrived and not of when.
 */
export class Enricher {
  private readonly store: Store;
  private readonly settings: Settings;
  private readonly dirtyFlows = new Map<string, DirtyFlow>();
  /** By host: the span of event time whose episodes must be looked at again. */
  private readonly dirtyHosts = new Map<string, { from: number; to: number }>();

  constructor(store: Store, settings: Settings) {
    this.store = store;
    this.settings = settings;
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
  async settle(
    onJoined?: (line: WaybillLine) => void,
    { repeat = false }: SettleOptions = {},
  ): Promise<StoredAlert[]> {
    const changed = new Map<string, StoredAlert>();
    const flows = [...this.dirtyFlows.values()].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
    this.dirtyFlows.clear();
    // A day at a time: the baseline that a flow is judged by is made of the days before it.
    for (let i = 0; i < flows.length; ) {
      const day = Math.floor(flows[i]!.at / DAY);
      let end = i;
      while (end < flows.length && Math.floor(flows[end]!.at / DAY) === day) end++;
      for (; i < end; i = Math.min(end, i + JOIN_BATCH))
        await this.join(flows.slice(i, Math.min(end, i + JOIN_BATCH)), onJoined);
      await this.score((day + 1) * DAY, changed, repeat);
    }
    await this.score(Number.POSITIVE_INFINITY, changed, repeat);
    return [...changed.values()].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  }

  private async putFacts(facts: readonly Fact[], { touch = 'changed' }: PutOptions): Promise<void> {
    for (let i = 0; i < facts.length; i += BATCH) {
      const batch = facts.slice(i, i + BATCH);
      const changed = await this.store.put(batch);
      // Side by side: what is touched is a set, and each look into the store is a journey to it.
      await Promise.all(batch.filter((_, k) => changed[k] || touch === 'all').map((fact) => this.touch(fact)));
    }
  }

  /** Notes what a new fact may change. */
  private async touch(fact: Fact): Promise<void> {
    switch (fact.kind) {
      case 'flow':
        this.touchFlow(fact);
        break;
      case 'connection':
        for (const key of fact.keys) {
          for (const flow of await this.store.find(fact.shard, 'flow', key, MAX_REJOINS)) this.touchFlow(flow);
        }
        break;
      case 'lease': {
        const to = fact.at + ADDRESS_WINDOW + LEASE_WINDOW;
        for (const flow of await this.store.between(fact.shard, 'flow', fact.at - ADDRESS_WINDOW, to, MAX_REJOINS)) {
          this.touchFlow(flow);
        }
        break;
      }
      case 'process':
      case 'staging':
      case 'dns':
        this.touchHost(fact.shard.slice('host:'.length), fact.at - BACKWARD, fact.at + this.settings.horizonMicros);
        break;
      default:
        break;
    }
  }

  private touchFlow(fact: Fact): void {
    this.dirtyFlows.set(`${fact.shard}|${fact.id}`, { ip: fact.shard, id: fact.id, at: fact.at });
  }

  private touchHost(host: string, from: number, to: number): void {
    const span = this.dirtyHosts.get(host);
    if (!span) this.dirtyHosts.set(host, { from, to });
    else {
      span.from = Math.min(span.from, from);
      span.to = Math.max(span.to, to);
    }
  }

  /** Joins flows of one day, side by side; the store hears of them in one batch. */
  private async join(flows: readonly DirtyFlow[], onJoined: ((line: WaybillLine) => void) | undefined): Promise<void> {
    const done = await Promise.all(flows.map((flow) => this.joinOne(flow, onJoined !== undefined)));
    const facts = done.flatMap((d) => (d?.fact ? [d.fact] : []));
    await this.store.put(facts);
    for (const fact of facts) this.touchHost(fact.shard.slice('host:'.length), fact.at, fact.at);
    await this.store.observe(done.flatMap((d) => d?.observations ?? []));
    for (const d of done) if (d && onJoined) onJoined(d.line);
  }

  private async joinOne(flow: DirtyFlow, wantsProcess: boolean) {
    const found = await this.store.get(flow.ip, 'flow', flow.id);
    if (!found) return undefined;
    const { record } = found.body as FlowBody;
    const { join, seen } = await joinFromStore(this.store, record);
    const fact = joinedFact(record, join, seen);
    if (!fact || !join.host) return { line: { record, join }, fact: undefined, observations: [] };
    const processes = new HostProcesses(this.store, join.host.id);
    const chain = wantsProcess ? await processes.chainOf(join, found.at) : undefined;
    return {
      line: { record, join: chain ? { ...join, process: chain[0]! } : join },
      fact,
      observations: await observationsOf(processes, { record, join }, false),
    };
  }

  /** Scores the episodes of touched hosts that began before `until`. */
  private async score(until: number, changed: Map<string, StoredAlert>, repeat: boolean): Promise<void> {
    for (const [host, span] of [...this.dirtyHosts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (span.from >= until) continue;
      const to = Math.min(span.to, until);
      if (span.to < until) this.dirtyHosts.delete(host);
      else span.from = until - this.settings.horizonMicros;
      for (const episode of await episodesOfHost(this.store, host, span.from, to, this.settings)) {
        const verdict = scoreEpisode(episode, this.settings);
        const alert = alertDocument(episode, verdict);
        if (verdict.tier !== 'none') await this.taint(host, episode);
        if (verdict.tier === 'none' || verdict.tier === 'ledger') {
          // Later evidence may take an alert back: a process that turns out to be a browser.
          if (await this.store.getAlert(alert.id)) await this.store.dropAlert(alert.id);
          changed.delete(alert.id);
        } else if ((await this.store.putAlert(alert)) || repeat) changed.set(alert.id, alert);
      }
    }
  }

  /** Sightings of a suspected episode must not make its destination familiar. */
  private async taint(host: string, episode: Episode): Promise<void> {
    const processes = new HostProcesses(this.store, host);
    const seen = await Promise.all(
      episode.flows.map(({ record, join }) => observationsOf(processes, { record, join }, true)),
    );
    await this.store.observe(seen.flat());
  }
}
