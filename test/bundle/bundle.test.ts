import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AboutAlert } from '../../enrich/bundle/judge-again.ts';
import { MAX_BUNDLE_BYTES, MAX_MEMBERS, MEMBERS } from '../../enrich/bundle/members.ts';
import { rawEventsOf } from '../../enrich/bundle/raw-events.ts';
import { judgedFrom, readBundle } from '../../enrich/bundle/read-bundle.ts';
import { type RawEvent, writeBundle } from '../../enrich/bundle/write-bundle.ts';
import { readZip, writeZip } from '../../enrich/bundle/zip.ts';
import { replay } from '../../enrich/cli/replay.ts';
import { listEndpointFiles } from '../../enrich/ingest/list-endpoint-files.ts';
import { defaultSettings, readSettings } from '../../enrich/settings.ts';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import type { Store, StoredAlert } from '../../enrich/store/store.ts';
import { evidenceName } from '../../sensor/record/evidence-name.ts';
import { openConsole, TOKEN } from '../build/console.ts';

const STORIES = 'pcaps/stories';
const LIMITS = { members: MAX_MEMBERS, bytes: MAX_BUNDLE_BYTES, takes: () => true };

const LOGS = listEndpointFiles(STORIES).map((file) => readFileSync(file, 'utf8'));

const folder = mkdtempSync(join(tmpdir(), 'waybill-bundle-'));
const evidence = join(folder, 'packets');
let store: Store;
let alerts: readonly StoredAlert[] = [];
const bundles = new Map<string, Buffer>();

const packets = (flowId: string): Buffer => readFileSync(join(evidence, evidenceName(flowId)));

async function bundleOf(alert: StoredAlert): Promise<Buffer> {
  const written = await writeBundle(store, defaultSettings(), alert, packets);
  if (written.kind === 'none') throw new Error(written.why);
  expect(written.notes).toEqual([]);
  return written.bytes;
}

function membersOf(zip: Buffer): { name: string; bytes: Buffer }[] {
  const read = readZip(zip, LIMITS);
  if (read.kind === 'bad') throw new Error(read.why);
  return [...read.members].map(([name, bytes]) => ({ name, bytes }));
}

beforeAll(async () => {
  const data = join(folder, 'store');
  await replay({ captures: [STORIES], endpoints: [STORIES], settings: defaultSettings(), data, evidence });
  store = await openEmbedded(data);
  alerts = await store.listAlerts({ limit: 100 });
  for (const alert of alerts) bundles.set(alert.id, await bundleOf(alert));
}, 60_000);
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const oneBundle = (): Buffer => bundles.values().next().value!;

