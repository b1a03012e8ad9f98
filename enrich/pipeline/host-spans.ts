/** By host id: a span of event time, microseconds. */
export type HostSpans = Map<string, { from: number; to: number }>;

/** Adds a span to a host's. */
export function widen(spans: HostSpans, host: string, from: number, to: number): void {
  const known = spans.get(host);
  spans.set(host, { from: Math.min(known?.from ?? from, from), to: Math.max(known?.to ?? to, to) });
}
