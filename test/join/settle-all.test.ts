import { describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import { flowDays } from '../../enrich/pipeline/flow-days.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { Fact } from '../../enrich/store/store.ts';
import { connection, DAY, flow, HOUR, MORNING, program, putAll } from './world.ts';

const tool = program('tool', 'C:\\Tools\\tool.exe');
/** Before midnight a flow that nothing explains, after it one with the same hello that is explained. */
const before = flow(MORNING + 14 * HOUR, { port: 50_000, ja4: 't13d_a' });
const after = flow(MORNING + 20 * HOUR, { port: 50_001, ja4: 't13d_a' });
const claim = connection(MORNING + 13 * HOUR, tool, flow(MORNING, { port: 1, ip: '192.0.2.2' }));
const items = [claim, connection(MORNING + 20 * HOUR, tool, after), before, after];

describe('a flow that a match of the next day concerns', () => {
  it.each(['settle', 'settleAll'] as const)('is told of once by %s, with what both days know', async (how) => {
    const enricher = new Enricher(openMemory(), defaultSettings());
    await putAll(enricher, items, { touch: how === 'settle' ? 'changed' : 'none' });
    const told: string[] = [];
    await enricher[how](({ record, join }) => told.push(`${record.source.port} ${join.method}`));
    expect(told).toEqual(['50000 ja4', '50001 tuple']);
  });
});

describe('flows of a store by day', () => {
  const fact = (ip: string, id: string, at: number): Fact => {
    return { shard: `ip:${ip}`, kind: 'flow', id, at, keys: [], version: 0, body: {} };
  };
  const daysOf = async (facts: readonly Fact[]) => {
    const store = openMemory();
    await store.put(facts);
    const days = new Map<number, string[]>();
    let most = 0;
    for await (const { end, flows } of flowDays(store)) {
      most = Math.max(most, flows.length);
      days.set(end, [...(days.get(end) ?? []), ...flows.map(({ id }) => id)]);
    }
    return { most, days: [...days].map(([end, ids]) => [end / DAY, ids.length, new Set(ids).size]) };
  };

  it('are all of them, the earliest day first, days without any left out', async () => {
    const facts = [fact('a', '1', 0), fact('b', '2', DAY - 1), fact('a', '3', DAY), fact('c', '4', 900 * DAY)];
    expect((await daysOf(facts)).days).toEqual([
      [1, 2, 2],
      [2, 1, 1],
      [901, 1, 1],
    ]);
    expect((await daysOf([])).days).toEqual([]);
  });

  it('come in parts of at most 10,000, each once, however many begin at one moment', async () => {
    const busy = Array.from({ length: 25_000 }, (_, i) => fact('a', `${i}`, Math.floor(i / 7_000)));
    const others = Array.from({ length: 300 }, (_, i) => fact(`b${i}`, `${i}-b`, 5));
    const { most, days } = await daysOf([...busy, ...others]);
    expect(days).toEqual([[1, 25_300, 25_300]]);
    expect(most).toBeLessThanOrEqual(10_000);
  });
});
