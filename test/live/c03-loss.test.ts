import { afterAll, beforeAll, expect, it } from 'vitest';
import { pcap } from '../build/captures.ts';
import { ethernet, tcp } from '../build/frames.ts';
import { describeLive, Network, type RunningSensor } from '../build/live-network.ts';

const MINUTES = 60_000;
const PACKETS = 2_000;
const LOOPS = 40;

describeLive('c03 more packets than we can take', () => {
  let network: Network;
  let sensor: RunningSensor;
  beforeAll(async () => {
    network = new Network();
    sensor = await network.listen('--driver', 'tcpdump', '--buffer', '1');
  }, 2 * MINUTES);
  afterAll(() => network.remove());

  it(
    'counts every one it did not get, and calls itself degraded',
    async () => {
      const payload = new Uint8Array(300);
      const frames = Array.from({ length: PACKETS }, (_, i) => ethernet(tcp({ srcPort: 40_000 + i, payload })));
      sensor.process.kill('SIGSTOP');
      network.play(pcap(frames.map((bytes) => ({ bytes }))), 40_000, LOOPS);
      sensor.process.kill('SIGCONT');
      const sent = PACKETS * LOOPS;
      await sensor.until('counts of the kernel', () => sensor.metric('kernel_packets_total') >= sent);
      await sensor.until('all that was kept', () => {
        return sensor.metric('packets_total') + sensor.metric('kernel_dropped_total') >= sent;
      });
      expect(sensor.metric('kernel_dropped_total')).toBeGreaterThan(sent / 2);
      expect(sensor.metric('packets_total') + sensor.metric('kernel_dropped_total')).toBe(sent);
      await sensor.until('loss', () => sensor.metric('loss_ratio') > 0.01);
      expect(sensor.status('/readyz')).toMatchObject({
        code: 503,
        body: expect.stringContaining('the kernel dropped'),
      });
    },
    MINUTES,
  );

  it(
    'answers a signal all the same',
    async () => {
      expect(await sensor.stop()).toEqual({ code: 0, signal: null });
    },
    MINUTES,
  );
});
