import { wallMicros } from '../../../sensor/base/clock.ts';
import type { Log } from '../../../sensor/base/log.ts';
import type { AlertParts } from '../../alert/alert-parts.ts';
import type { Exception } from '../../alert/exception.ts';
import { coveringException } from '../../alert/exception.ts';
import type { OutputSettings } from '../../output-settings.ts';
import type { Store, StoredAlert } from '../../store/store.ts';
import { type Delivery, type DeliveryEntry, type DeliveryLog, type DeliveryState, digestOf } from './delivery-log.ts';
import { AlertRefused, type Outgoing, type Sink } from './sink.ts';

/** Alerts that wait for one output. */
export const MAX_WAITING = 10_000;
/** Pauses after an attempt that failed: the first, doubled up to the last. */
const MIN_PAUSE_MILLIS = 500;
const MAX_PAUSE_MILLIS = 60_000;
const HOUR_MICROS = 3_600_000_000;

export interface OutputCounters {
  sent: number;
  failures: number;
  /** Alerts that will not be sent, by what became of them. */
  readonly ended: Map<Exclude<DeliveryState, 'waiting' | 'sent'>, number>;
}

export interface QueueContext {
  readonly store: Store;
  readonly log: Log;
  readonly deliveries: DeliveryLog;
  readonly exceptions: () => readonly Exception[];
}

/**
 * One way out with the alerts that wait for it. A receiver that is away keeps nobody else waiting: what waits is in the
 * store, and is tried again after ever longer pauses.
 */
export class OutputQueue {
  readonly settings: OutputSettings;
  readonly counters: OutputCounters = { sent: 0, failures: 0, ended: new Map() };
  /** Why the last attempt failed; undefined while all is well. */
  trouble: string | undefined;
  private readonly context: QueueContext;
  private readonly sink: Sink;
  /** Ids, in the order in which their turn comes. */
  private readonly waiting = new Set<string>();
  /** Being handed over: the receiver may have them already. */
  private inHand: ReadonlySet<string> = new Set();
  private wake: (() => void) | undefined;
  private stopping = false;
  private running: Promise<void> | undefined;

  constructor(settings: OutputSettings, sink: Sink, context: QueueContext) {
    this.settings = settings;
    this.sink = sink;
    this.context = context;
  }

