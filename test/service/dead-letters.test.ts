import { afterAll, describe, expect, it } from 'vitest';
import { deadLetterCommand } from '../../enrich/cli/dead-letter.ts';
import { Journal } from '../../enrich/service/journal.ts';
import { SettleCache } from '../../enrich/service/settle-cache.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { Fact } from '../../enrich/store/store.ts';
import { temporary } from './waybill-process.ts';

const directory = temporary();
afterAll(() => directory.remove());

describe('dead letters of the embedded store', () => {
  it('come back into the journal when they are replayed, each once', async () => {
    const data = `${directory.path}/a`;
    const journal = await Journal.open(data);
    const lines = Buffer.from('{"kind":"odd"}\n');
    await journal.append({ kind: 'events', count: 1, lines });
    const [delivery] = await journal.take(10, 0);
    await journal.bury({ ...delivery!.batch, reason: 'odd', id: delivery!.id });
    await journal.ack([delivery!]);
    expect(await journal.take(10, 0)).toEqual([]);
    expect(await deadLetterCommand(['replay', '--data', data])).toBe(0);
    await journal.adopt();
    const again = await journal.take(10, 0);
    expect(again.map(({ batch }) => batch.lines.toString())).toEqual([lines.toString()]);
    await journal.adopt();
    expect(await journal.take(10, 0)).toEqual([]);
    await journal.close();
  });

  it('are batches that the service has met at five starts without coming to an end with them', async () => {
    const data = `${directory.path}/b`;
    let attempts: readonly number[] = [];
    for (let start = 0; start < 7; start++) {
      const journal = await Journal.open(data);
      if (start === 0) await journal.append({ kind: 'flows', count: 1, lines: Buffer.from('x\n') });
      attempts = (await journal.take(10, 0)).map(({ attempt }) => attempt);
      await journal.close();
    }
    expect(attempts).toEqual([6]);
  });
});

describe('the cache of one settling', () => {
  const lease = (hour: number, host: string): Fact => ({
    shard: 'ip:10.0.0.1',
    kind: 'lease',
    id: `${host}|${hour}`,
    at: hour * 3_600_000_000,
    keys: [],
    version: 0,
    body: { host: { id: host } },
  });

  it('answers as the store does, for any span of leases and any limit', async () => {
    const inner = openMemory();
    await inner.put(Array.from({ length: 40 }, (_, i) => lease(i, `h${i % 3}`)));
    const cache = new SettleCache(inner);
    await cache.during(async () => {
      for (let from = 0; from < 40; from += 3) {
        for (const [width, limit] of [
          [0, 9],
          [2, 1],
          [7, 64],
          [30, 5],
          [3, 0],
        ] as const) {
          const span = [from * 3.6e9 - 1, (from + width) * 3.6e9, limit] as const;
          expect(await cache.store.between('ip:10.0.0.1', 'lease', ...span)).toEqual(
            await inner.between('ip:10.0.0.1', 'lease', ...span),
          );
        }
      }
    });
  });

  it('remembers nothing after the settling, nor anything that is written while it goes on', async () => {
    const inner = openMemory();
    const cache = new SettleCache(inner);
    const joined: Fact = { ...lease(1, 'h'), shard: 'host:h', kind: 'joined', id: 'j' };
    await cache.during(async () => {
      expect(await cache.store.get('host:h', 'joined', 'j')).toBeUndefined();
      expect(await cache.store.between('ip:10.0.0.1', 'lease', 0, 1e17, 9)).toEqual([]);
      await cache.store.put([joined]);
      expect(await cache.store.get('host:h', 'joined', 'j')).toBeDefined();
    });
    await inner.put([lease(2, 'h')]);
    await cache.during(async () => {
      expect(await cache.store.between('ip:10.0.0.1', 'lease', 0, 1e17, 9)).toHaveLength(1);
    });
  });
});
