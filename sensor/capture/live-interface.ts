/** Network interfaces of this machine as the kernel shows them under /sys/class/net (Linux). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

const ROOT = '/sys/class/net';

/** IFF_UP of linux/if.h: an administrator has switched the interface on. */
const IFF_UP = 1;
/** ARPHRD_ETHER, and loopback, which libpcap treats as Ethernet. */
const ETHERNET_TYPES = new Set(['1', '772']);

/** libpcap's name for all interfaces at once. */
export const ANY_INTERFACE = 'any';

/** Names the kernel accepts, narrowed to what needs no quoting anywhere; no leading dash, which would be an option. */
const NAME = /^[A-Za-z0-9_.][\w.:@-]{0,14}$/;

/** `unknown`: this system has no /sys/class/net. */
export type InterfaceState = 'up' | 'down' | 'no carrier' | 'absent' | 'unknown';

export interface InterfaceInfo {
  readonly name: string;
  readonly state: InterfaceState;
  readonly addresses: readonly string[];
}

export const isInterfaceName = (name: string): boolean => NAME.test(name) && name !== '.' && name !== '..';

/** State of the interface now. `name` must satisfy `isInterfaceName`. */
export function interfaceState(name: string): InterfaceState {
  if (name === ANY_INTERFACE) return 'up';
  if (!existsSync(ROOT)) return 'unknown';
  const flags = Number(attribute(name, 'flags'));
  if (!Number.isInteger(flags) || attribute(name, 'flags') === '') return 'absent';
  if ((flags & IFF_UP) === 0) return 'down';
  // Drivers that do not report a carrier say "unknown": loopback, tun.
  const operation = attribute(name, 'operstate');
  return operation === 'down' || operation === 'lowerlayerdown' || operation === 'notpresent' ? 'no carrier' : 'up';
}

/** True when packets can come: an interface that is switched on, cable or not. */
export const canCapture = (state: InterfaceState): boolean => state !== 'absent' && state !== 'down';

/** True when frames of the interface can carry VLAN tags that a filter must look behind. */
export const isEthernet = (name: string): boolean =>
  name !== ANY_INTERFACE && ETHERNET_TYPES.has(attribute(name, 'type'));

/** Frames received and sent, and frames the card or its driver dropped: a hint beside the capture's own counts. */
export function interfaceCounts(name: string): { frames: number; dropped: number } | undefined {
  if (name === ANY_INTERFACE || interfaceState(name) === 'absent') return undefined;
  const count = (file: string): number => Number(attribute(name, `statistics/${file}`)) || 0;
  return {
    frames: count('rx_packets') + count('tx_packets'),
    dropped: count('rx_dropped') + count('rx_missed_errors') + count('rx_fifo_errors'),
  };
}

/** All interfaces of this machine (of this network namespace), by name. */
export function listInterfaces(): InterfaceInfo[] {
  const addresses = new Map(
    Object.entries(networkInterfaces()).map(([name, list]) => [name, (list ?? []).map((a) => a.cidr ?? a.address)]),
  );
  const names = existsSync(ROOT) ? readdirSync(ROOT).filter(isInterfaceName) : [...addresses.keys()];
  return names
    .map((name) => ({ name, state: interfaceState(name), addresses: addresses.get(name) ?? [] }))
    .filter(({ state }) => state !== 'absent')
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** One line of text from sysfs; empty when there is none, as for an interface that has just gone. */
function attribute(name: string, file: string): string {
  try {
    return readFileSync(`${ROOT}/${name}/${file}`, 'latin1').trim();
  } catch {
    return '';
  }
}
