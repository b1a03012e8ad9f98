import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedOptions, type EmbeddedStore, openEmbedded } from '../../enrich/store/embedded.ts';
import { openEnvironment, unmark } from '../../enrich/store/embedded-files.ts';
import { META, openTables } from '../../enrich/store/embedded-tables.ts';
import { tied } from '../build/tied.ts';
import { codeOf, fact } from './fixtures.ts';
import { writerBatch } from './writer-batch.ts';

let directory: string;
const opened: EmbeddedStore[] = [];

async function open(options: EmbeddedOptions = {}, place = directory): Promise<EmbeddedStore> {
  const store = await openEmbedded(place, { durable: false, ...options });
  opened.push(store);
  return store;
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'waybill-store-'));
});

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(directory, { recursive: true, force: true });
});

const child = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const dataFile = () => join(directory, 'data.mdb');

describe('an embedded store that is opened again', () => {
  it('has what was put, observed and alerted before it was closed', async () => {
    const before = await open({ durable: true });
    const sighting = { scope: 'host:a', destination: 'd', day: 3, tainted: true };
    await before.put([fact({ keys: ['k'] })]);
    await before.observe([sighting]);
    await before.putAlert({ id: 'a', at: 1, revision: 1, body: [1] });
    await before.close();

    const after = await open();
    expect(await after.find('host:a', 'flow', 'k', 1)).toEqual([fact({ keys: ['k'] })]);
    expect(await after.familiarity([sighting])).toEqual([{ firstDay: 3, lastDay: 3, days: 1, firstTainted: true }]);
    expect(await after.novelty('host:a', 0, 9)).toEqual([{ day: 3, seen: 1, fresh: 1 }]);
    expect(await after.getAlert('a')).toEqual({ id: 'a', at: 1, revision: 1, body: [1] });
    expect(await after.put([fact({ keys: ['k'] })])).toEqual([false]);
  });

  it.each([1, 6, 40])('has everything acknowledged by a process that was killed after %i batches', async (batches) => {
    const last = await killWriterAfter(batches);
    const store = await open();
    for (let batch = 0; batch <= last; batch++) {
      const { facts, observations } = writerBatch(batch);
      for (const each of facts) expect(await store.get(each.shard, each.kind, each.id)).toEqual(each);
      expect(await store.familiarity(observations)).not.toContain(undefined);
    }
    const counted = await Promise.all([0, 1, 2, 3, 4, 5, 6].map((i) => store.count(`host:${i}`, 'connection', 0, 1e9)));
    const whole = counted.reduce((sum, count) => sum + count, 0) % 20;
    expect(whole, 'a batch is stored whole or not at all').toBe(0);
  });
});

/** Number of the last batch the writer had acknowledged when it was killed with SIGKILL. */
async function killWriterAfter(batches: number): Promise<number> {
  const writer = startWriter();
  let last = -1;
  for await (const line of createInterface({ input: writer.stdout! })) {
    if (line === 'open') continue;
    last = Number(line);
    if (last + 1 >= batches) writer.kill('SIGKILL');
  }
  if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit');
  return last;
}

