import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { type DestinationEntity, destinationEntity } from '../evidence/destination.ts';

/** The destination entity of a flow. */
export const destinationOf = (record: FlowRecord): DestinationEntity =>
  destinationEntity({
    ip: record.destination.ip,
    ...(record.destination.domain === undefined ? {} : { domain: record.destination.domain }),
  });
