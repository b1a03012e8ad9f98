/**
 * Gives the replicas of a flow client ports of their own, in packets and facts alike, so that no 5-tuple comes twice in
 * the history: capture tools that know no time take a repeated tuple for one endless connection.
 */
import type { Fact } from './facts.ts';
import { decodeFrame } from './frames.ts';
import type { CapturedPacket } from './pcap-file.ts';

/** Linux's default range of ephemeral ports. */
const FIRST_PORT = 32_768;
const PORT_COUNT = 28_232;
/** Coprime to the count, so that neighbouring days do not meet. */
const PORTS_PER_DAY = 1777;

const TCP_CHECKSUM_AT = 16;
const UDP_CHECKSUM_AT = 6;
const TCP = 6;

export function renumberedPort(port: number, day: number): number {
  if (port < FIRST_PORT) return port;
  return FIRST_PORT + ((port - FIRST_PORT + PORTS_PER_DAY * day) % PORT_COUNT);
}

/** RFC 1624: the checksum after one 16-bit word of what it covers has changed. */
function updatedChecksum(checksum: number, before: number, after: number): number {
  let sum = (~checksum & 0xffff) + (~before & 0xffff) + after;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export function renumberPacket(packet: CapturedPacket, day: number): CapturedPacket {
  const frame = decodeFrame(packet);
  if (frame === undefined) return packet;
  const bytes = Buffer.from(packet.bytes);
  const tcp = frame.protocol === TCP;
  const checksumAt = frame.transportAt + (tcp ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT);
  for (const [at, port] of [
    [frame.transportAt, frame.sourcePort],
    [frame.transportAt + 2, frame.destinationPort],
  ] as const) {
    const next = renumberedPort(port, day);
    bytes.writeUInt16BE(updatedChecksum(bytes.readUInt16BE(checksumAt), port, next), checksumAt);
    bytes.writeUInt16BE(next, at);
  }
  return { ...packet, bytes };
}

export function renumberFacts(facts: readonly Fact[], day: number): Fact[] {
  return facts.map((fact) => {
    if (fact.kind !== 'connection') return fact;
    return { ...fact, source: { ...fact.source, port: renumberedPort(fact.source.port, day) } };
  });
}
