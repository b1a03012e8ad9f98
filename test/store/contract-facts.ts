import { expect, it } from 'vitest';
import { MAX_BODY_BYTES, MAX_KEYS, MAX_NAME_BYTES } from '../../enrich/store/limits.ts';
import type { Fact, FactQuery, Store } from '../../enrich/store/store.ts';
import { codeOf, fact, unused } from './fixtures.ts';

export function factContract(the: () => Store, shard: () => string): void {
  it('gives a fact back as it was put', async () => {
    const put = fact({
      shard: shard(),
      id: 'ü\u0000\n{}',
      keys: ['a', 'b{c}', '\u{1f4e6}'],
      body: { deep: [1, 'x', null] },
    });
    expect(await the().put([put])).toEqual([true]);
    expect(await the().get(put.shard, 'flow', put.id)).toEqual(put);
  });

  it('has nothing under a name that was not put', async () => {
    await the().put([fact({ shard: shard() })]);
    expect(await the().get(shard(), 'flow', 'other')).toBeUndefined();
    expect(await the().get(shard(), 'dns', 'f1')).toBeUndefined();
    expect(await the().get(unused('host'), 'flow', 'f1')).toBeUndefined();
    expect(await the().get(shard(), 'flow', '')).toBeUndefined();
    expect(await the().get(shard(), 'flow', 'x'.repeat(5_000))).toBeUndefined();
  });

  it('says for each fact of a batch whether it changed anything', async () => {
    const first = fact({ shard: shard() });
    expect(await the().put([first, first, fact({ shard: shard(), version: 2 }), first])).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(await the().put([])).toEqual([]);
  });

  it('takes a replaced fact out of the index and the times it stood under', async () => {
    await the().put([fact({ shard: shard(), at: 10, keys: ['old', 'both'] })]);
    await the().put([fact({ shard: shard(), at: 20, keys: ['new', 'both'], version: 2 })]);
    expect(await the().find(shard(), 'flow', 'old', 9)).toEqual([]);
    expect((await the().find(shard(), 'flow', 'new', 9)).map((f) => f.at)).toEqual([20]);
    expect((await the().find(shard(), 'flow', 'both', 9)).map((f) => f.at)).toEqual([20]);
    expect(await the().between(shard(), 'flow', 0, 15, 9)).toEqual([]);
    expect(await the().count(shard(), 'flow', 0, 15)).toBe(0);
  });

  it('keeps facts of different shards and kinds apart', async () => {
    const other = unused('host');
    await the().put([
      fact({ shard: shard(), keys: ['k'] }),
      fact({ shard: shard(), kind: 'dns', keys: ['k'] }),
      fact({ shard: other, keys: ['k'], body: 'other' }),
    ]);
    expect((await the().find(other, 'flow', 'k', 9)).map((f) => f.body)).toEqual(['other']);
    expect(await the().count(shard(), 'flow', 0, Infinity)).toBe(1);
  });

  it('finds facts at both ends of an interval, and none in an interval that is none', async () => {
    await the().put([5, 6, 7, 8].map((at) => fact({ shard: shard(), id: `${at}`, at })));
    const ats = async (from: number, to: number) =>
      (await the().between(shard(), 'flow', from, to, 9)).map((f) => f.at);
    expect(await ats(6, 7)).toEqual([6, 7]);
    expect(await ats(-Infinity, Infinity)).toEqual([5, 6, 7, 8]);
    expect(await ats(7, 6)).toEqual([]);
    expect(await ats(Number.NaN, 9)).toEqual([]);
    expect(await the().count(shard(), 'flow', 6, 8)).toBe(3);
    expect(await the().count(shard(), 'flow', 8, 6)).toBe(0);
  });

  it('gives the newest facts, oldest of them first, when there are more than the limit', async () => {
    const many = Array.from({ length: 30 }, (_, i) => fact({ shard: shard(), id: `${i}`, at: i >> 1, keys: ['k'] }));
    await the().put(many);
    const newest = ['8', '9'].map((i) => `2${i}`);
    expect((await the().find(shard(), 'flow', 'k', 2)).map((f) => f.id)).toEqual(newest);
    expect((await the().between(shard(), 'flow', 0, 99, 2)).map((f) => f.id)).toEqual(newest);
    expect(await the().find(shard(), 'flow', 'k', 0)).toEqual([]);
    expect(await the().find(shard(), 'flow', 'k', Infinity)).toHaveLength(30);
    expect(await the().between(shard(), 'flow', 0, 99, -1)).toEqual([]);
  });

  it('answers many questions at once as it answers each by itself', async () => {
    const shards = Array.from({ length: 12 }, () => unused('host'));
    const facts = shards.flatMap((each, n) =>
      Array.from({ length: 30 }, (_, i) =>
        fact({ shard: each, kind: n % 3 === 0 ? 'dns' : 'flow', id: `${i}`, at: i >> 1, keys: [`k${i % 3}`] }),
      ),
    );
    await the().put(facts);
    const found: FactQuery[] = [...shards, shard()].flatMap((each) =>
      (['flow', 'dns'] as const).flatMap((kind) =>
        [0, 1, 4, 10_000].map((limit) => ({ shard: each, kind, key: `k${limit % 3}`, limit })),
      ),
    );
    const between = shards.flatMap((each) =>
      [-1, 0, 3, 9_999].map((limit) => ({ shard: each, kind: 'flow' as const, from: limit, to: 11, limit })),
    );
    const alone = [
      ...(await Promise.all(found.map((q) => 'key' in q && the().find(q.shard, q.kind, q.key, q.limit)))),
      ...(await Promise.all(between.map((q) => the().between(q.shard, q.kind, q.from, q.to, q.limit)))),
    ];
    expect(await the().query([...found, ...between])).toEqual(alone);
    expect(await the().query([])).toEqual([]);
  });

  it('finds a key within an interval, both ends included, and of more than the limit the newest', async () => {
    const times = [-3, 0, 0, 1, 2, 3, 5, 8, 1.5e15];
    await the().put(times.map((at, i) => fact({ shard: shard(), id: `${i}`, at, keys: [i === 4 ? 'other' : 'k'] })));
    const ends = [-Infinity, -3, 0, 1, 2, 4, 8, 1.5e15, Infinity, Number.NaN, undefined];
    const spans = ends.flatMap((from) => ends.flatMap((to) => [1, 3, 99].map((limit) => ({ from, to, limit }))));
    const asked = spans.map(({ from, to, limit }) => ({
      ...{ shard: shard(), kind: 'flow' as const, key: 'k', limit },
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    }));
    const all = await the().find(shard(), 'flow', 'k', 99);
    const within = spans.map(({ from = -Infinity, to = Infinity, limit }) =>
      all.filter(({ at }) => at >= from && at <= to).slice(-limit),
    );
    expect(await the().query(asked)).toEqual(within);
  });

  it('gives the oldest facts of an interval where these are asked for', async () => {
    await the().put(Array.from({ length: 9 }, (_, at) => fact({ shard: shard(), id: `${at}`, at })));
    const span = { shard: shard(), kind: 'flow', from: 2, to: 6 } as const;
    const answers = await the().query([
      { ...span, limit: 3, oldest: true },
      { ...span, limit: 9, oldest: true },
      { ...span, limit: 0, oldest: true },
      { ...span, from: 7, limit: 3, oldest: true },
    ]);
    expect(answers.map((facts) => facts.map((f) => f.at))).toEqual([[2, 3, 4], [2, 3, 4, 5, 6], [], []]);
  });

  it('says of which kinds a shard may have facts', async () => {
    const [both, one] = [unused('host'), unused('host')];
    await the().put([fact({ shard: both }), fact({ shard: both, kind: 'gap' }), fact({ shard: one, kind: 'dns' })]);
    const kinds = await the().kinds([one, both, unused('host'), both]);
    expect(kinds.map((each) => [...each].sort())).toEqual([['dns'], ['flow', 'gap'], [], ['flow', 'gap']]);
    expect(await the().kinds([])).toEqual([]);
  });

  it('lists the shards that have facts of a kind', async () => {
    const shards = [unused('host'), unused('ip'), unused('host')];
    await the().put(shards.map((each) => fact({ shard: each, kind: 'gap' })));
    await the().put([fact({ shard: shard(), kind: 'lease' })]);
    const listed: string[] = [];
    for await (const each of the().shards('gap')) listed.push(each);
    expect(listed).toEqual(expect.arrayContaining(shards));
    expect(listed).not.toContain(shard());
    expect(new Set(listed).size).toBe(listed.length);
  });
}

