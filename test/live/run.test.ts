import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storeDirectory } from '../../enrich/cli/open-backend.ts';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { pcap } from '../build/captures.ts';
import { conversation } from '../build/conversation.ts';
import { describeLive, LISTENING, Network } from '../build/live-network.ts';
import { tied } from '../build/tied.ts';

const MINUTES = 60_000;

describeLive('waybill run', () => {
  let network: Network;
  let child: ChildProcess;
  let data = '';
  let settings = '';
  let log = '';
  const said = (text: string): Promise<void> => until(() => log.includes(text));
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) {
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  const timesUp = (count: number): Promise<void> => until(() => log.split('"capture is up"').length > count);

  beforeAll(async () => {
    network = new Network();
    chmodSync(network.folder, 0o755);
    data = join(network.folder, 'data');
    mkdirSync(data);
    const program = [process.execPath, '--import', 'tsx', 'enrich/cli/main.ts', 'run', '-i', LISTENING, '--data', data];
    settings = join(network.folder, 'settings.yaml');
    writeFileSync(settings, 'TimeWindow: { minutes: 4 }\n');
    const places = ['--listen', '127.0.0.1:0', '--console', '8097', '--status', 'off'];
    const options = ['--user', 'nobody', '--config', settings, ...places];
    child = spawn(...tied('ip', ['netns', 'exec', network.name, ...program, ...options]), {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr!.on('data', (piece: Buffer) => {
      log += piece.toString();
    });
    await said('capture is up');
    await said('"ready"');
  }, 2 * MINUTES);

  afterAll(() => network.remove());

  it('serves the console on loopback, with the token that it logs', () => {
    expect(log).toMatch(/"console":"http:\/\/127\.0\.0\.1:8097\/#token=[^"]+"/);
    const script = `exec 3<>/dev/tcp/127.0.0.1/8097; printf 'GET / HTTP/1.0\\r\\nHost: 127.0.0.1:8097\\r\\n\\r\\n' >&3; cat <&3`;
    expect(network.exec('bash', '-c', script)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it(
    'on SIGHUP reads the settings again, keeps the old when they are broken, and opens the capture again',
    async () => {
      child.kill('SIGHUP');
      await said('settings read again');
      await said('capture is opened again');
      await timesUp(2);
      writeFileSync(settings, 'TimeWindow: { minutes: many }\n');
      child.kill('SIGHUP');
      await said('the old ones are kept');
      await timesUp(3);
    },
    MINUTES,
  );

  it(
    'keeps what the interface carried in its own store, and ends in order on SIGTERM',
    async () => {
      network.play(pcap(conversation({ serverName: 'kept.example' }).frames.map((bytes) => ({ bytes }))), 100);
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const ended = new Promise((resolve) => child.on('close', resolve));
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
      const store = await openEmbedded(storeDirectory(data));
      try {
        const kept: unknown[] = [];
        for await (const shard of store.shards('flow')) {
          kept.push(...(await store.between(shard, 'flow', 0, Number.MAX_SAFE_INTEGER, 10)).map((fact) => fact.body));
        }
        expect(JSON.stringify(kept)).toContain('kept.example');
      } finally {
        await store.close();
      }
    },
    MINUTES,
  );
});
