import { type IpWords, ipText, isPrivate } from '../base/ip.ts';
import { isHostname, plainName } from '../base/text.ts';
import { formatMicros } from '../base/timestamp.ts';
import { anomalyNames } from '../record/anomalies.ts';
import { communityId } from '../record/community-id.ts';
import type { Endpoint, FlowRecord, TlsFields } from '../record/flow-record.ts';
import type { CertificateFacts } from '../tls/certificate.ts';
import { cipherSuiteName } from '../tls/cipher-suites.ts';
import { TCP, Tunnel } from '../wire/segment.ts';
import type { Conversation } from './conversation.ts';
import type { FlowView } from './flow-reports.ts';
import type { FlowTable } from './flow-table.ts';
import { hostOf } from './prelude.ts';

/** Certificate names on a record. */
export const MAX_NAMES = 100;

export interface RecordOptions {
  readonly observer: string;
  readonly interface?: string;
  /** Given when packets were stamped by us on arrival and not by the kernel. */
  readonly tsSource?: 'arrival';
  readonly communityIdSeed: number;
  /** Adds ja3_string and supported_ciphers. */
  readonly verbose: boolean;
}

/**
 * The flow record (record/flow-record.ts) of one flow as it stands. `RecordPrinter` writes the same as text: what changes
 * here changes there, and a property test holds the two together.
 */
export function toRecord(
  action: FlowRecord['event']['action'],
  view: FlowView,
  now: number,
  options: RecordOptions,
): FlowRecord {
  const { table, slot, client, conversation: c } = view;
  const tcp = table.transport(slot) === TCP;
  const src = words(table, slot, client);
  const dst = words(table, slot, 1 - client);
  const sourceIp = ipText(...src);
  const destinationIp = ipText(...dst);
  const ports = { srcPort: table.port(slot, client), dstPort: table.port(slot, 1 - client) };
  const community = communityId({ protocol: table.transport(slot), src, dst, ...ports }, options.communityIdSeed);
  const first = table.firstSeen[slot]!;
  const domain = domainOf(c);
  const anomalies = anomalyNames(view.anomalies);
  const tls = c.protocol === undefined || c.protocol === 'ssh' ? undefined : tlsFields(c);
  const last = table.lastSeen[slot]!;
  return {
    '@timestamp': formatMicros(now),
    event: {
      kind: 'event',
      category: ['network'],
      dataset: 'waybill.flow',
      action,
      start: formatMicros(first),
      end: formatMicros(last),
      duration: Math.round((last - first) * 1000),
    },
    network: {
      transport: tcp ? 'tcp' : 'udp',
      ...(c.protocol ? { protocol: c.protocol } : {}),
      type: sourceIp.includes(':') ? 'ipv6' : 'ipv4',
      community_id: community,
      direction: directionOf(isPrivate(...src), isPrivate(...dst)),
      ...(c.vlan >= 0 ? { vlan: { id: String(c.vlan) } } : {}),
    },
    source: endpoint(view, client, sourceIp),
    destination: { ...endpoint(view, 1 - client, destinationIp), ...(domain ? { domain: domain.name } : {}) },
    ...(tls ? { tls } : {}),
    ...(c.ssh ? { ssh: c.ssh } : {}),
    observer: {
      name: options.observer,
      type: 'sensor',
      ...(options.interface ? { ingress: { interface: { name: options.interface } } } : {}),
    },
    waybill: {
      flow_id: flowId(community, first),
      schema: 1,
      ...(c.via ? { via: c.via } : {}),
      ...(c.viaTarget ? { via_target: c.viaTarget } : {}),
      ...(c.tunnels !== 0 ? { tunnel: tunnelNames(c.tunnels) } : {}),
      ...(anomalies.length > 0 ? { anomalies } : {}),
      bytes_exact: view.exact,
      ...(options.tsSource ? { ts_source: options.tsSource } : {}),
      ...(c.firstBytesAt > 0 ? { first_bytes_at: formatMicros(c.firstBytesAt) } : {}),
      ...(c.bursts.length > 0 ? { upstream_bursts: [...c.bursts].sort((a, b) => b - a) } : {}),
      ...(view.missedBytes > 0 ? { missed_bytes: view.missedBytes } : {}),
      ...(view.endReason ? { end_reason: view.endReason } : {}),
      ...(domain && domain.from !== 'sni' ? { domain_source: domain.from } : {}),
      ...(c.dnsSeen !== undefined ? { dns_seen: c.dnsSeen } : {}),
    },
  };
}

