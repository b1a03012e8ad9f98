import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES, MAX_KEYS, MAX_NAME_BYTES } from '../../enrich/store/limits.ts';
import type { Fact, Observation, Store, StoredAlert } from '../../enrich/store/store.ts';
import { StoreError, type StoreErrorCode } from '../../enrich/store/store-error.ts';
import { Model } from './model.ts';

export interface Opened {
  readonly store: Store;
  /** Closes the store and removes what it left. */
  readonly remove: () => Promise<void>;
}

let serial = 0;

/** A name that no other test has used. */
export function unused(prefix: string): string {
  serial++;
  return `${prefix}:${serial}`;
}

export function fact(changes: Partial<Fact> = {}): Fact {
  return {
    shard: 'host:a',
    kind: 'flow',
    id: 'f1',
    at: 1_700_000_000_000_000,
    keys: [],
    version: 1,
    body: {},
    ...changes,
  };
}

/** Says which code a call rejects with. */
export async function codeOf(call: Promise<unknown>): Promise<StoreErrorCode | 'none' | 'not a StoreError'> {
  try {
    await call;
    return 'none';
  } catch (error) {
    return error instanceof StoreError ? error.code : 'not a StoreError';
  }
}

/** What every implementation of Store must do. `open` gives an empty one; `effort` scales the runs of properties. */
export function storeContract(name: string, open: () => Promise<Opened>, effort = 1): void {
  describe(`${name} as a Store`, () => {
    let opened: Opened;
    let shard: string;
    const the = (): Store => opened.store;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.remove());
    beforeEach(() => {
      shard = unused('host');
    });

    factContract(the, () => shard);
    limitContract(the, () => shard);
    orderContract(the, effort);
    familiarityContract(the, effort);
    alertContract(the);
  });

  describe(`${name} as the memory of an organisation`, () => {
    wideContract(open, effort);
  });

  describe(`${name} as a Store that forgets`, () => {
    expireContract(open);
  });
}

function factContract(the: () => Store, shard: () => string): void {
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

function limitContract(the: () => Store, shard: () => string): void {
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

const ids = fc.constantFrom('a', 'b', 'c', 'aa', 'ü');
const anyFact = fc.record({
  shard: fc.constantFrom('s', 't'),
  kind: fc.constantFrom('flow' as const, 'staging' as const),
  id: ids,
  at: fc.oneof(fc.integer({ min: -3, max: 6 }), fc.constantFrom(0.5, 1.7e15, 1.7e15 + 1)),
  keys: fc.array(fc.constantFrom('k', 'l', 'kk'), { maxLength: 3 }),
  version: fc.integer({ min: 0, max: 2 }),
  body: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('x', 'é', null), fc.record({ n: fc.nat(2) })),
});

/** The same things in another order, some of them twice, cut into batches. */
function retold<T>(things: readonly T[]): fc.Arbitrary<T[][]> {
  const again = fc.shuffledSubarray([...things]);
  const shuffled = fc.shuffledSubarray([...things], { minLength: things.length });
  return fc.tuple(shuffled, again, fc.integer({ min: 1, max: 7 })).map(([all, twice, size]) => {
    const told = [...all, ...twice];
    return Array.from({ length: Math.ceil(told.length / size) }, (_, i) => told.slice(i * size, (i + 1) * size));
  });
}

const story = fc.array(anyFact, { maxLength: 25 }).chain((facts) => fc.tuple(fc.constant(facts), retold(facts)));

function orderContract(the: () => Store, effort: number): void {
  it('answers the same for any order, repetition and batching of the same facts', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ([facts, batches]) => {
        const model = new Model();
        model.put(facts);
        const space = unused('space');
        const inSpace = (f: Fact): Fact => ({ ...f, shard: `${space}:${f.shard}` });
        for (const batch of batches) await the().put(batch.map(inSpace));
        await expectAnswers(the(), model, inSpace);
      }),
      { numRuns: 60 * effort },
    );
  });

  it('answers the same when the batches are put at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ([facts, batches]) => {
        const model = new Model();
        model.put(facts);
        const space = unused('space');
        const inSpace = (f: Fact): Fact => ({ ...f, shard: `${space}:${f.shard}` });
        await Promise.all(batches.map((batch) => the().put(batch.map(inSpace))));
        await expectAnswers(the(), model, inSpace);
      }),
      { numRuns: 40 * effort },
    );
  });

  it('says what changed as the model does', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ([, batches]) => {
        const model = new Model();
        const space = unused('space');
        for (const batch of batches) {
          expect(await the().put(batch.map((f) => ({ ...f, shard: `${space}:${f.shard}` })))).toEqual(model.put(batch));
        }
      }),
      { numRuns: 30 * effort },
    );
  });
}

