import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { type DestinationEntity, destinationEntity } from '../evidence/destination.ts';
import type { Tables } from '../evidence/tables.ts';

/** Through an explicit proxy the client names the destination, and the proxy looks it up. */
export const viaProxy = ({ waybill: { via } }: Pick<FlowRecord, 'waybill'>): boolean =>
  via === 'connect' || via?.startsWith('socks') === true;

/** Host that a proxy was asked to reach, without its port; undefined for flows without one. */
export function proxiedTo(record: Pick<FlowRecord, 'waybill'>): string | undefined {
  if (!viaProxy(record)) return undefined;
  return /^(?:\[([0-9a-f:.]+)\]|([^:]+)|([0-9a-f:.]+))(?::\d+)?$/i
    .exec(record.waybill.via_target ?? '')
    ?.slice(1)
    .find((part) => part !== undefined);
}

/** Destinations remembered; few of a network's are met once only. */
const MAX_REMEMBERED = 20_000;

const remembered = new WeakMap<Tables, Map<string, DestinationEntity>>();

/**
 * The destination entity of a flow, as tables and database of addresses have it. A pure function of name and address, and
 * asked for every flow of a history again and again: what was found is remembered.
 */
export function destinationOf(record: FlowRecord, tables: Tables): DestinationEntity {
  const { domain } = record.destination;
  const ip = proxiedTo(record) ?? record.destination.ip;
  let known = remembered.get(tables);
  if (!known) {
    known = new Map();
    remembered.set(tables, known);
  }
  const key = `${ip} ${domain ?? ''}`;
  const before = known.get(key);
  if (before) return before;
  const found = destinationEntity({ ip, domain }, tables);
  if (known.size >= MAX_REMEMBERED) known.clear();
  known.set(key, found);
  return found;
}
