import { setTimeout } from 'node:timers/promises';
import { monotonicMillis, wallMicros } from '../../sensor/base/clock.ts';
import type { Log } from '../../sensor/base/log.ts';
import { isHeld } from '../alert/budget.ts';
import { Enricher, type HostSpans, widen } from '../enricher.ts';
import { ZoneClock } from '../ingest/zone-clock.ts';
import type { OnDrop } from '../pipeline/alert-changes.ts';
import type { Settings } from '../settings.ts';
import type { Store, StoredAlert } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { type BadLines, type Content, contentOf, linesOf } from './batch-content.ts';
import { type Delivery, type Inbox, MAX_ATTEMPTS } from './inbox.ts';
import { SettleCache } from './settle-cache.ts';
import { isTransient } from './transient.ts';

/** Shortest time from one settling to the next, and records after which there is no waiting. */
const SETTLE_MILLIS = 200;
const SETTLE_RECORDS = 4_000;
/** Longest wait for work before the worker looks whether it shall end. */
const IDLE_MILLIS = 250;
const MIN_RETRY_MILLIS = 100;
const MAX_RETRY_MILLIS = 2_000;
/** Longer than one worker needs from its reads to its writes. */
const SECOND_LOOK_MILLIS = 1_000;
/** At the end of the process: how long what waits may still be worked on. The rest is for the next start. */
const DRAIN_MILLIS = 1_500;
/** From this attempt on a batch is worked on by itself, lest it takes others down. */
const ALONE_FROM = 3;

export interface WorkerOptions {
  readonly store: Store;
  readonly settings: Settings;
  readonly inbox: Inbox;
  /** Other workers have the same store. */
  readonly isShared: boolean;
  /** Alerts that are new or changed. Resolves when they are out: what is not out is told again after a restart. */
  readonly onAlerts: (alerts: readonly StoredAlert[]) => Promise<void>;
  /** Of an alert that is about to leave the store. Resolves when it is remembered to be told. */
  readonly onWithdrawn: OnDrop;
  readonly log: Log;
}

/** Contents that are being put. */
interface Begun {
  readonly contents: readonly Content[];
  /** They may have been put before. */
  readonly again: boolean;
  /** Who is told of them. */
  readonly enricher: Enricher;
  readonly put: Promise<void>;
}

interface Taken {
  readonly deliveries: readonly Delivery[];
  /** Those of them that are worked on together. */
  readonly together: readonly Delivery[];
  readonly begun: Begun;
}

export interface WorkerCounters {
  flows: number;
  events: number;
  alerts: number;
  held: number;
  settlings: number;
  settleMillis: number;
  deadRecords: number;
  retries: number;
}

/**
 * Takes batches from the inbox, puts what they carry into the store, settles, tells the alerts, and only then
 * acknowledges: whatever ends this process in between, another one does it again, and doing it twice is doing it once.
 */
export class Worker {
  readonly counters: WorkerCounters = {
    flows: 0,
    events: 0,
    alerts: 0,
    held: 0,
    settlings: 0,
    settleMillis: 0,
    deadRecords: 0,
    retries: 0,
  };
  /** Why nothing is being worked on at the moment, or undefined. */
  stuck: string | undefined;
  private readonly options: WorkerOptions;
  private readonly zones = new ZoneClock();
  private readonly cache: SettleCache;
  private settings: Settings;
  private enricher: Enricher;
  private stopping = false;
  private drainUntil = 0;
  /** To be looked at again at `lookAt`, and what came to it meanwhile. */
  private secondLooks: HostSpans = new Map();
  private nextLooks: HostSpans = new Map();
  private lookAt = 0;
  private settledAt = 0;
  /** The last take was as much as one settling takes: more is waiting. */
  private isBehind = false;
  /** What was taken, and is being put, while the batches before it are settled. */
  private ahead: Taken | undefined;

  constructor(options: WorkerOptions) {
    this.options = options;
    this.settings = options.settings;
    this.cache = new SettleCache(options.store);
    this.enricher = this.newEnricher();
  }

  private newEnricher(): Enricher {
    const { onWithdrawn } = this.options;
    const onDrop: OnDrop = async (alert, heir) => (isHeld(alert) ? undefined : onWithdrawn(alert, heir));
    return new Enricher(this.cache.store, this.settings, onDrop, this.cache.intake);
  }

  /** What is settled from now on follows these settings. */
  use(settings: Settings): void {
    this.settings = settings;
    this.enricher = this.newEnricher();
  }

  /** Lets what waits come to its end, as far as `DRAIN_MILLIS` allow; `run` resolves then. */
  stop(): void {
    this.stopping = true;
    this.drainUntil = monotonicMillis() + DRAIN_MILLIS;
  }

