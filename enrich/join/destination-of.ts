import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { type DestinationEntity, destinationEntity } from '../evidence/destination.ts';
import type { Tables } from '../evidence/tables.ts';

/** The destination entity of a flow, as tables and database of addresses have it. */
export const destinationOf = ({ destination }: FlowRecord, tables: Tables): DestinationEntity =>
  destinationEntity({ ip: destination.ip, domain: destination.domain }, tables);
