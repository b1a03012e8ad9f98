/** RELIABILITY e01: enrich is killed at many moments; what it accepted is settled all the same, and each alert told. */
import { existsSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadDirectory, Journal } from '../../enrich/service/journal.ts';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { openRedis } from '../../enrich/store/redis.ts';
import { describeWithRedis, startRedis } from '../build/redis-server.ts';
import { areStreamsDone, expectLedger, isJournalDone, killAgainAndAgain } from '../service/kill-again.ts';
import { type StoryInput, storyInput } from '../service/stories.ts';
import { temporary } from '../service/waybill-process.ts';

/** Milliseconds after the last batch was accepted at which the process is killed. */
const KILL_POINTS = [0, 40, 150];
let input: StoryInput;
beforeAll(async () => {
  input = await storyInput();
}, 60_000);

describe('e01: the embedded service, killed again and again', () => {
  const data = temporary();
  afterAll(() => data.remove());

  it('settles all it accepted and tells every alert', async () => {
    const file = `${data.path}/alerts.jsonl`;
    await killAgainAndAgain(input, {
      points: KILL_POINTS,
      args: ['--data', `${data.path}/data`],
      file,
      isDone: isJournalDone,
    });
    const store = await openEmbedded(`${data.path}/data/store`);
    await expectLedger(input, store, file);
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
    writeFileSync(config, 'service: { claim_seconds: 0.5 }\n');
    await killAgainAndAgain(input, {
      points: KILL_POINTS,
      args: ['--store', redis.url, '--data', data.path, '--config', config],
      file,
      isDone: areStreamsDone(redis),
    });
    const store = await openRedis(redis.url);
    await expectLedger(input, store, file);
    await store.close();
    for (const kind of ['flows', 'events']) expect(redis.cli('xpending', `{wb:0}:${kind}`, 'enrich')).toMatch(/^0/);
    expect(redis.cli('xlen', '{wb:0}:dead')).toBe('0');
    await redis.remove();
    data.remove();
  }, 120_000);
});
