/**
 * Payload bytes that an unencrypted connection must have sent to count beside an encrypted one. What enrich compares with
 * archives is 100 KB or more (byte balance), and may leave in two parts.
 */
export const PLAIN_BYTES = 65_536;
