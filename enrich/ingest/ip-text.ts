import { isIP } from 'node:net';

/**
 * Canonical text of an address: RFC 5952 for IPv6, IPv4-mapped folded to IPv4, zone id, brackets and blanks dropped.
 * Undefined for everything that is no address.
 */
export function canonicalIp(text: string | undefined): string | undefined {
  if (text === undefined || text.length < 2 || text.length > 80) return undefined;
  let bare = text.trim();
  if (bare.startsWith('[') && bare.endsWith(']')) bare = bare.slice(1, -1);
  const zone = bare.indexOf('%');
  if (zone >= 0) bare = bare.slice(0, zone);
  const version = isIP(bare);
  if (version === 4) return bare;
  return version === 6 ? compress(groupsOf(bare)) : undefined;
}

/** Every address in a `;`- or `,`-separated list, at most `cap`, in order, each once. */
export function ipList(text: string, cap: number): string[] {
  const found = new Set<string>();
  for (const part of text.split(/[;,\s]+/, cap * 8)) {
    const ip = canonicalIp(part);
    if (ip !== undefined) found.add(ip);
    if (found.size >= cap) break;
  }
  return [...found];
}

/** Addresses that nobody connects from: multicast and the limited broadcast. */
export function isGroupAddress(ip: string): boolean {
  if (ip.includes(':')) return ip.startsWith('ff');
  const first = Number(ip.slice(0, ip.indexOf('.')));
  return (first >= 224 && first <= 239) || ip === '255.255.255.255';
}

/** The eight groups of a valid IPv6 text. */
function groupsOf(text: string): number[] {
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  let head = text;
  const embedded: number[] = [];
  if (tail.includes('.')) {
    const bytes = tail.split('.').map(Number);
    embedded.push(((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0), ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0));
    head = text.slice(0, text[lastColon - 1] === ':' ? lastColon + 1 : lastColon);
  }
  const gap = head.indexOf('::');
  const read = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  if (gap < 0) return [...read(head), ...embedded];
  const left = read(head.slice(0, gap));
  const right = [...read(head.slice(gap + 2)), ...embedded];
  return [...left, ...new Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right];
}

function compress(groups: readonly number[]): string {
  if (groups.slice(0, 5).every((g) => g === 0) && groups[5] === 0xffff) {
    const high = groups[6] ?? 0;
    const low = groups[7] ?? 0;
    return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
  }
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
    start += length;
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart < 0) return hex.join(':');
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`;
}
