/**
 * c04: 50,000 packets a second for a minute, 500 handshakes a second among them, with the kernel filter `handshake`.
 * Runs when asked: WAYBILL_SLOW=1 npx vitest run test/slow/c04-load.test.ts
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pcap } from '../build/captures.ts';
import { conversation } from '../build/conversation.ts';
import { ethernet, tcp } from '../build/frames.ts';
import { describeLive, Network, type RunningSensor } from '../build/live-network.ts';

const MINUTES = 60_000;
const RATE = 50_000;
const SECONDS = Number(process.env.WAYBILL_SLOW_SECONDS ?? 60);
const CONVERSATIONS = 250;
const FRAMES = 25_000;

/** Half a second of traffic: handshakes among the full segments of long transfers. Each loop gets other addresses. */
function halfSecond(): Uint8Array {
  const handshakes = Array.from({ length: CONVERSATIONS }, (_, i) =>
    conversation({
      serverName: `host${i}.example`,
      client: `10.1.${i >> 6}.${(i & 63) + 1}`,
      clientPort: 20_000 + i,
      keyShareBytes: 1_216,
    }),
  ).map((c) => c.frames);
  const bulk = Array.from({ length: 200 }, (_, i) =>
    ethernet(
      tcp({ srcPort: 40_000 + (i % 20), seq: 100_000 + 1_448 * i, id: i, payload: new Uint8Array(1_448).fill(0xa7) }),
    ),
  );
  const frames: Uint8Array[] = [];
  const perConversation = Math.floor(FRAMES / CONVERSATIONS);
  for (const [i, own] of handshakes.entries()) {
    for (let n = 0; n < perConversation; n++) frames.push(own[n] ?? bulk[(i * perConversation + n) % bulk.length]!);
  }
  return pcap(frames.map((bytes) => ({ bytes })));
}

describe.runIf(process.env.WAYBILL_SLOW === '1')('slow', () => {
  for (const driver of ['tcpdump', 'cap'] as const) {
    describeLive(
      `c04 50,000 packets a second (${driver})`,
      () => {
        let network: Network;
        let sensor: RunningSensor;
        beforeAll(async () => {
          network = new Network();
          sensor = await network.listen('--driver', driver, '--profile', 'handshake');
        }, 2 * MINUTES);
        afterAll(() => network.remove());

        it(
          'loses no handshake and keeps answering',
          async () => {
            const loops = SECONDS * 2;
            await network.playUnique(halfSecond(), RATE, loops);
            const handshakes = loops * CONVERSATIONS;
            await sensor.until('every conversation', () => sensor.metric('encrypted_flows_total') >= handshakes);
            const delay = sensor.metric('event_loop_delay_p99_seconds');
            const lost = sensor.metric('kernel_dropped_total');
            const resident = sensor.metric('resident_memory_bytes');
            await sensor.stop();
            const named = sensor.records.filter(
              (r) => r.event.action === 'flow_end' && r.tls?.client?.ja4 !== undefined,
            );
            console.log({
              driver,
              handshakes,
              named: named.length,
              delay,
              lost,
              resident,
              packets: sensor.log.at(-1)?.packets,
            });
            expect(named).toHaveLength(handshakes);
            expect(delay).toBeLessThan(0.05);
          },
          10 * MINUTES,
        );
      },
      driver,
    );
  }
});
