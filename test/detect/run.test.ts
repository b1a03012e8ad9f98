import { describe, expect, it } from 'vitest';
import { peerGroupOf } from '../../enrich/evidence/peer-group.ts';
import { withOverrides } from '../../enrich/evidence/weights.ts';
import type { Settings } from '../../enrich/settings.ts';
import { benchSettings } from '../bench/detect/bench-settings.ts';
import { reportOf, textOf } from '../bench/detect/detect-report.ts';
import { share } from '../bench/detect/figures.ts';
import { organisation } from '../bench/detect/organisation.ts';
import { runDetection } from '../bench/detect/run-detection.ts';
import { timelineOf } from '../bench/detect/timeline.ts';

/** Three days make nobody old and no group: with these every host is judged by its group, if there are two of it. */
const settings: Settings = {
  ...benchSettings(true),
  model: withOverrides({ novelty: { peerHosts: 2, peerMaturity: 0.1, peersWithIt: 1 } }),
};
const SMALL = { settings, seed: 11, hosts: 10, days: 3, warmUp: 1, thefts: 3, settleHours: 24 };
const outcome = await runDetection(SMALL);
const backwards = await runDetection({ ...SMALL, reorder: (arrivals) => [...arrivals].reverse() });
// Played outside of the tests, which have a limit of time that a busy machine exceeds.
const watched = await runDetection({ ...SMALL, timeline: true });
const report = reportOf([outcome]);

describe('a run of the yardstick', () => {
  it('comes to the same alerts and candidates whatever the order in which each day arrives', () => {
    const standing = (run: typeof outcome) => run.raised.filter(({ stands }) => stands).map(({ id }) => id);
    expect(standing(backwards)).toEqual(standing(outcome));
    const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
    expect([...backwards.candidates].sort(byId)).toEqual([...outcome.candidates].sort(byId));
    expect(report.judgedByPeers).toBeGreaterThan(5);
  });

  it('counts every theft once by kind, by blind spot and in all', () => {
    const { recall } = report;
    const sum = (rows: readonly { any: { of: number; count: number } }[]) => [
      rows.reduce((n, r) => n + r.any.of, 0),
      rows.reduce((n, r) => n + r.any.count, 0),
    ];
    expect(sum(recall.byKind)).toEqual([recall.all.any.of, recall.all.any.count]);
    expect(sum(recall.byBlindSpot)).toEqual([recall.all.any.of, recall.all.any.count]);
    expect(recall.all.any.of).toBe(outcome.truth.thefts.length);
    expect(recall.all.any.of - recall.all.any.count).toBe(report.missed.length);
    expect(recall.all.high.count).toBeLessThanOrEqual(recall.all.any.count);
  });

  it('counts every alert as about a theft or about one cause, and every candidate in one bin', () => {
    const { falseAlerts: wrong, calibration } = report;
    expect(wrong.causes.reduce((n, c) => n + c.high, 0)).toBe(wrong.high);
    expect(wrong.causes.reduce((n, c) => n + c.medium, 0)).toBe(wrong.medium);
    const about = outcome.raised.filter(({ flows }) =>
      flows.some((id) => outcome.truth.flows.get(id)?.theft !== undefined),
    ).length;
    expect(wrong.high + wrong.medium + wrong.whileLearning.high + wrong.whileLearning.medium + about).toBe(
      outcome.raised.length,
    );
    expect(calibration.bins.reduce((n, bin) => n + bin.candidates, 0)).toBe(calibration.candidates);
    expect(wrong.hostDays).toBe(20);
    expect(wrong.onNewHosts).toEqual({ hostDays: 0, high: 0, medium: 0 });
  });

  it('knows when the feed first told of who sent, and what was known of a theft at each look', () => {
    const { timeToAlert: time } = report;
    expect(time.beforeHalfWhenTold.of).toBeLessThanOrEqual(time.beforeHalf.of);
    expect(time.beforeHalfWhenTold.count).toBeLessThanOrEqual(time.beforeHalf.count);
    const told = outcome.truth.thefts.filter(({ id }) => outcome.senderTold.has(id));
    expect(told.length).toBeGreaterThan(0);
    expect(outcome.looks).toEqual([]);
    expect(watched.raised).toEqual(outcome.raised);
    const text = timelineOf(watched);
    for (const { id } of outcome.truth.thefts) expect(text).toContain(`${id} `);
    expect(watched.looks.some(({ episode }) => episode !== undefined)).toBe(true);
  });

  it('knows the maker of every flow that it sent, and counts each once', () => {
    expect(report.joins.byMethod.reduce((n, each) => n + each.flows, 0)).toBe(outcome.truth.flows.size);
    expect([...outcome.flows.keys()].every((id) => outcome.truth.flows.has(id))).toBe(true);
  });

  it('prints a table for each of its figures', () => {
    const text = textOf(report);
    for (const heading of [
      'by kind',
      'by what cannot be seen',
      'Brier score',
      'AN1413, read literally',
      'without the group',
    ])
      expect(text).toContain(heading);
    expect(text).not.toMatch(/NaN|undefined/);
  });
});

describe('the settings of a simulated organisation', () => {
  it('make a peer group of each role, and every host is in that of its own', () => {
    const { peer_groups } = benchSettings(true);
    for (const { name, role } of organisation(3, 60).hosts)
      expect(peerGroupOf(peer_groups, { name }, undefined)).toBe(role);
    expect(benchSettings(false).peer_groups).toEqual([]);
  });
});

describe('intervals', () => {
  it('are those of Wilson', () => {
    // Wilson 1927; 8 of 10 with z = 1.96.
    expect(share(8, 10).low).toBeCloseTo(0.4902, 3);
    expect(share(8, 10).high).toBeCloseTo(0.9433, 3);
    expect(share(0, 20).low).toBe(0);
    expect(share(0, 0)).toMatchObject({ low: 0, high: 1 });
  });
});
