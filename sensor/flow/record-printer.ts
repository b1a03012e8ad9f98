import { ipText, isIpv4, isPrivate } from '../base/ip.ts';
import { formatMicros } from '../base/timestamp.ts';
import { anomalyNames } from '../record/anomalies.ts';
import { communityId } from '../record/community-id.ts';
import type { FlowRecord } from '../record/flow-record.ts';
import type { CertificateFacts } from '../tls/certificate.ts';
import { cipherSuiteName } from '../tls/cipher-suites.ts';
import { TCP } from '../wire/segment.ts';
import type { Conversation } from './conversation.ts';
import { directionOf, domainOf, flowId, MAX_NAMES, type RecordOptions, tunnelNames, words } from './to-record.ts';
import type { FlowView } from './tracker.ts';

/**
 * Flow records as lines of JSON: the text that `JSON.stringify` makes of `toRecord`, and a line feed, without the object
 * in between. Two records a connection are most of what short connections cost: this took 2 µs where the object took 20.
 */
export class RecordPrinter {
  private readonly seed: number;
  private readonly verbose: boolean;
  private readonly observer: string;
  private readonly tsSource: string;

  constructor(options: RecordOptions) {
    this.seed = options.communityIdSeed;
    this.verbose = options.verbose;
    const ingress = options.interface ? `,"ingress":{"interface":{"name":${quoted(options.interface)}}}` : '';
    this.observer = `"observer":{"name":${quoted(options.observer)},"type":"sensor"${ingress}}`;
    this.tsSource = options.tsSource ? `,"ts_source":${quoted(options.tsSource)}` : '';
  }

  /** The record of one flow as it stands, with its line feed. */
  print(action: FlowRecord['event']['action'], view: FlowView, now: number): string {
    const { table, slot, client, conversation: c } = view;
    const src = words(table, slot, client);
    const dst = words(table, slot, 1 - client);
    const srcPort = table.port(slot, client);
    const dstPort = table.port(slot, 1 - client);
    const protocol = table.transport(slot);
    const community = communityId({ protocol, src, dst, srcPort, dstPort }, this.seed);
    const first = table.firstSeen[slot]!;
    const last = table.lastSeen[slot]!;
    const domain = domainOf(c);
    const transport = protocol === TCP ? 'tcp' : 'udp';
    const type = isIpv4(src[0], src[1], src[2]) ? 'ipv4' : 'ipv6';
    const direction = directionOf(isPrivate(...src), isPrivate(...dst));
    return (
      `{"@timestamp":"${formatMicros(now)}","event":{"kind":"event","category":["network"],"dataset":"waybill.flow",` +
      `"action":"${action}","start":"${formatMicros(first)}","end":"${formatMicros(last)}",` +
      `"duration":${Math.round((last - first) * 1000)}},"network":{"transport":"${transport}"` +
      `${c.protocol ? `,"protocol":"${c.protocol}"` : ''},"type":"${type}","community_id":"${community}",` +
      `"direction":"${direction}"${c.vlan >= 0 ? `,"vlan":{"id":"${c.vlan}"}` : ''}},` +
      `"source":{${endpoint(view, client, ipText(...src), srcPort)}},` +
      `"destination":{${endpoint(view, 1 - client, ipText(...dst), dstPort)}` +
      `${domain ? `,"domain":${quoted(domain.name)}` : ''}},` +
      (c.protocol === 'ssh' ? '' : `"tls":{${tlsFields(c, this.verbose)}},`) +
      (c.ssh ? `"ssh":${JSON.stringify(c.ssh)},` : '') +
      `${this.observer},"waybill":{"flow_id":"${flowId(community, first)}","schema":1${this.ownFields(view)}` +
      `${domain && domain.from !== 'sni' ? `,"domain_source":${quoted(domain.from)}` : ''}` +
      `${c.dnsSeen === undefined ? '' : `,"dns_seen":${c.dnsSeen}`}}}\n`
    );
  }

