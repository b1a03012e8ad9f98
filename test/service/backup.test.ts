/** The embedded store is copied while the service works on it, and a service begins on the copy where the first one was. */
import { cpSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { readExceptions } from '../../enrich/alert/exception-file.ts';
import { allowCommand } from '../../enrich/cli/allow.ts';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { backUpEmbedded } from '../../enrich/store/embedded-reader.ts';
import { serviceHere } from './service-here.ts';
import { oneTheft } from './stories.ts';
import { enrichProcess, eventually, metric, post, temporary, waybill } from './waybill-process.ts';

const directory = temporary();
afterAll(() => directory.remove());
const at = (name: string): string => `${directory.path}/${name}`;
const ADDRESS = '10.20.0.11';
const HOST = '3ef767ae-f2b6-4b17-a175-60fbe4880ff4';

it('is whole, and holds all that was settled before it began', async () => {
  const theft = await oneTheft();
  const service = await enrichProcess(['--data', at('data'), '--no-stdout']);
  // Each a machine of its own: what several claim of one address says less of each, the more there are.
  const ofHost = (i: number): string =>
    theft.endpoint.replaceAll(HOST, `h-${i}`).replaceAll(ADDRESS, `10.99.${i >> 8}.${i & 255}`);
  const events = async (i: number) => (await post(`${service.url}/v1/events`, ofHost(i))).ok;
  expect(await events(0)).toBe(true);
  await post(`${service.url}/v1/events`, theft.endpoint);
  await post(`${service.url}/v1/flows`, theft.flows);
  await eventually(async () => (await metric(service.url, 'waiting_batches')) === 0);
  const allowed = [
    '--image',
    'C:\\x.exe',
    '--destination',
    'd',
    '--owner',
    'o',
    '--reason',
    'r',
    '--expires',
    '2099-01-01',
  ];
  // This process is another one than the service's, as any command is.
  expect(await allowCommand(['add', '--data', at('data'), ...allowed])).toBe(0);

  let next = 1;
  let loading = true;
  const load = Promise.all(
    [0, 1, 2].map(async () => {
      while (loading) await events(next++);
    }),
  );
  const copy = waybill('enrich', '--data', at('data'), '--backup', at('copy-1'));
  expect(await copy.ended).toBe(0);
  await backUpEmbedded(at('data/store'), at('copy-2'));
  loading = false;
  await load;
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);

  const held: number[] = [];
  for (const name of ['copy-1', 'copy-2']) {
    const store = await openEmbedded(at(name));
    let hosts = 0;
    for await (const shard of store.shards('process')) {
      hosts++;
      // Rows, ids and counts are written together, and are together in the copy.
      const facts = await store.between(shard, 'process', 0, 1e17, 1_000);
      expect(facts).toHaveLength(await store.count(shard, 'process', 0, 1e17));
      for (const { id } of facts) expect(await store.get(shard, 'process', id)).toBeDefined();
    }
    held.push(hosts);
    expect(await store.listAlerts({ limit: 10 })).toHaveLength(1);
    await store.close();
    expect(readExceptions(at(name))).toHaveLength(1);
  }
  expect(held[0]).toBeGreaterThanOrEqual(2);
  expect(held[1]).toBeGreaterThanOrEqual(held[0]!);
  expect(next).toBeGreaterThan(10);

  // As README has it: the copy takes the place of the store.
  renameSync(at('data/store'), at('data/broken'));
  mkdirSync(at('data/store'));
  cpSync(at('copy-2'), at('data/store'), { recursive: true });
  const restored = await serviceHere({}, { data: at('data') });
  expect(await restored.store.listAlerts({ limit: 10 })).toHaveLength(1);
  await restored.stop();
  expect(readdirSync(at('data/store'))).toContain('allow.json');
}, 90_000);

it('holds the batches that were accepted and wait', async () => {
  const theft = await oneTheft();
  const first = await enrichProcess(['--data', at('waits'), '--no-stdout']);
  const senders = [...Array(40).keys()].map((i) =>
    post(`${first.url}/v1/events`, theft.endpoint.replaceAll(HOST, `w-${i}`)),
  );
  for (const answer of await Promise.all(senders)) expect(answer.status).toBe(202);
  first.kill('SIGKILL'); // some of them are in the journal alone
  await first.ended;
  const held = readdirSync(at('waits/journal'));
  expect(held.length).toBeGreaterThan(0);
  const copy = waybill('enrich', '--data', at('waits'), '--backup', at('copy-3'));
  expect(await copy.ended, copy.err()).toBe(0);
  mkdirSync(at('moved'));
  cpSync(at('copy-3'), at('moved/store'), { recursive: true });
  renameSync(at('moved/store/journal'), at('moved/journal'));
  const restored = await serviceHere({}, { data: at('moved') });
  await eventually(async () => (await metric(restored.url, 'waiting_batches')) === 0, 40_000);
  const hosts: string[] = [];
  for await (const shard of restored.store.shards('process')) hosts.push(shard);
  expect(hosts.filter((host) => host.startsWith('host:w-'))).toHaveLength(40);
  await restored.stop();
}, 90_000);

it('is refused where there is no store, which makes none, and into a directory that is not empty', async () => {
  await expect(backUpEmbedded(at('nowhere'), at('copy-of-nothing'))).rejects.toThrow(/^there is no store in .*nowhere/);
  await expect(backUpEmbedded(at('data/store'), at('copy-1'))).rejects.toThrow(/copy-1 is not empty/);
});
