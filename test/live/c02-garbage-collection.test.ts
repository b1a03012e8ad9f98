import { afterAll, beforeAll, expect, it } from 'vitest';
import { pcap } from '../build/captures.ts';
import { conversation } from '../build/conversation.ts';
import { describeLive, Network, type RunningSensor } from '../build/live-network.ts';

const MINUTES = 60_000;

describeLive(
  'c02 garbage collection while cap captures',
  () => {
    let network: Network;
    let sensor: RunningSensor;
    beforeAll(async () => {
      network = new Network();
      // In every process of the sensor: a full collection each 10 ms.
      const collect = 'data:text/javascript,setInterval(()=>globalThis.gc(),10).unref()';
      sensor = await network.listen('--expose-gc', '--import', collect, '--', '--driver', 'cap');
    }, 2 * MINUTES);
    afterAll(() => network.remove());

    it(
      'corrupts nothing: every packet comes as it was sent, from one program',
      async () => {
        const { frames, clientBytes, serverBytes } = conversation({ serverName: 'steady.example', upload: 1_000_000 });
        network.play(pcap(frames.map((bytes) => ({ bytes }))), 700);
        await sensor.read(frames.length);
        expect(sensor.metric('capture_restarts_total')).toBe(0);
        await sensor.stop();
        const end = sensor.ends().get('steady.example');
        expect([end?.source.bytes, end?.destination.bytes]).toEqual([clientBytes, serverBytes]);
        expect(end?.waybill).toMatchObject({ bytes_exact: true, ts_source: 'arrival' });
        expect(end?.waybill.missed_bytes).toBeUndefined();
      },
      MINUTES,
    );
  },
  'cap',
);
