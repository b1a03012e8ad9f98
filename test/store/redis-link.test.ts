import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRedis } from '../../enrich/store/redis-connect.ts';
import type { RedisLink } from '../../enrich/store/redis-link.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../build/redis-server.ts';
import { codeOf } from './fixtures.ts';

const read = (link: RedisLink) =>
  link.send('s', ['XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', String(link.maxBlockMs), 'STREAMS', 's', '>']);

describeWithRedis('a link to a Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.remove());

  it('gives bulk strings as bytes, whatever is in them', async () => {
    const link = await connectRedis(server.url);
    const bytes = Buffer.from([0, 255, 13, 10, 36]);
    expect(await link.send('k', ['SET', 'k', bytes])).toBe('OK');
    expect(await link.send('k', ['MGET', 'k', 'none'])).toEqual([bytes, null]);
    await link.close();
  });

  it('reads a stream as a group does: a blocking read ends empty in time, or with what came meanwhile', async () => {
    const link = await connectRedis(server.url, { timeoutMs: 600 });
    const reader = await link.duplicate();
    await link.send('s', ['XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM']);
    for (let round = 0; round < 3; round++) expect(await read(reader)).toBeNull();
    const reading = read(reader);
    await link.send('s', ['XADD', 's', '*', 'flow', 'x']);
    expect(await reading).toEqual([
      [Buffer.from('s'), [[expect.any(Buffer), [Buffer.from('flow'), Buffer.from('x')]]]],
    ]);
    await Promise.all([link.close(), reader.close()]);
  });

  it('stays up when nobody asks anything for longer than it waits for a reply', async () => {
    const states: string[] = [];
    const link = await connectRedis(server.url, { timeoutMs: 200, onState: (up, why) => states.push(`${up} ${why}`) });
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(await link.send(undefined, ['PING'])).toBe('PONG');
    expect(states).toEqual([]);
    await link.close();
  });

  it('rejects what is under way when it is closed, and all that comes after', async () => {
    const link = await connectRedis(server.url);
    const blocked = codeOf(link.send('none', ['BLPOP', 'none', '2']));
    await link.close();
    expect(await blocked).toBe('unavailable');
    expect(await codeOf(link.send('k', ['GET', 'k']))).toBe('closed');
  });

  it('says what Redis said, in one line, to a command that is none', async () => {
    const link = await connectRedis(server.url);
    await expect(link.send('k', ['NOTHING', 'a\r\nb'])).rejects.toMatchObject({
      code: 'unexpected',
      message: expect.stringMatching(/^Redis at 127\.0\.0\.1:\d+: ERR unknown command [^\n]*$/),
    });
    await link.close();
  });
});