  async run(): Promise<void> {
    while (!this.stopping || monotonicMillis() < this.drainUntil) {
      const wait = this.settledAt + SETTLE_MILLIS - monotonicMillis();
      if (wait > 0 && !this.stopping && !this.isBehind) await setTimeout(wait);
      let taken: Taken | undefined;
      try {
        taken = this.ahead ?? (await this.take(this.stopping ? 0 : IDLE_MILLIS));
        this.ahead = undefined;
        if (taken.deliveries.length > 0) await this.work(taken);
        else if (this.stopping && this.secondLooks.size === 0) return;
        await this.lookAgain();
      } catch (error) {
        // The inbox itself: what it had given out and nobody acknowledged comes again.
        if (taken) await this.options.inbox.release(taken.deliveries).catch(() => undefined);
        await this.failed(error);
      }
    }
    await this.ahead?.begun.put.catch(() => undefined); // the store is closed next
  }

  private async take(waitMillis: number): Promise<Taken> {
    const deliveries = await this.options.inbox.take(SETTLE_RECORDS, waitMillis);
    this.isBehind = deliveries.reduce((sum, { batch }) => sum + batch.count, 0) >= SETTLE_RECORDS;
    const together = deliveries.filter(({ attempt }) => attempt < ALONE_FROM);
    const again = together.some(({ attempt }) => attempt > 1);
    const contents = together.map(({ batch }) => contentOf(batch, this.zones));
    return { deliveries, together, begun: this.begin(contents, again) };
  }

  /** While one settling waits for the store, what the next one is about is read and put, if there is enough of it. */
  private async lookAhead(): Promise<void> {
    if (this.isBehind && !this.stopping) this.ahead ??= await this.take(0);
  }

  /**
   * Scores once more what was scored a while ago (SECOND_LOOK_MILLIS), when other workers share the store: by then they
   * have written what they knew at the time.
   */
  private async lookAgain(): Promise<void> {
    const scored = this.enricher.takeScored();
    if (!this.options.isShared) return;
    if (scored.size > 0 && this.secondLooks.size === 0) this.lookAt = monotonicMillis() + SECOND_LOOK_MILLIS;
    for (const [host, { from, to }] of scored) widen(this.nextLooks, host, from, to);
    if (this.secondLooks.size === 0) {
      this.secondLooks = this.nextLooks;
      this.nextLooks = new Map();
    }
    if (this.secondLooks.size === 0 || (monotonicMillis() < this.lookAt && !this.stopping)) return;
    const alerts = await this.scoredAgain(this.secondLooks);
    this.enricher.takeScored();
    this.secondLooks = this.nextLooks;
    this.nextLooks = new Map();
    this.lookAt = monotonicMillis() + SECOND_LOOK_MILLIS;
    await this.tell(alerts);
  }

  /** Settles also what is put for the next batches, which may have been settled before and not told. */
  private async scoredAgain(spans: HostSpans): Promise<StoredAlert[]> {
    const repeat = this.ahead?.begun.again === true;
    try {
      this.enricher.lookAgain(spans);
      return await this.cache.during(() => this.enricher.settle(undefined, { repeat }));
    } catch (error) {
      if (!isTransient(error)) this.enricher = this.newEnricher();
      throw error;
    }
  }

  private async work({ deliveries, together, begun }: Taken): Promise<void> {
    const started = monotonicMillis();
    if (together.length > 0 && !(await this.tried(together, begun))) {
      for (const delivery of together) await this.alone(delivery);
    }
    for (const delivery of deliveries) if (delivery.attempt >= ALONE_FROM) await this.alone(delivery);
    this.settledAt = monotonicMillis();
    this.counters.settlings++;
    this.counters.settleMillis += this.settledAt - started;
  }

  /** Works on batches together until it is done; false when something in them makes it impossible. */
  private async tried(deliveries: readonly Delivery[], first: Begun): Promise<boolean> {
    const { contents } = first;
    // What another enricher was told of, this one has to be told anew.
    let begun = first.enricher === this.enricher ? first : this.begin(contents, true);
    for (;;) {
      try {
        await this.settle(begun);
        await this.finish(deliveries, contents);
        return true;
      } catch (error) {
        await this.later(error);
        if (!isTransient(error)) return false;
        // What was put has been noted; of what was put in part it is not known how much is stored.
        const isPut = await begun.put.then(
          () => true,
          () => false,
        );
        begun = isPut ? { ...begun, again: true } : this.begin(contents, true);
      }
    }
  }

  /** After a failure: waits when the store cannot be worked with now, and forgets what it is about when that is at fault. */
  private async later(error: unknown): Promise<void> {
    if (!isTransient(error)) {
      this.enricher = this.newEnricher();
      return;
    }
    await this.failed(error);
    if (this.stopping) throw error;
  }

  /** Has contents put. `again`: they may have been put and never settled. */
  private begin(contents: readonly Content[], again: boolean): Begun {
    const { enricher } = this;
    const put = this.put(contents, again);
    put.catch(() => undefined); // told by `settle`
    return { contents, again, enricher, put };
  }

  private async put(contents: readonly Content[], again: boolean): Promise<void> {
    const { enricher } = this;
    const options = { touch: again ? ('all' as const) : ('changed' as const) };
    const [events, flows] = [contents.flatMap((each) => each.events), contents.flatMap((each) => each.flows)];
    await enricher.putEvents(events, options);
    await enricher.putFlows(flows, options);
  }

