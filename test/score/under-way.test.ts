import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent, FileEvent } from '../../enrich/event/endpoint-event.ts';
import { byteBalance } from '../../enrich/evidence/byte-balance.ts';
import { WEIGHTS } from '../../enrich/evidence/weights.ts';
import { rescore } from '../../enrich/score/backtest.ts';
import type { Verdict } from '../../enrich/score/verdict.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import {
  archive,
  connection,
  end,
  flow,
  HOST,
  history,
  IP,
  MINUTE,
  MORNING,
  program,
  SECOND,
  start,
} from '../join/world.ts';

vi.setConfig({ testTimeout: 60_000 });

type Item = FlowRecord | EndpointEvent;
const SIZE = 8_000_000;
const BEGAN = MORNING + 2 * MINUTE;

/** By this the host's address is known. */
const logon: EndpointEvent = {
  ...start(MORNING - MINUTE, program('explorer', 'C:\\Windows\\explorer.exe')),
  host: { ...HOST, ips: [IP] },
};

async function verdictOn(items: readonly Item[]): Promise<Verdict> {
  const store = openMemory();
  const settings = defaultSettings();
  const enricher = new Enricher(store, settings);
  for (const item of [logon, ...items]) await ('kind' in item ? enricher.putEvents([item]) : enricher.putFlows([item]));
  await enricher.settle();
  const found = [...(await rescore(store, settings)).values()];
  expect(found).toHaveLength(1);
  return found[0]!.verdict;
}

const packer = program('packer', 'C:\\Tools\\7z.exe');
const tool = program('tool', 'C:\\Users\\ann\\up.exe', { commandLine: 'up.exe C:\\Work\\q.7z' });
const silent = program('tool', 'C:\\Users\\ann\\up.exe', { commandLine: 'up.exe' });
const packed = archive(MORNING, packer, 'C:\\Work\\q.7z', SIZE);
/** An upload that runs. */
function upload(sent = SIZE / 4, name?: string): FlowRecord {
  const record = flow(BEGAN, { port: 52_000, sent, received: 3_000, seconds: 5, ...(name ? { name } : {}) });
  return { ...record, event: { ...record.event, action: 'flow_update' } };
}
const read = (process = silent, at = BEGAN - SECOND): FileEvent => ({
  ...packed,
  ...{ id: `read-${process.entityId}-${at}`, at, kind: 'file_read', op: 'read', process },
});
const term = (verdict: Verdict, name: RegExp): number | undefined =>
  verdict.terms.find((each) => name.test(each.name))?.db;
const link = (verdict: Verdict): number | undefined => term(verdict, /^link_/);

describe('an upload that runs', () => {
  it('never loses by a byte that brings it nearer to the size of the archive, whatever that is', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const size = fc.integer({ min: 100_000, max: 2 ** 36 });
    const handed = fc.boolean();
    fc.assert(
      fc.property(size, share, share, handed, (bytes, a, b, own) => {
        const db = (sent: number) =>
          byteBalance(Math.max(20_000, sent * bytes), [{ size: bytes, handed: own }], { running: true }).db;
        expect(db(Math.max(a, b))).toBeGreaterThanOrEqual(db(Math.min(a, b)) - 1e-9);
      }),
      { numRuns: 5_000 },
    );
  });

  it('counts something before half of the archive is gone, the more the more ordinary uploads are smaller', () => {
    const half = (size: number) => byteBalance(size / 2, [{ size }], { running: true }).db;
    expect(half(1_000_000)).toBeGreaterThan(2);
    expect(half(100_000_000)).toBeGreaterThan(half(1_000_000) + 2);
    expect(half(10_000_000_000)).toBeLessThanOrEqual(WEIGHTS.balance.underWayCap);
  });

  it('matches nothing yet: it does not open the gate of an established destination', () => {
    const under = byteBalance(400_000_000, [{ size: 800_000_000 }], { running: true });
    expect(under.db).toBeGreaterThan(6);
    expect(under.matchDb).toBeLessThan(3);
    const whole = byteBalance(801_000_000, [{ size: 800_000_000 }], { running: true });
    expect(whole.matchDb).toBeGreaterThan(14);
  });

  it('is on its way to nothing once it has passed every form of the archive', () => {
    expect(byteBalance(40_000_000, [{ size: 1_000_000 }], { running: true }).db).toBeLessThan(-5);
  });

  it('counts for less where the host met the place on earlier days, and so does who held the archive', async () => {
    const before = history(6, program('mail', 'C:\\Program Files\\Mail\\mail.exe'), {
      ...{ ip: '203.0.113.7', name: 'drop.example.net' },
    });
    const story = [upload(), packed, start(BEGAN - 3 * SECOND, tool)];
    const today = await verdictOn(story);
    const met = await verdictOn([...before.flows, ...before.events, ...story]);
    expect(term(met, /^byte_balance$/)!).toBeLessThan(term(today, /^byte_balance$/)! - 1);
    expect(link(today)).toBeGreaterThan(10);
    expect(link(met)).toBe(0);
  });

  it('never weighs less in a verdict the more of the archive has left', async () => {
    const sent = fc.integer({ min: 0, max: SIZE });
    const known = fc.boolean();
    await fc.assert(
      fc.asyncProperty(sent, sent, known, async (a, b, told) => {
        const story = (bytes: number): Item[] => {
          const record = upload(bytes);
          return [record, packed, ...(told ? [start(BEGAN - SECOND, tool), connection(BEGAN, tool, record)] : [])];
        };
        expect((await verdictOn(story(Math.max(a, b)))).db).toBeGreaterThanOrEqual(
          (await verdictOn(story(Math.min(a, b)))).db - 1e-9,
        );
      }),
      { numRuns: 15 },
    );
  });
});

