import type { Log } from '../../../sensor/base/log.ts';
import type { LabelledNumbers, MetricSpec } from '../../../sensor/base/metrics.ts';
import type { Exception } from '../../alert/exception.ts';
import type { OutputSettings } from '../../output-settings.ts';
import type { Store, StoredAlert } from '../../store/store.ts';
import { DeliveryLog } from './delivery-log.ts';
import { openSink } from './open-sink.ts';
import { OutputQueue } from './output-queue.ts';
import type { Sink } from './sink.ts';

/** How often a worker says that it lives and looks for what others left; how long silence means that one is gone. */
const LOOK_MILLIS = 15_000;
const SILENCE_MICROS = 60_000_000;

export interface OutputsOptions {
  readonly store: Store;
  readonly log: Log;
  /** Other workers have the same store. */
  readonly isShared: boolean;
  /** Name of this worker. */
  readonly owner: string;
  readonly exceptions: () => readonly Exception[];
}

/** A way out that has its secrets, and is not in use yet. */
export interface PreparedOutput {
  readonly settings: OutputSettings;
  readonly sink: Sink;
}

/** Reads what the outputs need. A UserError leaves everything as it was. */
export const prepareOutputs = (settings: readonly OutputSettings[]): PreparedOutput[] =>
  settings.map((output) => ({ settings: output, sink: openSink(output) }));

/** All ways out of the service. Each has its own queue; what waits is in the store. */
export class Outputs {
  private readonly options: OutputsOptions;
  private readonly deliveries: DeliveryLog;
  private readonly timer: NodeJS.Timeout;
  private queues: readonly OutputQueue[] = [];

  constructor(options: OutputsOptions) {
    this.options = options;
    this.deliveries = new DeliveryLog(options.store, options.owner);
    this.timer = setInterval(() => this.quietly(() => this.look()), LOOK_MILLIS);
  }

  /** Ends the outputs in use and begins with these. */
  async use(prepared: readonly PreparedOutput[], graceMillis: number): Promise<void> {
    const { store, log, exceptions } = this.options;
    const before = this.queues;
    const context = { store, log, exceptions, deliveries: this.deliveries };
    this.queues = prepared.map(({ settings, sink }) => new OutputQueue(settings, sink, context));
    await Promise.all(before.map((queue) => queue.stop(graceMillis)));
    for (const queue of this.queues) queue.start();
    await this.quietly(() => this.look());
  }

  /** Resolves when the store remembers to send them: whether they can be sent is not waited for. */
  async tell(alerts: readonly StoredAlert[]): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.tell(alerts)));
  }

  /** Resolves when the store remembers to take the alert back from who has it. */
  async withdraw(withdrawal: StoredAlert): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.withdraw(withdrawal)));
  }

  /** To be called when exceptions have changed or ended. */
  async reconsider(): Promise<void> {
    for (const queue of this.queues) await queue.reconsider();
  }

  async stop(graceMillis: number): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.queues.map((queue) => queue.stop(graceMillis)));
  }

  /** One line for each output, for a page. */
  state(): { readonly name: string; readonly waiting: number; readonly sent: number; readonly trouble?: string }[] {
    return this.queues.map(({ settings, depth, counters, trouble }) => ({
      name: settings.name,
      waiting: depth,
      sent: counters.sent,
      ...(trouble === undefined ? {} : { trouble }),
    }));
  }

  metrics(): MetricSpec[] {
    const each = (read: (queue: OutputQueue) => number) => (): LabelledNumbers => ({
      label: 'output',
      values: new Map(this.queues.map((queue) => [queue.settings.name, read(queue)])),
    });
    const spec = (name: string, type: MetricSpec['type'], help: string, read: (queue: OutputQueue) => number) => ({
      name: `waybill_enrich_output_${name}`,
      type,
      help,
      read: each(read),
    });
    const ended = (state: Parameters<OutputQueue['counters']['ended']['get']>[0]) => (queue: OutputQueue) =>
      queue.counters.ended.get(state) ?? 0;
    return [
      spec('up', 'gauge', 'Whether the last attempt succeeded.', (queue) => (queue.trouble === undefined ? 1 : 0)),
      spec('waiting', 'gauge', 'Alerts that wait for this output in this process.', ({ depth }) => depth),
      spec('sent_total', 'counter', 'Alerts handed over, revisions included.', ({ counters }) => counters.sent),
      spec('failures_total', 'counter', 'Attempts that failed.', ({ counters }) => counters.failures),
      spec('dropped_total', 'counter', 'Alerts for which the queue had no room.', ended('dropped')),
      spec('refused_total', 'counter', 'Alerts that the receiver will not take.', ended('refused')),
      spec('given_up_total', 'counter', 'Alerts that nobody took within give_up_hours.', ended('given_up')),
      spec('allowed_total', 'counter', 'Alerts held back by an exception.', ended('allowed')),
      spec('withdrawn_total', 'counter', 'Alerts taken back, before they were sent or after.', ended('withdrawn')),
    ];
  }

  private async look(): Promise<void> {
    const { isShared } = this.options;
    if (isShared) await this.deliveries.beat();
    const living = isShared ? await this.deliveries.living(SILENCE_MICROS) : undefined;
    living?.delete(this.deliveries.owner); // what is ours and not in hand was ours before a restart
    for (const queue of this.queues) await queue.adopt(living);
  }

  /** The store is away now and then; the next look does it. */
  private async quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.options.log.warn({ why: (error as Error).message }, 'waiting alerts could not be looked for');
    }
  }
}
