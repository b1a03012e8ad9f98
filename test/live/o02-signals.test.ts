import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pcap } from '../build/captures.ts';
import { conversation } from '../build/conversation.ts';
import { describeLive, LISTENING, Network } from '../build/live-network.ts';

const MINUTES = 60_000;

/** Conversations that do not end, so that their last record is written by the one who stops. */
function openConversations(count: number): Uint8Array {
  const all = Array.from({ length: count }, (_, i) =>
    conversation({ serverName: `host${i}.example`, clientPort: 50_000 + i, ends: false }),
  );
  return pcap(all.flatMap((c) => c.frames.map((bytes) => ({ bytes }))));
}

describeLive('o02 signals', () => {
  let network: Network;
  beforeAll(() => {
    network = new Network();
  });
  afterAll(() => network.remove());

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(
      `${signal} writes the last record of every flow and ends with 0`,
      async () => {
        const sensor = await network.listen();
        network.play(openConversations(50), 2_000);
        await sensor.until('50 records', () => sensor.records.length >= 50);
        sensor.process.kill(signal);
        expect(await sensor.end()).toEqual({ code: 0, signal: null });
        expect(sensor.ends().size).toBe(50);
        expect(sensor.log.at(-1)).toMatchObject({ msg: 'stopped', encrypted: 50, records_dropped: 0 });
      },
      MINUTES,
    );
  }

  it(
    'a second SIGTERM ends at once with 143, though nobody reads the records',
    async () => {
      const sensor = await network.listen('--verbose');
      sensor.process.stdout!.pause();
      network.play(openConversations(700), 20_000);
      await sensor.until('records', () => sensor.metric('records_total') >= 700);
      sensor.process.kill('SIGTERM');
      await sensor.until('first signal', () => sensor.capturePid === undefined);
      sensor.process.kill('SIGTERM');
      // The log is read all the same: it has not come to its end.
      expect(sensor.log.map((l) => l.msg)).not.toContain('stopped');
      await once(sensor.process, 'exit');
      sensor.process.stdout!.resume();
      expect(await sensor.end()).toEqual({ code: 143, signal: null });
    },
    MINUTES,
  );

  it(
    'SIGHUP opens the capture and the output file again and keeps the flows',
    async () => {
      const out = join(network.folder, 'records.jsonl');
      writeFileSync(out, '');
      const sensor = await network.listen('--out', out, '--user', 'root');
      const before = await sensor.until('capture program', () => sensor.capturePid);
      const [first, ...rest] = conversation({ serverName: 'kept.example', ends: false }).frames;
      network.play(pcap([{ bytes: first! }]), 100);
      await sensor.read(1);
      sensor.process.kill('SIGHUP');
      await sensor.logged('capture is up', 2);
      expect(sensor.capturePid).not.toBe(before);
      network.play(pcap(rest.map((bytes) => ({ bytes }))), 500);
      await sensor.read(1 + rest.length);
      expect((await sensor.stop()).code).toBe(0);
      expect(network.exec('cat', out)).toContain('"domain":"kept.example"');
    },
    MINUTES,
  );
});

describeLive('what is wrong is told in one line', () => {
  let network: Network;
  beforeAll(() => {
    network = new Network();
  });
  afterAll(() => network.remove());

  it(
    'an interface that is not there: those that are',
    async () => {
      network.ip('link', 'del', LISTENING);
      const sensor = network.start();
      expect((await sensor.end()).code).toBe(1);
      expect(sensor.stderr).toBe(`waybill: cannot listen on ${LISTENING}: no such interface. Interfaces here: lo.\n`);
    },
    MINUTES,
  );
});

for (const driver of ['tcpdump', 'cap'] as const) {
  describeLive(
    `a filter that libpcap refuses (${driver})`,
    () => {
      let network: Network;
      beforeAll(() => {
        network = new Network();
      });
      afterAll(() => network.remove());

      it(
        'is a mistake of usage, told in one line',
        async () => {
          const sensor = network.start('-f', 'tcp prot 443', '--driver', driver);
          expect((await sensor.end()).code).toBe(2);
          expect(sensor.stderr).toMatch(/^waybill: --filter "tcp prot 443": libpcap says: [^\n]*syntax error[^\n]*\n$/);
        },
        MINUTES,
      );
    },
    driver,
  );
}
