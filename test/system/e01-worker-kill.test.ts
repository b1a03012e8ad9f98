/** RELIABILITY e01: enrich is killed at many moments; what it accepted is settled all the same, and each alert told. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadDirectory, Journal } from '../../enrich/service/journal.ts';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { openRedis } from '../../enrich/store/redis.ts';
import type { Store } from '../../enrich/store/store.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { describeWithRedis, startRedis } from '../build/redis-server.ts';
import { alertsIn, type StoryInput, storyInput } from '../service/stories.ts';
import { enrichProcess, eventually, metric, post, temporary } from '../service/waybill-process.ts';

/** Milliseconds after the last batch was accepted at which the process is killed. */
const KILL_POINTS = [0, 40, 150];
let input: StoryInput;
beforeAll(async () => {
  input = await storyInput();
}, 60_000);

interface Told {
  readonly event: { readonly id: string };
}

/** Sends a part, kills, starts again, until all was sent; the last one is left to finish. */
async function killAgainAndAgain(args: readonly string[], file: string): Promise<void> {
  const bodies = [
    ...input.endpoint.map((body) => ({ path: '/v1/events', body })),
    ...input.flows.map((body) => ({ path: '/v1/flows', body })),
  ];
  const parts = KILL_POINTS.length;
  for (const [round, wait] of KILL_POINTS.entries()) {
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
async function expectLedger(store: Store, file: string): Promise<void> {
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

describe('e01: the embedded service, killed again and again', () => {
  const data = temporary();
  afterAll(() => data.remove());

  it('settles all it accepted and tells every alert', async () => {
    const file = `${data.path}/alerts.jsonl`;
    await killAgainAndAgain(['--data', `${data.path}/data`], file);
    const store = await openEmbedded(`${data.path}/data/store`);
    await expectLedger(store, file);
    await store.close();
    const journal = await Journal.open(`${data.path}/data`);
    expect(journal.state()).toMatchObject({ waiting: 0, damaged: 0 });
    await journal.close();
    expect(existsSync(deadDirectory(`${data.path}/data`))).toBe(true);
  }, 120_000);
});

describeWithRedis('e01: a worker on Redis, killed again and again', () => {
  it('settles all it accepted and tells every alert, and nothing stays pending', async () => {
    const redis = await startRedis();
    const data = temporary();
    const file = `${data.path}/alerts.jsonl`;
    const config = `${data.path}/settings.yaml`;
    const { writeFileSync } = await import('node:fs');
    writeFileSync(config, 'service: { claim_seconds: 0.5 }\n');
    await killAgainAndAgain(['--store', redis.url, '--data', data.path, '--config', config], file);
    const store = await openRedis(redis.url);
    await expectLedger(store, file);
    await store.close();
    for (const kind of ['flows', 'events']) expect(redis.cli('xpending', `{wb:0}:${kind}`, 'enrich')).toMatch(/^0/);
    expect(redis.cli('xlen', '{wb:0}:dead')).toBe('0');
    await redis.remove();
    data.remove();
  }, 120_000);
});
