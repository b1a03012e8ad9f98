import type { Writable } from 'node:stream';
import { monotonicMillis, wallMicros } from '../../sensor/base/clock.ts';
import type { Log } from '../../sensor/base/log.ts';
import { checkMetrics, renderMetrics } from '../../sensor/base/metrics.ts';
import { withExceptions } from '../alert/exception.ts';
import { withdrawalOf } from '../alert/withdrawn.ts';
import { ZoneClock } from '../ingest/zone-clock.ts';
import type { Settings } from '../settings.ts';
import type { Store, StoredAlert } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { AlertOutput } from './alert-output.ts';
import { DrillDesk } from './drill-desk.ts';
import { ExceptionsInForce } from './exceptions-in-force.ts';
import { FileTail } from './file-tail.ts';
import type { Inbox } from './inbox.ts';
import { routeSettings } from './listen-settings.ts';
import { withMarkedAlerts } from './marked-alerts.ts';
import { Outputs, prepareOutputs } from './outputs/outputs.ts';
import { Port } from './port.ts';
import { Receiver } from './receive.ts';
import { buildRoutes, type RouteSource, type Routes } from './routes.ts';
import { serviceMetrics } from './service-metrics.ts';
import { retentionLimit, Worker } from './worker.ts';

/** How often the store forgets what is too old, and is asked whether it is well. */
const EXPIRE_MILLIS = 3_600_000;
const CHECK_MILLIS = 60_000;
/** How often the journal looks for dead letters to replay. */
const ADOPT_MILLIS = 2_000;
/** How often exceptions are looked at: whether their file has changed, whether one has ended. */
const EXCEPTIONS_MILLIS = 1_000;
/** Requests under way at the end have this long, and alerts on their way out. */
const CLOSE_MILLIS = 2_000;
const OUTPUT_CLOSE_MILLIS = 500;
/** Share of the inbox's room from which it is complained about. */
const FULL_SHARE = 0.8;

/** Store and inbox, opened together. */
export interface Backend {
  readonly store: Store;
  readonly inbox: Inbox;
  /** Other processes may have the store open too. */
  readonly isShared: boolean;
  /** Asks the store whether it is still what it must be. Rejects with StoreError. */
  readonly check?: () => Promise<void>;
  /** Looks for work that another program has left (dead letters to replay). */
  readonly adopt?: () => Promise<void>;
}

export interface ServiceOptions {
  readonly settings: Settings;
  readonly log: Log;
  /** Opens store and inbox; asked again until it succeeds when the store is only away. */
  readonly open: () => Promise<Backend>;
  readonly alerts: { readonly stdout?: Writable; readonly file?: string };
  /** Endpoint logs that are followed, and the directory in which their positions are kept. */
  readonly tail?: { readonly files: readonly string[]; readonly directory: string };
  /** Directory of the exceptions (`waybill allow`); none without one. */
  readonly exceptions?: string;
  /** Name of this worker among those that share the store. */
  readonly worker?: string;
  /** Pages of the same port, made anew when the settings change. */
  readonly pages?: (settings: Settings, shown: Store) => RouteSource['pages'];
}

/** Everything of `waybill enrich` but its command line. */
export class Service {
  private readonly options: ServiceOptions;
  private readonly log: Log;
  private readonly output: AlertOutput;
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly tails: FileTail[] = [];
  private settings: Settings;
  private backend: Backend | undefined;
  private readonly door: Port;
  private readonly exceptions: ExceptionsInForce | undefined;
  private outputs: Outputs | undefined;
  private changing: Promise<void> = Promise.resolve();
  private routes: Routes;
  private receiver: Receiver | undefined;
  private worker: Worker | undefined;
  private working: Promise<void> | undefined;
  private waitsFor = 'the store is not open yet';
  private storeComplaint: string | undefined;
  private stopping = false;

  constructor(options: ServiceOptions) {
    this.options = options;
    this.log = options.log;
    this.settings = options.settings;
    this.output = new AlertOutput(options.alerts);
    this.routes = this.waitingRoutes();
    this.door = new Port(options.settings, options.log, () => this.routes);
    this.exceptions =
      options.exceptions === undefined ? undefined : new ExceptionsInForce(options.exceptions, this.log);
    this.exceptions?.refresh(wallMicros() / 1000);
  }

