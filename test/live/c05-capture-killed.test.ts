import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pcap } from '../build/captures.ts';
import { conversation } from '../build/conversation.ts';
import { describeLive, Network, type RunningSensor } from '../build/live-network.ts';

const MINUTES = 60_000;

/** Effective and permitted capabilities, and user ids, of a process. */
function identity(pid: number): { capabilities: string[]; uids: string[] } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const line = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
  return { capabilities: ['CapEff', 'CapPrm', 'CapInh', 'CapAmb'].map(line), uids: line('Uid').split('\t') };
}

const none = '0000000000000000';

for (const driver of ['tcpdump', 'cap'] as const) {
  describeLive(
    `privileges, and a capture program that dies (${driver})`,
    () => {
      let network: Network;
      let sensor: RunningSensor;
      beforeAll(async () => {
        network = new Network();
        sensor = await network.listen('--driver', driver, '--user', 'nobody');
      }, 2 * MINUTES);
      afterAll(() => network.remove());

      it('o05 the process that parses has no capability and is not root', () => {
        const { capabilities, uids } = identity(sensor.pid);
        expect(capabilities).toEqual([none, none, none, none]);
        expect(uids).not.toContain('0');
      });

      it('o05 the capture program gives its own up once the interface is open', async () => {
        const { capabilities, uids } = identity((await sensor.until('capture program', () => sensor.capturePid))!);
        expect(capabilities.slice(0, 2)).toEqual([none, none]);
        expect(uids).not.toContain('0');
      });

      it(
        'c05 is replaced when it is killed, and the gap is recorded',
        async () => {
          const first = (await sensor.until('capture program', () => sensor.capturePid))!;
          process.kill(first, 'SIGKILL');
          expect(await sensor.logged('capture is down')).toMatchObject({ why: expect.stringContaining('SIGKILL') });
          const up = await sensor.logged('capture is up', 2);
          expect(up.without_capture_s).toBeGreaterThan(0);
          expect(sensor.capturePid).not.toBe(first);
          expect(sensor.metric('capture_restarts_total')).toBe(1);
          network.play(pcap(conversation({ serverName: 'later.example' }).frames.map((bytes) => ({ bytes }))), 100);
          await sensor.until('record', () => sensor.records.some((r) => r.destination.domain === 'later.example'));
        },
        MINUTES,
      );

      it(
        'ends with an error when the launcher, which holds the privilege, is gone',
        async () => {
          process.kill(sensor.launcherPid!, 'SIGKILL');
          expect(await sensor.end()).toEqual({ code: 1, signal: null });
          expect(sensor.stderr).toContain('capture launcher ended');
          expect(sensor.ends().has('later.example')).toBe(true);
        },
        MINUTES,
      );
    },
    driver,
  );
}

describeLive('an installation that only root may read', () => {
  it(
    'o05 reads certificates after it has become another user',
    async () => {
      const network = new Network(); // its folder is root's alone
      try {
        const there = `mkdir -p ${network.folder}/own && mount --bind . ${network.folder}/own && cd ${network.folder}/own`;
        const wrapper = ['unshare', '-m', 'sh', '-c', `${there} && exec "$0" "$@"`];
        const sensor = network.startUnder(wrapper, '--user', 'nobody');
        await sensor.logged('capture is up');
        network.play(gunzipSync(readFileSync('pcaps/clients/clients-tls12-tls13.pcap.gz')), 1_000);
        await sensor.until('a certificate', () => sensor.records.some((r) => r.tls?.server?.subject !== undefined));
        await sensor.stop();
        expect(sensor.records.flatMap((r) => r.waybill.anomalies ?? [])).not.toContain('certificate_malformed');
      } finally {
        network.remove();
      }
    },
    MINUTES,
  );
});
