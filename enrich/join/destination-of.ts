import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { type DestinationEntity, destinationEntity } from '../evidence/destination.ts';
import type { Tables } from '../evidence/tables.ts';

/** Destinations remembered; few of a network's are met once only. */
const MAX_REMEMBERED = 20_000;

const remembered = new WeakMap<Tables, Map<string, DestinationEntity>>();

/**
 * The destination entity of a flow, as tables and database of addresses have it. A pure function of name and address, and
 * asked for every flow of a history again and again: what was found is remembered.
 */
export function destinationOf({ destination: { domain, ip } }: FlowRecord, tables: Tables): DestinationEntity {
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
