/**
 * IP addresses as four 32-bit words in network order (int32), and as text.
 *
 * IPv4 is (0, 0, 0xffff, address), which is the IPv4-mapped IPv6 form (RFC 4291 §2.5.5.2), so both families share one
 * representation and `::ffff:192.0.2.1` and `192.0.2.1` are the same address.
 */
export type IpWords = readonly [number, number, number, number];

/** Third word of every IPv4 address. */
export const IPV4_PREFIX = 0xffff;

/** Longest text that is looked at: a full IPv6 address with an embedded IPv4 is 45 characters, plus a zone id. */
const TEXT_CAP = 128;

export function isIpv4(w0: number, w1: number, w2: number): boolean {
  return w0 === 0 && w1 === 0 && w2 === IPV4_PREFIX;
}

/** Canonical text: dotted decimal for IPv4 (mapped or not), RFC 5952 for IPv6. */
export function ipText(w0: number, w1: number, w2: number, w3: number): string {
  if (isIpv4(w0, w1, w2)) return `${w3 >>> 24}.${(w3 >>> 16) & 255}.${(w3 >>> 8) & 255}.${w3 & 255}`;
  const groups = [w0 >>> 16, w0 & 65535, w1 >>> 16, w1 & 65535, w2 >>> 16, w2 & 65535, w3 >>> 16, w3 & 65535];
  const [from, to] = longestZeroRun(groups);
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === from) {
      text += '::';
      i = to - 1;
      continue;
    }
    if (i > 0 && i !== to) text += ':';
    text += groups[i]!.toString(16);
  }
  return text;
}

/** The first longest run of two or more zero groups, as [from, to); [-1, -1] when there is none (RFC 5952 §4.2). */
function longestZeroRun(groups: readonly number[]): readonly [number, number] {
  let from = -1;
  let to = -1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i >= 2 && end - i > to - from) {
      from = i;
      to = end;
    }
    if (end > i) i = end;
  }
  return [from, to];
}

/**
 * Reads any usual text form: dotted decimal, IPv6 compressed or not, with embedded IPv4, in brackets, with a zone id
 * (dropped). Undefined when it is not an address. Octal and short IPv4 forms ("10.1", "010.0.0.1") are refused.
 */
export function parseIp(text: string): IpWords | undefined {
  if (text.length > TEXT_CAP) return undefined;
  let end = text.length;
  let start = 0;
  if (text.charCodeAt(0) === 0x5b && text.charCodeAt(end - 1) === 0x5d) {
    start = 1;
    end--;
  }
  const colon = text.indexOf(':', start);
  if (colon < 0) {
    const address = parseIpv4(text, start, end);
    return address === undefined ? undefined : [0, 0, IPV4_PREFIX, address];
  }
  const zone = text.indexOf('%', start);
  if (zone >= 0 && zone < end) end = zone;
  return parseIpv6(text.slice(start, end));
}

/** The canonical text of an address in any text form, or undefined when it is none. */
export function canonicalIp(text: string): string | undefined {
  const words = parseIp(text);
  return words && ipText(words[0], words[1], words[2], words[3]);
}

function parseIpv4(text: string, start: number, end: number): number | undefined {
  let address = 0;
  let octet = -1;
  let digits = 0;
  let dots = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      if (digits === 0 || ++dots > 3) return undefined;
      address = (address << 8) | octet;
      octet = -1;
      digits = 0;
      continue;
    }
    const digit = code - 0x30;
    if (digit < 0 || digit > 9 || octet === 0) return undefined;
    octet = digits === 0 ? digit : octet * 10 + digit;
    digits++;
    if (octet > 255) return undefined;
  }
  return dots === 3 && digits > 0 ? (address << 8) | octet : undefined;
}

function parseIpv6(text: string): IpWords | undefined {
  const gap = text.indexOf('::');
  if (gap < 0) {
    const groups = parseGroups(text);
    return groups?.length === 8 ? toWords(groups) : undefined;
  }
  const left = gap === 0 ? [] : parseGroups(text.slice(0, gap));
  const right = gap + 2 === text.length ? [] : parseGroups(text.slice(gap + 2));
  // An embedded IPv4 address may only come last.
  if (!left || !right || text.lastIndexOf('.', gap) >= 0 || left.length + right.length > 7) return undefined;
  return toWords([...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right]);
}

/** Groups of one side of `::`, an IPv4 tail as two groups; undefined when any is malformed. */
function parseGroups(text: string): number[] | undefined {
  const parts = text.split(':');
  const groups: number[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (i === parts.length - 1 && part.includes('.')) {
      const address = parseIpv4(part, 0, part.length);
      if (address === undefined) return undefined;
      groups.push(address >>> 16, address & 65535);
      continue;
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
    groups.push(Number.parseInt(part, 16));
  }
  return groups.length <= 8 ? groups : undefined;
}

function toWords(groups: readonly number[]): IpWords {
  const word = (i: number): number => (groups[i]! << 16) | groups[i + 1]!;
  return [word(0), word(2), word(4), word(6)];
}

/**
 * True for addresses that are not a destination on the public internet: this host, private and shared (CGNAT) space,
 * link-local, multicast, broadcast, benchmarking and reserved blocks (RFC 6890 registries). Documentation blocks
 * (RFC 5737, RFC 3849, RFC 9637) count as outside: nobody's inside has them, and recordings use them for the internet.
 */
export function isPrivate(w0: number, w1: number, w2: number, w3: number): boolean {
  return isIpv4(w0, w1, w2) ? isPrivateIpv4(w3) : isPrivateIpv6(w0, w1, w2, w3);
}

function isPrivateIpv4(address: number): boolean {
  const a = address >>> 24;
  if (a === 0 || a === 10 || a === 127 || a >= 224) return true;
  const ab = address >>> 16;
  if (ab === 0xc0a8 || ab === 0xa9fe) return true; // 192.168/16, 169.254/16
  if ((ab & 0xfff0) === 0xac10 || (ab & 0xffc0) === 0x6440) return true; // 172.16/12, 100.64/10 (RFC 6598)
  if ((ab & 0xfffe) === 0xc612) return true; // 198.18/15 (RFC 2544)
  return address >>> 8 === 0xc00000; // 192.0.0/24
}

function isPrivateIpv6(w0: number, w1: number, w2: number, w3: number): boolean {
  const first = w0 >>> 24;
  if (first === 0xff || (first & 0xfe) === 0xfc) return true; // multicast, ULA (RFC 4193)
  if (w0 >>> 22 === 0x3fa || w0 >>> 22 === 0x3fb) return true; // fe80::/10, fec0::/10
  if (w0 === 0 && w1 === 0 && w2 === 0) return w3 === 0 || w3 === 1; // ::, ::1
  if (w0 === 0x0064ff9b && w1 === 0 && w2 === 0) return isPrivateIpv4(w3); // NAT64 (RFC 6052): the IPv4 inside decides
  return w0 === 0x01000000 && w1 === 0; // discard-only 100::/64
}