  get depth(): number {
    return this.waiting.size;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** What waits when this is called may still go; what is not gone after `millis` goes at the next start. */
  async stop(millis: number): Promise<void> {
    const timer = setTimeout(() => this.end(), millis);
    if (this.waiting.size === 0 || this.trouble !== undefined) this.end();
    else this.whenEmpty = () => this.end();
    let late: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      late = setTimeout(resolve, millis + 500);
    });
    await Promise.race([this.running, patience]);
    clearTimeout(timer);
    clearTimeout(late);
    await this.sink.close();
  }

  private whenEmpty: (() => void) | undefined;

  private end(): void {
    this.stopping = true;
    this.wake?.();
  }

  /** Makes alerts that are new or changed wait, unless the receiver has them as they are. Rejects with StoreError. */
  async tell(alerts: readonly StoredAlert[]): Promise<void> {
    const { deliveries } = this.context;
    const known = await deliveries.read(
      this.settings.name,
      alerts.map(({ id }) => id),
    );
    const now = wallMicros();
    let free = MAX_WAITING - this.waiting.size;
    const changes = alerts.flatMap((alert, i) => {
      const [digest, tier] = [digestOf(alert), tierOf(alert)];
      const before = known[i]?.delivery;
      if (!this.wants(before, digest, tier)) return [];
      const isHere = this.waiting.has(alert.id);
      if (!isHere) free--;
      const state = isHere || free >= 0 ? ('waiting' as const) : ('dropped' as const);
      const { owner } = deliveries;
      const times = { told: before?.told ?? now, toldLast: now, changed: now };
      const sent = before?.sent === undefined ? {} : { sent: before.sent };
      const delivery: Delivery = { state, attempts: 0, digest, tier, owner, ...times, ...sent };
      return [{ alert: alert.id, known: known[i]?.version ?? 0, delivery }];
    });
    if (changes.length === 0) return;
    await deliveries.write(this.settings.name, changes);
    for (const { alert, delivery } of changes) {
      if (delivery.state === 'waiting') this.waiting.add(alert);
      else this.count('dropped', 1);
    }
    this.wake?.();
  }

  /** Makes the withdrawal of an alert wait that the receiver has, or may have. Rejects with StoreError. */
  async withdraw(withdrawal: StoredAlert): Promise<void> {
    const { deliveries } = this.context;
    const { id, revision } = withdrawal;
    const [known] = await deliveries.read(this.settings.name, [id]);
    if (known === undefined || known.delivery.withdrawal !== undefined) return;
    const { why: _, ...before } = known.delivery;
    const mayHaveIt = this.inHand.has(id) || (before.state === 'waiting' && before.attempts > 0);
    const sent = before.sent ?? (mayHaveIt ? { revision, digest: before.digest, tier: before.tier } : undefined);
    if (sent === undefined) return; // it is not there when its turn comes, and that is all
    const now = wallMicros();
    const { owner } = deliveries;
    const delivery = { ...before, state: 'waiting' as const, attempts: 0, withdrawal, sent, owner };
    await deliveries.write(this.settings.name, [
      { alert: id, known: known.version, delivery: { ...delivery, toldLast: now, changed: now } },
    ]);
    this.waiting.add(id);
    this.wake?.();
  }

  /** Takes over what waits in the store: everything, or what nobody living sees to. */
  async adopt(living: ReadonlySet<string> | undefined): Promise<void> {
    const { deliveries } = this.context;
    const found = await deliveries.inState(this.settings.name, 'waiting', MAX_WAITING);
    const orphans = found.filter(
      ({ alert, delivery }) => !this.waiting.has(alert) && (living === undefined || !living.has(delivery.owner)),
    );
    await this.takeUp(orphans.slice(0, MAX_WAITING - this.waiting.size));
  }

  /** Lets wait again what an exception held back that is no longer in force. */
  async reconsider(): Promise<void> {
    const { store, deliveries, exceptions } = this.context;
    const held = await deliveries.inState(this.settings.name, 'allowed', MAX_WAITING);
    const free: DeliveryEntry[] = [];
    for (const entry of held) {
      const alert = await store.getAlert(entry.alert);
      if (alert && coveringException(alert, exceptions()) === undefined) free.push(entry);
    }
    await this.takeUp(free.slice(0, MAX_WAITING - this.waiting.size));
  }

  private async takeUp(entries: readonly DeliveryEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const { owner } = this.context.deliveries;
    const now = wallMicros();
    const changes = entries.map(({ alert, version, delivery: { why: _, ...delivery } }) => ({
      alert,
      known: version,
      delivery: { ...delivery, state: 'waiting' as const, attempts: 0, owner, changed: now },
    }));
    await this.context.deliveries.write(this.settings.name, changes);
    for (const { alert } of entries) this.waiting.add(alert);
    this.wake?.();
  }

  private async run(): Promise<void> {
    let pause = MIN_PAUSE_MILLIS;
    while (!this.stopping) {
      if (this.waiting.size === 0) {
        this.whenEmpty?.();
        if (!this.stopping) await this.sleep(undefined);
        continue;
      }
      const ids = [...this.waiting].slice(0, this.sink.atOnce);
      try {
        await this.deliver(ids);
        if (this.trouble !== undefined) this.context.log.info({ output: this.settings.name }, 'an output works again');
        this.trouble = undefined;
        pause = MIN_PAUSE_MILLIS;
      } catch (error) {
        this.failed(error as Error, pause);
        // To the end: one that cannot be delivered must not keep others from it.
        for (const id of ids) if (this.waiting.delete(id)) this.waiting.add(id);
        if (!this.stopping) await this.sleep(pause);
        pause = Math.min(MAX_PAUSE_MILLIS, pause * 2);
      }
    }
  }

  private failed(error: Error, pause: number): void {
    const { name } = this.settings;
    this.counters.failures++;
    if (this.trouble !== error.message)
      this.context.log.warn({ output: name, why: error.message, again_ms: pause }, 'an output does not take alerts');
    this.trouble = error.message;
  }

  private async deliver(ids: readonly string[]): Promise<void> {
    const { store, deliveries, exceptions } = this.context;
    const known = await deliveries.read(this.settings.name, ids);
    const going: (DeliveryEntry & { readonly out: Outgoing })[] = [];
    const now = wallMicros();
    for (const [i, id] of ids.entries()) {
      const entry = known[i];
      if (entry?.delivery.state !== 'waiting') {
        this.waiting.delete(id);
        continue;
      }
      const { withdrawal, sent, toldLast } = entry.delivery;
      const alert = withdrawal ?? (await store.getAlert(id));
      const exception = alert && !withdrawal && coveringException(alert, exceptions());
      if (!alert) await this.finish([entry], 'withdrawn');
      else if (exception) await this.finish([entry], 'allowed', exception.id);
      else if (now - toldLast > this.settings.give_up_hours * HOUR_MICROS)
        await this.finish([entry], 'given_up', entry.delivery.why);
      else {
        const isAgain = withdrawal !== undefined || sent?.tier === 'withdrawn';
        const turn = isAgain ? { turn: String(toldLast) } : {};
        going.push({ ...entry, out: { alert, isKnown: sent !== undefined, ...turn } });
      }
    }
    if (going.length === 0) return;
    this.inHand = new Set(going.map(({ alert }) => alert));
    try {
      await this.sink.send(going.map(({ out }) => out));
    } catch (error) {
      if (error instanceof AlertRefused) return this.finish(going, 'refused', error.message);
      await this.attempted(going, (error as Error).message);
      throw error;
    } finally {
      this.inHand = new Set();
    }
    await this.sent(going);
  }

  private async sent(going: readonly (DeliveryEntry & { readonly out: Outgoing })[]): Promise<void> {
    const changed = wallMicros();
    const changes = going.map(({ alert, version, delivery: { why: _, ...delivery }, out }) => {
      const isGone = delivery.withdrawal !== undefined;
      const tier = isGone ? 'withdrawn' : tierOf(out.alert);
      const sent = { revision: out.alert.revision, digest: digestOf(out.alert), tier };
      const state = isGone ? ('withdrawn' as const) : ('sent' as const);
      const attempts = delivery.attempts + 1;
      return { alert, known: version, delivery: { ...delivery, state, attempts, sent, changed } };
    });
    this.count('withdrawn', going.filter(({ delivery }) => delivery.withdrawal !== undefined).length);
    this.counters.sent += going.length;
    await this.settle(changes);
  }

  private async finish(
    entries: readonly DeliveryEntry[],
    state: Exclude<DeliveryState, 'waiting' | 'sent'>,
    why?: string,
  ): Promise<void> {
    const changed = wallMicros();
    const changes = entries.map(({ alert, version, delivery }) => ({
      alert,
      known: version,
      delivery: { ...delivery, state, changed, ...(why === undefined ? {} : { why }) },
    }));
    this.count(state, entries.length);
    await this.settle(changes);
  }

  /** What was told anew meanwhile goes on waiting: it is the newer truth. */
  private async settle(changes: Parameters<DeliveryLog['write']>[1]): Promise<void> {
    const holds = await this.context.deliveries.write(this.settings.name, changes);
    for (const [i, { alert }] of changes.entries()) if (holds[i]) this.waiting.delete(alert);
  }

  /** Keeps the reason with each alert, for who looks why it is not there. */
  private async attempted(entries: readonly DeliveryEntry[], why: string): Promise<void> {
    const changed = wallMicros();
    const changes = entries.map(({ alert, version, delivery }) => ({
      alert,
      known: version,
      delivery: { ...delivery, attempts: delivery.attempts + 1, why, changed },
    }));
    await this.context.deliveries.write(this.settings.name, changes);
  }

  /** Whether an alert as it is now is to be sent, after what became of it before. */
  private wants(before: Delivery | undefined, digest: string, tier: string): boolean {
    const { minimum_tier, updates } = this.settings;
    const { sent } = before ?? {};
    // Who has heard of an alert hears of its end, too.
    if (sent === undefined && minimum_tier === 'high' && tier !== 'high') return false;
    const isBack = before?.withdrawal !== undefined;
    if (updates === 'tier' && !isBack && sent !== undefined && (sent.tier === 'high' || sent.tier === tier))
      return false;
    switch (before?.state) {
      case 'sent':
        return sent?.digest !== digest;
      case 'waiting':
        return before.withdrawal !== undefined || before.digest !== digest;
      case 'allowed':
      case 'refused':
        return before.digest !== digest;
      default:
        return true;
    }
  }

  private count(state: Exclude<DeliveryState, 'waiting' | 'sent'>, alerts: number): void {
    this.counters.ended.set(state, (this.counters.ended.get(state) ?? 0) + alerts);
  }

  private sleep(millis: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = millis === undefined ? undefined : setTimeout(resolve, millis);
      this.wake = () => {
        // News do not shorten the pause after a failure; the end does.
        if (millis !== undefined && !this.stopping) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const tierOf = (alert: StoredAlert): string => (alert.body as AlertParts).waybill?.tier ?? 'medium';
