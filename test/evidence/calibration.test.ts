import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { calibrate, type Decision, probabilityAt, readCalibration } from '../../enrich/evidence/calibration.ts';
import { readSettings } from '../../enrich/settings.ts';

const decisions = fc.array(fc.record({ db: fc.double({ min: -40, max: 45, noNaN: true }), theft: fc.boolean() }), {
  maxLength: 80,
});
const fitted = (all: readonly Decision[]) => calibrate(all, 'test', 1e-5);
const own = (db: number): number => 1 / (1 + 10 ** (-db / 10));

describe('decisions of analysts', () => {
  it('never make a higher score less probable, and nothing certain', () => {
    fc.assert(
      fc.property(
        decisions,
        fc.double({ min: -80, max: 80, noNaN: true }),
        fc.double({ min: 0, max: 40, noNaN: true }),
        (all, db, more) => {
          const calibration = fitted(all);
          const [low, high] = [probabilityAt(db, calibration), probabilityAt(db + more, calibration)];
          expect(high).toBeGreaterThanOrEqual(low - 1e-9);
          expect(low).toBeGreaterThan(0);
          expect(high).toBeLessThan(1);
        },
      ),
    );
  });

  it('count the same in any order', () => {
    fc.assert(
      fc.property(decisions, fc.integer(), (all, seed) => {
        const shuffled = [...all].sort((a, b) => Math.sin(a.db * seed) - Math.sin(b.db * seed));
        expect(fitted(shuffled)).toEqual(fitted(all));
      }),
    );
  });

  it('leave the model as it is while there are none, and bend it more the more there are', () => {
    for (const db of [-35, -30, -11, 0, 3.3, 20, 45]) {
      expect(probabilityAt(db, fitted([]))).toBeCloseTo(own(db), 2);
      expect(probabilityAt(db)).toBe(own(db));
    }
    const wrong = (count: number) => fitted(Array.from({ length: count }, () => ({ db: 8, theft: false })));
    const [none, few, many] = [0, 2, 50].map((count) => probabilityAt(8, wrong(count)));
    expect(few).toBeLessThan(none!);
    expect(many).toBeLessThan(0.2);
    expect(many).toBeLessThan(few!);
  });

  it('are what the curve says where they are many: the share of thefts', () => {
    const all = Array.from({ length: 300 }, (_, i) => ({ db: 5 + (i % 10) / 10, theft: i % 3 === 0 }));
    expect(probabilityAt(5.5, fitted(all))).toBeCloseTo(1 / 3, 1);
  });
});

describe('a calibration file', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'waybill-calibration-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };

  it('comes back as it was written, and the settings take it', () => {
    const calibration = fitted([{ db: 4, theft: true }]);
    expect(readCalibration(file('ok.yaml', stringify(calibration)), 1e-5)).toEqual(calibration);
    const settings = readSettings(file('waybill.yaml', 'score: { calibration: ok.yaml }'));
    expect(settings.calibration).toEqual(calibration);
    expect(settings.model.version).toMatch(/\+/);
  });

  it('is refused when it falls, or was made for another prior', () => {
    const points = [
      { db: 0, probability: 0.5 },
      { db: 1, probability: 0.4 },
    ];
    const text = stringify({ model: 'x', prior: 1e-5, decisions: 3, points });
    expect(() => readCalibration(file('falls.yaml', text), 1e-5)).toThrow(/ascend/);
    expect(() => readCalibration(file('prior.yaml', stringify(fitted([]))), 2e-5)).toThrow(/made with prior 0.00001/);
  });
});
