/** The recorded machines: real network namespaces with the names, users and feed of an invented organisation. */
export type FeedShape = 'elastic-defend' | 'winlogbeat' | 'nxlog' | 'event-xml';

export interface Host {
  readonly name: string;
  readonly ip: string;
  readonly ip6: string;
  /** Last byte of its addresses and of its MAC. */
  readonly number: number;
  readonly feed: FeedShape;
  readonly users: readonly User[];
}

export interface User {
  readonly name: string;
  readonly sid: string;
  /** Logon session, as Windows prints it. */
  readonly logonId: string;
  readonly integrity: 'Medium' | 'High' | 'System';
}

export const DOMAIN = 'HALDEN';
export const DNS_SUFFIX = 'halden.example';

const SID_PREFIX = 'S-1-5-21-1847263011-906112457-3320481129';

function person(name: string, rid: number, logonId: string): User {
  return { name, sid: `${SID_PREFIX}-${rid}`, logonId, integrity: 'Medium' };
}

/** LocalSystem, on every machine. */
export const SYSTEM: User = { name: 'SYSTEM', sid: 'S-1-5-18', logonId: '0x3e7', integrity: 'System' };

function host(name: string, number: number, feed: FeedShape, ...users: User[]): Host {
  return { name, number, ip: `10.20.0.${number}`, ip6: `fd20::${number}`, feed, users: [...users, SYSTEM] };
}

export const HOSTS: readonly Host[] = [
  host('WS-FIN-01', 11, 'elastic-defend', person('k.lind', 1104, '0x5a21c')),
  host('WS-LAW-02', 12, 'elastic-defend', person('m.sand', 1117, '0x4f3d0')),
  host('WS-ENG-03', 13, 'winlogbeat', person('j.okafor', 1122, '0x61be4')),
  host('WS-HR-04', 14, 'nxlog', person('t.moreau', 1135, '0x38a97')),
  host('WS-OPS-05', 15, 'elastic-defend', person('p.novak', 1140, '0x77c12')),
  host('WS-SAL-06', 16, 'winlogbeat', person('s.ito', 1151, '0x2e55b')),
  host('WS-MKT-07', 17, 'elastic-defend', person('l.duarte', 1163, '0x90d4e')),
  host('SRV-FILE-08', 18, 'event-xml', person('adm.weiss', 1009, '0x1b7f3')),
  host('TS-09', 19, 'winlogbeat', person('b.holm', 1172, '0x8c2a1'), person('r.keane', 1180, '0x8f90d')),
];

export function hostNamed(name: string): Host {
  const found = HOSTS.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no host named ${name}`);
  return found;
}

export function userOf(host: Host, name: string): User {
  const found = host.users.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no user ${name} on ${host.name}`);
  return found;
}

/** `DOMAIN\name` as Windows feeds print it. */
export function accountName(user: User): string {
  return user === SYSTEM ? 'NT AUTHORITY\\SYSTEM' : `${DOMAIN}\\${user.name}`;
}

export function profileOf(user: User): string {
  return user === SYSTEM ? 'C:\\Windows\\System32\\config\\systemprofile' : `C:\\Users\\${user.name}`;
}
