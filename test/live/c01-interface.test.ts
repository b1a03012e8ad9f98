import { afterAll, beforeAll, expect, it } from 'vitest';
import { pcap } from '../build/captures.ts';
import { conversation } from '../build/conversation.ts';
import { describeLive, LISTENING, Network, type RunningSensor } from '../build/live-network.ts';

const MINUTES = 60_000;

let clientPort = 50_000;

const traffic = (serverName: string): Uint8Array =>
  pcap(conversation({ serverName, clientPort: clientPort++ }).frames.map((bytes) => ({ bytes })));

for (const driver of ['tcpdump', 'cap'] as const) {
  describeLive(
    `c01 the interface comes and goes (${driver})`,
    () => {
      let network: Network;
      let sensor: RunningSensor;
      beforeAll(async () => {
        network = new Network();
        sensor = await network.listen('--driver', driver);
      }, 2 * MINUTES);
      afterAll(() => network.remove());

      const opened = (name: string): Promise<unknown> =>
        sensor.until(`record of ${name}`, () => sensor.records.some((r) => r.destination.domain === name));

      it(
        'says so when it goes down and when it is up again, and goes on recording',
        async () => {
          network.play(traffic('before.example'), 100);
          await opened('before.example');
          network.ip('link', 'set', LISTENING, 'down');
          expect(await sensor.logged('capture is down')).toMatchObject({ level: 'warn', interface: LISTENING });
          expect(sensor.metric('capture_up')).toBe(0);
          expect(sensor.status('/readyz')).toMatchObject({
            code: 503,
            body: expect.stringContaining('capture is down'),
          });
          expect(sensor.status('/healthz')).toEqual({ code: 200, body: 'ok\n' });
          network.ip('link', 'set', LISTENING, 'up');
          await sensor.logged('capture is up', 2);
          expect(sensor.metric('capture_up')).toBe(1);
          network.play(traffic('after.example'), 100);
          await opened('after.example');
        },
        MINUTES,
      );

      it(
        'survives its removal and listens on a new one of the same name',
        async () => {
          network.ip('link', 'del', LISTENING);
          await sensor.logged('capture is down', 2);
          network.addPair();
          await sensor.logged('capture is up', 3);
          network.play(traffic('again.example'), 100);
          await opened('again.example');
        },
        MINUTES,
      );

      it(
        'logs one line each way, counts the time without capture and never ends',
        async () => {
          const lines = sensor.log.map((l) => l.msg).filter((m) => String(m).startsWith('capture is'));
          expect(lines).toEqual([
            'capture is up',
            'capture is down',
            'capture is up',
            'capture is down',
            'capture is up',
          ]);
          expect(sensor.metric('capture_gap_seconds_total')).toBeGreaterThan(0);
          expect(await sensor.stop()).toEqual({ code: 0, signal: null });
          expect(sensor.ends().size).toBe(3);
        },
        MINUTES,
      );
    },
    driver,
  );
}
