import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Acquaintance,
  knownBy,
  knownByPeers,
  ladder,
  ladderByPeers,
  maturity,
  noveltyEvidence,
  ownNovelty,
  type Rung,
} from '../../enrich/evidence/novelty.ts';
import type { Familiarity } from '../../enrich/store/store.ts';

const DAY = 20_000;
/** Seen on these days before DAY. */
function seen(...daysAgo: number[]): Familiarity {
  const lastDay = DAY - Math.min(...daysAgo);
  const firstDay = DAY - Math.max(...daysAgo);
  let days = 0;
  for (const ago of daysAgo) {
    const age = lastDay - (DAY - ago);
    if (age < 32) days |= 1 << age;
  }
  return { firstDay, lastDay, days: days >>> 0, firstTainted: false };
}
const NOBODY: Acquaintance = {
  org: undefined,
  identity: undefined,
  host: undefined,
  user: undefined,
  hostIdentity: undefined,
};

describe('ladder', () => {
  it.each<[Rung, Acquaintance]>([
    ['F0', NOBODY],
    ['F1', { ...NOBODY, orgRegistrable: seen(3) }],
    ['F1', { ...NOBODY, orgAsn: seen(3) }],
    ['F2', { ...NOBODY, org: seen(3), orgRegistrable: seen(3) }],
    ['F2', { ...NOBODY, org: seen(3), host: seen(3), user: seen(3) }],
    ['F3', { ...NOBODY, org: seen(3), identity: seen(3) }],
    ['F4', { ...NOBODY, org: seen(3), identity: seen(3), host: seen(3) }],
    ['F3', { ...NOBODY, identity: seen(3) }],
    ['F4', { ...NOBODY, hostIdentity: seen(1, 2) }],
    ['F4', { ...NOBODY, hostIdentity: seen(31, 32, 33) }],
    ['F5', { ...NOBODY, hostIdentity: seen(1, 8, 29) }],
  ])('is %s', (rung, known) => {
    expect(ladder(known, DAY)).toBe(rung);
  });

  it('ignores what happened after the day it asks about', () => {
    const later: Familiarity = { ...seen(1, 2, 3), lastDay: DAY + 2, firstDay: DAY - 1, days: 0b1111 };
    expect(knownBy(later, DAY)).toEqual({ met: true, days: 2 });
    expect(knownBy({ ...later, firstDay: DAY + 1 }, DAY)).toEqual({ met: false, days: 0 });
  });

  it('does not let a theft make its own destination familiar for two weeks', () => {
    const tainted = { ...seen(1, 2, 5), firstTainted: true };
    expect(ladder({ ...NOBODY, hostIdentity: tainted }, DAY)).toBe('F0');
    expect(ladder({ ...NOBODY, hostIdentity: { ...seen(1, 2, 13), firstTainted: true } }, DAY)).toBe('F0');
    expect(ladder({ ...NOBODY, hostIdentity: { ...seen(1, 2, 14), firstTainted: true } }, DAY)).toBe('F5');
  });

  it('counts days, not sightings: one day of training never establishes', () => {
    expect(ladder({ ...NOBODY, hostIdentity: seen(1) }, DAY)).toBe('F4');
  });

  it('never falls when there is more acquaintance', () => {
    const order: readonly Rung[] = ['F0', 'F1', 'F2', 'F3', 'F4', 'F5'];
    const familiarity = fc.option(
      fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 }).map((days) => seen(...days)),
      { nil: undefined },
    );
    const known = fc.record({
      org: familiarity,
      orgRegistrable: familiarity,
      orgAsn: familiarity,
      identity: familiarity,
      host: familiarity,
      user: familiarity,
      hostIdentity: familiarity,
    });
    const scope = fc.constantFrom('org', 'orgRegistrable', 'orgAsn', 'identity', 'host', 'user', 'hostIdentity');
    fc.assert(
      fc.property(known, scope, fc.integer({ min: 0, max: 29 }), (before, which, ago) => {
        const old = before[which as keyof typeof before];
        const days = [
          ago,
          ...Array.from({ length: 41 }, (_, day) => day).filter((day) => old !== undefined && isSeen(old, day)),
        ];
        const after = { ...before, [which]: seen(...days) };
        expect(order.indexOf(ladder(after, DAY))).toBeGreaterThanOrEqual(order.indexOf(ladder(before, DAY)));
      }),
      { numRuns: 3_000 },
    );
  });
});

const isSeen = (familiarity: Familiarity, daysAgo: number): boolean => {
  const age = familiarity.lastDay - (DAY - daysAgo);
  return familiarity.firstDay === DAY - daysAgo || (age >= 0 && age < 32 && ((familiarity.days >>> age) & 1) === 1);
};

