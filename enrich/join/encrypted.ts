import type { FlowRecord } from '../../sensor/record/flow-record.ts';

/**
 * Whether a flow is encrypted. What leaves in plain text is no episode by itself and makes no destination familiar; its bytes
 * count beside an encrypted connection of the same process lineage to the same destination (rclone sends to MEGA like that).
 */
export const isEncrypted = ({ network }: Pick<FlowRecord, 'network'>): boolean => network.protocol !== undefined;
