import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FLOW_BATCH, FlowQueue, MAX_UNDER_WAY } from '../../enrich/cli/flow-queue.ts';
import { readFlows } from '../../enrich/cli/read-flows.ts';
import { readCapture } from '../../sensor/capture/open-capture.ts';
import { pcap } from '../build/captures.ts';
import { concat, ethernet, tcp } from '../build/frames.ts';
import { helloFor } from '../build/tls-flights.ts';
import { flow, MORNING } from '../join/world.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'waybill-slow-store-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function written(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

/** So many copies of one packet of 1,000 bytes: what is read at once makes less than a batch. */
function copies(count: number): Uint8Array {
  const one = pcap([{ bytes: ethernet(tcp({ payload: 'x'.repeat(946) })) }]);
  return concat(one.subarray(0, 24), ...Array.from({ length: count }, () => one.subarray(24)));
}

/** A client hello each, of so many flows that end with the capture. */
function hellos(count: number): Uint8Array {
  const payload = helloFor('files.example');
  return pcap(
    Array.from({ length: count }, (_, i) => ({
      bytes: ethernet(tcp({ src: `192.0.2.${1 + (i >> 14)}`, srcPort: 1024 + (i & 16_383), payload })),
    })),
  );
}

describe('a store that is slower than the reader', () => {
  const PACKETS = 12 * FLOW_BATCH;
  const record = flow(MORNING, { port: 50_000 });

  it.each([
    ['plain', (bytes: Uint8Array) => bytes],
    ['gzip', (bytes: Uint8Array) => gzipSync(bytes, { level: 1 })],
  ])('holds up the reading of a %s file', async (name, wrap) => {
    let added = 0;
    let stored = 0;
    let most = 0;
    const queue = new FlowQueue(async (records) => {
      await sleep(20);
      stored += records.length;
    });
    const sink = {
      packet(): void {
        queue.add(record);
        added++;
        most = Math.max(most, Math.floor(added / FLOW_BATCH) - stored / FLOW_BATCH);
      },
    };
    await readCapture(written(name, wrap(copies(PACKETS))), sink, { room: () => queue.room() });
    await queue.end();
    expect(stored).toBe(PACKETS);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(MAX_UNDER_WAY);
  });

  it('gets every flow once, one batch at a time, also of those that end with the capture', async () => {
    const count = (MAX_UNDER_WAY + 1) * FLOW_BATCH + 1;
    const sizes: number[] = [];
    const ids = new Set<string>();
    let together = 0;
    const complaints = await readFlows(written('hellos', hellos(count)), async (records) => {
      together++;
      expect(together).toBe(1);
      await sleep(1);
      sizes.push(records.length);
      for (const { waybill } of records) ids.add(waybill.flow_id);
      together--;
    });
    expect(complaints).toEqual([]);
    expect(ids.size).toBe(count);
    expect(sizes).toEqual([...Array.from({ length: MAX_UNDER_WAY + 1 }, () => FLOW_BATCH), 1]);
  });

  it('ends the reading with what it refuses a batch with', async () => {
    let puts = 0;
    const refused = new Error('the store is full');
    const reading = readFlows(written('refused', hellos(2 * FLOW_BATCH)), async () => {
      puts++;
      throw refused;
    });
    await expect(reading).rejects.toBe(refused);
    expect(puts).toBe(1);
  });
});