  /** Port of the HTTP side. */
  get port(): number {
    return this.door.number;
  }

  /** The store as it is shown to people: alerts that an exception covers say so. */
  shown(store: Store): Store {
    return withMarkedAlerts(store, () => this.exceptions?.now ?? []);
  }

  /** The ways out, one line each. */
  outputState(): ReturnType<Outputs['state']> {
    return this.outputs?.state() ?? [];
  }

  /**
   * Opens the port at once, so that /readyz can tell what is waited for, then the store. Rejects when it cannot run at all;
   * a store that is only away is waited for.
   */
  async start(): Promise<void> {
    prepareOutputs(this.settings.service.outputs); // what cannot be read is told before anything is opened
    await this.door.open();
    const backend = await this.opened();
    if (!backend) return;
    if (this.stopping) {
      await backend.inbox.close();
      return backend.store.close();
    }
    this.backend = backend;
    const { store, inbox, isShared } = backend;
    this.outputs = new Outputs({
      store,
      isShared,
      log: this.log,
      owner: this.options.worker ?? 'embedded',
      exceptions: () => this.exceptions?.now ?? [],
    });
    await this.outputs.use(prepareOutputs(this.settings.service.outputs), 0);
    this.worker = new Worker({
      store,
      inbox,
      isShared,
      settings: this.settings,
      log: this.log,
      onAlerts: (alerts) => this.tell(alerts),
      onWithdrawn: (alert, heir) => this.withdraw(withdrawalOf(alert, heir)),
    });
    this.receiver = new Receiver(inbox, new ZoneClock());
    this.routes = this.fullRoutes();
    this.working = this.worker.run();
    this.keepHouse(backend);
    await this.follow(this.receiver);
    this.log.info({}, 'ready');
  }

  /** Takes flow records, one JSON object a line, from a sensor in this process; resolves when they will outlive it. */
  async takeFlows(lines: Buffer): Promise<void> {
    if (!this.receiver) throw new StoreError('unavailable', this.waitsFor);
    await this.receiver.flows(once(lines));
  }

  /**
   * Takes new settings into use, certificates, tokens, address and outputs included; the store stays as it was. Rejects, and
   * everything stays as it was, when a file cannot be read or a port not be had. One change after the other.
   */
  use(settings: Settings): Promise<void> {
    const change = this.changing.then(() => this.change(settings));
    this.changing = change.catch(() => {});
    return change;
  }

  private async change(settings: Settings): Promise<void> {
    const ways = prepareOutputs(settings.service.outputs);
    this.output.reopen();
    await this.door.change(settings);
    this.settings = settings;
    this.worker?.use(settings);
    this.routes = this.receiver ? this.fullRoutes() : this.waitingRoutes();
    await this.outputs?.use(ways, OUTPUT_CLOSE_MILLIS);
  }

  /** Refuses what comes, brings what is in hand to its end, closes. What is not settled by then is done at the next start. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.waitsFor = 'the service is being stopped';
    for (const timer of this.timers) clearInterval(timer);
    await Promise.all(this.tails.map((tail) => tail.stop()));
    await this.door.close(CLOSE_MILLIS);
    this.worker?.stop();
    await this.working;
    await this.outputs?.stop(OUTPUT_CLOSE_MILLIS);
    await this.backend?.inbox.close();
    await this.backend?.store.close();
    await this.output.close();
  }

  /** What waits, one line each; none when all is well. */
  complaints(): string[] {
    const { backend, worker, receiver } = this;
    if (!backend || !receiver || this.stopping) return [this.waitsFor];
    const state = backend.inbox.state();
    const { lag_seconds: lag } = this.settings.service;
    return [
      worker?.stuck === undefined ? undefined : `work waits: ${worker.stuck}`,
      this.storeComplaint,
      this.exceptions?.complaint,
      receiver.refusedAt === undefined ? undefined : 'batches cannot be stored',
      state.fill !== undefined && state.fill >= FULL_SHARE
        ? `the place where batches wait is ${Math.round(state.fill * 100)} % full`
        : undefined,
      state.oldestSeconds > lag
        ? `work is behind: ${state.waiting} batches wait, the oldest for ${Math.round(state.oldestSeconds)} s`
        : undefined,
      state.cutOff > 0 ? `${state.cutOff} batches were cut off their stream before they were settled` : undefined,
      ...this.tails.map((tail) => tail.complaint),
    ].filter((line) => line !== undefined);
  }

