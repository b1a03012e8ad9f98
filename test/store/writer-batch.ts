import type { Fact, Observation } from '../../enrich/store/store.ts';

/** What embedded-writer.ts puts as its batch of this number. */
export function writerBatch(batch: number): { facts: Fact[]; observations: Observation[] } {
  const numbers = Array.from({ length: 20 }, (_, i) => batch * 20 + i);
  return {
    facts: numbers.map((n) => ({
      shard: `host:${n % 7}`,
      kind: 'connection',
      id: `c${n}`,
      at: n,
      keys: [`port:${n % 50}`],
      version: 1,
      body: { n, pad: 'x'.repeat(n % 300) },
    })),
    observations: numbers.map((n) => ({
      scope: `host:${n % 7}`,
      destination: `domain:${n}`,
      day: 20_000 + (n % 3),
      tainted: false,
    })),
  };
}
