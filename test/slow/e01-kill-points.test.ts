/** RELIABILITY e01 at length: a worker on Redis, and the embedded service, killed at twenty random moments each. */
import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { openRedis } from '../../enrich/store/redis.ts';
import { Random } from '../bench/random.ts';
import { describeWithRedis, startRedis } from '../build/redis-server.ts';
import { areStreamsDone, expectLedger, isJournalDone, killAgainAndAgain } from '../service/kill-again.ts';
import { type StoryInput, storyInput } from '../service/stories.ts';
import { temporary } from '../service/waybill-process.ts';

const KILLS = 20;
/** Latest moment of a kill, milliseconds after the last batch: by then most of it has been settled. */
const LATEST = 700;

let input: StoryInput;
beforeAll(async () => {
  input = await storyInput();
}, 120_000);

/** Printed, so that a failure can be repeated: `KILL_SEED=… npm run test:slow`. */
function killPoints(): number[] {
  const seed = Number(process.env.KILL_SEED ?? Math.floor(Math.random() * 1e9));
  const random = new Random(seed);
  const points = Array.from({ length: KILLS }, () => random.below(LATEST));
  console.log(`KILL_SEED=${seed}: killed after ${points.join(', ')} ms`);
  return points;
}

describe('the embedded service, killed at twenty moments', () => {
  it('settles all it accepted and tells every alert', { timeout: 400_000 }, async () => {
    const data = temporary();
    const file = `${data.path}/alerts.jsonl`;
    await killAgainAndAgain(input, {
      points: killPoints(),
      args: ['--data', `${data.path}/data`],
      file,
      isDone: isJournalDone,
      oneByOne: true,
    });
    const store = await openEmbedded(`${data.path}/data/store`);
    await expectLedger(input, store, file);
    await store.close();
    data.remove();
  });
});

describeWithRedis('a worker on Redis, killed at twenty moments', () => {
  it('settles all it accepted and tells every alert', { timeout: 400_000 }, async () => {
    const redis = await startRedis();
    const data = temporary();
    const file = `${data.path}/alerts.jsonl`;
    const config = `${data.path}/settings.yaml`;
    writeFileSync(config, 'service: { claim_seconds: 0.5 }\n');
    const args = ['--store', redis.url, '--data', data.path, '--config', config];
    await killAgainAndAgain(input, { points: killPoints(), args, file, isDone: areStreamsDone(redis), oneByOne: true });
    const store = await openRedis(redis.url);
    await expectLedger(input, store, file);
    await store.close();
    expect(redis.cli('xlen', '{wb:0}:dead')).toBe('0');
    await redis.remove();
    data.remove();
  });
});
