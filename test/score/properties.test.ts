import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { rescore } from '../../enrich/score/backtest.ts';
import type { Verdict } from '../../enrich/score/verdict.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { archive, connection, flow, HOUR, lookUp, MINUTE, MORNING, program, SECOND, start } from '../join/world.ts';

const SIZE = 8_000_000;
vi.setConfig({ testTimeout: 60_000 });

type Item = FlowRecord | EndpointEvent;

/** The verdict on the one episode that these make; undefined when nothing ties them together. */
async function verdictIfAny(items: readonly Item[]): Promise<Verdict | undefined> {
  const store = openMemory();
  const settings = defaultSettings();
  const enricher = new Enricher(store, settings);
  for (const item of items) await ('kind' in item ? enricher.putEvents([item]) : enricher.putFlows([item]));
  await enricher.settle();
  const found = [...(await rescore(store, settings)).values()];
  expect(found.length).toBeLessThanOrEqual(1);
  return found[0]?.verdict;
}

async function verdictOn(items: readonly Item[]): Promise<Verdict> {
  const verdict = await verdictIfAny(items);
  expect(verdict).toBeDefined();
  return verdict!;
}

interface Parts {
  readonly sent?: number;
  /** From packing to sending, microseconds. */
  readonly gap?: number;
  readonly size?: boolean;
  readonly signature?: boolean;
  readonly lookUps?: boolean;
  readonly starts?: boolean;
  readonly connections?: boolean;
}

function theft(parts: Parts): Item[] {
  const { sent = SIZE + 20_000, gap = MINUTE, size = true, signature = true, lookUps = true } = parts;
  const { starts = true, connections = true } = parts;
  const signed = signature ? ({ signatureStatus: 'unsigned' } as const) : ({ signatureStatus: 'unknown' } as const);
  const shell = { entityId: 'shell', image: 'C:\\Windows\\System32\\cmd.exe' };
  const packer = program('packer', 'C:\\Tools\\pack.exe', { ...signed, parent: shell });
  const tool = program('tool', 'C:\\Users\\ann\\up.exe', {
    ...signed,
    commandLine: 'up.exe C:\\Work\\q.7z',
    parent: shell,
  });
  const record = flow(MORNING + gap, { port: 52_000, sent, received: 3_000, seconds: 20 });
  const packed = archive(MORNING, packer, 'C:\\Work\\q.7z', SIZE);
  const { size: _, ...unsized } = packed as typeof packed & { readonly size?: number };
  return [
    record,
    size ? packed : unsized,
    ...(starts ? [start(MORNING - MINUTE, packer), start(MORNING + gap - SECOND, tool)] : []),
    ...(connections ? [connection(MORNING + gap + SECOND, tool, record)] : []),
    ...(lookUps ? [lookUp(MORNING + gap - SECOND, tool, 'other.example.net')] : []),
  ];
}

describe('the score', () => {
  it('never falls while more of the archive leaves', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: SIZE }), fc.integer({ min: 0, max: SIZE }), async (a, b) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        expect((await verdictOn(theft({ sent: more }))).db).toBeGreaterThanOrEqual(
          (await verdictOn(theft({ sent: less }))).db,
        );
      }),
      { numRuns: 20 },
    );
  });

  it('never rises with the time between packing and sending', async () => {
    const gap = fc.integer({ min: 5 * SECOND, max: 23 * HOUR });
    await fc.assert(
      fc.asyncProperty(gap, gap, async (a, b) => {
        const [soon, late] = [Math.min(a, b), Math.max(a, b)];
        expect((await verdictOn(theft({ gap: late }))).db).toBeLessThanOrEqual(
          (await verdictOn(theft({ gap: soon }))).db + 1e-9,
        );
      }),
      { numRuns: 20 },
    );
  });

  it('holds nothing against anybody for what was not seen, and says so', async () => {
    const all = await verdictOn(theft({}));
    const against = new Map(all.terms.filter(({ db }) => db > 0).map(({ name, db }) => [name, db]));
    const flag = fc.boolean();
    const parts = fc.record({ size: flag, signature: flag, lookUps: flag, starts: flag, connections: flag });
    await fc.assert(
      fc.asyncProperty(parts, async (seen) => {
        const verdict = await verdictIfAny(theft(seen));
        if (!verdict) return;
        for (const { name, db } of verdict.terms) {
          if (db > 0) expect(db, name).toBeLessThanOrEqual((against.get(name) ?? Number.NEGATIVE_INFINITY) + 1e-9);
        }
        expect(verdict.db).toBeLessThanOrEqual(all.db + 1e-9);
        expect(verdict.missing.length).toBeGreaterThanOrEqual(all.missing.length);
        expect(verdict.db).toBeLessThanOrEqual(verdict.attainableDb + 1e-9);
        expect(verdict.attainableDb).toBeLessThanOrEqual(all.attainableDb + 1e-9);
      }),
      { numRuns: 32 },
    );
  });

  it('is what is left of it, group by group, when a group is taken away', async () => {
    const { db, groups, withoutGroup } = await verdictOn(theft({}));
    expect(withoutGroup.length).toBeGreaterThan(2);
    for (const without of withoutGroup) {
      expect(without.db).toBeCloseTo(db - groups.find(({ group }) => group === without.group)!.db, 9);
    }
  });
});
