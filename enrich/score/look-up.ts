import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { viaProxy } from '../join/destination-of.ts';

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
