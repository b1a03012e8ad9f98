import { Exit, UserError } from '../../sensor/base/exit.ts';
import type { Log } from '../../sensor/base/log.ts';
import type { Settings } from '../settings.ts';
import { type HttpCounters, type HttpFront, newCounters, openHttp } from './http-server.ts';
import { listenOptions } from './listen-settings.ts';
import type { Routes } from './routes.ts';

/** Requests under way at an address that is left have this long. */
const LEAVE_MILLIS = 10_000;

/** Where the service listens: one address at a time, which settings may change while it runs. */
export class Port {
  readonly counters: HttpCounters = newCounters();
  private readonly log: Log;
  private readonly routes: () => Routes;
  private readonly leaving = new Set<Promise<void>>();
  private settings: Settings;
  private front: HttpFront | undefined;

  constructor(settings: Settings, log: Log, routes: () => Routes) {
    this.settings = settings;
    this.log = log;
    this.routes = routes;
  }

  /** 0 while it is not open. */
  get number(): number {
    return this.front?.port ?? 0;
  }

  /** Rejects with a UserError, the operating system's or OpenSSL's error. */
  async open(): Promise<void> {
    this.front = await this.listen(this.settings);
  }

  /**
   * At the same address other certificates and limits hold from the next handshake on. A new address is opened before the old
   * one is left. Rejects and goes on as before when that cannot be had.
   */
  async change(settings: Settings): Promise<void> {
    const before = this.front;
    if (!before) return;
    if (settings.service.listen === this.settings.service.listen) {
      if (kindOf(settings) !== kindOf(this.settings)) {
        const why = 'TLS, or asking for client certificates, cannot be switched on or off at the same address: restart';
        throw new UserError(`service.tls: ${why}, or listen elsewhere`, Exit.usage);
      }
      before.change({ ...listenOptions(settings), log: this.log });
    } else {
      this.front = await this.listen(settings);
      const left = before.close(LEAVE_MILLIS).finally(() => this.leaving.delete(left));
      this.leaving.add(left);
    }
    this.settings = settings;
  }

  /** Takes no more; requests under way have `millis` to end. */
  async close(millis: number): Promise<void> {
    await this.front?.close(millis);
  }

  private async listen(settings: Settings): Promise<HttpFront> {
    const front = await openHttp({ ...listenOptions(settings), log: this.log }, this.routes, this.counters);
    this.log.info({ listen: settings.service.listen, port: front.port }, 'listening');
    return front;
  }
}

/** What a server is made for and cannot change. */
function kindOf({ service: { tls } }: Settings): string {
  if (tls === undefined) return 'plain';
  return tls.client_ca === undefined ? 'tls' : 'mutual';
}
