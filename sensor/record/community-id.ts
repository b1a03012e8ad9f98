/**
 * Community ID flow hash, version 1 (corelight/community-id-spec).
 *
 *     "1:" + base64(SHA-1(seed 2 . address 4|16 . address 4|16 . protocol 1 . 0 1 . port 2 . port 2))
 *
 * Network byte order. The smaller endpoint (address, then port, both numerically) comes first, so both directions hash
 * alike. ICMP types and codes stand in for ports; protocols without ports hash without them. Encapsulations are outside
 * the specification: callers pass the innermost addresses.
 */
import { hash } from 'node:crypto';
import { type IpWords, isIpv4, parseIp } from '../base/ip.ts';

/** IANA protocol numbers that have ports. */
const TCP = 6;
const UDP = 17;
const SCTP = 132;
const ICMP = 1;
const ICMPV6 = 58;

export interface FlowTuple {
  /** IANA protocol number. */
  readonly protocol: number;
  readonly src: IpWords;
  readonly dst: IpWords;
  /** Port; for ICMP and ICMPv6 the type. */
  readonly srcPort?: number;
  /** Port; for ICMP and ICMPv6 the code. */
  readonly dstPort?: number;
}

/** The Community ID of a flow, for example "1:wCb3OG7yAFWelaUydu0D+125CLM=". */
export function communityId(tuple: FlowTuple, seed = 0): string {
  const { protocol, src, dst } = tuple;
  const ports = portsOf(tuple);
  const swap = ports.oneWay ? false : after(src, dst, ports.src, ports.dst);
  const low = swap ? dst : src;
  const high = swap ? src : dst;

  const v4 = isIpv4(src[0], src[1], src[2]) && isIpv4(dst[0], dst[1], dst[2]);
  const length = 2 + (v4 ? 8 : 32) + 2 + (ports.present ? 4 : 0);
  const input = INPUTS.get(length)!;
  input.setUint16(0, seed);
  let at = putAddress(input, 2, low, v4);
  at = putAddress(input, at, high, v4);
  input.setUint8(at, protocol);
  if (ports.present) {
    input.setUint16(at + 2, swap ? ports.dst : ports.src);
    input.setUint16(at + 4, swap ? ports.src : ports.dst);
  }
  return `1:${hash('sha1', input, 'base64')}`;
}

/** What is hashed, by its length, with and without ports: allocated once, the zero byte behind the protocol stays. */
const INPUTS: ReadonlyMap<number, DataView> = new Map(
  [12, 16, 36, 40].map((length) => [length, new DataView(new ArrayBuffer(length))]),
);

/** The same from addresses in any text form; undefined when one is not an address. */
export function communityIdOfText(
  protocol: number,
  source: readonly [ip: string, port?: number],
  destination: readonly [ip: string, port?: number],
  seed = 0,
): string | undefined {
  const src = parseIp(source[0]);
  const dst = parseIp(destination[0]);
  if (!src || !dst) return undefined;
  return communityId({ protocol, src, dst, srcPort: source[1] ?? 0, dstPort: destination[1] ?? 0 }, seed);
}

/** True when (a, portA) sorts after (b, portB). Equal addresses compare ports as numbers, as pycommunityid does. */
function after(a: IpWords, b: IpWords, portA: number, portB: number): boolean {
  for (let i = 0; i < 4; i++) {
    const x = a[i]! >>> 0;
    const y = b[i]! >>> 0;
    if (x !== y) return x > y;
  }
  return portA > portB;
}

interface Ports {
  readonly src: number;
  readonly dst: number;
  /** False for protocols without ports. */
  readonly present: boolean;
  /** True for ICMP messages without a counterpart: they are hashed as sent. */
  readonly oneWay: boolean;
}

function portsOf({ protocol, srcPort = 0, dstPort = 0 }: FlowTuple): Ports {
  if (protocol === TCP || protocol === UDP || protocol === SCTP) {
    return { src: srcPort, dst: dstPort, present: true, oneWay: false };
  }
  const counterparts = protocol === ICMP ? ICMP_COUNTERPART : protocol === ICMPV6 ? ICMPV6_COUNTERPART : undefined;
  if (!counterparts) return { src: 0, dst: 0, present: false, oneWay: false };
  const counterpart = counterparts.get(srcPort);
  if (counterpart === undefined) return { src: srcPort, dst: dstPort, present: true, oneWay: true };
  return { src: srcPort, dst: counterpart, present: true, oneWay: false };
}

/** Message type to the type of its answer, both ways: echo, timestamp, information, address mask, router discovery. */
const ICMP_COUNTERPART = bothWays([
  [8, 0],
  [13, 14],
  [15, 16],
  [17, 18],
  [10, 9],
]);

/** Echo, multicast listener, router and neighbour discovery, node information, home agent discovery. */
const ICMPV6_COUNTERPART = bothWays([
  [128, 129],
  [130, 131],
  [133, 134],
  [135, 136],
  [139, 140],
  [144, 145],
]);

function bothWays(pairs: readonly (readonly [number, number])[]): ReadonlyMap<number, number> {
  return new Map(pairs.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]));
}

/** Writes an address as 4 or 16 bytes; a mapped IPv4 beside a true IPv6 address keeps its 16-byte form. */
function putAddress(view: DataView, at: number, words: IpWords, v4: boolean): number {
  if (v4) {
    view.setInt32(at, words[3]);
    return at + 4;
  }
  for (let i = 0; i < 4; i++) view.setInt32(at + 4 * i, words[i]!);
  return at + 16;
}