describe('an evidence bundle', () => {
  it('gives the whole alert again, decibel for decibel, without the store', async () => {
    expect(alerts.length).toBeGreaterThan(5);
    for (const alert of alerts) {
      const read = readBundle(bundles.get(alert.id)!);
      if (read.kind === 'bad') throw new Error(read.why);
      expect(await judgedFrom(read.bundle)).toEqual(alert);
    }
  });

  it('holds the records of the feed that the alert names, word for word, where the logs are at hand', {
    timeout: 60_000,
  }, async () => {
    for (const alert of alerts) {
      const body = alert.body as AboutAlert;
      const raw = await rawEventsOf(body, [STORIES]);
      const ids = new Set(raw.flatMap(({ events }) => events));
      expect(body.waybill!.events!.filter((id) => !ids.has(id))).toEqual([]);
      expect(raw.length).toBeGreaterThan(2);
      const written = await writeBundle(store, defaultSettings(), alert, packets, raw);
      if (written.kind === 'none') throw new Error(written.why);
      expect(readBundle(written.bytes).kind).toBe('ok');
      const member = membersOf(written.bytes).find(({ name }) => name === MEMBERS.raw)!;
      const [first] = member.bytes.toString().split('\n');
      expect(LOGS.some((log) => log.includes((JSON.parse(first!) as RawEvent).record))).toBe(true);
    }
  });

  it('carries the tables of the shop, and gives the same decibels without them', async () => {
    const tables = join(folder, 'tables');
    mkdirSync(tables);
    writeFileSync(
      join(tables, 'services.yaml'),
      'edition: 2026-01-01\nsource: ours\nrows: [{ names: [quietharbor.example], provider: Harbor, category: paste }]\n',
    );
    const config = join(folder, 'tables.yaml');
    writeFileSync(config, 'tables: { directory: tables }\n');
    const settings = readSettings(config);
    const story = `${STORIES}/story-exfil-archive`;
    const data = join(folder, 'with-tables');
    const input = { captures: [`${story}.pcap.gz`], endpoints: [`${story}.endpoint.jsonl`], settings, data };
    const [alert] = (await replay(input)).alerts;
    const own = await openEmbedded(data);
    const written = await writeBundle(own, settings, alert!, packets);
    await own.close();
    if (written.kind === 'none') throw new Error(written.why);
    rmSync(tables, { recursive: true });
    const read = readBundle(written.bytes);
    if (read.kind === 'bad') throw new Error(read.why);
    expect(await judgedFrom(read.bundle)).toEqual(alert);
    expect(alert!.body).toMatchObject({ waybill: { destination: { category: 'paste' } } });
    // They tell: with the built-in ones alone it is another alert.
    expect(await judgedFrom(read.bundle, defaultSettings())).not.toEqual(alert);
  }, 60_000);

  it('is the same file each time, and holds packets of every flow that the alert lists', async () => {
    for (const alert of alerts) {
      expect((await bundleOf(alert)).equals(bundles.get(alert.id)!)).toBe(true);
      const { flows } = (alert.body as { waybill: { flows: readonly object[] } }).waybill;
      const slices = membersOf(bundles.get(alert.id)!).filter(({ name }) => name.startsWith('packets/'));
      expect(slices.length).toBe(flows.length);
    }
  });

  it('is explained by the program in another folder, and a zip program takes it', () => {
    const file = join(folder, 'elsewhere', 'case.zip');
    mkdirSync(join(folder, 'elsewhere'));
    writeFileSync(file, oneBundle());
    const main = resolve('enrich/cli/main.ts');
    const tsx = resolve('node_modules/tsx/dist/loader.mjs');
    const run = spawnSync(process.execPath, ['--import', tsx, main, 'explain', 'case.zip'], {
      cwd: join(folder, 'elsewhere'),
      encoding: 'utf8',
    });
    expect(run.stderr).toMatch(/^waybill: scored again from the bundle: [\d.]+ dB, as the manifest says\n$/);
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/Probability 0\.\d+/);
    execFileSync('python3', ['-c', `import zipfile; assert zipfile.ZipFile('${file}').testzip() is None`]);
  }, 60_000);

  it('comes from the console, with the packets of a flow, to holders of a token', async () => {
    const alert = alerts[0]!;
    const serving = await openConsole(store, { evidence });
    const ask = (path: string, token = TOKEN): Promise<Response> =>
      fetch(`http://127.0.0.1:${serving.port}/api/alerts/${alert.id}/${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
    try {
      const answer = await ask('bundle');
      expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${alert.id}.zip"`);
      expect(Buffer.from(await answer.arrayBuffer()).equals(bundles.get(alert.id)!)).toBe(true);
      const { flows } = (alert.body as { waybill: { flows: readonly { flow_id: string }[] } }).waybill;
      const id = flows[0]!.flow_id;
      const slice = await ask(`packets/${encodeURIComponent(id)}`);
      expect(Buffer.from(await slice.arrayBuffer()).equals(packets(id))).toBe(true);
      expect((await ask('stix')).status).toBe(200);
      expect((await ask('packets/..%2f..%2fetc%2fpasswd')).status).toBe(404);
      expect((await ask('packets')).status).toBe(404);
      expect((await ask('bundle/more')).status).toBe(404);
      expect((await ask('bundle', 'another-token')).status).toBe(401);
    } finally {
      await serving.close(100);
    }
  });
});