async function expectAnswers(store: Store, model: Model, inSpace: (fact: Fact) => Fact): Promise<void> {
  const spaced = (facts: Fact[]) => facts.map(inSpace);
  for (const shard of ['s', 't']) {
    const at = inSpace(fact({ shard })).shard;
    for (const kind of ['flow', 'staging'] as const) {
      for (const id of ['a', 'b', 'ü']) {
        const known = model.get(shard, kind, id);
        expect(await store.get(at, kind, id)).toEqual(known === undefined ? undefined : inSpace(known));
      }
      for (const [key, limit] of [
        ['k', 50],
        ['l', 2],
        ['kk', 1],
      ] as const) {
        expect(await store.find(at, kind, key, limit)).toEqual(spaced(model.find(shard, kind, key, limit)));
      }
      for (const [from, to, limit] of [
        [-9, 2e15, 50],
        [0, 3, 2],
        [1, 1, 50],
        [0.25, 0.75, 9],
      ] as const) {
        expect(await store.between(at, kind, from, to, limit)).toEqual(
          spaced(model.between(shard, kind, from, to, limit)),
        );
        expect(await store.count(at, kind, from, to)).toBe(model.between(shard, kind, from, to, Infinity).length);
      }
    }
  }
}

const SCOPES = ['host', 'user', 'identity'];
const anyObservation: fc.Arbitrary<Observation> = fc.record({
  scope: fc.constantFrom(...SCOPES),
  destination: fc.constantFrom('domain:a.example', 'domain:b.example', 'tenant:c', 'domain:d'),
  // Days around a month apart as well as next to each other, so that bitmaps and windows slide.
  day: fc.oneof(
    fc.integer({ min: 100, max: 104 }),
    fc.integer({ min: 60, max: 150 }),
    fc.constantFrom(0, 131, 132, 133),
  ),
  tainted: fc.boolean(),
});

const sightings = fc.array(anyObservation, { maxLength: 30 }).chain((all) => fc.tuple(fc.constant(all), retold(all)));

function familiarityContract(the: () => Store, effort: number): void {
  it('knows the days of a destination and nothing of another', async () => {
    const scope = unused('host');
    await the().observe([
      { scope, destination: 'domain:a', day: 20_000, tainted: true },
      { scope, destination: 'domain:a', day: 20_003, tainted: false },
    ]);
    const known = { firstDay: 20_000, lastDay: 20_003, days: 0b1001, firstTainted: true };
    const asked = [
      { scope, destination: 'domain:b' },
      { scope, destination: 'domain:a' },
      { scope: unused('host'), destination: 'domain:a' },
    ];
    expect(await the().familiarity(asked)).toEqual([undefined, known, undefined]);
    expect(await the().familiarity([])).toEqual([]);
  });

  it('keeps all 32 days, unsigned', async () => {
    const scope = unused('host');
    const days = Array.from({ length: 40 }, (_, i) => ({ scope, destination: 'd', day: 500 + i, tainted: false }));
    await the().observe(days);
    expect(await the().familiarity([{ scope, destination: 'd' }])).toEqual([
      { firstDay: 500, lastDay: 539, days: 0xffffffff, firstTainted: false },
    ]);
  });

  it('moves what was new to a day when an earlier sighting arrives late', async () => {
    const scope = unused('host');
    const seen = (destination: string, day: number) => the().observe([{ scope, destination, day, tainted: false }]);
    await seen('a', 110);
    await seen('b', 110);
    await seen('a', 105);
    expect(await the().novelty(scope, 0, 999)).toEqual([
      { day: 105, seen: 1, fresh: 1 },
      { day: 110, seen: 2, fresh: 1 },
    ]);
    expect(await the().novelty(scope, 106, 109)).toEqual([]);
    expect(await the().novelty(scope, 110, 110)).toHaveLength(1);
    expect(await the().novelty(scope, 999, 0)).toEqual([]);
    expect(await the().novelty(unused('host'), 0, 999)).toEqual([]);
  });

  it('makes familiarity and novelty a function of the set of sightings', async () => {
    await fc.assert(
      fc.asyncProperty(sightings, async ([all, batches]) => {
        const space = unused('space');
        const model = new Model();
        const inSpace = (o: Observation) => ({ ...o, scope: `${o.scope}:${space}` });
        model.observe(all.map(inSpace));
        for (const batch of batches) await the().observe(batch.map(inSpace));
        for (const scope of SCOPES.map((each) => `${each}:${space}`)) {
          expect(await the().novelty(scope, 0, 999)).toEqual(model.novelty(scope, 0, 999));
          const asked = ['domain:a.example', 'domain:b.example', 'tenant:c', 'x'].map((destination) => ({
            scope,
            destination,
          }));
          expect(await the().familiarity(asked)).toEqual(asked.map((query) => model.familiarity(query)));
        }
      }),
      { numRuns: 80 * effort },
    );
  });
}

