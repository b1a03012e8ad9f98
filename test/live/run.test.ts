import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storeDirectory } from '../../enrich/cli/open-backend.ts';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { pcap } from '../build/captures.ts';
import { conversation } from '../build/conversation.ts';
import { describeLive, LISTENING, Network } from '../build/live-network.ts';

const MINUTES = 60_000;

describeLive('waybill run', () => {
  let network: Network;
  let child: ChildProcess;
  let data = '';
  let log = '';
  const said = async (text: string): Promise<void> => {
    while (!log.includes(text)) {
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  beforeAll(async () => {
    network = new Network();
    chmodSync(network.folder, 0o755);
    data = join(network.folder, 'data');
    mkdirSync(data);
    const program = ['node_modules/.bin/tsx', 'enrich/cli/main.ts', 'run', '-i', LISTENING, '--data', data];
    const options = ['--user', 'nobody', '--listen', '127.0.0.1:0', '--status', 'off'];
    child = spawn('ip', ['netns', 'exec', network.name, ...program, ...options], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr!.on('data', (piece: Buffer) => {
      log += piece.toString();
    });
    await said('capture is up');
    await said('"ready"');
  }, 2 * MINUTES);

  afterAll(() => network.remove());

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
