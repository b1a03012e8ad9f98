import type { DnsWatcher } from '../dns/dns-watcher.ts';
import type { FragmentTable } from '../wire/fragments.ts';
import type { EvidenceKeeper } from './evidence-keeper.ts';
import type { TrackerCounters } from './tracker.ts';

/** Every table of the sensor that outsiders can fill. */
export interface Tables {
  readonly tracker: TrackerCounters;
  readonly fragments: FragmentTable;
  readonly dns: DnsWatcher;
  readonly evidence: EvidenceKeeper | undefined;
}

/**
 * What was given up, by table and reason: `full` when there was no room, `expired` when nothing more came in time. What did
 * not happen is left out. The names are metric labels.
 */
export function evictions({ tracker, fragments, dns, evidence }: Tables): Map<string, number> {
  const counts: readonly (readonly [name: string, count: number])[] = [
    ['flows-full', tracker.evictedOverFlows],
    ['handshakes-full', tracker.evictedHandshakes],
    ['fragments-full', fragments.evicted],
    ['fragments-expired', fragments.expired],
    ['dns-names-full', dns.names.counters.evicted],
    ['dns-streams-lost', dns.counters.lostStreams],
    ['evidence-packets-full', evidence?.counters.packetsOverFlow ?? 0],
    ['evidence-flows-full', evidence?.counters.flowsOverTotal ?? 0],
  ];
  return new Map(counts.filter(([, count]) => count > 0));
}
