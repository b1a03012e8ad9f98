import { slowDocument } from '../alert/slow-document.ts';
import type { HostClocks } from '../join/clock.ts';
import type { Episode } from '../score/episode.ts';
import { ledgersOf, slowId, slowTheftIn, weeksOf } from '../score/slow.ts';
import type { Settings } from '../settings.ts';
import type { Store } from '../store/store.ts';
import type { AlertChanges } from './alert-changes.ts';

/** Many small steps of one host or user: judged when all that is new has been scored. */
export class Ledgers {
  private readonly store: Store;
  private readonly settings: Settings;
  private readonly clocks: HostClocks;
  /** Weeks of ledgers of hosts and users that may have changed. */
  private readonly dirty = new Map<string, { readonly ledger: string; readonly week: number }>();

  constructor(store: Store, settings: Settings, clocks: HostClocks) {
    this.store = store;
    this.settings = settings;
    this.clocks = clocks;
  }

  /** All ledgers that an episode is, or was, written in. */
  touchAll(episode: Episode): void {
    for (const ledger of ledgersOf(episode)) this.touch(ledger, episode.flows[0]!.start);
  }

  touch(ledger: string, at: number): void {
    for (const week of weeksOf(at)) this.dirty.set(`${week}|${ledger}`, { ledger, week });
  }

  /** Raises or takes back the alerts of what was touched. */
  async judge(alerts: AlertChanges): Promise<void> {
    const ledgers = [...this.dirty.values()];
    this.dirty.clear();
    for (const { ledger, week } of ledgers) {
      const slow = await slowTheftIn(this.store, this.clocks, ledger, week, this.settings);
      if (slow === undefined) await alerts.drop(slowId(ledger, week));
      else await alerts.raise(slowDocument(slow));
    }
  }
}
