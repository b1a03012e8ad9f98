import { beforeEach, expect, it } from 'vitest';
import type { Observation } from '../../enrich/store/store.ts';
import { codeOf, fact, type Opened } from './fixtures.ts';

const DAY = 86_400_000_000;

export function expireContract(open: () => Promise<Opened>): void {
  let opened: Opened;
  beforeEach(async () => {
    opened = await open();
    return () => opened.remove();
  });

  it('forgets facts before a time and keeps the others whole', async () => {
    const { store } = opened;
    const facts = Array.from({ length: 40 }, (_, i) =>
      fact({ shard: `host:${i % 3}`, id: `${i}`, at: i, keys: ['k'] }),
    );
    await store.put(facts);
    expect(await store.expire(30)).toBe(30);
    expect(await store.expire(30)).toBe(0);
    expect(await store.get('host:2', 'flow', '29')).toBeUndefined();
    const left = [];
    for (const shard of ['host:0', 'host:1', 'host:2']) {
      left.push(...(await store.find(shard, 'flow', 'k', 99)), ...(await store.between(shard, 'flow', 0, 99, 99)));
    }
    expect(left.map((f) => Number(f.id)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => 30 + (i >> 1)),
    );
    expect(await store.put([facts[0]!])).toEqual([true]);
  });

  it('no longer lists a shard whose facts all went', async () => {
    const { store } = opened;
    await store.put([fact({ shard: 'host:old', at: 1 }), fact({ shard: 'host:new', at: 9 })]);
    await store.expire(5);
    const shards: string[] = [];
    for await (const each of store.shards('flow')) shards.push(each);
    expect(shards).toEqual(['host:new']);
  });

  it('forgets destinations not seen since, and the novelty of those days', async () => {
    const { store } = opened;
    const seen = (destination: string, day: number): Observation => ({
      scope: 'org',
      destination,
      day,
      tainted: false,
    });
    await store.observe([seen('gone', 10), seen('stays', 9), seen('stays', 20)]);
    expect(await store.expire(11 * DAY - 1)).toBe(0);
    expect(await store.expire(11 * DAY)).toBe(1);
    expect(await store.familiarity([seen('gone', 0), seen('stays', 0)])).toEqual([
      undefined,
      { firstDay: 9, lastDay: 20, days: 2049, firstTainted: false },
    ]);
    expect(await store.novelty('org', 0, 99)).toEqual([{ day: 20, seen: 1, fresh: 0 }]);
    await store.observe([seen('stays', 8), seen('late', 10), seen('late', 12)]);
    expect(await store.novelty('org', 0, 99)).toEqual([
      { day: 12, seen: 1, fresh: 0 },
      { day: 20, seen: 1, fresh: 0 },
    ]);
  });

  it('keeps alerts', async () => {
    const { store } = opened;
    await store.putAlert({ id: 'a', at: 1, revision: 1, body: null });
    await store.expire(Infinity);
    expect(await store.getAlert('a')).toBeDefined();
  });

  it('says that it is closed', async () => {
    const { store } = opened;
    await store.close();
    await store.close();
    expect(await codeOf(store.put([fact()]))).toBe('closed');
    expect(await codeOf(store.get('host:a', 'flow', 'f1'))).toBe('closed');
    expect(await codeOf(store.listAlerts({ limit: 1 }))).toBe('closed');
  });
}
