/** RELIABILITY e03: a worker stands still while it holds entries; another takes them, and its late work changes nothing. */
import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openRedis } from '../../enrich/store/redis.ts';
import { describeWithRedis, startRedis } from '../build/redis-server.ts';
import { alertsIn, storyInput } from '../service/stories.ts';
import { enrichProcess, eventually, post, temporary } from '../service/waybill-process.ts';

describeWithRedis('e03: two workers, one of which stands still', () => {
  it('come to the same alerts, with nothing pending and nothing buried', async () => {
    const input = await storyInput();
    const redis = await startRedis();
    const data = temporary();
    const config = `${data.path}/settings.yaml`;
    writeFileSync(config, 'service: { claim_seconds: 1 }\n');
    const args = ['--store', redis.url, '--config', config, '--data', data.path];
    const a = await enrichProcess([...args, '--worker', 'a']);
    for (const body of input.endpoint) expect((await post(`${a.url}/v1/events`, body)).status).toBe(202);
    for (const body of input.flows) expect((await post(`${a.url}/v1/flows`, body)).status).toBe(202);
    a.kill('SIGSTOP');
    const b = await enrichProcess([...args, '--worker', 'b']);
    const pending = () => ['flows', 'events'].map((kind) => redis.cli('xpending', `{wb:0}:${kind}`, 'enrich'));
    const lag = () => ['flows', 'events'].map((kind) => redis.cli('xinfo', 'groups', `{wb:0}:${kind}`));
    const isDone = () =>
      pending().every((text) => text.startsWith('0')) && lag().every((text) => /lag\s+0$/.test(text));
    await eventually(isDone, 30_000);
    const store = await openRedis(redis.url);
    expect(await alertsIn(store)).toEqual(input.expected);
    a.kill('SIGCONT');
    a.kill('SIGTERM');
    b.kill('SIGTERM');
    expect(await Promise.all([a.ended, b.ended])).toEqual([0, 0]);
    expect(await alertsIn(store)).toEqual(input.expected);
    expect(redis.cli('xlen', '{wb:0}:dead')).toBe('0');
    await store.close();
    await redis.remove();
    data.remove();
  }, 120_000);
});
