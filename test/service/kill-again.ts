import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Store } from '../../enrich/store/store.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { alertsIn, type StoryInput } from './stories.ts';
import { enrichProcess, eventually, metric, post } from './waybill-process.ts';

interface Told {
  readonly event: { readonly id: string };
}

/**
 * Sends a part, kills, starts again, until all was sent; the last one is left to finish.
 * @param killPoints milliseconds after the last batch of a part was accepted at which the process is killed
 */
export async function killAgainAndAgain(
  input: StoryInput,
  killPoints: readonly number[],
  args: readonly string[],
  file: string,
): Promise<void> {
  const bodies = [
    ...input.endpoint.map((body) => ({ path: '/v1/events', body })),
    ...input.flows.map((body) => ({ path: '/v1/flows', body })),
  ];
  const parts = killPoints.length;
  for (const [round, wait] of killPoints.entries()) {
    const service = await enrichProcess([...args, '--alerts', file]);
    const mine = bodies.filter((_, i) => i % parts === round);
    for (const { path, body } of mine) expect((await post(service.url + path, body)).status).toBe(202);
    await setTimeout(wait);
    service.kill('SIGKILL');
    expect(await service.ended).toBe('SIGKILL');
  }
  const last = await enrichProcess([...args, '--alerts', file]);
  await eventually(async () => (await metric(last.url, 'waiting_batches')) === 0, 20_000);
  last.kill('SIGTERM');
  expect(await last.ended).toBe(0);
}

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