describe('ladder by peers', () => {
  const elsewhere = { ...NOBODY, org: seen(9), identity: seen(9) };
  const rung = (...cells: (Familiarity | undefined)[]) => ladderByPeers(elsewhere, cells, DAY).rung;
  const ORDER: readonly Rung[] = ['F0', 'F1', 'F2', 'F3', 'F4', 'F5'];

  it('takes work of three peers for the host’s own, and less for none', () => {
    expect(rung(seen(1), seen(2), seen(3))).toBe('F5');
    expect(rung(seen(1), undefined, seen(2), seen(2))).toBe('F4');
    expect(rung(seen(1, 2, 3, 4), seen(1, 2, 3))).toBe('F3');
    expect(rung(seen(31, 32), seen(1, 2, 3), seen(1))).toBe('F3');
  });

  it('leaves a host what it knows better than its peers do', () => {
    const known = { ...elsewhere, hostIdentity: seen(1, 2, 3) };
    expect(ladderByPeers(known, [seen(1), seen(1), seen(1)], DAY)).toEqual({ rung: 'F5', byPeers: false });
  });

  it('keeps the probation of what was met by a theft', () => {
    const robbed = { ...seen(1, 2, 3), firstTainted: true };
    expect(rung(robbed, robbed, robbed)).toBe('F3');
    expect(rung(robbed, seen(1), seen(2), seen(3))).toBe('F5');
    const longAgo = { ...seen(1, 2, 14), firstTainted: true };
    expect(rung(longAgo, longAgo, longAgo)).toBe('F5');
  });

  it('never calls less familiar what one more peer has met, nor what the host itself has', () => {
    const cell = fc
      .uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 })
      .chain((days) => fc.boolean().map((firstTainted) => ({ ...seen(...days), firstTainted })));
    const own = fc.constantFrom<Acquaintance>(
      NOBODY,
      elsewhere,
      { ...elsewhere, host: seen(2) },
      { ...elsewhere, hostIdentity: seen(1) },
      { ...elsewhere, hostIdentity: seen(1, 2, 3) },
    );
    fc.assert(
      fc.property(own, fc.array(cell, { maxLength: 6 }), cell, (known, cells, more) => {
        const place = (all: readonly Familiarity[]) => ORDER.indexOf(ladderByPeers(known, all, DAY).rung);
        expect(place([...cells, more])).toBeGreaterThanOrEqual(place(cells));
        expect(place(cells)).toBeGreaterThanOrEqual(ORDER.indexOf(ladder(known, DAY)));
        expect(place([...cells].reverse())).toBe(place(cells));
      }),
      { numRuns: 500 },
    );
  });

  it('counts the days on which any of them did', () => {
    expect(knownByPeers([seen(1, 2), seen(2, 3), seen(5), seen(40)], DAY)).toEqual({ met: true, days: 4 });
    expect(knownByPeers([], DAY)).toEqual({ met: false, days: 0 });
  });
});

describe('ownNovelty', () => {
  it('is telling for a clerk and weak for a developer', () => {
    expect(ownNovelty([{ seen: 1_000, fresh: 20 }])?.db).toBeCloseTo(16.5, 1);
    expect(ownNovelty([{ seen: 1_000, fresh: 200 }])?.db).toBeCloseTo(6.5, 1);
  });
  it('says nothing from a small sample, and is held at both ends', () => {
    expect(ownNovelty([{ seen: 49, fresh: 1 }])).toBeUndefined();
    expect(ownNovelty([{ seen: 100, fresh: 0 }])?.rate).toBe(0.005);
    expect(ownNovelty([{ seen: 100, fresh: 100 }])).toMatchObject({ rate: 0.9, db: 0 });
  });
});

describe('noveltyEvidence', () => {
  const clerk = [{ seen: 1_000, fresh: 10 }];
  const developer = [{ seen: 1_000, fresh: 200 }];
  it('moves the rung by the scope’s own rate, within limits', () => {
    const plain = noveltyEvidence({ rung: 'F1', historyDays: 1_000 }).db;
    expect(plain).toBeCloseTo(15);
    expect(noveltyEvidence({ rung: 'F1', historyDays: 1_000, own: clerk }).db).toBeCloseTo(19);
    expect(noveltyEvidence({ rung: 'F1', historyDays: 1_000, own: developer }).db).toBeCloseTo(15 - 6.02, 1);
    expect(noveltyEvidence({ rung: 'F3', historyDays: 1_000, own: developer }).db).toBe(0);
  });
  it('calls little new on a host it hardly knows, and keeps what is known', () => {
    expect(maturity(0)).toBe(0);
    expect(maturity(7)).toBeCloseTo(0.632, 3);
    expect(noveltyEvidence({ rung: 'F0', historyDays: 1 }).db).toBeCloseTo(18 * 0.1331, 1);
    expect(noveltyEvidence({ rung: 'F5', historyDays: 1, own: clerk }).db).toBe(-15);
  });
  it('discounts a roll-out', () => {
    expect(noveltyEvidence({ rung: 'F2', historyDays: 1_000, rollout: true }).db).toBeCloseTo(-3);
  });
});
