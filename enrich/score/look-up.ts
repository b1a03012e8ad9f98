import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { HostClocks } from '../join/clock.ts';
import { viaProxy } from '../join/destination-of.ts';
import { hostShard, indexKey } from '../join/facts.ts';
import type { Store } from '../store/store.ts';
import type { EpisodeFlow } from './episode.ts';

/**
 * Whether the name of a flow's destination was looked up, of what endpoint feed and sensor each saw. A look-up that either
 * saw is one; that there was none takes one that shows the host's other look-ups; else it is not known.
 * @param onHost what the endpoint feed shows; undefined when it shows no look-ups of the host
 */
export function lookedUpBy(record: Pick<FlowRecord, 'waybill'>, onHost: boolean | undefined): boolean | undefined {
  const { dns_seen, domain_source } = record.waybill;
  if (viaProxy(record)) return onHost === true ? true : undefined;
  if (onHost === true || dns_seen === true || domain_source === 'dns') return true;
  return onHost ?? dns_seen;
}

/** As far as the endpoint feed shows; undefined when it shows no look-ups of the host. */
export async function lookedUpOnHost(
  store: Store,
  clocks: HostClocks,
  hostId: string,
  flow: EpisodeFlow,
): Promise<boolean | undefined> {
  const name = flow.record.destination.domain;
  if (name === undefined) return undefined;
  const shard = hostShard(hostId);
  const hour = 3_600_000_000;
  const start = flow.start + (await clocks.of(hostId, flow.start)).offset;
  const span = { from: start - 24 * hour, to: start + hour };
  if ((await store.count(shard, 'dns', span.from, span.to)) === 0) return undefined;
  const [found] = await store.query([{ shard, kind: 'dns', key: indexKey('name', name), ...span, limit: 1 }]);
  return found!.length > 0;
}
