import { describe, expect, it } from 'vitest';
import { ClockSteps, FineClock, wallMicros } from '../../sensor/base/clock.ts';

const SECOND = 1_000_000;

describe('a clock that was set', () => {
  it('is told from one that runs and is corrected', () => {
    const steps = new ClockSteps(10 * SECOND, 0, 0);
    expect(steps.look(60 * SECOND, 60_000)).toBe(0);
    expect(steps.look(61 * SECOND + 9 * SECOND, 61_000)).toBe(0);
  });
  it('is told once, forward and back', () => {
    const steps = new ClockSteps(10 * SECOND, 0, 0);
    expect(steps.look(3_601 * SECOND, 1_000)).toBe(3_600 * SECOND);
    expect(steps.look(3_602 * SECOND, 2_000)).toBe(0);
    expect(steps.look(3 * SECOND, 3_000)).toBe(-3_600 * SECOND);
    expect(steps.look(4 * SECOND, 4_000)).toBe(0);
  });
});

describe('the clock that stamps packets', () => {
  it('stays by the wall clock and never stands still for a millisecond', () => {
    const clock = new FineClock();
    const stamps = Array.from({ length: 20_000 }, () => clock.micros());
    expect(new Set(stamps).size).toBeGreaterThan((stamps.at(-1)! - stamps[0]!) / 1_000);
    expect(Math.abs(clock.micros() - wallMicros())).toBeLessThanOrEqual(3_000);
  });
});
