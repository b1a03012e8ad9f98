import { type Segment, TCP } from '../wire/segment.ts';
import { type FlowTable, SIGNATURES } from './flow-table.ts';

/** Without an IP identification, packets alike in everything are copies of one only when they come this close together. */
const COPY_WINDOW = 5_000;
const CHECKSUM_AT_TCP = 16;
const CHECKSUM_AT_UDP = 6;

/**
 * Tells the copies that a span port makes of a packet (in other VLANs, on the way in and out) from the packet itself: they
 * agree in IP identification, transport header and checksum with one of the last few of their direction. A retransmission
 * has another identification; where senders use none (IPv6, and IPv4 that may not be fragmented), time decides.
 */
export function isCopy(table: FlowTable, s: Segment, slot: number, d: number): boolean {
  const { bytes, ipv4Start } = s;
  const id = ipv4Start < 0 ? 0 : (bytes[ipv4Start + 4]! << 8) | bytes[ipv4Start + 5]!;
  const signature = signatureOf(s, id);
  const first = d * SIGNATURES;
  const known = table.signature;
  if (
    (known[first] === signature ||
      known[first + 1] === signature ||
      known[first + 2] === signature ||
      known[first + 3] === signature) &&
    (id !== 0 || Math.abs(s.tsMicros - table.lastSeen[slot]!) <= COPY_WINDOW)
  ) {
    return true;
  }
  known[first + (table.packets[d]! % SIGNATURES)] = signature;
  return false;
}

/** Never 0, which stands for no packet. */
function signatureOf(s: Segment, id: number): number {
  const { bytes } = s;
  const at = s.transportStart + (s.transport === TCP ? CHECKSUM_AT_TCP : CHECKSUM_AT_UDP);
  const checksum = (bytes[at]! << 8) | bytes[at + 1]!;
  let h = s.transport === TCP ? Math.imul(s.seq ^ 0x9e3779b1, 0x85ebca6b) ^ s.ack ^ (s.flags << 24) : lastBytes(s);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35) ^ ((checksum << 16) | (s.payloadLength & 0xffff));
  h = Math.imul(h ^ (h >>> 13), 0x27d4eb2f) ^ id;
  return h ^ (h >>> 15) || 1;
}

/** A datagram carries no number of its own, but what is encrypted ends in an authentication tag. */
function lastBytes(s: Segment): number {
  let h = 0x2545f491;
  for (let i = Math.max(s.payloadStart, s.payloadEnd - 8); i < s.payloadEnd; i++)
    h = Math.imul(h ^ s.bytes[i]!, 0x01000193);
  return h;
}
