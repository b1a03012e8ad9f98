/** RELIABILITY o02, o03: signals, a broken configuration, and start in any order. */
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { describeWithRedis, startRedis } from '../build/redis-server.ts';
import {
  enrichProcess,
  eventually,
  linesOf,
  metric,
  post,
  STORY,
  temporary,
  waybill,
} from '../service/waybill-process.ts';

const records = linesOf(`${STORY}.endpoint.jsonl`);
const data = temporary();
afterAll(() => data.remove());

describe('o02: a service under load', () => {
  it('keeps its settings when the new ones are broken, takes them when they are right, and ends in order', async () => {
    const config = `${data.path}/settings.yaml`;
    writeFileSync(config, 'TimeWindow: { minutes: 5 }\n');
    const service = await enrichProcess(['--data', `${data.path}/a`, '--config', config]);
    writeFileSync(config, 'TimeWindow: { minutes: none }\nunknown: 1\n');
    service.kill('SIGHUP');
    await eventually(() => service.err().includes('settings are broken'));
    expect(service.err()).toMatch(/settings\.yaml:1:\d+ TimeWindow\.minutes/);
    expect(service.err()).toMatch(/settings\.yaml:2:\d+ .*unknown/);
    writeFileSync(config, 'TimeWindow: { minutes: 6 }\n');
    service.kill('SIGHUP');
    await eventually(() => service.err().includes('settings read again'));

    let accepted = 0;
    const load = Array.from({ length: 40 }, (_, i) =>
      post(
        `${service.url}/v1/events`,
        records.map((record) => record.replaceAll('3ef767ae-f2b6-4b17-a175-60fbe4880ff4', `host-${i}`)).join('\n'),
      ).then(
        ({ status }) => {
          if (status === 202) accepted++;
        },
        () => undefined,
      ),
    );
    await eventually(() => accepted > 5);
    const asked = performance.now();
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
    expect(performance.now() - asked).toBeLessThan(5_000);
    await Promise.all(load);
    // Ledger: what was accepted is in the store now, or in the journal for the next start.
    const next = await enrichProcess(['--data', `${data.path}/a`]);
    await eventually(async () => (await metric(next.url, 'waiting_batches')) === 0);
    next.kill('SIGTERM');
    expect(await next.ended).toBe(0);
    const store = await openEmbedded(`${data.path}/a/store`);
    let hosts = 0;
    for await (const _ of store.shards('process')) hosts++;
    expect(hosts).toBeGreaterThanOrEqual(accepted);
    await store.close();
  }, 60_000);

  it('refuses a configuration that would open it to everybody, with every complaint at once', async () => {
    const config = `${data.path}/open.yaml`;
    writeFileSync(config, 'service:\n  listen: 0.0.0.0:8095\n  body_mib: 0\n');
    const checked = waybill('check-config', config);
    expect(await checked.ended).toBe(2);
    expect(checked.err()).toMatch(/open\.yaml:3:\d+ service\.body_mib/);
    const open = waybill('enrich', '--data', `${data.path}/b`, '--listen', '0.0.0.0:0');
    expect(await open.ended).toBe(2);
    expect(open.err()).toContain('needs service.tls');
  }, 30_000);
});

describe('a followed file', () => {
  it('is read across rotation and restart, each record once', async () => {
    const directory = `${data.path}/logs`;
    mkdirSync(directory);
    const log = `${directory}/edr.jsonl`;
    const third = Math.floor(records.length / 3);
    writeFileSync(log, `${records.slice(0, third).join('\n')}\n`);
    const args = ['--data', `${data.path}/c`, '--endpoint-file', log];
    const first = await enrichProcess(args);
    await eventually(async () => (await metric(first.url, 'events_total')) === third);
    renameSync(log, `${log}.1`);
    writeFileSync(log, `${records.slice(third, 2 * third).join('\n')}\n`);
    await eventually(async () => (await metric(first.url, 'events_total')) === 2 * third);
    first.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    appendFileSync(log, `${records.slice(2 * third).join('\n')}\n`);
    const second = await enrichProcess(args);
    await eventually(async () => (await metric(second.url, 'events_total')) === records.length - 2 * third);
    second.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  }, 60_000);
});

describe('backup', () => {
  it('writes a copy that opens', async () => {
    const backup = waybill('enrich', '--data', `${data.path}/a`, '--backup', `${data.path}/copy`);
    expect(await backup.ended).toBe(0);
    const store = await openEmbedded(`${data.path}/copy`);
    let hosts = 0;
    for await (const _ of store.shards('process')) hosts++;
    expect(hosts).toBeGreaterThan(0);
    await store.close();
    expect(readFileSync(`${data.path}/copy/data.mdb`).length).toBeGreaterThan(0);
  }, 30_000);
});

describeWithRedis('o03: a service that is started before its Redis', () => {
  it('says what it waits for, refuses what it cannot keep, and begins by itself; a second signal ends it at once', async () => {
    const redis = await startRedis();
    await redis.kill();
    const service = await enrichProcess(['--store', redis.url, '--data', `${data.path}/d`], 'listening');
    await eventually(async () => (await (await fetch(`${service.url}/readyz`)).text()).includes(String(redis.port)));
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
    expect((await post(`${service.url}/v1/events`, records[0]!)).status).toBe(503);
    await redis.start();
    await eventually(async () => (await fetch(`${service.url}/readyz`)).status === 200, 20_000);
    expect((await post(`${service.url}/v1/events`, records[0]!)).status).toBe(202);
    redis.signal('SIGSTOP');
    await post(`${service.url}/v1/events`, records[1]!).catch(() => undefined);
    service.kill('SIGTERM');
    await eventually(() => service.err().includes('stopping'));
    service.kill('SIGTERM');
    expect(await service.ended).toBe(143);
    redis.signal('SIGCONT');
    await redis.remove();
  }, 60_000);
});
