/** The kernel filter of a live capture: what the user asked for, the profile and the shard, in one pcap-filter expression. */
import { atEveryPlace, type Place } from './filter-place.ts';
import { bulkDatagrams, bulkSegments, looksCertified, type Profile } from './filter-profile.ts';

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

/**
 * The expression, empty when everything is to pass. The user's alone is passed on as it is. Beside ours it comes first:
 * `vlan` shifts no offset from the start of the frame, and behind our loads libpcap makes of it what the kernel refuses.
 */
export function kernelFilter({ profile, shard, user, ethernet }: FilterOptions): string {
  const terms: string[] = [];
  if (shard !== undefined && shard.count > 1) terms.push(atEveryPlace(ethernet, 2, (place) => share(place, shard)));
  if (profile !== 'full') {
    const segments = atEveryPlace(ethernet, 1, (place) => bulkSegments(profile, place));
    terms.push(`not (${segments} and not (${looksCertified()}))`);
    terms.push(`not ${atEveryPlace(ethernet, 1, bulkDatagrams)}`);
  }
  if (terms.length === 0) return user ?? '';
  if (user) terms.unshift(ethernet ? `((${user}) or (vlan and ((${user}) or (vlan and (${user})))))` : `(${user})`);
  return terms.join(' and ');
}

/** The last 32 bits of both addresses, added: the same for both directions. What is not IP belongs to the first share. */
function share({ isV4, isV6, isOther, v4, v6 }: Place, { index, count }: Shard): string {
  const own = (sum: string): string => `(${sum}) % ${count} = ${index}`;
  const ip = `(${isV4} and ${own(`${v4(12, 4)} + ${v4(16, 4)}`)}) or (${isV6} and ${own(`${v6(20, 4)} + ${v6(36, 4)}`)})`;
  return index === 0 ? `${ip} or (${isOther})` : ip;
}
