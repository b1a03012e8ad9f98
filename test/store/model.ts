import type { Fact, Familiarity, FamiliarityKey, NoveltyDay, Observation } from '../../enrich/store/store.ts';

/** What a store must answer, said as plainly as possible: lists, scanned from end to end at each question. */
export class Model {
  private readonly facts = new Map<string, Fact>();
  private readonly observations: Observation[] = [];

  put(facts: readonly Fact[]): boolean[] {
    return facts.map((fact) => {
      const name = JSON.stringify([fact.shard, fact.kind, fact.id]);
      const known = this.facts.get(name);
      if (known !== undefined && !beats(fact, known)) return false;
      this.facts.set(name, { ...fact, body: JSON.parse(JSON.stringify(fact.body)) });
      return true;
    });
  }

  get(shard: string, kind: string, id: string): Fact | undefined {
    return this.facts.get(JSON.stringify([shard, kind, id]));
  }

  find(shard: string, kind: string, key: string, limit: number): Fact[] {
    return newest(
      this.all(shard, kind).filter((fact) => fact.keys.includes(key)),
      limit,
    );
  }

  between(shard: string, kind: string, from: number, to: number, limit: number): Fact[] {
    return newest(
      this.all(shard, kind).filter((fact) => fact.at >= from && fact.at <= to),
      limit,
    );
  }

  expire(before: number): number {
    const old = [...this.facts].filter(([, fact]) => fact.at < before);
    for (const [name] of old) this.facts.delete(name);
    return old.length;
  }

  observe(observations: readonly Observation[]): void {
    this.observations.push(...observations);
  }

  familiarity({ scope, destination }: FamiliarityKey): Familiarity | undefined {
    const sightings = this.observations.filter((o) => o.scope === scope && o.destination === destination);
    if (sightings.length === 0) return undefined;
    const firstDay = Math.min(...sightings.map((o) => o.day));
    const lastDay = Math.max(...sightings.map((o) => o.day));
    const days = new Set(sightings.map((o) => lastDay - o.day).filter((ago) => ago < 32));
    return {
      firstDay,
      lastDay,
      days: [...days].reduce((sum, ago) => sum + 2 ** ago, 0),
      firstTainted: sightings.some((o) => o.day === firstDay && o.tainted),
    };
  }

  novelty(scope: string, fromDay: number, toDay: number): NoveltyDay[] {
    const own = this.observations.filter((o) => o.scope === scope);
    const newestDay = Math.max(...own.map((o) => o.day));
    const destinations = [...new Set(own.map((o) => o.destination))];
    const days = [...new Set(own.map((o) => o.day))].sort((a, b) => a - b);
    return days
      .filter((day) => day >= fromDay && day <= toDay && day > newestDay - 32)
      .map((day) => ({
        day,
        seen: new Set(own.filter((o) => o.day === day).map((o) => o.destination)).size,
        fresh: destinations.filter((destination) => this.familiarity({ scope, destination })?.firstDay === day).length,
      }));
  }

  private all(shard: string, kind: string): Fact[] {
    return [...this.facts.values()].filter((fact) => fact.shard === shard && fact.kind === kind);
  }
}

function beats(ours: Fact, theirs: Fact): boolean {
  if (ours.version !== theirs.version) return ours.version > theirs.version;
  if (ours.at !== theirs.at) return ours.at > theirs.at;
  const json = (fact: Fact) => Buffer.from(JSON.stringify([fact.keys, fact.body]));
  return json(ours).compare(json(theirs)) > 0;
}

function newest(facts: Fact[], limit: number): Fact[] {
  const ordered = facts.sort((a, b) => a.at - b.at || Buffer.from(a.id).compare(Buffer.from(b.id)));
  return ordered.slice(Math.max(0, ordered.length - limit));
}
