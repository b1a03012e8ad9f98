import { describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { SettleCache } from '../../enrich/service/settle-cache.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { FactKind, FactQuery, Store } from '../../enrich/store/store.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { connection, DAY, flow, HOUR, lookUp, MINUTE, MORNING, program, SECOND } from './world.ts';

const tool = program('tool', 'C:\\Tools\\tool.exe');
/** Flows of one host to one place, minutes apart. */
const flows = Array.from({ length: 5 }, (_, i) => flow(MORNING + i * MINUTE, { port: 50_000 + i }));
const eventOf = (one: FlowRecord): EndpointEvent => connection(MORNING + 10 * MINUTE, tool, one);
const inTime = flows.map((one, i) => connection(MORNING + i * MINUTE + SECOND, tool, one));
/** Of a connection that no sensor saw. */
const another = eventOf(flow(MORNING + 10 * MINUTE, { port: 59_999 }));

/** Ids of the flows that are joined again because of what comes last; what came before was settled step by step. */
async function joinedBy(
  last: EndpointEvent,
  ...before: readonly (readonly (EndpointEvent | FlowRecord)[])[]
): Promise<string[]> {
  const enricher = new Enricher(openMemory(), defaultSettings());
  for (const step of before) {
    for (const item of step) await ('kind' in item ? enricher.putEvents([item]) : enricher.putFlows([item]));
    await enricher.settle();
  }
  await enricher.putEvents([last]);
  const again: string[] = [];
  await enricher.settle(({ record }) => again.push(record.waybill.flow_id));
  return again.sort();
}

const idsOf = (some: readonly FlowRecord[]): string[] => some.map(({ waybill }) => waybill.flow_id).sort();

describe('an event of a connection', () => {
  it('has no flow joined again that its own event explains, however many went to the same place', async () => {
    expect(await joinedBy(another, [...flows, ...inTime])).toEqual([]);
  });

  it('has those joined again that nothing explains yet', async () => {
    expect(await joinedBy(another, [...flows, ...inTime.slice(0, 3)])).toEqual(idsOf(flows.slice(3)));
  });

  it('has none joined again that was explained only after it had come, as sensors that are quicker than feeds have it', async () => {
    expect(await joinedBy(another, flows, inTime)).toEqual([]);
    expect(await joinedBy(another, flows, inTime.slice(0, 3))).toEqual(idsOf(flows.slice(3)));
  });

  it('has none joined again that is days away', async () => {
    const days = [-3, -1, 0, 1, 3].map((day) => flow(MORNING + day * DAY, { port: 40_000 + day }));
    const near = connection(MORNING + MINUTE, tool, flow(MORNING, { port: 59_998 }));
    expect(await joinedBy(near, days)).toEqual(idsOf(days.slice(1, 4)));
  });

  it('explains its own flow whenever it comes', async () => {
    expect(await joinedBy(inTime[4]!, [...flows, ...inTime.slice(0, 4)])).toEqual(idsOf(flows.slice(4)));
  });
});

describe('a look-up', () => {
  const asked = (at: number): EndpointEvent => lookUp(at, tool, 'drop.example.net', ['203.0.113.7']);
  const claim = connection(
    MORNING - HOUR,
    program('other', 'C:\\other.exe'),
    flow(MORNING, { port: 1, ip: '192.0.2.9' }),
  );

  it('has flows joined again that it may explain, and none that is explained or long past', async () => {
    const old = flow(MORNING - 2 * HOUR, { port: 44_444 });
    const last = asked(MORNING + 4 * MINUTE);
    expect(await joinedBy(last, [claim, old, ...flows], inTime.slice(0, 3))).toEqual(idsOf(flows.slice(3)));
  });

  it('explains a flow, however many came later', async () => {
    const enricher = new Enricher(openMemory(), defaultSettings());
    const later = Array.from({ length: 300 }, (_, i) => asked(MORNING + HOUR + i * SECOND));
    await enricher.putEvents([claim, asked(MORNING - SECOND), ...later]);
    await enricher.putFlows([flows[0]!]);
    const named: (string | undefined)[] = [];
    await enricher.settle(({ join }) => named.push(join.process?.entityId));
    expect(named).toEqual(['tool']);
  });
});

describe('what is put while flows are settled', () => {
  it.each(['before', 'after'])(
    '%s it was read what explains them, explains them next time at the latest',
    async (moment) => {
      const inner = openMemory();
      let told = false;
      const tell = async (now: string, queries: readonly FactQuery[]): Promise<void> => {
        if (told || moment !== now || queries.every(({ kind }) => kind !== 'connection')) return;
        told = true;
        await enricher.putEvents([inTime[0]!]);
      };
      const query = async (queries: readonly FactQuery[]) => {
        await tell('before', queries);
        const found = await inner.query(queries);
        await tell('after', queries);
        return found;
      };
      const cache = new SettleCache({ ...bound(inner), query });
      const enricher = new Enricher(cache.store, defaultSettings(), undefined, cache.intake);
      await enricher.putFlows([flows[0]!]);
      const named: (string | undefined)[] = [];
      for (let round = 0; round < 2; round++) {
        await cache.during(() => enricher.settle(({ join }) => named.push(join.process?.entityId)));
      }
      expect(told).toBe(true);
      expect(named.at(-1)).toBe('tool');
    },
  );
});

describe('of two workers on one store', () => {
  const isAbout =
    (kind: FactKind, key: string) =>
    (each: FactQuery): boolean =>
      each.kind === kind && 'key' in each && each.key === key;
  const told = {
    'a connection': { last: another, isWeak: isAbout('connection', 'tcp>203.0.113.7|443') },
    'a look-up': {
      last: lookUp(MORNING + SECOND, tool, 'drop.example.net'),
      isWeak: isAbout('dns', 'name:drop.example.net'),
    },
  };
  const cases = Object.entries(told).flatMap(([what, { last, isWeak }]) =>
    (['before', 'after'] as const).map((moment) => ({ what, last, isWeak, moment })),
  );

  it.each(cases)('one finds $what that the other is told of $moment it asks what may explain a flow', async (one) => {
    const shared = openMemory();
    const late = new Enricher(shared, defaultSettings());
    let times = 0;
    const query = async (queries: readonly FactQuery[]) => {
      const tell = async (now: string): Promise<void> => {
        if (one.moment === now && queries.some(one.isWeak) && times++ === 0) await late.putEvents([one.last]);
      };
      await tell('before');
      const found = await shared.query(queries);
      await tell('after');
      return found;
    };
    const first = new Enricher({ ...bound(shared), query }, defaultSettings());
    // Whose address it is, is known already.
    await first.putEvents([inTime[4]!]);
    await first.putFlows([flows[0]!]);
    await first.settle();
    expect(times).toBe(1);
    const again: string[] = [];
    await late.settle(({ record }) => again.push(record.waybill.flow_id));
    expect(again).toEqual(idsOf(flows.slice(0, 1)));
  });
});

/** The store's own methods, so that one can be put in their place. */
const bound = (store: Store): Store =>
  Object.fromEntries(
    Object.getOwnPropertyNames(Object.getPrototypeOf(store)).map((name) => {
      const method = store[name as keyof Store];
      return [name, typeof method === 'function' ? method.bind(store) : method];
    }),
  ) as unknown as Store;
