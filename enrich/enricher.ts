import { MICROS_PER_SECOND } from '../sensor/base/timestamp.ts';
import type { FlowRecord } from '../sensor/record/flow-record.ts';
import { dayOfAlert, withBudget } from './alert/budget.ts';
import type { EndpointEvent } from './event/endpoint-event.ts';
import { stagingFrom } from './evidence/staging.ts';
import { HostClocks } from './join/clock.ts';
import { factOfFlow, factsOfEvent } from './join/facts.ts';
import type { WaybillLine } from './join/join-flow.ts';
import { Translators } from './join/translators.ts';
import { AlertChanges, type OnDrop } from './pipeline/alert-changes.ts';
import { flowDays } from './pipeline/flow-days.ts';
import type { HostSpans } from './pipeline/host-spans.ts';
import { JoinPhase } from './pipeline/join-phase.ts';
import { Ledgers } from './pipeline/ledgers.ts';
import { putFacts } from './pipeline/put-facts.ts';
import { ScorePhase } from './pipeline/score-phase.ts';
import { Touched } from './score/touched.ts';
import type { Settings } from './settings.ts';
import type { Store, StoredAlert } from './store/store.ts';

export { type HostSpans, widen } from './pipeline/host-spans.ts';

const DAY = 86_400 * MICROS_PER_SECOND;
/** Alerts that a budget ranks: the newest. */
const MAX_RANKED = 10_000;

export interface PutOptions {
  /**
   * Which facts are looked at again by the next `settle`. `changed` (default): those that changed the store. `all`: known
   * ones too. A batch that is delivered a second time was perhaps stored by a worker that died before it settled: nothing
   * in it is new, and yet nobody has looked at it. `none`: it is left to `settleAll`.
   */
  readonly touch?: 'changed' | 'all' | 'none';
}

export interface SettleOptions {
  /**
   * What was put may have been settled in part by a worker that died: gives back also alerts that the store has already, and
   * joins again what was learned something for.
   */
  readonly repeat?: boolean;
}

/**
 * The core of enrich: takes endpoint events and flow records in any order, any number of times, and keeps the alerts true.
 * `put…` only stores and notes what it touches; `settle` joins, observes and scores what was touched, in event time, so
 * that the outcome is a function of what has arrived and not of when.
 */
export class Enricher {
  private readonly onDrop: OnDrop;
  private readonly store: Store;
  private readonly settings: Settings;
  /** Doubted anew by every `settle`: other workers add to what they are learned from. */
  private readonly clocks: HostClocks;
  /** What `put…` writes to, and reads from to tell what it touches. */
  private readonly intake: Store;
  /** What the facts put since the last `settle` began may have changed: of the next one. */
  private incoming: Touched;
  /** What was noted for settlings that came to no end: the next one begins with it. */
  private unsettled: Touched;
  /** What is left of this settling. */
  private readonly touched: Touched;
  private readonly joining: JoinPhase;
  private readonly scoring: ScorePhase;
  private readonly ledgers: Ledgers;
  private readonly translators: Translators;

  /**
   * @param intake the same store where `put…` must not see what `settle` remembers of it
   */
  constructor(store: Store, settings: Settings, onDrop: OnDrop = async () => {}, intake: Store = store) {
    this.onDrop = onDrop;
    this.store = store;
    this.intake = intake;
    this.settings = settings;
    this.incoming = this.untouched();
    this.unsettled = this.untouched();
    this.translators = new Translators(settings.translators);
    this.touched = new Touched(store, settings.horizonMicros);
    this.clocks = new HostClocks(store);
    this.joining = new JoinPhase(store, settings, this.clocks, this.touched);
    this.ledgers = new Ledgers(store, settings, this.clocks);
    this.scoring = new ScorePhase(store, settings, this.clocks, this.touched, this.ledgers);
  }

  async putFlows(records: readonly FlowRecord[], { touch }: PutOptions = {}): Promise<void> {
    await putFacts(this.intake, this.incoming, records.map(factOfFlow), touch);
  }