describe('a bundle that is not what it was', () => {
  it('is refused by the name of the member that was altered', () => {
    const members = membersOf(oneBundle());
    for (const { name } of members.filter((member) => member.name !== MEMBERS.manifest)) {
      const altered = members.map((member) =>
        member.name === name ? { name, bytes: Buffer.concat([member.bytes, Buffer.from(' ')]) } : member,
      );
      expect(readBundle(writeZip(altered))).toMatchObject({
        kind: 'bad',
        why: expect.stringContaining(`${name}: was altered`),
      });
      const without = members.filter((member) => member.name !== name);
      expect(readBundle(writeZip(without))).toMatchObject({ kind: 'bad', why: `${name}: is missing` });
    }
  });

  it.each([
    '../../etc/passwd',
    '/etc/passwd',
    'packets/../x.pcap',
    'packets/a/b.pcap',
    'C:\\x',
    '__proto__',
    'packets/.pcap',
  ])('is refused for a member named %s', (name) => {
    const zip = writeZip([...membersOf(oneBundle()), { name, bytes: Buffer.from('x') }]);
    expect(readBundle(zip)).toMatchObject({ kind: 'bad', why: expect.stringContaining('no member of a bundle') });
  });

  it('is refused for a member that the manifest does not list, or lists twice', () => {
    const members = membersOf(oneBundle());
    const extra = { name: 'packets/extra.pcap', bytes: Buffer.from('x') };
    expect(readBundle(writeZip([...members, extra]))).toMatchObject({
      why: 'packets/extra.pcap: is not in the manifest',
    });
    expect(readBundle(writeZip([...members, members[1]!]))).toMatchObject({
      why: `${members[1]!.name}: stands in it twice`,
    });
  });

  it('unpacks no more than is allowed, whatever its sizes say', () => {
    const bomb = writeZip([{ name: MEMBERS.alert, bytes: Buffer.alloc(1 << 20) }]);
    const limits = { ...LIMITS, bytes: 1_000 };
    expect(readZip(bomb, limits)).toMatchObject({ why: expect.stringContaining('more than 1000 bytes') });
    // The directory says ten bytes, the data are a mebibyte.
    const lying = Buffer.from(bomb);
    lying.writeUInt32LE(10, lying.lastIndexOf(Buffer.from('PK\x01\x02')) + 24);
    expect(readZip(lying, limits)).toMatchObject({ why: `${MEMBERS.alert}: cannot be unpacked` });
    const many = writeZip(
      Array.from({ length: 100 }, (_, i) => ({ name: `packets/${i}.pcap`, bytes: Buffer.from('x') })),
    );
    expect(readBundle(many)).toMatchObject({ why: `100 members, more than ${MAX_MEMBERS}` });
  });

  it('never throws and never passes, wherever a byte is changed', () => {
    const whole = oneBundle();
    const known = JSON.stringify(membersOf(whole).map(({ name, bytes }) => [name, bytes.toString('base64')]));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(whole);
        damaged[at] = damaged[at]! ^ change;
        const read = readBundle(damaged);
        if (read.kind === 'bad') return;
        // What does not show (times, attributes) changes no member.
        expect(JSON.stringify(membersOf(damaged).map(({ name, bytes }) => [name, bytes.toString('base64')]))).toBe(
          known,
        );
      }),
      { numRuns: 300 },
    );
  });

  it('is refused wherever it is cut off', () => {
    const whole = oneBundle();
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        expect(readBundle(whole.subarray(0, length)).kind).toBe('bad');
      }),
      { numRuns: 200 },
    );
  });

  it('says so when its facts, with the right sums, make no alert', async () => {
    const read = readBundle(oneBundle());
    if (read.kind === 'bad') throw new Error(read.why);
    const { bundle } = read;
    const nonsense = bundle.recording.facts.map((fact) => ({ ...fact, body: {} }));
    for (const facts of [[], nonsense]) {
      expect(typeof (await judgedFrom({ ...bundle, recording: { ...bundle.recording, facts } }))).toBe('string');
    }
  });
});
