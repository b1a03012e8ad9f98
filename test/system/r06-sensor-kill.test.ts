/** RELIABILITY r06 (light): a sensor is killed while it spools; what is in the spool is whole. */
import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Spool } from '../../sensor/publish/spool.ts';
import { freePort } from '../build/redis-server.ts';
import { eventually, temporary, waybill } from '../service/waybill-process.ts';

it.each([0, 120])(
  'r06: killed %i ms after the first record was spooled',
  async (wait) => {
    const directory = temporary();
    const to = `redis://127.0.0.1:${await freePort()}`;
    const capture = 'pcaps/stories/history.pcap.gz';
    const sensor = waybill('sensor', '-r', capture, '-r', capture, '-q', '--to', to, '--spool', directory.path);
    await eventually(() => readdirSync(directory.path).length > 0, 30_000);
    await setTimeout(wait);
    sensor.kill('SIGKILL');
    await sensor.ended;
    const spool = await Spool.open(directory.path, 1 << 30);
    let records = 0;
    for (let file = await spool.oldest(); file; file = await spool.oldest()) {
      for (const { count, lines } of file.batches) {
        const parsed = lines
          .toString()
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as { waybill: { schema: number } });
        expect(parsed).toHaveLength(count);
        expect(parsed.every(({ waybill: own }) => own.schema === 1)).toBe(true);
        records += count;
      }
      await spool.remove(file.number);
    }
    // At most the write that was under way is cut off, and it is named.
    expect(spool.damaged).toBeLessThanOrEqual(1);
    if (wait > 0) expect(records).toBeGreaterThan(0);
    await spool.close();
    directory.remove();
  },
  60_000,
);
