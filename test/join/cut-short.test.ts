import { describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { Fact, FactKind, Store } from '../../enrich/store/store.ts';
import { StoreError } from '../../enrich/store/store-error.ts';
import { type Item, upload, work } from './peer-world.ts';
import {
  alertsAfter,
  connection,
  flow,
  HOST,
  MINUTE,
  MORNING,
  program,
  putAll,
  SECOND,
  shifted,
  theft,
} from './world.ts';

/** A store whose connection ends when it has taken the first such fact, before anybody knows that it has. */
function dyingAfter(store: Store, isLast: (fact: Fact) => boolean): Store {
  let isDead = false;
  const alive = <T>(call: () => Promise<T>): Promise<T> =>
    isDead ? Promise.reject(new StoreError('unavailable', 'gone')) : call();
  return new Proxy(store, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as (...asked: unknown[]) => Promise<unknown>;
      if (name === 'losses' || name === 'shards') return method.bind(target);
      return (...asked: unknown[]) =>
        alive(async () => {
          const answer = await method.apply(target, asked);
          const facts = name === 'put' ? (asked[0] as readonly Fact[]) : [];
          if (facts.some(isLast)) isDead = true;
          return answer;
        }).then((answer) => alive(async () => answer));
    },
  });
}

/** What is there in the end when the last step is settled by a worker that dies, and given to another one. */
async function storeAfterDeath(steps: readonly (readonly Item[])[], isLast: (fact: Fact) => boolean): Promise<Store> {
  const store = openMemory();
  const settings = defaultSettings();
  for (const step of steps.slice(0, -1)) {
    const enricher = new Enricher(store, settings);
    await putAll(enricher, step);
    await enricher.settle();
  }
  const dying = new Enricher(dyingAfter(store, isLast), settings);
  await putAll(dying, steps.at(-1)!);
  await expect(dying.settle()).rejects.toThrow('gone');
  const next = new Enricher(store, settings);
  await putAll(next, steps.at(-1)!, { touch: 'all' });
  await next.settle(undefined, { repeat: true });
  return store;
}

const of =
  (kind: FactKind) =>
  (fact: Fact): boolean =>
    fact.kind === kind;
/** That an episode is suspected. */
const isMark = ({ kind, shard }: Fact): boolean => kind === 'episode' && shard.startsWith('host:');

describe('what a worker had learned when it died', () => {
  it.each(['match', 'joined'] as const)(
    'of a clock has flows joined by it that came before: after a %s',
    async (kind) => {
      const { flows, events } = theft();
      const wrong = shifted(events, -4 * MINUTE);
      const first = [flows.at(-1)!, ...wrong];
      const rest = flows.slice(0, -1);
      const expected = await alertsAfter([first, rest]);
      expect(JSON.stringify(expected)).toContain('"clock_offset_seconds":-240');
      const store = await storeAfterDeath([first, rest], of(kind));
      expect(await store.listAlerts({ limit: 100 })).toEqual(expected);
    },
  );

  it.each(['hello', 'joined'] as const)('of a hello has the flow joined that it explains: after a %s', async (kind) => {
    const tool = program('tool', 'C:\\Tools\\tool.exe');
    const made = (at: number, port: number) => flow(at, { port, ja4: 't13d1516h2_8daaf6152771_b186095e22b6' });
    const before = made(MORNING - 10 * MINUTE, 50_000);
    const lost = made(MORNING, 50_001);
    const later = made(MORNING + MINUTE, 50_002);
    // Of the first connection no flow was seen.
    const events = [
      connection(MORNING - 10 * MINUTE, tool, before),
      connection(MORNING + MINUTE + SECOND, tool, later),
    ];
    const store = await storeAfterDeath([[...events, lost], [later]], of(kind));
    const joined = await store.get(`host:${HOST.id}`, 'joined', lost.waybill.flow_id);
    expect(joined?.body).toMatchObject({ join: { method: 'lease', process: { entityId: 'tool' } } });
  });

  it('of a theft has what others send there on later days judged by it', async () => {
    const before = upload(1, { day: -1, process: { commandLine: 'copier.exe' } });
    const isPacking = (item: Item) =>
      'kind' in item && 'process' in item && item.process.entityId.includes('packer--1');
    const first = [...work(1), ...work(2), ...before.filter((item) => !isPacking(item)), ...upload(2)];
    const late = before.filter(isPacking);
    const expected = await alertsAfter([first, late]);
    // Of the newest one, which is of the day after.
    expect((await alertsAfter([first]))[0]).not.toEqual(expected[0]);
    const store = await storeAfterDeath([first, late], isMark);
    expect(await store.listAlerts({ limit: 100 })).toEqual(expected);
  });
});
