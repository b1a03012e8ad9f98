/**
 * Where in a frame an IP packet may stand, as pcap-filter(7) writes it.
 *
 * On Ethernet that is behind VLAN tags, found by constant offsets. The word `vlan` would do the same, but makes every
 * offset behind it variable, which takes three times the instructions. Linux hands the outermost tag over beside the frame
 * and not in it: two tags on the wire are one here.
 */
export interface Place {
  readonly isV4: string;
  readonly isV6: string;
  /** Neither IP nor a further tag: PPPoE, MPLS and what else the decoder unwraps. */
  readonly isOther: string;
  /** `size` bytes at `at`, a number or an expression, from the start of the IP header. */
  readonly v4: (at: number | string, size?: number) => string;
  readonly v6: (at: number | string, size?: number) => string;
}

const VLAN_TYPES = ['0x8100', '0x88a8', '0x9100'];
const TAG_BYTES = 4;
const ETHERNET_BYTES = 14;

/** Of link types other than Ethernet, which carry no VLAN tags. */
const ANYWHERE: Place = {
  isV4: 'ip',
  isV6: 'ip6',
  isOther: 'not ip and not ip6',
  v4: (at, size = 1) => `ip[${at}:${size}]`,
  v6: (at, size = 1) => `ip6[${at}:${size}]`,
};

/** @param isLast no tag is looked behind here */
function behind(tags: number, isLast: boolean): Place {
  const start = ETHERNET_BYTES + TAG_BYTES * tags;
  const field = (at: number | string, size = 1): string =>
    `ether[${typeof at === 'number' ? start + at : `${at} + ${start}`}:${size}]`;
  const [isV4, isV6] = [`${typeBehind(tags)} = 0x0800`, `${typeBehind(tags)} = 0x86dd`];
  const isOther = `not ${isV4} and not ${isV6}${isLast ? '' : ` and not ${isTagBehind(tags)}`}`;
  return { isV4, isV6, isOther, v4: field, v6: field };
}

const typeBehind = (tags: number): string => `ether[${ETHERNET_BYTES - 2 + TAG_BYTES * tags}:2]`;

const isTagBehind = (tags: number): string => `(${VLAN_TYPES.map((t) => `${typeBehind(tags)} = ${t}`).join(' or ')})`;

/**
 * True where `what` is true of the place at which the frame's IP packet would stand.
 *
 * @param tags VLAN tags that a frame may have; none where the link type is not Ethernet
 */
export function atEveryPlace(ethernet: boolean, tags: 1 | 2, what: (place: Place) => string): string {
  if (!ethernet) return `(${what(ANYWHERE)})`;
  let expression = `(${what(behind(tags, true))})`;
  for (let n = tags - 1; n >= 0; n--) {
    expression = `((${isTagBehind(n)} and ${expression}) or (${what(behind(n, false))}))`;
  }
  return expression;
}
