import { canonicalIp as canonical } from '../../sensor/base/ip.ts';

/**
 * Canonical text of an address as a feed writes it: RFC 5952 for IPv6, IPv4-mapped folded to IPv4, zone id, brackets and blanks
 * dropped. Undefined for everything that is no address.
 */
export function canonicalIp(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : canonical(text.trim());
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
