/**
 * Every name that the recorded clients meet, with the address and the kind of server it has in the recording network.
 * Addresses are documentation ranges (RFC 5737, RFC 3849); names end in `.example` (RFC 2606) except the few tenants of
 * well-known clouds, which exist here only inside the recording network: no packet ever leaves it.
 */
export type ServerKind = 'node' | 'node-tls12' | 'nginx' | 's-server' | 'rclone-webdav' | 'caddy-h3';

/** Certification authorities of the recordings, all below one recording root that the clients trust. */
export type Issuer = 'Northgate Public CA 2' | 'FreeCert R7';

export interface Destination {
  readonly name: string;
  readonly ip: string;
  readonly ip6?: string;
  readonly server: ServerKind;
  readonly issuer: Issuer;
  /** Days before the recording at which its certificate was issued. */
  readonly certificateAgeDays: number;
}

export const RESOLVER_IP = '10.20.0.2';
export const PROXY_IP = '10.20.0.3';
export const PROXY_PORT = 3128;
export const HTTPS_PORT = 443;

const ordinary = (name: string, ip: string, server: ServerKind = 'node', ip6?: string): Destination => ({
  name,
  ip,
  server,
  issuer: 'Northgate Public CA 2',
  certificateAgeDays: 60,
  ...(ip6 === undefined ? {} : { ip6 }),
});

/** Issued three days before by an authority that asks for nothing. */
const fresh = (name: string, ip: string, server: ServerKind = 'node'): Destination => ({
  name,
  ip,
  server,
  issuer: 'FreeCert R7',
  certificateAgeDays: 3,
});

export const DESTINATIONS: readonly Destination[] = [
  // Office suite, chat, sync
  ordinary('outlook.cloudoffice.example', '203.0.113.10', 'node', '2001:db8:20::10'),
  ordinary('docs.cloudoffice.example', '203.0.113.11'),
  ordinary('login.cloudoffice.example', '203.0.113.12', 'nginx'),
  ordinary('telemetry.cloudoffice.example', '203.0.113.13', 'node-tls12'),
  ordinary('sync.clouddrive.example', '203.0.113.20', 'node', '2001:db8:20::20'),
  ordinary('chat.teamtalk.example', '203.0.113.24'),
  // Updates and agents
  ordinary('update.winsys.example', '203.0.113.30', 'node-tls12'),
  ordinary('updates.browsercorp.example', '203.0.113.31'),
  ordinary('dl.browsercorp.example', '203.0.113.32'),
  ordinary('mdm.fleetcare.example', '203.0.113.34', 'node-tls12'),
  ordinary('vault.backupvault.example', '203.0.113.40', 'rclone-webdav'),
  // Development
  ordinary('git.codeforge.example', '203.0.113.50'),
  ordinary('artifacts.codeforge.example', '203.0.113.51'),
  ordinary('registry.pkghub.example', '203.0.113.52', 'nginx'),
  ordinary('wheels.pyindex.example', '203.0.113.53'),
  // The web
  ordinary('start.halden.example', '203.0.113.60'),
  ordinary('search.findly.example', '203.0.113.61', 'node', '2001:db8:20::61'),
  ordinary('news.morgenblatt.example', '203.0.113.62', 'nginx'),
  ordinary('cdn.jslib.example', '203.0.113.63'),
  ordinary('crm.salesdesk.example', '203.0.113.64'),
  ordinary('bank.kontor.example', '203.0.113.65', 's-server'),
  ordinary('jobs.peopleport.example', '203.0.113.66'),
  ordinary('send.filepost.example', '203.0.113.70'),
  ordinary('h3.wavelink.example', '203.0.113.80', 'caddy-h3'),
  // Tenants of known clouds: the first three are the organisation's own or its suppliers'
  ordinary('halden-reports.s3.eu-central-1.amazonaws.com', '203.0.113.90'),
  ordinary('vendor-images.s3.eu-central-1.amazonaws.com', '203.0.113.90'),
  ordinary('haldenlogs.blob.core.windows.net', '203.0.113.92'),
  ordinary('exfil-drop.s3.eu-central-1.amazonaws.com', '203.0.113.90'),
  // Met by nobody before the stories
  fresh('drop.quietharbor.example', '198.51.100.21'),
  fresh('dav.parkway-files.example', '198.51.100.34', 'rclone-webdav'),
  fresh('api.nightferry.example', '198.51.100.47'),
  fresh('up.splitstone.example', '198.51.100.58'),
  fresh('paste.textdepot.example', '198.51.100.63'),
  fresh('feedback.printwerk.example', '198.51.100.71'),
];

export function destination(name: string): Destination {
  const found = DESTINATIONS.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no destination named ${name}`);
  return found;
}
