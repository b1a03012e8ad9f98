/** What looks into a store does so beside the service that works on it, and says in one line when it cannot. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { describeWithRedis, freePort, type RedisServer, startRedis } from '../build/redis-server.ts';
import { oneTheft } from './stories.ts';
import { enrichProcess, eventually, metric, post, type RunningService, temporary, waybill } from './waybill-process.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const directory = temporary();
afterAll(() => directory.remove());
const strict = `${directory.path}/strict.yaml`;
writeFileSync(strict, 'score: { prior: 0.000000001 }\n');

async function stolen(args: readonly string[]): Promise<RunningService> {
  const theft = await oneTheft();
  const service = await enrichProcess([...args, '--no-stdout']);
  await post(`${service.url}/v1/events`, theft.endpoint);
  await post(`${service.url}/v1/flows`, theft.flows);
  await eventually(async () => (await metric(service.url, 'waiting_batches')) === 0);
  return service;
}

async function said(...args: readonly string[]): Promise<string> {
  const run = waybill(...args);
  expect(await run.ended, run.err()).toBe(0);
  return run.out();
}

async function looksIn(where: readonly string[]): Promise<void> {
  const alert = JSON.parse(await said('explain', 'wb-', ...where, '--format', 'ecs')) as { event: { id: string } };
  expect(await said('explain', alert.event.id, ...where)).toContain('Probability 0.');
  expect((await said('coverage', ...where, '--json')).trim().split('\n').length).toBeGreaterThan(0);
  expect(await said('coverage', alert.event.id, ...where)).toContain(`Not seen of ${alert.event.id}`);
  expect(await said('backtest', ...where, '--config', strict)).toMatch(/^(vanished|tier) .*\n.*curl\.exe/);
  expect(await said('calibrate', ...where)).toContain('prior');
  const bundle = `${directory.path}/${where[0]!.slice(2)}.zip`;
  await said('explain', alert.event.id, ...where, '--bundle', bundle);
  expect(JSON.parse(await said('explain', bundle, '--format', 'ecs'))).toEqual(alert);
}

it('explain, coverage, backtest and calibrate answer while the service has the embedded store open', async () => {
  const data = `${directory.path}/data`;
  const service = await stolen(['--data', data]);
  await looksIn(['--data', data]);
  // The service has noticed nothing.
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);
});

it('a store that is none is told in one line', async () => {
  const empty = `${directory.path}/empty`;
  mkdirSync(empty);
  const run = waybill('coverage', '--data', empty);
  expect(await run.ended).toBe(1);
  expect(run.err()).toMatch(/^waybill: there is no store in .*empty\.\n$/);
  const away = waybill('coverage', '--store', `redis://127.0.0.1:${await freePort()}`);
  expect(await away.ended).toBe(1);
  expect(away.err()).toMatch(/^waybill: [^\n]*\n$/);
  const wrong = waybill('backtest', '--store', 'memcached://x', '--config', strict);
  expect(await wrong.ended).toBe(2);
});

describeWithRedis('with the service on Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());

  it('they answer from there', async () => {
    const service = await stolen(['--store', redis.url, '--data', `${directory.path}/worker`]);
    await looksIn(['--store', redis.url]);
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  });
});
