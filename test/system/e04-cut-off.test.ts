/** RELIABILITY e04: what was cut off a stream before it was settled is counted and complained about; so is lag. */
import { expect, it } from 'vitest';
import { describeWithRedis, startRedis } from '../build/redis-server.ts';
import { serviceHere } from '../service/service-here.ts';
import { eventually, metric } from '../service/waybill-process.ts';

describeWithRedis('e04: a stream that somebody trims', () => {
  it('makes the service say how many batches were lost, and a full Redis how full it is', async () => {
    const redis = await startRedis();
    const key = '{wb:0}:flows';
    redis.cli('xgroup', 'create', key, 'enrich', '0', 'mkstream');
    for (let i = 0; i < 3; i++) redis.cli('xadd', key, '*', 'v', '1', 'n', '1', 'b', 'x');
    redis.cli('xreadgroup', 'group', 'enrich', 'dead-worker', 'streams', key, '>');
    redis.cli('xtrim', key, 'maxlen', '0');
    const here = await serviceHere({ claim_seconds: 0.1 }, { store: redis.url });
    await eventually(async () => (await metric(here.url, 'cut_off_batches_total')) === 3);
    expect(await (await fetch(`${here.url}/readyz`)).text()).toContain('3 batches were cut off');
    const used = Number(/used_memory:(\d+)/.exec(redis.cli('info', 'memory'))?.[1]);
    redis.cli('config', 'set', 'maxmemory', String(Math.round(used * 1.1)));
    await eventually(async () => /is \d+ % full/.test(await (await fetch(`${here.url}/readyz`)).text()));
    await here.remove();
    await redis.remove();
  }, 60_000);
});
