import { maxFreshADay } from './limits.ts';
import { type Merged, mergeSighting, WINDOW_DAYS } from './sighting.ts';
import type { Familiarity, FamiliarityKey, NoveltyDay, Observation } from './store.ts';

interface Scope {
  readonly destinations: Map<string, Familiarity>;
  readonly days: Map<number, { seen: number; fresh: number }>;
  newest: number;
}

/** Familiarity and novelty in memory. */
export class MemoryFamiliarity {
  dropped = 0;
  private readonly scopes = new Map<string, Scope>();
  private horizon = 0;

  observe(observations: readonly Observation[]): void {
    for (const observation of observations) this.observeOne(observation);
  }

  familiarity({ scope, destination }: FamiliarityKey): Familiarity | undefined {
    return this.scopes.get(scope)?.destinations.get(destination);
  }

  novelty(scope: string, fromDay: number, toDay: number): NoveltyDay[] {
    return [...(this.scopes.get(scope)?.days ?? [])]
      .filter(([day]) => day >= fromDay && day <= toDay)
      .sort(([a], [b]) => a - b)
      .map(([day, count]) => ({ day, ...count }));
  }

  /** Forgets destinations last seen before `day`, and the novelty of the days before it, now and later. */
  expire(day: number): number {
    this.horizon = Math.max(this.horizon, day);
    let gone = 0;
    for (const scope of this.scopes.values()) {
      for (const [destination, { lastDay }] of scope.destinations) {
        if (lastDay < day && scope.destinations.delete(destination)) gone++;
      }
      trim(scope, this.horizon);
    }
    return gone;
  }

  private observeOne({ scope: name, destination, day, tainted }: Observation): void {
    const scope = this.scopeOf(name);
    const known = scope.destinations.get(destination);
    const merged = mergeSighting(known, day, tainted);
    if (!merged.changed) return;
    if (known === undefined && (scope.days.get(day)?.fresh ?? 0) >= maxFreshADay(name)) {
      this.dropped++;
      return;
    }
    scope.destinations.set(destination, merged.entry);
    if (merged.seenAdded || merged.freshMoved !== undefined) this.countDay(scope, day, merged);
  }

  /** Keeps the day counts of a scope the same function of its sightings whatever their order. */
  private countDay(scope: Scope, day: number, merged: Merged): void {
    const oldest = Math.max(this.horizon, Math.max(scope.newest, day) - WINDOW_DAYS + 1);
    if (day >= oldest) {
      const count = scope.days.get(day) ?? { seen: 0, fresh: 0 };
      const fresh = count.fresh + (merged.freshMoved === undefined ? 0 : 1);
      scope.days.set(day, { seen: count.seen + (merged.seenAdded ? 1 : 0), fresh });
    }
    const from = merged.freshMoved?.from;
    const before = from === undefined || from < oldest ? undefined : scope.days.get(from);
    if (from !== undefined && before !== undefined) scope.days.set(from, { ...before, fresh: before.fresh - 1 });
    if (day > scope.newest && day >= this.horizon) {
      scope.newest = day;
      trim(scope, oldest);
    }
  }

  private scopeOf(name: string): Scope {
    let scope = this.scopes.get(name);
    if (scope === undefined) {
      scope = { destinations: new Map(), days: new Map(), newest: -1 };
      this.scopes.set(name, scope);
    }
    return scope;
  }
}

function trim(scope: Scope, oldest: number): void {
  for (const day of scope.days.keys()) if (day < oldest) scope.days.delete(day);
}
