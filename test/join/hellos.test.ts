import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { hostShard, type JoinedBody } from '../../enrich/join/facts.ts';
import type { JoinResult } from '../../enrich/join/join-flow.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { Store } from '../../enrich/store/store.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { connection, flow, HOST, HOUR, MINUTE, MORNING, program, putAll, SECOND } from './world.ts';

const HELLO = 't13d1516h2_8daaf6152771_b186095e22b6';
const made = (name: string) => program(name, `C:\\Tools\\${name}.exe`);
const [mail, tool, twin] = [made('mail'), made('tool'), made('twin')];
type Item = EndpointEvent | FlowRecord;

const all = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };
const count = (store: Store, kind: 'hello' | 'match'): Promise<number> =>
  store.count(hostShard(HOST.id), kind, all.from, all.to);

/** Of each flow the join that the store has in the end. */
async function joinsIn(store: Store): Promise<Record<string, JoinResult>> {
  const facts = await store.between(hostShard(HOST.id), 'joined', all.from, all.to, 10_000);
  return Object.fromEntries(facts.map(({ id, body }) => [id, (body as JoinedBody).join]));
}

describe('the hellos of a process', () => {
  const flows = Array.from({ length: 500 }, (_, i) => flow(MORNING + i * SECOND, { port: 20_000 + i, ja4: HELLO }));
  const events = flows.map((one, i) => connection(MORNING + (i + 1) * SECOND, mail, one));

  it('are kept once an hour and name, and what tells of its clock no more often than a clock is learned from', async () => {
    const store = openMemory();
    const enricher = new Enricher(store, defaultSettings());
    for (let i = 0; i < flows.length; i += 50) {
      await putAll(enricher, [...events.slice(i, i + 50), ...flows.slice(i, i + 50)]);
      await enricher.settle();
    }
    expect(await count(store, 'hello')).toBe(1);
    expect(await count(store, 'match')).toBeLessThan(64 + 50);
    expect(Object.keys(await joinsIn(store))).toHaveLength(500);
  });

  it('are all told again to a store that may have lost some', async () => {
    const store = openMemory();
    let losses = 0;
    const enricher = new Enricher({ ...forwarding(store), losses: () => losses }, defaultSettings());
    await putAll(enricher, [events[9]!, flows[9]!]);
    await enricher.settle();
    await store.expire(Number.MAX_SAFE_INTEGER);
    losses++;
    await putAll(enricher, [events[10]!, flows[10]!]);
    await enricher.settle();
    expect(await count(store, 'hello')).toBe(1);
  });

  it('still tell of one that greeted the same name hours ago, however often another did since', async () => {
    const early = flow(MORNING - 5 * HOUR, { port: 19_000, ja4: HELLO });
    const other = connection(MORNING - 5 * HOUR, tool, early);
    const lost = flow(MORNING + HOUR / 2, { port: 19_001, ja4: HELLO });
    const enricher = new Enricher(openMemory(), defaultSettings());
    await putAll(enricher, [...events, ...flows, early, other, lost]);
    const joins: JoinResult[] = [];
    await enricher.settle(({ record, join }) => void (record === lost && joins.push(join)));
    expect(joins.at(-1)).toMatchObject({ method: 'lease', probability: 0 });
    expect(joins.at(-1)!.process).toBeUndefined();
  });
});

/** Flows of three processes to two names about the turn of an hour; some tuples are used by two of them, some events are lost. */
const world = fc
  .array(
    fc.record({
      minute: fc.integer({ min: 50, max: 70 }),
      maker: fc.constantFrom(mail, tool, twin),
      second: fc.constantFrom(undefined, undefined, undefined, mail, tool, twin),
      apart: fc.constantFrom(5, 40, 3_000),
      name: fc.constantFrom('one.example.net', 'two.example.net'),
      isLost: fc.boolean(),
    }),
    { minLength: 4, maxLength: 10 },
  )
  .map((connections) =>
    connections.flatMap(({ minute, maker, second, apart, name, isLost }, i): Item[] => {
      const at = MORNING + minute * MINUTE + i;
      const one = flow(at, { port: 30_000 + i, name, ja4: HELLO });
      const own = isLost ? [] : [connection(at + SECOND, maker, one)];
      const again =
        second === undefined
          ? []
          : [connection(at + apart * SECOND, second, one, { id: `again-${i}`, process: second })];
      return [one, ...own, ...again];
    }),
  );

describe('joins', () => {
  it('are the same for every order, repetition and division of flows and events, by one worker or by two', async () => {
    await fc.assert(
      fc.asyncProperty(
        world.chain((items) =>
          fc.record({
            items: fc.constant(items),
            shuffled: fc.shuffledSubarray(items, { minLength: items.length }),
            repeated: fc.subarray(items, { maxLength: 4 }),
            cuts: fc.array(fc.nat(items.length), { maxLength: 6 }),
            workers: fc.constantFrom(1, 2),
          }),
        ),
        async ({ items, shuffled, repeated, cuts, workers }) => {
          const expected = await joinsAfter([items], 1);
          const given = [...shuffled, ...repeated];
          const places = [0, ...cuts.sort((a, b) => a - b), given.length];
          const steps = places.slice(1).map((to, index) => given.slice(places[index], to));
          expect(await joinsAfter(steps, workers)).toEqual(expected);
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** Workers take the steps in turns. */
async function joinsAfter(steps: readonly (readonly Item[])[], workers: number): Promise<Record<string, JoinResult>> {
  const store = openMemory();
  const enrichers = Array.from({ length: workers }, () => new Enricher(store, defaultSettings()));
  for (const [i, step] of steps.entries()) {
    const enricher = enrichers[i % workers]!;
    await putAll(enricher, step);
    await enricher.settle();
  }
  return joinsIn(store);
}

/** The store as an object whose members can be replaced. */
function forwarding(store: Store): Store {
  return new Proxy(store, {
    ownKeys: () => Object.getOwnPropertyNames(Object.getPrototypeOf(store)),
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    get: (target, name) => {
      const member = Reflect.get(target, name) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