  private async opened(): Promise<Backend | undefined> {
    for (let waitMillis = 200; !this.stopping; waitMillis = Math.min(5_000, waitMillis * 2)) {
      try {
        return await this.options.open();
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== 'unavailable') throw error;
        if (this.waitsFor !== error.message) this.log.warn({ why: error.message }, 'the store is waited for');
        this.waitsFor = error.message;
        await new Promise((resolve) => setTimeout(resolve, waitMillis));
      }
    }
    return undefined;
  }

  private async follow(receiver: Receiver): Promise<void> {
    const { tail } = this.options;
    for (const file of tail?.files ?? []) {
      const followed = await FileTail.open(file, tail!.directory, (body, sender) => receiver.events(body, { sender }));
      followed.start();
      this.tails.push(followed);
    }
  }

  /** Standard output and the file show what is excepted, marked; the outputs hold it back. */
  private async tell(alerts: readonly StoredAlert[]): Promise<void> {
    await this.lookAtExceptions();
    await this.outputs?.tell(alerts);
    await this.write(withExceptions(alerts, this.exceptions?.now ?? []));
  }

  private async withdraw(withdrawal: StoredAlert): Promise<void> {
    await this.outputs?.withdraw(withdrawal);
    await this.write([withdrawal]);
  }

  private async write(alerts: readonly StoredAlert[]): Promise<void> {
    try {
      await this.output.write(alerts);
    } catch (error) {
      const why = (error as Error).message;
      throw new StoreError('unavailable', `alerts cannot be written: ${why}`, { cause: error });
    }
  }

  private async lookAtExceptions(): Promise<void> {
    if (this.exceptions?.refresh(wallMicros() / 1000)) await this.outputs?.reconsider();
  }

  private keepHouse({ store, check, adopt }: Backend): void {
    const every = (millis: number, work: () => Promise<unknown>, name: string): void => {
      this.timers.push(
        setInterval(() => {
          work().catch((error: unknown) => this.log.warn({ why: (error as Error).message }, name));
        }, millis),
      );
    };
    const expire = async (): Promise<void> => {
      const started = monotonicMillis();
      const gone = await store.expire(retentionLimit(this.settings.service.retention_days));
      if (gone > 0) this.log.info({ gone, ms: Math.round(monotonicMillis() - started) }, 'forgot what was too old');
    };
    every(EXPIRE_MILLIS, expire, 'retention failed');
    every(EXCEPTIONS_MILLIS, () => this.lookAtExceptions(), 'exceptions could not be applied');
    if (adopt) every(ADOPT_MILLIS, adopt, 'dead letters could not be replayed');
    if (check) every(CHECK_MILLIS, () => this.checkStore(check), 'the store is not well');
  }

  private async checkStore(check: () => Promise<void>): Promise<void> {
    try {
      await check();
      this.storeComplaint = undefined;
    } catch (error) {
      this.storeComplaint = (error as Error).message;
      throw error;
    }
  }

  private fullRoutes(): Routes {
    const { backend, worker, receiver, outputs } = this;
    if (!backend || !worker || !receiver || !outputs) return this.waitingRoutes();
    const complaints = (): string[] => this.complaints();
    const specs = serviceMetrics({ ...backend, worker, receiver, outputs, http: this.door.counters, complaints });
    checkMetrics(specs);
    const pages = this.settings.service.console
      ? this.options.pages?.(this.settings, this.shown(backend.store))
      : undefined;
    return buildRoutes(routeSettings(this.settings), {
      receiver,
      drills: new DrillDesk(backend.store, this.settings),
      complaints,
      metrics: () => renderMetrics(specs),
      ...(pages ? { pages } : {}),
    });
  }

  /** Before the store is open: health and readiness answer, everything else shall come again. */
  private waitingRoutes(): Routes {
    const complaints = (): string[] => this.complaints();
    return buildRoutes(routeSettings(this.settings), { receiver: undefined, complaints, metrics: () => '' });
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
