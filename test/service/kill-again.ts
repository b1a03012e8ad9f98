import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Store } from '../../enrich/store/store.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { RedisServer } from '../build/redis-server.ts';
import { alertsIn, type StoryInput } from './stories.ts';
import { enrichProcess, eventually, metric, post } from './waybill-process.ts';

interface Told {
  readonly event: { readonly id: string };
}

export interface Kills {
  /** Milliseconds after the last batch of a part was accepted at which the process is killed. */
  readonly points: readonly number[];
  readonly args: readonly string[];
  /** Where alerts are told. */
  readonly file: string;
  /** Everything accepted has been settled. */
  readonly isDone: (url: string) => boolean | Promise<boolean>;
  /**
   * What one kill has left undone is done before the next. Else a batch may be in hand at several kills; after MAX_ATTEMPTS
   * of them it is taken for what kills the process, and becomes a dead letter.
   */
  readonly oneByOne?: boolean;
}

/** Starts, sends a part, kills, and again, until all was sent; the last process is left to finish. */
export async function killAgainAndAgain(input: StoryInput, kills: Kills): Promise<void> {
  const { points, args, file, isDone, oneByOne = false } = kills;
  const bodies = [
    ...input.endpoint.map((body) => ({ path: '/v1/events', body })),
    ...input.flows.map((body) => ({ path: '/v1/flows', body })),
  ];
  for (const [round, wait] of points.entries()) {
    const service = await enrichProcess([...args, '--alerts', file]);
    if (oneByOne) await eventually(() => isDone(service.url), 60_000);
    const mine = bodies.filter((_, i) => i % points.length === round);
    for (const { path, body } of mine) expect((await post(service.url + path, body)).status).toBe(202);
    await setTimeout(wait);
    service.kill('SIGKILL');
    expect(await service.ended).toBe('SIGKILL');
  }
  const last = await enrichProcess([...args, '--alerts', file]);
  await eventually(() => isDone(last.url), 60_000);
  last.kill('SIGTERM');
  expect(await last.ended).toBe(0);
}

/** The journal has nothing that waits. */
export const isJournalDone = async (url: string): Promise<boolean> => (await metric(url, 'waiting_batches')) === 0;

/** Every entry of the streams has been read and acknowledged. */
export const areStreamsDone = (redis: RedisServer) => (): boolean =>
  ['{wb:0}:events', '{wb:0}:flows'].every((key) => {
    if (redis.cli('exists', key) === '0') return true;
    const fields = redis.cli('xinfo', 'groups', key).split('\n');
    return ['lag', 'pending'].every((name) => fields[fields.indexOf(name) + 1] === '0');
  });

/** Ledger: every accepted flow is stored, none is a dead letter, every alert was told under its one id. */
export async function expectLedger(input: StoryInput, store: Store, file: string): Promise<void> {
  const ids = new Set(input.flows.map((line) => (JSON.parse(line) as FlowRecord).waybill.flow_id));
  const shards = new Set(input.flows.map((line) => `ip:${(JSON.parse(line) as FlowRecord).source.ip}`));
  let stored = 0;
  for (const shard of shards) stored += await store.count(shard, 'flow', 0, 1e17);
  expect(stored).toBe(ids.size);
  expect(await alertsIn(store)).toEqual(input.expected);
  const told = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  const toldIds = new Set(told.map((line) => (JSON.parse(line) as Told).event.id));
  for (const line of input.expected) expect(toldIds).toContain(line.split(' ')[0]);
}
