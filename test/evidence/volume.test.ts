import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteBalance, type PackedBytes } from '../../enrich/evidence/byte-balance.ts';
import { chunkSignature } from '../../enrich/evidence/chunk-signature.ts';
import { producerConsumerRatio, ratioDb, robustZ, volumeDb } from '../../enrich/evidence/pcr.ts';
import { archiveRate, timeLink } from '../../enrich/evidence/time-link.ts';
import { WEIGHT_SOURCES, WEIGHTS, withOverrides } from '../../enrich/evidence/weights.ts';

const MB = 1_000_000;
const packed = (...sizes: number[]): PackedBytes[] =>
  sizes.map((size, index) => ({ size, at: index, id: `a${index}` }));

describe('byteBalance', () => {
  it('peaks where the bytes that left are the archive’s, with and without base64', () => {
    expect(byteBalance(1.012 * MB, packed(MB))).toMatchObject({
      db: 18,
      encoding: 'none',
      percentGone: 100,
      subset: ['a0'],
    });
    const base64 = byteBalance(1.345 * MB, packed(MB));
    expect(base64.db).toBeGreaterThan(13);
    expect(base64).toMatchObject({ encoding: 'base64' });
    expect(byteBalance(1.345 * MB, packed(MB), { encodings: ['base64'] }).db).toBeGreaterThan(base64.db);
  });
  it('stays open while an upload runs, and says how far it is', () => {
    const half = byteBalance(MB / 2, packed(MB));
    expect(half.percentGone).toBe(50);
    expect(Math.abs(half.db)).toBeLessThan(3);
    expect(byteBalance(MB / 2, packed(MB), { encodings: ['base64'] }).percentGone).toBeCloseTo(37.4, 0);
  });
  it('expects an upload that runs to lie below its archive, and one that has ended at it', () => {
    const under = (share: number, running: boolean) => byteBalance(share * MB, packed(MB), { running }).db;
    for (const share of [0.05, 0.25, 0.6]) expect(under(share, true)).toBeGreaterThan(under(share, false) + 3);
    expect(under(1.01, true)).toBeLessThanOrEqual(under(1.01, false));
    expect(under(1.01, true)).toBeGreaterThan(14);
    expect(under(40, true)).toBeLessThan(-5);
  });
  it('compares first with what the sender was handed: others that were packed dilute a fit, and add none', () => {
    const others = packed(...[2.3, 5.7, 11, 23, 47].map((size) => size * MB));
    const handed = { size: MB, at: 9, id: 'handed', handed: true };
    const known = byteBalance(1.01 * MB, [...others, handed]);
    expect(known).toMatchObject({ subset: ['handed'], subsetsTried: 1 });
    expect(known.db).toBeGreaterThan(byteBalance(1.01 * MB, [...others, { ...handed, handed: false }]).db + 8);
    expect(byteBalance(5.75 * MB, [...others, handed]).db).toBeLessThan(byteBalance(5.75 * MB, others).db);
  });
  it('is not held against a sender that something of unknown size may explain', () => {
    const miss = byteBalance(40 * MB, packed(MB)).db;
    const one = byteBalance(40 * MB, packed(MB), { unsized: { handed: 0, others: 1 } }).db;
    const handed = byteBalance(40 * MB, packed(MB), { unsized: { handed: 1, others: 0 } }).db;
    expect(one).toBeGreaterThan(miss + 3);
    expect(handed).toBeGreaterThan(-1);
    expect(handed).toBeLessThanOrEqual(0);
  });
  it('speaks against it when the sizes have nothing to do with each other', () => {
    expect(byteBalance(40 * MB, packed(MB)).db).toBeLessThan(-5);
  });
  it('finds several archives sent together, volumes of a set, and the one among many', () => {
    expect(byteBalance(3.02 * MB, packed(MB, 2 * MB, 9 * MB))).toMatchObject({
      subset: ['a0', 'a1'],
      subsetBytes: 3 * MB,
    });
    const set = [1, 2, 3].map((part) => ({ size: MB, at: part, set: 'c:\\s.7z' }));
    expect(byteBalance(3.01 * MB, set)).toMatchObject({ subset: ['c:\\s.7z'], subsetsTried: 1, db: 18 });
  });
  it('weighs a fit less the more subsets were tried, and never below a miss', () => {
    const sizes = [1, 2.3, 5.7, 11, 23, 47].map((size) => size * MB);
    const alone = byteBalance(1.01 * MB, packed(MB)).db;
    const among = byteBalance(1.01 * MB, packed(...sizes));
    expect(among.subset).toEqual(['a0']);
    expect(among.db).toBeLessThan(alone - 8);
    expect(byteBalance(1000 * MB, packed(...sizes)).db).toBeGreaterThan(-8);
  });
  it('says why it compares nothing', () => {
    expect(byteBalance(MB, [])).toMatchObject({ db: 0, unusable: 'no-archive-size' });
    expect(byteBalance(MB, packed(99_999))).toMatchObject({ db: 0, unusable: 'archives-too-small' });
    expect(byteBalance(0, packed(MB))).toMatchObject({ db: 0, unusable: 'nothing-sent' });
    expect(byteBalance(Number.NaN, packed(MB))).toMatchObject({ unusable: 'nothing-sent' });
    expect(byteBalance(MB, packed(Number.NaN, -5, Number.POSITIVE_INFINITY))).toMatchObject({
      unusable: 'no-archive-size',
    });
  });
  it('does not depend on the order of archives, and stays within its bounds', () => {
    const one = fc.record({
      size: fc.integer({ min: 1, max: 2 ** 40 }),
      at: fc.integer({ min: 0, max: 9 }),
      id: fc.constantFrom('a', 'b', 'c', 'd'),
    });
    const set = fc.array(one, { maxLength: 20 });
    fc.assert(
      fc.property(
        set.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        fc.double({ min: 1, max: 2 ** 42, noNaN: true }),
        ([all, shuffled], bytes) => {
          const found = byteBalance(bytes, all);
          expect(byteBalance(bytes, shuffled)).toEqual(found);
          expect(found.db).toBeLessThanOrEqual(WEIGHTS.balance.cap);
          expect(found.subsetsTried).toBeLessThanOrEqual(WEIGHTS.balance.maximumSubsets);
          expect(found.percentGone).toBeLessThanOrEqual(100);
        },
      ),
      { numRuns: 2_000 },
    );
  });
  it('has densities that add up to one', () => {
    const { peaks, partialShare, otherShare } = WEIGHTS.balance;
    expect(peaks.reduce((sum, peak) => sum + peak.share, 0) + partialShare + otherShare).toBeCloseTo(1);
  });
});