export function limitContract(the: () => Store, shard: () => string): void {
  const broken: [string, Partial<Fact>][] = [
    ['a body over 64 KiB', { body: 'x'.repeat(MAX_BODY_BYTES) }],
    ['a body that is not JSON', { body: 1n }],
    ['a time that is not a number', { at: Number.NaN }],
    ['a version that is not a number', { version: Infinity }],
    ['nine keys', { keys: Array.from({ length: MAX_KEYS + 1 }, (_, i) => `${i}`) }],
    ['a key over 512 bytes', { keys: ['ü'.repeat(MAX_NAME_BYTES / 2 + 1)] }],
    ['an empty id', { id: '' }],
    ['an id over 512 bytes', { id: 'x'.repeat(MAX_NAME_BYTES + 1) }],
    ['an empty shard', { shard: '' }],
  ];
  it.each(broken)('refuses the whole batch, naming the fact, for %s', async (_, changes) => {
    const good = fact({ shard: shard() });
    const call = the().put([good, fact({ shard: shard(), id: 'f2', ...changes })]);
    await expect(call).rejects.toMatchObject({ name: 'StoreError', code: 'refused', index: 1 });
    expect(await the().get(shard(), 'flow', 'f1')).toBeUndefined();
  });

  it('takes a fact that is just within every limit', async () => {
    const keys = Array.from({ length: MAX_KEYS }, (_, i) => `${i}`.repeat(MAX_NAME_BYTES));
    const largest = fact({
      shard: shard(),
      id: 'x'.repeat(MAX_NAME_BYTES),
      keys,
      body: 'y'.repeat(MAX_BODY_BYTES - 2),
    });
    await the().put([largest]);
    expect(await the().find(shard(), 'flow', keys[7]!, 1)).toEqual([largest]);
  });

  it('refuses observations of impossible days and of no destination', async () => {
    const base = { scope: unused('host'), destination: 'domain:a', day: 1, tainted: false };
    for (const wrong of [
      { day: -1 },
      { day: 1.5 },
      { day: 65_536 },
      { day: Number.NaN },
      { destination: '' },
      { scope: '' },
    ]) {
      expect(await codeOf(the().observe([base, { ...base, ...wrong }]))).toBe('refused');
    }
    expect(await the().familiarity([base])).toEqual([undefined]);
  });
}
