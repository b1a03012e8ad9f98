/** Very many connections, cheaply: one frame is made with the builders and sent from other addresses and ports. */
import { be16, internetChecksum } from './frames.ts';

const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const [IP_CHECKSUM_AT, SOURCE_AT, TCP_CHECKSUM_AT] = [10, 12, 16] as const;

/** The Ethernet frame with IPv4 and TCP as host 10.x.y.z sends it from `port`, checksums right; the `n`-th of a flood. */
export function sentFrom(frame: Uint8Array, n: number): Uint8Array {
  const copy = frame.slice();
  const ip = copy.subarray(ETHERNET_BYTES);
  const tcp = ip.subarray(IPV4_BYTES);
  const port = 1_024 + (n % 60_000);
  const host = Math.floor(n / 60_000) + 1;
  // Ones' complement sums do not care for order: what goes out of them is what comes in, negated (RFC 1624).
  const before = sumOf(ip, SOURCE_AT) + sumOf(tcp, 0, 2);
  ip.set([10, (host >> 16) & 255, (host >> 8) & 255, host & 255], SOURCE_AT);
  tcp.set(be16(port), 0);
  const change = sumOf(ip, SOURCE_AT) + sumOf(tcp, 0, 2) - before;
  ip.set([0, 0], IP_CHECKSUM_AT);
  ip.set(be16(internetChecksum(ip.subarray(0, IPV4_BYTES))), IP_CHECKSUM_AT);
  tcp.set(be16(adjusted((tcp[TCP_CHECKSUM_AT]! << 8) | tcp[TCP_CHECKSUM_AT + 1]!, change)), TCP_CHECKSUM_AT);
  return copy;
}

function sumOf(bytes: Uint8Array, at: number, size = 4): number {
  let sum = 0;
  for (let i = at; i < at + size; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  return sum;
}

function adjusted(checksum: number, change: number): number {
  const sum = ((~checksum & 0xffff) + change) % 0xffff;
  return ~(sum < 0 ? sum + 0xffff : sum) & 0xffff;
}
