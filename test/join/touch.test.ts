import { describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { SettleCache } from '../../enrich/service/settle-cache.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { FactQuery, Store } from '../../enrich/store/store.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { connection, flow, MINUTE, MORNING, program, SECOND } from './world.ts';

const tool = program('tool', 'C:\\Tools\\tool.exe');
/** Flows of one host to one place, minutes apart. */
const flows = Array.from({ length: 5 }, (_, i) => flow(MORNING + i * MINUTE, { port: 50_000 + i }));
const eventOf = (one: FlowRecord): EndpointEvent => connection(MORNING + 10 * MINUTE, tool, one);
const inTime = flows.map((one, i) => connection(MORNING + i * MINUTE + SECOND, tool, one));
/** Of a connection that no sensor saw. */
const another = eventOf(flow(MORNING + 10 * MINUTE, { port: 59_999 }));

/** Ids of the flows that are joined again because of what comes last. */
async function joinedBy(last: EndpointEvent, before: readonly (EndpointEvent | FlowRecord)[]): Promise<string[]> {
  const enricher = new Enricher(openMemory(), defaultSettings());
  for (const item of before) await ('kind' in item ? enricher.putEvents([item]) : enricher.putFlows([item]));
  await enricher.settle();
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

  it('explains its own flow whenever it comes', async () => {
    expect(await joinedBy(inTime[4]!, [...flows, ...inTime.slice(0, 4)])).toEqual(idsOf(flows.slice(4)));
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
  it.each(['before', 'after'])(
    'one finds what the other is told %s it asks what may explain a flow',
    async (moment) => {
      const shared = openMemory();
      const late = new Enricher(shared, defaultSettings());
      let told = 0;
      const query = async (queries: readonly FactQuery[]) => {
        const isWeak = queries.some((each) => 'key' in each && each.key === 'tcp>203.0.113.7|443');
        const tell = async (now: string): Promise<void> => {
          if (!isWeak || moment !== now || told++ > 0) return;
          await late.putEvents([another]);
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
      expect(told).toBe(1);
      const again: string[] = [];
      await late.settle(({ record }) => again.push(record.waybill.flow_id));
      expect(again).toEqual(idsOf(flows.slice(0, 1)));
    },
  );
});

/** The store's own methods, so that one can be put in their place. */
const bound = (store: Store): Store =>
  Object.fromEntries(
    Object.getOwnPropertyNames(Object.getPrototypeOf(store)).map((name) => {
      const method = store[name as keyof Store];
      return [name, typeof method === 'function' ? method.bind(store) : method];
    }),
  ) as unknown as Store;