describe('a sender that no connection event has named yet', () => {
  it('weighs nothing as a tie to the packing: what was not seen is neither guilt nor innocence', async () => {
    expect(link(await verdictOn([upload(), packed]))).toBe(0);
  });

  it('may be who held the archive when the connection began, by its command line or by a read', async () => {
    const named = await verdictOn([upload(), packed, start(BEGAN - 3 * SECOND, tool)]);
    const reads = await verdictOn([upload(), packed, read()]);
    for (const verdict of [named, reads]) {
      expect(link(verdict)).toBeCloseTo(10 * Math.log10(0.5 * 10 ** 1.5 + 0.5), 6);
      expect(term(verdict, /^user_path$/)).toBeCloseTo(10 * Math.log10(0.5 * 10 ** 0.3 + 0.5), 6);
    }
    const of = named.terms.find(({ name }) => name === 'link_referenced')!;
    expect(of.detail).toMatch(/up\.exe was started with the archive .* that it is the sender was not seen/);
  });

  it('is never held for more than it is once the connection is told of', async () => {
    const record = upload();
    const story = [record, packed, start(BEGAN - 3 * SECOND, tool), read(tool)];
    const [before, after] = [await verdictOn(story), await verdictOn([...story, connection(BEGAN, tool, record)])];
    const known = new Map(after.terms.map(({ name, db }) => [name, db]));
    for (const { name, db } of before.terms) {
      if (db > 0) expect(known.get(name) ?? 0, name).toBeGreaterThanOrEqual(db - 1e-9);
    }
    expect(before.db).toBeLessThanOrEqual(after.db + 1e-9);
    expect(before.db).toBeLessThanOrEqual(before.attainableDb);
  });

  it('is not who packed, who opened it long before, or whose own connection is known', async () => {
    const other = flow(BEGAN - 2 * SECOND, { port: 52_900, ip: '203.0.113.90', name: 'mail.example.org', sent: 700 });
    const busy = connection(BEGAN - 2 * SECOND, tool, other);
    const early = [read(silent, BEGAN - 5 * MINUTE), start(BEGAN - 5 * MINUTE, tool)];
    for (const more of [[read(packer)], early]) expect(link(await verdictOn([upload(), packed, ...more]))).toBe(0);
    const store = openMemory();
    const settings = defaultSettings();
    const enricher = new Enricher(store, settings);
    await enricher.putFlows([upload(), other]);
    await enricher.putEvents([logon, packed, start(BEGAN - 3 * SECOND, tool), busy]);
    await enricher.settle();
    const verdicts = [...(await rescore(store, settings)).values()].map(({ verdict }) => verdict);
    expect(verdicts.flatMap(({ terms }) => terms).some(({ name }) => name === 'link_unknown')).toBe(true);
  });

  it('is not a browser: its user may open what he packed', async () => {
    const chrome = program('chrome', 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe', {
      ...{ signer: 'Google LLC', signatureStatus: 'valid', product: 'Google Chrome', originalName: 'chrome.exe' },
    });
    expect(link(await verdictOn([upload(), packed, start(MORNING - MINUTE, chrome), read(chrome)]))).toBe(0);
  });

  it('is the less likely any of them the more held it', async () => {
    const others = ['a', 'b', 'c'].map((id) => read(program(id, `C:\\Apps\\${id}.exe`)));
    const ties = await Promise.all(
      [1, 2, 3].map(async (n) => link(await verdictOn([upload(), packed, ...others.slice(0, n)]))!),
    );
    expect(ties[1]!).toBeLessThan(ties[0]!);
    expect(ties[2]!).toBeLessThan(ties[1]!);
    const four = read(program('d', 'C:\\Apps\\d.exe'));
    expect(link(await verdictOn([upload(), packed, ...others, four]))).toBe(0);
  });

  it('comes to the same in any order, settled one by one or together, and twice', async () => {
    const record = upload();
    const items: Item[] = [record, packed, start(BEGAN - 3 * SECOND, tool), read(tool), end(BEGAN + 30 * SECOND, tool)];
    const whole = await verdictOn(items);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(items, { minLength: items.length }), async (order) => {
        expect(await verdictOn([...order, ...order])).toEqual(whole);
      }),
      { numRuns: 8 },
    );
  });
});
