import { RecencyMap } from '../../sensor/base/recency-map.ts';

/** Names that a limiter keeps apart; the one not seen for longest goes. */
const MAX_NAMES = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** A token bucket for each name: `perSecond` in the long run, twice that in a burst. Time is an argument, milliseconds. */
export class RateLimit {
  private readonly perSecond: number;
  private readonly buckets = new RecencyMap<Bucket>();

  constructor(perSecond: number) {
    this.perSecond = perSecond;
  }

  /** Takes one; or says after how many seconds to come again. */
  wait(name: string, nowMillis: number): number {
    const most = Math.max(1, this.perSecond * 2);
    const bucket = this.buckets.get(name) ?? { tokens: most, at: nowMillis };
    this.buckets.renew(name, bucket);
    if (this.buckets.size > MAX_NAMES) this.buckets.delete(this.buckets.oldest()!);
    bucket.tokens = Math.min(most, bucket.tokens + ((nowMillis - bucket.at) / 1000) * this.perSecond);
    bucket.at = nowMillis;
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / this.perSecond);
    bucket.tokens--;
    return 0;
  }
}
