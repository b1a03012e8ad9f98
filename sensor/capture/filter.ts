/**
 * The kernel filter of a live capture: what the user asked for, the profile and the shard, in one pcap-filter expression.
 *
 * In pcap-filter the first `vlan` shifts every offset behind it, so the parts that look into IP packets are written once
 * for each depth of VLAN tags: `P or (vlan and (P or (vlan and P)))`.
 */
import { bulkExpression, type Profile } from './filter-profile.ts';

/** One of several sensors that share the conversations of an interface. */
export interface Shard {
  /** 0 to `count` - 1. */
  readonly index: number;
  readonly count: number;
}

export const MAX_SHARDS = 64;

export interface FilterOptions {
  readonly profile: Profile;
  readonly shard?: Shard | undefined;
  /** The user's own expression; a packet must match it too. */
  readonly user?: string | undefined;
  /** Frames may carry VLAN tags: Ethernet. Other link types refuse the word `vlan`. */
  readonly ethernet: boolean;
}

/** Words of pcap-filter(7) that change what the rest of an expression means. */
const ENCAPSULATIONS = /\b(vlan|mpls|pppoes|pppoed|geneve|vxlan)\b/;

/** Reads `i/n`, counted from 1: `1/4` to `4/4`. Undefined when it is not that. */
export function parseShard(text: string): Shard | undefined {
  const match = /^(\d{1,3})\/(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  const [number, count] = [Number(match[1]), Number(match[2])];
  return number >= 1 && number <= count && count <= MAX_SHARDS ? { index: number - 1, count } : undefined;
}

/** True when `user` cannot be combined with a profile or a shard, because it says itself where VLAN or tunnel tags are. */
export const looksIntoTags = (user: string): boolean => ENCAPSULATIONS.test(user);

/** The expression, empty when everything is to pass. The user's alone is passed on as it is. */
export function kernelFilter(options: FilterOptions): string {
  const { profile, shard, user, ethernet } = options;
  if (profile === 'full' && (shard === undefined || shard.count === 1)) return user ?? '';
  const packets = [family('ip', profile, shard), family('ip6', profile, shard)];
  // What is not IP belongs to the first shard: PPPoE, MPLS and what else the decoder unwraps.
  const others = 'not ip and not ip6 and not ether proto 0x8100 and not ether proto 0x88a8 and not ether proto 0x9100';
  if ((shard?.index ?? 0) === 0) packets.push(others);
  const wanted = packets.map((p) => `(${p})`).join(' or ');
  const one = user ? `(${user}) and (${wanted})` : wanted;
  return ethernet ? `(${one}) or (vlan and ((${one}) or (vlan and (${one}))))` : one;
}

function family(ip: 'ip' | 'ip6', profile: Profile, shard: Shard | undefined): string {
  const bulk = bulkExpression(profile, ip);
  return [ip, ...(shard ? [shardExpression(ip, shard)] : []), ...(bulk ? [`not (${bulk})`] : [])].join(' and ');
}

/** The last 32 bits of both addresses, added: the same for both directions. */
function shardExpression(ip: 'ip' | 'ip6', { index, count }: Shard): string {
  const sum = ip === 'ip' ? 'ip[12:4] + ip[16:4]' : 'ip6[20:4] + ip6[36:4]';
  return `(${sum}) % ${count} = ${index}`;
}