  /** `waybill.*` from `via` to `end_reason`. */
  private ownFields(view: FlowView): string {
    const { conversation: c, anomalies, missedBytes } = view;
    let text = '';
    if (c.via) text += `,"via":${quoted(c.via)}`;
    if (c.viaTarget) text += `,"via_target":${quoted(c.viaTarget)}`;
    if (c.tunnels !== 0) text += `,"tunnel":${JSON.stringify(tunnelNames(c.tunnels))}`;
    if (anomalies !== 0) text += `,"anomalies":${JSON.stringify(anomalyNames(anomalies))}`;
    text += `,"bytes_exact":${view.exact}${this.tsSource}`;
    if (c.firstBytesAt > 0) text += `,"first_bytes_at":"${formatMicros(c.firstBytesAt)}"`;
    if (c.bursts.length > 0) text += `,"upstream_bursts":${JSON.stringify([...c.bursts].sort((a, b) => b - a))}`;
    if (missedBytes > 0) text += `,"missed_bytes":${missedBytes}`;
    if (view.endReason) text += `,"end_reason":"${view.endReason}"`;
    return text;
  }
}

function endpoint(view: FlowView, side: number, ip: string, port: number): string {
  const { table, slot } = view;
  const d = slot * 2 + side;
  return `"ip":"${ip}","port":${port},"bytes":${table.bytes[d]!},"packets":${table.packets[d]!}`;
}

function tlsFields(c: Conversation, verbose: boolean): string {
  const { clientFacts: client, serverFacts: server, certificateFacts: certificate, certificateSha256: sha256 } = c;
  let text = '';
  if (server) {
    text += `"version":"${server.version}","version_protocol":"${server.versionProtocol}","cipher":"${server.cipher}",`;
    if (server.alpn !== undefined) text += `"next_protocol":${quoted(server.alpn)},`;
  }
  text += `"established":${c.established}`;
  if (c.resumed !== undefined) text += `,"resumed":${c.resumed}`;
  if (client) {
    text += ',"client":{';
    if (client.serverName !== undefined) text += `"server_name":${quoted(client.serverName)},`;
    text += `"ja3":"${client.ja3}",`;
    if (verbose) text += `"ja3_string":"${client.ja3String}",`;
    text += `"ja4":"${client.ja4}","version":"${client.version}"`;
    if (client.alpn.length > 0) text += `,"alpn":[${client.alpn.map(quoted).join(',')}]`;
    if (client.ech) text += `,"ech":"${client.ech}"`;
    if (verbose) text += `,"supported_ciphers":${JSON.stringify(client.ciphers.map(cipherSuiteName))}`;
    text += '}';
  }
  if (server || sha256 !== undefined) {
    text += `,"server":{${server ? `"ja3s":"${server.ja3s}"` : ''}`;
    if (certificate) text += `${server ? ',' : ''}${certificateFields(certificate)}`;
    if (certificate && c.certificateNameMatches !== undefined) text += `,"name_matches":${c.certificateNameMatches}`;
    if (sha256 !== undefined) text += `${server || certificate ? ',' : ''}"hash":{"sha256":"${sha256}"}`;
    text += '}';
  }
  return text;
}

/** Facts are shared by all connections that met the certificate, and so is their text. */
const certificateTexts = new WeakMap<CertificateFacts, string>();

function certificateFields(facts: CertificateFacts): string {
  const known = certificateTexts.get(facts);
  if (known !== undefined) return known;
  const names = facts.alternativeNames.slice(0, MAX_NAMES);
  let text = `"subject":${quoted(facts.subject)},"issuer":${quoted(facts.issuer)}`;
  if (facts.notBefore !== undefined) text += `,"not_before":"${facts.notBefore}"`;
  if (facts.notAfter !== undefined) text += `,"not_after":"${facts.notAfter}"`;
  text += `,"x509":{${names.length > 0 ? `"alternative_names":${JSON.stringify(names)},` : ''}`;
  text += `"serial_number":"${facts.serialNumber}","public_key_algorithm":"${facts.publicKeyAlgorithm}"}`;
  text += `,"self_signed":${facts.selfSigned}`;
  certificateTexts.set(facts, text);
  return text;
}

/** Strings up to this length are looked through here; a native call costs more. */
const SHORT_STRING = 64;

/** A string as JSON. Most need nothing escaped. */
function quoted(text: string): string {
  if (text.length > SHORT_STRING) return JSON.stringify(text);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return JSON.stringify(text);
  }
  return `"${text}"`;
}
