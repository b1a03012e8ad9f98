import { createHash } from 'node:crypto';
import type { EndpointEvent } from '../event/endpoint-event.ts';

/** Longest vendor id used as it is; longer or odd ones are hashed. */
const MAX_PLAIN_ID = 128;

/**
 * The id under which an event is the same event when it comes again: the vendor's own; or a hash of the parts that name the
 * record, with the time to the second, since shapes differ in precision and record numbers restart; or of the whole event.
 */
export function eventId(
  event: Omit<EndpointEvent, 'id'>,
  vendorId: string | readonly string[] | undefined,
  index: number,
): string {
  const suffix = index === 0 ? '' : `#${index}`;
  if (typeof vendorId === 'string' && vendorId.length <= MAX_PLAIN_ID && /^[\x21-\x7e]+$/.test(vendorId))
    return vendorId + suffix;
  const named =
    vendorId === undefined
      ? event
      : typeof vendorId === 'string'
        ? [vendorId]
        : [...vendorId, Math.floor(event.at / 1e6)];
  return createHash('sha256').update(JSON.stringify(named)).digest('hex').slice(0, 32) + suffix;
}