describe('timeLink', () => {
  const rate = (perDay: number): number => archiveRate(perDay * 30, 30);
  it('weighs minutes on a host that rarely packs, and little on one that packs all day', () => {
    expect(timeLink(120, rate(2 / 7))?.db).toBe(12);
    expect(timeLink(120, rate(40))?.db).toBeLessThan(3);
  });
  it('knows no link after the flow or beyond the horizon, but forgives clocks', () => {
    expect(timeLink(-60, rate(1))).toBeUndefined();
    expect(timeLink(-3, rate(1))).toMatchObject({ gapSeconds: 0, tight: true });
    expect(timeLink(86_401, rate(1))).toBeUndefined();
    expect(timeLink(Number.NaN, rate(1))).toBeUndefined();
    expect(timeLink(299, rate(1))?.tight).toBe(true);
    expect(timeLink(301, rate(1))?.tight).toBe(false);
  });
  it('never weighs a longer gap more, at any rate', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 86_000, noNaN: true }),
        fc.double({ min: 0, max: 400, noNaN: true }),
        fc.double({ min: 0, max: 1_000, noNaN: true }),
        (gap, more, perDay) => {
          const [near, far] = [timeLink(gap, rate(perDay)), timeLink(gap + more, rate(perDay))];
          expect(far?.db ?? 0).toBeLessThanOrEqual((near?.db ?? 0) + 1e-6);
          expect(near?.db).toBeGreaterThanOrEqual(-10);
          expect(near?.db).toBeLessThanOrEqual(12);
        },
      ),
      { numRuns: 3_000 },
    );
  });
  it('draws the rate of an unknown host towards the guess', () => {
    expect(archiveRate(0, 0) * 86_400).toBeCloseTo(0.5);
    expect(archiveRate(300, 30) * 86_400).toBeCloseTo(9.4, 1);
    expect(archiveRate(Number.NaN, -1)).toBeGreaterThan(0);
  });
});

describe('direction and volume', () => {
  it('tells sending from receiving', () => {
    expect(producerConsumerRatio(99, 1)).toBeCloseTo(0.98);
    expect(producerConsumerRatio(0, 0)).toBeUndefined();
    expect([ratioDb(0.98), ratioDb(0.5), ratioDb(-0.2), ratioDb(undefined)]).toEqual([5, 0, -8, 0]);
  });
  it('measures against the median, and wants a history', () => {
    const history = Array.from({ length: 20 }, (_, index) => 1_000 + index);
    expect(robustZ(1_010, history)).toBeLessThan(1);
    expect(robustZ(50 * MB, history)).toBeGreaterThan(20);
    expect(robustZ(MB, history.slice(0, 5))).toBeUndefined();
    expect([volumeDb(undefined), volumeDb(1.9), volumeDb(3), volumeDb(40)]).toEqual([0, 0, 2, 6]);
  });
  it('names the tool family of a chunk size only for its provider', () => {
    const burst = 5 * 1024 * 1024 + 2_000;
    expect(chunkSignature([burst], 'amazon-s3')).toMatchObject({ family: 'rclone to S3', db: 5 });
    expect(chunkSignature([burst], 'dropbox')).toBeUndefined();
    expect(chunkSignature([5 * 1024 * 1024 - 1], 'amazon-s3')).toBeUndefined();
    expect(chunkSignature([], 'amazon-s3')).toBeUndefined();
  });
});

describe('weights', () => {
  it('says of every group where its numbers come from', () => {
    expect(Object.keys(WEIGHT_SOURCES).sort()).toEqual(
      Object.keys(WEIGHTS)
        .filter((key) => key !== 'version')
        .sort(),
    );
    for (const source of Object.values(WEIGHT_SOURCES)) expect(source.length).toBeGreaterThan(10);
  });
  it('takes changes however deep they stand', () => {
    const changed = withOverrides({ link: { lineage: 9 } });
    expect(changed.link).toEqual({ ...WEIGHTS.link, lineage: 9 });
    expect(withOverrides({ groups: { volume: { cap: 3 } } }).groups.volume).toEqual({ floor: -30, cap: 3 });
    expect(withOverrides({})).toEqual(WEIGHTS);
  });
});
