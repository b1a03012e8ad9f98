import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { replay } from '../../enrich/cli/replay.ts';
import { defaultSettings } from '../../enrich/settings.ts';

/** What each recording must lead to, as its golden file says. */
interface Story {
  readonly expect: 'alert' | 'silent';
  readonly why: string;
  readonly focus: {
    readonly host: string;
    readonly destination: string;
    readonly executable: string;
    readonly archive?: string;
  };
}

interface Alert {
  readonly host: { readonly name: string };
  readonly process: { readonly name: string; readonly pid: number };
  readonly destination: { readonly domain: string };
  readonly rule: { readonly id: string; readonly ruleset: string };
  readonly threat: { readonly technique: { readonly id: readonly string[]; readonly subtechnique: object } };
  readonly waybill: {
    readonly tier: string;
    readonly score_db: number;
    readonly prior: number;
    readonly groups: readonly { readonly db: number }[];
    readonly events: readonly string[];
    readonly missing: readonly string[];
    readonly terms: readonly { readonly name: string; readonly db: number }[];
  };
}

const folder = 'pcaps/stories';
const stories = readdirSync(folder)
  .filter((file) => /^story-.*\.json$/.test(file))
  .map((file) => ({
    name: file.replace(/\.json$/, ''),
    story: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Story,
  }));
const short = (name: string): string => name.toLowerCase().split('.')[0]!;
const isAbout = (alert: Alert, { focus }: Story): boolean =>
  short(alert.host.name) === short(focus.host) && alert.process.name.toLowerCase() === focus.executable.toLowerCase();

describe('the story set with its fourteen days of history', () => {
  let alerts: Alert[] = [];

  beforeAll(async () => {
    const result = await replay({ captures: [folder], endpoints: [folder], settings: defaultSettings() });
    expect(result.complaints).toEqual([]);
    alerts = result.alerts.map((alert) => alert.body as Alert);
  }, 120_000);

  it.each(stories.filter((s) => s.story.expect === 'alert'))('raises $name: $story.why', ({ story }) => {
    const found = alerts.filter((alert) => isAbout(alert, story));
    expect(found.map((alert) => alert.waybill.tier)).toEqual(['high']);
    expect(found[0]!.destination.domain).toBe(story.focus.destination);
  });

  it.each(stories.filter((s) => s.story.expect === 'silent'))('stays silent on $name: $story.why', ({ story }) => {
    expect(alerts.filter((alert) => isAbout(alert, story))).toEqual([]);
  });

  it('raises nothing beside the thefts, in the fourteen days before them neither', () => {
    const thefts = stories.filter((s) => s.story.expect === 'alert').length;
    expect(thefts).toBeGreaterThanOrEqual(6);
    expect(alerts).toHaveLength(thefts);
  });

  it('accounts for every decibel: prior and groups add up to the score', () => {
    for (const { waybill } of alerts) {
      const prior = 10 * Math.log10(waybill.prior / (1 - waybill.prior));
      const sum = waybill.groups.reduce((total, group) => total + group.db, prior);
      expect(waybill.score_db).toBeCloseTo(sum, 1);
    }
  });

  it('names the technique, the analytic and evidence of both sides on every alert', () => {
    for (const alert of alerts) {
      expect(alert.threat.technique).toMatchObject({ id: ['T1048'], subtechnique: { id: ['T1048.002'] } });
      expect(alert.rule).toMatchObject({ id: 'AN1413', ruleset: 'DET0512' });
      expect(alert.waybill.events.length).toBeGreaterThan(0);
      expect(alert.waybill.terms.some((term) => term.name.startsWith('link_'))).toBe(true);
    }
  });

  it('sees the theft at the byte where the feed knows sizes, and says so where it does not', () => {
    for (const { waybill } of alerts) {
      const balanced = waybill.terms.some((term) => term.name === 'byte_balance');
      const excused = waybill.missing.some((reason) => reason.startsWith('no archive size'));
      expect(balanced).not.toBe(excused);
    }
  });
});
