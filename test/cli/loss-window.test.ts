import { describe, expect, it } from 'vitest';
import { type LossSample, LossWindow } from '../../sensor/cli/loss-window.ts';

const sample = (o: Partial<LossSample>): LossSample => ({
  kernelReceived: undefined,
  kernelDropped: undefined,
  payloadBytes: 0,
  missedBytes: 0,
  ...o,
});

describe('loss of the last samples', () => {
  it('is unknown before there is anything to compare', () => {
    expect(new LossWindow(60).loss).toEqual({ kernel: undefined, payload: undefined, worst: 0 });
  });
  it('is what the kernel dropped of what it received', () => {
    const window = new LossWindow(60);
    window.add(sample({ kernelReceived: 0, kernelDropped: 0 }));
    window.add(sample({ kernelReceived: 200_000, kernelDropped: 5_000 }));
    expect(window.loss.kernel).toBe(0.025);
    expect(window.loss.worst).toBe(0.025);
  });
  it('is what was acknowledged but not captured of all payload', () => {
    const window = new LossWindow(60);
    window.add(sample({}));
    window.add(sample({ payloadBytes: 9_000_000, missedBytes: 1_000_000 }));
    expect(window.loss.payload).toBe(0.1);
  });
  it('says nothing of too little traffic', () => {
    const window = new LossWindow(60);
    window.add(sample({ kernelReceived: 0, kernelDropped: 0 }));
    window.add(sample({ kernelReceived: 10, kernelDropped: 9, payloadBytes: 10, missedBytes: 1_000 }));
    expect(window.loss).toEqual({ kernel: undefined, payload: undefined, worst: 0 });
  });
  it('forgets what happened before the window', () => {
    const window = new LossWindow(3);
    window.add(sample({ kernelReceived: 0, kernelDropped: 0 }));
    for (let second = 1; second <= 4; second++) {
      window.add(sample({ kernelReceived: second * 10_000, kernelDropped: 5_000 }));
    }
    expect(window.loss.kernel).toBe(0);
  });
});