  async putEvents(events: readonly EndpointEvent[], { touch }: PutOptions = {}): Promise<void> {
    const facts = events.flatMap((event) => [
      ...factsOfEvent(event, stagingFrom(event)),
      ...this.translators.factsOf(event),
    ]);
    await putFacts(this.intake, this.incoming, facts, touch);
  }

  /**
   * Brings joins, baseline and alerts up to date with what was put before. More may be put meanwhile: that is for the next
   * time. One settling at a time; one that rejects may be tried again, and has the same before it.
   * @param onJoined called once for every flow that was joined again
   * @returns the alerts that changed, by time
   */
  async settle(onJoined?: (line: WaybillLine) => void, { repeat = false }: SettleOptions = {}): Promise<StoredAlert[]> {
    const alerts = this.begin(repeat);
    // What the flows teach may touch others, of any day: each is joined once, when all is learned.
    await this.joining.learn(this.touched.flowsBefore(Number.POSITIVE_INFINITY), repeat);
    // A day at a time: the baseline that a flow is judged by is made of the days before it.
    while (this.touched.flows.size > 0) {
      let earliest = Number.POSITIVE_INFINITY;
      for (const flow of this.touched.flows.values()) earliest = Math.min(earliest, flow.at);
      const end = (Math.floor(earliest / DAY) + 1) * DAY;
      await this.joining.join(this.touched.takeBefore(end), onJoined);
      await this.scoring.score(end, alerts);
    }
    return this.end(alerts);
  }

  /**
   * The same for all that the store has, after it was filled with `touch: 'none'`. Names of flows are not gathered before,
   * so memory does not grow with their number.
   * @param onJoined called once for every flow
   */
  async settleAll(onJoined?: (line: WaybillLine) => void): Promise<StoredAlert[]> {
    const alerts = this.begin(false);
    for await (const { flows } of flowDays(this.store)) {
      for (const flow of flows) this.touched.flow(flow);
      await this.joining.learn(this.touched.takeBefore(Number.POSITIVE_INFINITY));
      this.touched.forgetFlows(); // those that were touched by it are joined as all others are
      this.joining.doubt();
    }
    for await (const { end, flows, isLast } of flowDays(this.store)) {
      for (const flow of flows) this.touched.flow(flow);
      await this.joining.join(this.touched.takeBefore(Number.POSITIVE_INFINITY), onJoined);
      if (isLast) await this.scoring.score(end, alerts);
      this.joining.doubt(); // what was remembered of processes is of this day
    }
    return this.end(alerts);
  }

  private untouched(): Touched {
    return new Touched(this.intake, this.settings.horizonMicros);
  }

  private begin(repeat: boolean): AlertChanges {
    this.unsettled.absorb(this.incoming);
    this.touched.absorb(this.unsettled);
    this.incoming = this.untouched();
    this.clocks.doubt();
    this.joining.doubt();
    this.scoring.begin(repeat);
    return new AlertChanges(this.store, this.onDrop, repeat);
  }

  private async end(alerts: AlertChanges): Promise<StoredAlert[]> {
    // What is suspected late changes what later days rest on.
    while (this.touched.hosts.size > 0) await this.scoring.score(Number.POSITIVE_INFINITY, alerts);
    await this.ledgers.judge(alerts);
    const changed = await this.budgeted(alerts.list());
    this.unsettled = this.untouched();
    return changed;
  }

  /** The spans of hosts that were scored since this was asked last. */
  takeScored(): HostSpans {
    return this.scoring.takeScored();
  }

  /**
   * Has spans scored again by the next `settle`. With several workers on one store the one that looked first may be the one
   * that writes last: a second look, when the others have come to their end too, leaves what is true.
   */
  lookAgain(spans: HostSpans): void {
    for (const [host, { from, to }] of spans) this.touched.host(host, from, to);
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
}