/** The characters of a Community ID that are part of a flow id: 96 bits of its hash. */
export const FLOW_ID_PART = [2, 18] as const;

/** Unique to the flow: its Community ID as far as it is random, and when it began. */
export const flowId = (community: string, firstSeen: number): string =>
  `${community
    .slice(...FLOW_ID_PART)
    .replaceAll('+', '-')
    .replaceAll('/', '_')}.${Math.floor(firstSeen).toString(36)}`;

function endpoint(view: FlowView, side: number, ip: string): Endpoint {
  const d = view.slot * 2 + side;
  return {
    ip,
    port: view.table.port(view.slot, side),
    bytes: view.table.bytes[d]!,
    packets: view.table.packets[d]!,
  };
}

export const words = (table: FlowTable, slot: number, side: number): IpWords => [
  table.word(slot, side, 0),
  table.word(slot, side, 1),
  table.word(slot, side, 2),
  table.word(slot, side, 3),
];

export function directionOf(fromPrivate: boolean, toPrivate: boolean): FlowRecord['network']['direction'] {
  if (fromPrivate) return toPrivate ? 'internal' : 'egress';
  return toPrivate ? 'ingress' : 'external';
}

/** Where the client meant to go: the name in its hello, else the one in the prelude, else the one it looked up. */
export function domainOf(c: Conversation): { name: string; from: string } | undefined {
  const asked = c.clientFacts?.serverName?.domain;
  if (asked !== undefined) return { name: asked, from: 'sni' };
  const target = c.viaTarget === undefined ? undefined : hostOf(c.viaTarget);
  if (target !== undefined && isHostname(target)) return { name: plainName(target), from: c.via ?? 'prelude' };
  return c.dnsName === undefined ? undefined : { name: c.dnsName, from: 'dns' };
}

function tlsFields(c: Conversation): TlsFields | undefined {
  const { clientFacts: client, serverFacts: server, certificateFacts: certificate } = c;
  const fields: TlsFields = {
    ...(server ? { version: server.version, version_protocol: server.versionProtocol, cipher: server.cipher } : {}),
    ...(server?.alpn !== undefined ? { next_protocol: server.alpn } : {}),
    established: c.established,
    ...(c.resumed !== undefined ? { resumed: c.resumed } : {}),
  };
  if (client) {
    fields.client = {
      ...(client.serverName !== undefined ? { server_name: client.serverName.text } : {}),
      ja3: client.ja3,
      ...(client.inFull ? { ja3_string: client.inFull.ja3String } : {}),
      ja4: client.offer.ja4,
      version: client.offer.version,
      ...(client.offer.alpn.length > 0 ? { alpn: [...client.offer.alpn] } : {}),
      ...(client.offer.ech ? { ech: client.offer.ech } : {}),
      ...(client.inFull ? { supported_ciphers: client.inFull.ciphers.map(cipherSuiteName) } : {}),
    };
  }
  if (server || c.certificateSha256 !== undefined) {
    fields.server = {
      ...(server ? { ja3s: server.ja3s } : {}),
      ...(certificate ? certificateFields(certificate, c.certificateNameMatches) : {}),
      ...(c.certificateSha256 !== undefined ? { hash: { sha256: c.certificateSha256 } } : {}),
    };
  }
  return fields;
}

function certificateFields(
  facts: CertificateFacts,
  nameMatches: boolean | undefined,
): NonNullable<TlsFields['server']> {
  return {
    subject: facts.subject,
    issuer: facts.issuer,
    ...(facts.notBefore !== undefined ? { not_before: facts.notBefore } : {}),
    ...(facts.notAfter !== undefined ? { not_after: facts.notAfter } : {}),
    x509: {
      ...(facts.alternativeNames.length > 0 ? { alternative_names: facts.alternativeNames.slice(0, MAX_NAMES) } : {}),
      serial_number: facts.serialNumber,
      public_key_algorithm: facts.publicKeyAlgorithm,
    },
    self_signed: facts.selfSigned,
    ...(nameMatches !== undefined ? { name_matches: nameMatches } : {}),
  };
}

export function tunnelNames(bits: number): string[] {
  return Object.entries(Tunnel)
    .filter(([, bit]) => (bits & bit) !== 0)
    .map(([name]) => name);
}
