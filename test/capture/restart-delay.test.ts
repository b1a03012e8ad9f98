import { describe, expect, it } from 'vitest';
import { RestartDelay } from '../../sensor/capture/restart-delay.ts';

describe('the pause before a capture program is started again', () => {
  it('doubles from half a second to half a minute while programs end at once', () => {
    const delay = new RestartDelay();
    const pauses = Array.from({ length: 9 }, () => delay.after(100));
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });
  it('is the first again after a program that ran steadily', () => {
    const delay = new RestartDelay();
    for (let i = 0; i < 5; i++) delay.after(0);
    expect(delay.after(10_000)).toBe(500);
    expect(delay.after(0)).toBe(1_000);
  });
});
