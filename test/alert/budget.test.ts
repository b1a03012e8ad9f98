import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BudgetMark, isHeld, withBudget } from '../../enrich/alert/budget.ts';
import { alertTable } from '../../enrich/alert/table.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import type { StoredAlert } from '../../enrich/store/store.ts';
import { alertsAfter, onHost, theft } from '../join/world.ts';

const alert = (id: number, day: number, probability: number, allowed = false): StoredAlert => ({
  id: `wb-${id}`,
  at: id,
  revision: 1,
  body: {
    '@timestamp': `2026-03-0${day}T10:00:00Z`,
    message: `alert ${id}`,
    event: { start: `2026-03-0${day}T09:00:00Z` },
    waybill: { tier: 'high', probability, score_db: 1, ...(allowed ? { allowed: { id: 'al-1' } } : {}) },
  },
});
const markOf = ({ body }: StoredAlert): BudgetMark | undefined =>
  (body as { readonly waybill: { readonly budget?: BudgetMark } }).waybill.budget;

describe('an alert budget', () => {
  it('tells the most probable of each day and holds the rest, whatever order they come in', () => {
    const alerts = fc.uniqueArray(
      fc.tuple(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 3 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
      ),
      { selector: ([id]) => id, maxLength: 30 },
    );
    fc.assert(
      fc.property(alerts, fc.integer({ min: 1, max: 5 }), (made, perDay) => {
        const all = made.map(([id, day, probability]) => alert(id, day, probability));
        const marked = withBudget(all, perDay);
        expect(marked.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
        const byId = new Map(withBudget([...all].reverse(), perDay).map((a) => [a.id, markOf(a)]));
        for (const day of [1, 2, 3]) {
          const ofDay = marked.filter((_, i) => made[i]![1] === day);
          const told = ofDay.filter((a) => !isHeld(a));
          expect(told).toHaveLength(Math.min(perDay, ofDay.length));
          const least = Math.min(...told.map(probabilityOf));
          for (const held of ofDay.filter(isHeld)) expect(probabilityOf(held)).toBeLessThanOrEqual(least);
        }
        for (const a of marked) expect(byId.get(a.id)).toEqual(markOf(a));
      }),
    );
  });

  it('is not used up by what an exception covers', () => {
    const marked = withBudget([alert(1, 1, 0.9, true), alert(2, 1, 0.8), alert(3, 1, 0.7)], 1);
    expect(marked.map(markOf)).toEqual([
      undefined,
      { rank: 1, of: 2, per_day: 1, held: false },
      { rank: 2, of: 2, per_day: 1, held: true },
    ]);
  });

  it('that nobody set changes nothing', () => {
    const all = [alert(1, 1, 0.9)];
    expect(withBudget(all, undefined)).toEqual(all);
  });

  it('shows and counts what it holds', () => {
    const text = alertTable(withBudget([alert(1, 1, 0.9), alert(2, 1, 0.8)], 1));
    expect(text).toMatch(/^held {3}.*wb-2$/m);
    expect(text).toContain('1 of 2 alerts are held');
  });

  it('keeps the alerts it holds in the store, as they are', async () => {
    const items = [1, 2, 3].flatMap((n) => {
      const { flows, events } = onHost(n, theft());
      return [...flows, ...events];
    });
    const settings = defaultSettings();
    const free = await alertsAfter([items], settings);
    const held = await alertsAfter([items], { ...settings, score: { ...settings.score, alerts_per_day: 1 } });
    expect(free).toHaveLength(3);
    expect(held).toEqual(free);
  });
});

const probabilityOf = ({ body }: StoredAlert): number =>
  (body as { readonly waybill: { readonly probability: number } }).waybill.probability;
