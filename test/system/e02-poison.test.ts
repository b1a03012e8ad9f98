/** RELIABILITY e02: records that nobody can work on become dead letters, with reason and original bytes. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithRedis, type RedisServer, startRedis } from '../build/redis-server.ts';
import { type ServiceHere, serviceHere } from '../service/service-here.ts';
import { type StoryInput, storyInput } from '../service/stories.ts';
import { eventually, metric, waybill } from '../service/waybill-process.ts';

describeWithRedis('e02: poison in the flows', () => {
  let redis: RedisServer;
  let here: ServiceHere;
  let input: StoryInput;
  beforeAll(async () => {
    input = await storyInput();
    redis = await startRedis();
    here = await serviceHere({ claim_seconds: 0.1 }, { store: redis.url });
  }, 60_000);
  afterAll(async () => {
    await here.remove();
    await redis.remove();
  });

  const good = () => input.flows.slice(0, 3);
  const add = (stream: string, text: string, ...fields: readonly string[]) =>
    redis.cli('xadd', `{wb:0}:${stream}`, '*', ...fields, 'b', text);

  it('is buried after five deliveries, and its neighbours are stored', async () => {
    const future = good()[0]!.replace('"schema":1', '"schema":9');
    const large = JSON.stringify({ waybill: { schema: 1 }, pad: 'x'.repeat(100_000) });
    add('flows', [...good(), 'not json', future].join('').replace('not json', 'not json\n'), 'v', '1', 'n', '5');
    add('flows', large, 'v', '1', 'n', '1');
    add('flows', 'later', 'v', '7', 'n', '1');
    add('events', '{"kind":"process_start"}', 'v', '1', 'n', '1');
    await eventually(() => redis.cli('xlen', '{wb:0}:dead') === '5', 20_000);
    await eventually(() => redis.cli('xpending', '{wb:0}:flows', 'enrich').startsWith('0'));

    const { shard, id } = flowName(good()[0]!);
    expect(await here.store.get(shard, 'flow', id)).toBeDefined();
    // Ledger: read = settled + dead letters.
    expect(await metric(here.url, 'flows_total')).toBe(3);
    expect(await metric(here.url, 'dead_letters_total')).toBe(5);
  }, 60_000);

  it('is listed with its reason and its bytes, and replayed when somebody can read it', async () => {
    const list = waybill('dead-letter', 'list', '--store', redis.url, '--json');
    expect(await list.ended).toBe(0);
    const letters = list
      .out()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { reason: string; records: string });
    const reasons = letters.map(({ reason }) => reason);
    expect(reasons).toContain('not JSON');
    expect(reasons).toContain('schema 9; this program reads schema 1');
    expect(reasons.some((reason) => reason.startsWith('longer than'))).toBe(true);
    expect(letters.find(({ reason }) => reason === 'not JSON')?.records).toBe('not json');
    const replayed = waybill('dead-letter', 'replay', '--store', redis.url);
    expect(await replayed.ended).toBe(0);
    expect(replayed.err()).toContain('5 dead letters handed over');
    // They are as unreadable as before.
    await eventually(() => redis.cli('xlen', '{wb:0}:dead') === '5', 20_000);
  }, 60_000);

  it('that others write as they like is read as any feed', async () => {
    const record = '{"EventID":1}';
    redis.cli('xadd', '{wb:0}:raw', '*', 'message', record, 'host', 'pc-1');
    await eventually(() => redis.cli('xpending', '{wb:0}:raw', 'enrich').startsWith('0'));
    await eventually(() => redis.cli('xlen', '{wb:0}:raw') === '0');
  });

  function flowName(line: string): { shard: string; id: string } {
    const { source, waybill: own } = JSON.parse(line) as { source: { ip: string }; waybill: { flow_id: string } };
    return { shard: `ip:${source.ip}`, id: own.flow_id };
  }
});
