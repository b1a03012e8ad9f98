/** What one look at the counters saw; all of them only grow. */
export interface LossSample {
  /** By the kernel: packets that passed the filter, and those of them it had no room for. Undefined when the driver cannot tell. */
  readonly kernelReceived: number | undefined;
  readonly kernelDropped: number | undefined;
  /** TCP payload bytes captured, and acknowledged ones that were not. */
  readonly payloadBytes: number;
  readonly missedBytes: number;
}

export interface Loss {
  /** Shares of 1; undefined when there was too little to judge. */
  readonly kernel: number | undefined;
  readonly payload: number | undefined;
  /** The larger one that is known, else 0. */
  readonly worst: number;
}

/** Fewer packets or bytes than these say nothing about loss. */
const LEAST_PACKETS = 1_000;
const LEAST_BYTES = 1 << 20;

/** Capture loss over the last samples. */
export class LossWindow {
  private readonly samples: LossSample[] = [];
  private readonly size: number;

  /** @param size samples in the window; one a second makes seconds of it */
  constructor(size: number) {
    this.size = size;
  }

  add(sample: LossSample): void {
    this.samples.push(sample);
    if (this.samples.length > this.size + 1) this.samples.shift();
  }

  get loss(): Loss {
    const first = this.samples[0];
    const last = this.samples.at(-1);
    if (!first || !last) return { kernel: undefined, payload: undefined, worst: 0 };
    const received = (last.kernelReceived ?? 0) - (first.kernelReceived ?? 0);
    const dropped = (last.kernelDropped ?? 0) - (first.kernelDropped ?? 0);
    const missed = last.missedBytes - first.missedBytes;
    const bytes = last.payloadBytes - first.payloadBytes + missed;
    const kernel = received >= LEAST_PACKETS ? dropped / received : undefined;
    const payload = bytes >= LEAST_BYTES ? missed / bytes : undefined;
    return { kernel, payload, worst: Math.max(kernel ?? 0, payload ?? 0) };
  }
}