  private async settle({ put, enricher, again }: Begun): Promise<void> {
    await put;
    const settling = this.cache.during(() => enricher.settle(undefined, { repeat: again }));
    const looking = this.lookAhead();
    await Promise.allSettled([settling, looking]); // whichever fails
    await looking;
    await this.tell(await settling);
    this.stuck = undefined;
  }

  /**
   * What the alert budget of a day does not reach to is counted, and stays in the store for who looks. Tries until the others
   * are out: nobody would give them again.
   */
  private async tell(alerts: readonly StoredAlert[]): Promise<void> {
    const told = alerts.filter((alert) => !isHeld(alert));
    while (told.length > 0) {
      try {
        await this.options.onAlerts(told);
        break;
      } catch (error) {
        if (!isTransient(error)) throw error;
        await this.later(error);
      }
    }
    this.counters.alerts += told.length;
    this.counters.held += alerts.length - told.length;
  }

  /** What is settled is acknowledged, what cannot be read released or, in the end, buried. */
  private async finish(deliveries: readonly Delivery[], contents: readonly Content[]): Promise<void> {
    const done: Delivery[] = [];
    const again: Delivery[] = [];
    for (const [i, delivery] of deliveries.entries()) {
      const { bad } = contents[i]!;
      if (bad.length === 0) done.push(delivery);
      else if (delivery.attempt < MAX_ATTEMPTS) again.push(delivery);
      else {
        await this.bury(delivery, bad);
        done.push(delivery);
      }
    }
    await this.options.inbox.ack(done);
    if (again.length > 0) await this.options.inbox.release(again);
    for (const [i, delivery] of deliveries.entries()) {
      if (!done.includes(delivery)) continue;
      this.counters.flows += contents[i]!.flows.length;
      this.counters.events += contents[i]!.events.length;
    }
  }

  /** A batch by itself: its records one by one when it cannot be worked on as a whole. */
  private async alone(delivery: Delivery): Promise<void> {
    if (delivery.attempt > MAX_ATTEMPTS) {
      const { lines, count } = delivery.batch;
      await this.bury(delivery, [{ lines, count, reason: `not settled in ${MAX_ATTEMPTS} deliveries` }]);
      await this.options.inbox.ack([delivery]);
      return;
    }
    // Others may have been put with it, and it with them: what is stored was not looked at.
    const contents = [contentOf(delivery.batch, this.zones)];
    if (await this.tried([delivery], this.begin(contents, true))) return;
    const { bad, good } = await this.sift(delivery);
    await this.finish([delivery], [{ ...good, bad }]);
  }

  /** Settles record by record; gives those that fail, with the reason. */
  private async sift({ batch }: Delivery): Promise<{ bad: BadLines[]; good: Pick<Content, 'flows' | 'events'> }> {
    const flows: Content['flows'][number][] = [];
    const events: Content['events'][number][] = [];
    const bad: BadLines[] = [];
    const pieces = batch.kind === 'raw' ? [batch.lines] : linesOf(batch.lines).map((line) => Buffer.from(`${line}\n`));
    for (const lines of pieces) {
      const content = contentOf({ ...batch, lines, count: 1 }, this.zones);
      bad.push(...content.bad);
      const reason = await this.refusal(content);
      if (reason !== undefined) {
        bad.push({ lines, count: 1, reason });
        continue;
      }
      flows.push(...content.flows);
      events.push(...content.events);
    }
    return { bad, good: { flows, events } };
  }

  /** Why a record cannot be settled by itself; undefined once it is. */
  private async refusal(content: Content): Promise<string | undefined> {
    for (;;) {
      try {
        await this.settle(this.begin([content], true));
        return undefined;
      } catch (error) {
        await this.later(error);
        if (!isTransient(error)) return (error as Error).message;
      }
    }
  }

  private async bury(delivery: Delivery, bad: readonly BadLines[]): Promise<void> {
    for (const { lines, count, reason } of bad) {
      await this.options.inbox.bury({ ...delivery.batch, lines, count, reason, id: delivery.id });
      this.counters.deadRecords += count;
      this.options.log.warn({ from: delivery.batch.kind, records: count, reason }, 'a record is a dead letter');
    }
  }

  private retryMillis = MIN_RETRY_MILLIS;

  /** Tells once that work does not go on, and waits before the next attempt. */
  private async failed(error: unknown): Promise<void> {
    const why = error instanceof Error ? error.message : String(error);
    const code = error instanceof StoreError ? error.code : 'unexpected';
    if (this.stuck === undefined) {
      this.retryMillis = MIN_RETRY_MILLIS;
      this.options.log.error({ code, why }, code === 'full' ? 'store full' : 'work has to wait');
    }
    this.stuck = why;
    this.counters.retries++;
    await setTimeout(this.retryMillis);
    this.retryMillis = Math.min(MAX_RETRY_MILLIS, this.retryMillis * 2);
  }
}

/** Microseconds before which nothing is kept. */
export const retentionLimit = (days: number): number => wallMicros() - days * 86_400_000_000;