function alertContract(the: () => Store): void {
  const alert = (changes: Partial<StoredAlert>): StoredAlert => ({
    id: 'a',
    at: 1,
    revision: 1,
    body: { x: 1 },
    ...changes,
  });

  it('keeps the alert with the higher revision', async () => {
    const id = unused('alert');
    expect(await the().putAlert(alert({ id, revision: 2, body: 'two' }))).toBe(true);
    expect(await the().putAlert(alert({ id, revision: 1, body: 'one' }))).toBe(false);
    expect(await the().putAlert(alert({ id, revision: 2, body: 'two' }))).toBe(false);
    expect(await the().putAlert(alert({ id, revision: 10, body: 'ten', at: 7 }))).toBe(true);
    expect(await the().getAlert(id)).toEqual({ id, revision: 10, at: 7, body: 'ten' });
    await the().dropAlert(id);
  });

  it('lists alerts newest first, once each, before a time when asked', async () => {
    const names = ['p', 'q', 'r', 's'].map(unused);
    for (const [i, id] of names.entries()) await the().putAlert(alert({ id, at: 100 + i, revision: 1 }));
    await the().putAlert(alert({ id: names[0]!, at: 200, revision: 2 }));
    const listed = async (options: { limit: number; before?: number }) =>
      (await the().listAlerts(options)).map((a) => a.id);
    expect(await listed({ limit: 9 })).toEqual([names[0], names[3], names[2], names[1]]);
    expect(await listed({ limit: 2 })).toEqual([names[0], names[3]]);
    expect(await listed({ limit: 9, before: 103 })).toEqual([names[2], names[1]]);
    for (const id of names) await the().dropAlert(id);
    expect(await listed({ limit: 9 })).toEqual([]);
  });

  it('forgets a dropped alert and takes no offence at one it never had', async () => {
    const id = unused('alert');
    await the().putAlert(alert({ id }));
    await the().dropAlert(id);
    await the().dropAlert(id);
    await the().dropAlert('x'.repeat(5_000));
    expect(await the().getAlert(id)).toBeUndefined();
    expect(await the().listAlerts({ limit: 9 })).toEqual([]);
  });

  it('refuses an alert over its limit', async () => {
    expect(await codeOf(the().putAlert(alert({ body: 'x'.repeat(256 * 1024) })))).toBe('refused');
    expect(await codeOf(the().putAlert(alert({ id: '' })))).toBe('refused');
  });
}

const DAY = 86_400_000_000;

function wideContract(open: () => Promise<Opened>, effort: number): void {
  it('makes familiarity and novelty of the organisation a function of the set of sightings', async () => {
    await fc.assert(
      fc.asyncProperty(sightings, async ([all, batches]) => {
        const { store, remove } = await open();
        const model = new Model();
        const inOrg = (o: Observation) => ({ ...o, scope: 'org' });
        model.observe(all.map(inOrg));
        for (const batch of batches) await store.observe(batch.map(inOrg));
        expect(await store.novelty('org', 0, 999)).toEqual(model.novelty('org', 0, 999));
        const asked = ['domain:a.example', 'tenant:c', 'x'].map((destination) => ({ scope: 'org', destination }));
        expect(await store.familiarity(asked)).toEqual(asked.map((query) => model.familiarity(query)));
        await remove();
      }),
      { numRuns: 20 * effort },
    );
  });
}

function expireContract(open: () => Promise<Opened>): void {
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
