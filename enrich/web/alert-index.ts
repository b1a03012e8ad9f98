import type { Store } from '../store/store.ts';
import { summaryOf } from './alert-summary.ts';
import { latestReviews } from './reviews.ts';
import type { AlertList, AlertSummary, Review } from './view.ts';

/** Newest alerts that the list ranks; the store may hold more. */
export const MAX_INDEXED = 10_000;
/** Alerts of one look into the store. */
const PAGE = 500;
/** Between looks at the newest alerts, milliseconds. */
const FRESH_MILLIS = 2_000;
/** Between readings of everything, which notices alerts that were taken back or allowed, milliseconds. */
const WHOLE_MILLIS = 60_000;
/** Until a changed exception marks what is read: a service looks at its file every second, milliseconds. */
const MARKED_MILLIS = 2_000;

export interface AlertQuery {
  /** Plain text, found anywhere in story, host, user, process, destination or id, whatever its case. */
  readonly text: string;
  readonly tier: string;
  /** `open`: not decided yet. `closed`: found true or false. */
  readonly state: 'open' | 'closed' | 'all';
  readonly sort: 'rank' | 'time';
  readonly offset: number;
  readonly limit: number;
}

/**
 * The newest alerts of the store as lines of a list, so that ranking and filtering touch no document. Refreshed when
 * somebody looks and what is here is old; requests at the same time share one refresh.
 */
export class AlertIndex {
  private readonly store: Store;
  private readonly now: () => number;
  private entries = new Map<string, AlertSummary>();
  private reviews = new Map<string, Review>();
  private refreshing: Promise<void> | undefined;
  private freshAt = Number.NEGATIVE_INFINITY;
  private wholeAt = Number.NEGATIVE_INFINITY;
  private isCapped = false;

  /** @param now a clock that never goes back, milliseconds */
  constructor(store: Store, now: () => number) {
    this.store = store;
    this.now = now;
  }

  async list(query: AlertQuery): Promise<AlertList> {
    await this.refresh();
    const text = query.text.toLowerCase();
    const all = [...this.entries.values()].map((entry) => this.withReview(entry));
    const found = all.filter(
      (a) =>
        (query.tier === '' || a.tier === query.tier) &&
        (query.state === 'all' || isClosed(a) === (query.state === 'closed')) &&
        (text === '' || haystack(a).includes(text)),
    );
    found.sort(query.sort === 'time' ? newestFirst : strongestFirst);
    return {
      alerts: found.slice(query.offset, query.offset + query.limit),
      matched: found.length,
      offset: query.offset,
      known: all.length,
      open: all.filter((a) => !isClosed(a) && !a.drill).length,
      ...(this.isCapped ? { capped: `The newest ${MAX_INDEXED} alerts are ranked; older ones are in the store.` } : {}),
    };
  }

  /** How many alerts name each host and each destination. */
  async tally(): Promise<{ hosts: Map<string, number>; destinations: Map<string, number> }> {
    await this.refresh();
    const hosts = new Map<string, number>();
    const destinations = new Map<string, number>();
    for (const { host, destination, drill } of this.entries.values()) {
      if (drill) continue;
      hosts.set(host, (hosts.get(host) ?? 0) + 1);
      destinations.set(destination, (destinations.get(destination) ?? 0) + 1);
    }
    return { hosts, destinations };
  }

  /** Ids of the alerts that name one of these hosts and one of these destinations. */
  async about(
    hosts: readonly (string | undefined)[],
    destinations: readonly (string | undefined)[],
  ): Promise<readonly string[]> {
    await this.refresh();
    return [...this.entries.values()].flatMap((entry) =>
      hosts.includes(entry.host) && destinations.includes(entry.destination) ? [entry.id] : [],
    );
  }

  /** The next look reads what was just decided. */
  forgetFreshness(): void {
    this.freshAt = Number.NEGATIVE_INFINITY;
  }

  /** Exceptions have changed: everything is read anew as soon as the store shows it. */
  forgetMarks(): void {
    this.wholeAt = Math.min(this.wholeAt, this.now() + MARKED_MILLIS - WHOLE_MILLIS);
  }

  private withReview(entry: AlertSummary): AlertSummary {
    const review = this.reviews.get(entry.id);
    return review ? { ...entry, review } : entry;
  }

  private refresh(): Promise<void> {
    if (this.refreshing) return this.refreshing;
    if (this.now() - this.freshAt < FRESH_MILLIS) return Promise.resolve();
    this.refreshing = this.read().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  private async read(): Promise<void> {
    const startedAt = this.now();
    const isWhole = startedAt - this.wholeAt >= WHOLE_MILLIS;
    const next = isWhole ? new Map<string, AlertSummary>() : this.entries;
    this.isCapped = await this.walk(next, isWhole);
    this.reviews = await latestReviews(this.store);
    this.entries = next;
    this.freshAt = startedAt;
    if (isWhole) this.wholeAt = startedAt;
  }

  /** From the newest back, until everything on a page is known already (unless `isWhole`). True when the cap ended it. */
  private async walk(into: Map<string, AlertSummary>, isWhole: boolean): Promise<boolean> {
    let before: number | undefined;
    let limit = PAGE;
    let seen = 0;
    for (;;) {
      const page = await this.store.listAlerts({ limit, ...(before === undefined ? {} : { before }) });
      const changed = page.filter((alert) => into.get(alert.id)?.revision !== alert.revision);
      for (const alert of changed) into.set(alert.id, summaryOf(alert));
      seen += changed.length;
      if (seen >= MAX_INDEXED || into.size >= MAX_INDEXED) return trim(into);
      if (page.length < limit) return this.isCapped && !isWhole;
      if (changed.length === 0 && !isWhole) return this.isCapped;
      // `before` leaves out alerts of the very moment where the page ends: ask for that moment again, then for more of it.
      const oldest = page.at(-1)!.at;
      const isStuck = changed.length === 0;
      before = isStuck && limit > PAGE ? oldest : oldest + 0.5;
      limit = isStuck && limit === PAGE ? MAX_INDEXED : PAGE;
    }
  }
}

function trim(entries: Map<string, AlertSummary>): boolean {
  const newest = [...entries.values()].sort(newestFirst);
  for (const { id } of newest.slice(MAX_INDEXED)) entries.delete(id);
  return true;
}

const isClosed = ({ review }: AlertSummary): boolean =>
  review?.state === 'true_positive' || review?.state === 'false_positive';

const haystack = (a: AlertSummary): string =>
  `${a.story}\n${a.host}\n${a.user}\n${a.process}\n${a.destination}\n${a.id}`.toLowerCase();

const TIERS = ['high', 'medium'];
const tierRank = (tier: string): number => (TIERS.includes(tier) ? TIERS.indexOf(tier) : TIERS.length);
const byId = (a: AlertSummary, b: AlertSummary): number => (a.id < b.id ? -1 : 1);
const newestFirst = (a: AlertSummary, b: AlertSummary): number => (a.at === b.at ? byId(a, b) : a.at < b.at ? 1 : -1);
const strongestFirst = (a: AlertSummary, b: AlertSummary): number =>
  tierRank(a.tier) - tierRank(b.tier) || b.db - a.db || newestFirst(a, b);
