/** A worker with more before it than one settling takes: the next batches are put while the ones before are settled. */
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { DeadLetter, Inbox } from '../../enrich/service/inbox.ts';
import { Journal } from '../../enrich/service/journal.ts';
import { Worker } from '../../enrich/service/worker.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { Fact, Store, StoredAlert } from '../../enrich/store/store.ts';
import { StoreError } from '../../enrich/store/store-error.ts';
import { openLog } from '../../sensor/base/log.ts';
import { connectionLine, flowLine } from '../bench/enrich-records.ts';
import { oneTheft } from './stories.ts';
import { settingsWith, temporary } from './waybill-process.ts';

vi.setConfig({ testTimeout: 120_000 });

const directory = temporary();
afterAll(() => directory.remove());
let directories = 0;

const FLOWS = 5_000;
const HOSTS = 20;
/** More than the store takes as the name of a fact, and no more characters than a record may have. */
const POISON = 'ü'.repeat(400);

/** What the worker does with a backlog of ordinary flows and one theft, on a store that puts as `put` has it. */
async function worked(withPoison: boolean, put: (store: Store, facts: readonly Fact[]) => Promise<boolean[]>) {
  const inner = openMemory();
  const store: Store = Object.assign(Object.create(inner) as Store, {
    put: (facts: readonly Fact[]) => put(inner, facts),
  });
  const journal = await Journal.open(`${directory.path}/${directories++}`);
  let unburied = 0;
  const inbox: Inbox = Object.assign(Object.create(journal) as Inbox, {
    bury: async (letter: DeadLetter) => {
      if (unburied++ === 0) throw new StoreError('unavailable', 'no grave');
      return journal.bury(letter);
    },
  });
  const theft = await oneTheft();
  const append = (kind: 'raw' | 'flows', count: number, text: string) =>
    inbox.append({ kind, count, lines: Buffer.from(text) });
  for (let i = 0; i < FLOWS; i += 1_000) {
    const records = (line: (n: number, hosts: number) => string) =>
      Array.from({ length: 1_000 }, (_, n) => line(i + n, HOSTS)).join('');
    await append('raw', 1_000, records(connectionLine));
    await append('flows', 1_000, records(flowLine));
    if (i === 1_000) await append('raw', 1, theft.endpoint);
    if (i === 3_000) await append('flows', 1, theft.flows);
    if (withPoison && i === 2_000)
      await append('flows', 1, flowLine(FLOWS + 1, HOSTS).replace(`bench-${FLOWS + 1}`, POISON));
  }
  const told: StoredAlert[] = [];
  let deaf = 0;
  const worker = new Worker({
    store,
    settings: settingsWith({}),
    inbox,
    isShared: false,
    onAlerts: async (alerts) => {
      if (!withPoison && deaf++ < 2) throw new StoreError('unavailable', 'nobody listens');
      told.push(...alerts);
    },
    onWithdrawn: async () => undefined,
    log: openLog({ name: 'test', level: 'silent', terminal: false }),
  });
  const running = worker.run();
  while (inbox.state().waiting > 0) await setTimeout(20);
  worker.stop();
  await running;
  let [flows, joined] = [0, 0];
  for await (const shard of inner.shards('flow')) flows += await inner.count(shard, 'flow', 0, 1e17);
  for await (const shard of inner.shards('joined')) joined += await inner.count(shard, 'joined', 0, 1e17);
  const alerts = (await inner.listAlerts({ limit: 9 })).map(({ id }) => id);
  const { buried } = inbox.state();
  await inbox.close();
  return { flows, joined, alerts, told: [...new Set(told.map(({ id }) => id))], buried, counters: worker.counters };
}

/** The theft's own flows, of which there is at least one. */
const theirs = async (): Promise<number> => {
  const ids = (await oneTheft()).flows.matchAll(/"flow_id":"([^"]+)"/g);
  return new Set([...ids].map(([, id]) => id)).size;
};

describe('a worker that is behind', () => {
  it('joins every flow, tells the theft, and buries what nobody can work on', async () => {
    const done = await worked(true, (store, facts) => store.put(facts));
    expect(done.flows).toBe(FLOWS + (await theirs()));
    expect(done.joined).toBe(done.flows);
    expect(done.alerts).toHaveLength(1);
    expect(done.told).toEqual(done.alerts);
    expect(done.buried).toBe(1);
  });

  it('loses nothing when the store goes away in the midst of it, time and again, or the alert cannot be told at once', async () => {
    let puts = 0;
    let failures = 0;
    const done = await worked(false, async (store, facts) => {
      // Side by side with others: some writes come through, some do not.
      await setTimeout(0);
      if (++puts % 13 === 0 && failures++ < 5) throw new StoreError('unavailable', 'away');
      return store.put(facts);
    });
    expect(failures).toBeGreaterThan(3);
    expect(done.counters.retries).toBeGreaterThan(0);
    expect(done.flows).toBe(FLOWS + (await theirs()));
    expect(done.joined).toBe(done.flows);
    expect(done.told).toEqual(done.alerts);
    expect(done.alerts).toHaveLength(1);
  });
});