function startWriter(): ChildProcess {
  const args = ['--import', 'tsx', child('embedded-writer.ts'), directory];
  return spawn(...tied(process.execPath, args), { stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('the owner of a directory', () => {
  it('is one store in a process', async () => {
    await open();
    expect(await codeOf(openEmbedded(directory))).toBe('locked');
  });

  it('is one process: another is told which one has it, and gets it when that one was killed', async () => {
    const writer = startWriter();
    await once(createInterface({ input: writer.stdout! }), 'line');
    await expect(openEmbedded(directory)).rejects.toThrow(new RegExp(`in use by process ${writer.pid} on .*\\.`));
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    expect(await codeOf(open())).toBe('none');
  });

  it('is believed dead after half a minute of silence when it ran on another machine', async () => {
    const nowMs = 1_000_000_000;
    await (await open()).close();
    await ownedFrom({ host: 'elsewhere', boot: 'another', beat: nowMs - 29_000 });
    await expect(openEmbedded(directory, { nowMs: () => nowMs })).rejects.toThrow(
      'in use by process 4242 on elsewhere',
    );
    expect(await codeOf(open({ nowMs: () => nowMs + 2_000 }))).toBe('none');
  });

  it('is dead when its machine has started anew', async () => {
    await (await open()).close();
    await ownedFrom({ host: hostname(), boot: 'before', beat: 5 });
    expect(await codeOf(open({ nowMs: () => 6 }))).toBe('none');
  });
});

/** Leaves the record of an owner in the store, as one that did not close it would. */
async function ownedFrom(owner: { host: string; boot: string; beat: number }): Promise<void> {
  const root = await openEnvironment(directory, false);
  const { dev, ino } = statSync(dataFile());
  const record = { pid: 4242, started: '1', file: `${dev}:${ino}`, ...owner };
  await openTables(root).meta.put(META.owner, Buffer.from(JSON.stringify(record)));
  await root.close();
  unmark(directory);
}

describe('the schema of a store', () => {
  it('is refused in one line when it is from a later version', async () => {
    await (await open({ schema: { version: 7, upgrades: new Map() } })).close();
    const call = openEmbedded(directory);
    await expect(call).rejects.toMatchObject({
      code: 'newer-schema',
      message: expect.stringMatching(/^[^\n]* schema 7[^\n]*$/),
    });
  });

  it('is brought up step by step when it is from an earlier version', async () => {
    await (await open()).close();
    const steps: number[] = [];
    const upgrades = new Map([1, 2].map((from) => [from, () => void steps.push(from)]));
    await (await open({ schema: { version: 3, upgrades } })).close();
    await (await open({ schema: { version: 3, upgrades } })).close();
    expect(steps).toEqual([1, 2]);
    expect(await codeOf(openEmbedded(directory))).toBe('newer-schema');
  });

  it('stays as it was when an upgrade throws', async () => {
    await (await open()).close();
    const upgrades = new Map([
      [
        1,
        () => {
          throw new Error('half way');
        },
      ],
    ]);
    expect(await codeOf(openEmbedded(directory, { schema: { version: 2, upgrades } }))).toBe('unexpected');
    expect(await codeOf(open())).toBe('none');
  });
});

describe('a damaged store', () => {
  beforeEach(async () => {
    const store = await open();
    for (let batch = 0; batch < 40; batch++) await store.put(writerBatch(batch).facts);
    await store.close();
    expect(statSync(dataFile()).size).toBeGreaterThan(100_000);
  });

  const damages: [string, () => void][] = [
    ['is noise', () => writeFileSync(dataFile(), Buffer.alloc(100_000, 'noise'))],
    ['has a few bytes', () => truncateSync(dataFile(), 100)],
    ['was cut', () => truncateSync(dataFile(), 40_960)],
  ];
  it.each(damages)('is named in one line when its file %s', async (_, damage) => {
    damage();
    await expect(openEmbedded(directory)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringMatching(/^the store in [^\n]* is damaged: [^\n]*$/),
    });
  });

  it('is found out by a look from end to end when it was not closed in order', async () => {
    const bytes = readFileSync(dataFile());
    bytes.fill(0xa5, 5 * 4096);
    writeFileSync(dataFile(), bytes);
    writeFileSync(join(directory, 'not-closed'), '0\n');
    await expect(openEmbedded(directory)).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('starts anew when the file is empty', async () => {
    truncateSync(dataFile(), 0);
    const store = await open();
    expect(await store.count('host:1', 'connection', 0, 1e9)).toBe(0);
  });
});

describe('room', () => {
  it('ends at the facts of one shard and kind: the oldest goes, is counted, and its place can be taken again', async () => {
    const store = await open({ maxFactsPerSeries: 3 });
    const at = (n: number) => fact({ id: `${n}`, at: n, keys: ['k'] });
    expect(await store.put([at(3), at(4), at(5)])).toEqual([true, true, true]);
    expect(await store.put([at(6)])).toEqual([true]);
    expect(await store.put([at(1)])).toEqual([false]);
    expect((await store.find('host:a', 'flow', 'k', 9)).map((f) => f.at)).toEqual([4, 5, 6]);
    expect((await store.between('host:a', 'flow', 0, 9, 9)).map((f) => f.at)).toEqual([4, 5, 6]);
    expect(await store.put([fact({ shard: 'host:b' }), fact({ kind: 'dns' })])).toEqual([true, true]);
    expect(store.counters().evictedFacts).toBe(2);
  });

  it('ends at the byte cap with a named error, and comes back with expire', async () => {
    const store = await open({ maxBytes: 10_000 });
    const large = (n: number) => fact({ id: `${n}`, at: n, body: 'x'.repeat(3_000) });
    await store.put([large(1), large(2), large(3)]);
    expect(await codeOf(store.put([large(4)]))).toBe('full');
    expect(await store.expire(3)).toBe(2);
    expect(await codeOf(store.put([large(4)]))).toBe('none');
    for (let round = 0; round < 20; round++) await store.put([{ ...large(4), version: 2 + round }]);
  });

  it('is refused as full before the disk is, but expire still works', async () => {
    await (await open()).put([fact({ at: 1 })]);
    await opened.pop()!.close();
    const store = await open({ reserveBytes: 2 ** 60 });
    await expect(store.put([fact()])).rejects.toMatchObject({ code: 'full', message: expect.stringContaining('free') });
    expect(await store.expire(5)).toBe(1);
  });

  it('ends at the alerts: the oldest goes', async () => {
    const store = await open({ maxAlerts: 2 });
    for (const id of ['a', 'b', 'c']) await store.putAlert({ id, at: id.charCodeAt(0), revision: 1, body: null });
    await store.dropAlert('c');
    await store.putAlert({ id: 'd', at: 500, revision: 1, body: null });
    expect((await store.listAlerts({ limit: 9 })).map((alert) => alert.id)).toEqual(['d', 'b']);
    expect(store.counters().evictedAlerts).toBe(1);
  });

  it('that the system takes away in the middle of writing is a named error, not the end of the process', () => {
    // A limit on file sizes looks to lmdb like a full disk: a short write, then an error.
    const script = 'ulimit -f 2000; exec "$@"';
    const args = ['-c', script, 'sh', process.execPath, '--import', 'tsx', child('embedded-filler.ts'), directory];
    const done = spawnSync('bash', args, { encoding: 'utf8' });
    expect(done.stdout).toBe('full\nfull\nread 100\nclosed\n');
    expect(done.status).toBe(0);
  });
});

describe('a directory that cannot be used', () => {
  it('is named when it is a file', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    await expect(openEmbedded(file)).rejects.toMatchObject({
      code: 'read-only',
      message: expect.stringContaining(file),
    });
  });

  it('is named when it may not be written', async () => {
    const closed = join(directory, 'closed');
    mkdirSync(closed, { mode: 0o500 });
    await asNobody(() =>
      expect(openEmbedded(closed)).rejects.toMatchObject({
        code: 'read-only',
        message: expect.stringContaining(closed),
      }),
    );
  });
});

/** Root may write everywhere: it becomes nobody for the while. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return work();
  chmodSync(directory, 0o755);
  chmodSync(join(directory, 'closed'), 0o555);
  process.seteuid!('nobody');
  try {
    await work();
  } finally {
    process.seteuid!(0);
  }
}

describe('a backup', () => {
  it('is a store with everything in it, made while writing goes on', async () => {
    const store = await open();
    for (let batch = 0; batch < 5; batch++) await store.put(writerBatch(batch).facts);
    const writing = Array.from({ length: 5 }, (_, i) => store.put(writerBatch(5 + i).facts));
    const place = join(directory, 'backup');
    await store.backup(place);
    await Promise.all(writing);
    const copy = await open({}, place);
    for (let batch = 0; batch < 5; batch++) {
      for (const each of writerBatch(batch).facts) expect(await copy.get(each.shard, each.kind, each.id)).toEqual(each);
    }
    expect(await copy.put(writerBatch(0).facts)).not.toContain(true);
  });

  it('does not write over anything', async () => {
    const store = await open();
    expect(await codeOf(store.backup(directory))).toBe('refused');
  });

  it('belongs to nobody, though it was made from a store in use', async () => {
    const store = await open();
    const place = join(directory, 'backup');
    await store.backup(place);
    expect(await codeOf(open({}, place))).toBe('none');
  });

  it('may as well be a plain copy of a store that is closed', async () => {
    await (await open()).put([fact()]);
    await opened.pop()!.close();
    const place = `${directory}-copy`;
    cpSync(directory, place, { recursive: true });
    const copy = await open({}, place);
    expect(await copy.get('host:a', 'flow', 'f1')).toEqual(fact());
    await opened.pop()!.close();
    rmSync(place, { recursive: true });
  });
});
