import { type IpWords, isIpv4, isPrivate } from '../base/ip.ts';
import { JsonBytes } from '../base/json-bytes.ts';
import { communityId } from '../record/community-id.ts';
import type { FlowRecord } from '../record/flow-record.ts';
import { cipherSuiteName } from '../tls/cipher-suites.ts';
import { TCP } from '../wire/segment.ts';
import type { Conversation } from './conversation.ts';
import type { FlowView } from './flow-reports.ts';
import type { ClientFacts, ServerFacts } from './hello-facts.ts';
import { anomaliesJson, answerJson, certificateJson, offerJson } from './shared-json.ts';
import { directionOf, domainOf, FLOW_ID_PART, type RecordOptions, tunnelNames, words } from './to-record.ts';

/**
 * Flow records as lines of JSON: the bytes of what `JSON.stringify` makes of `toRecord`, and a line feed, without the
 * object in between. Two records a connection are most of what short connections cost: where one took 46 µs as an object
 * it takes 5 µs here.
 */
export class RecordPrinter {
  private readonly out = new JsonBytes();
  private readonly seed: number;
  private readonly observer: Uint8Array;
  private readonly tsSource: Uint8Array;

  constructor(options: RecordOptions) {
    this.seed = options.communityIdSeed;
    const ingress = options.interface ? `,"ingress":{"interface":{"name":${JSON.stringify(options.interface)}}}` : '';
    this.observer = bytes(`"observer":{"name":${JSON.stringify(options.observer)},"type":"sensor"${ingress}},`);
    this.tsSource = bytes(options.tsSource ? `,"ts_source":${JSON.stringify(options.tsSource)}` : '');
  }

  /** The record of one flow as it stands, with its line feed. The bytes are valid until the next call. */
  print(action: FlowRecord['event']['action'], view: FlowView, now: number): Uint8Array {
    const { out } = this;
    const { table, slot, client, conversation: c } = view;
    const src = words(table, slot, client);
    const dst = words(table, slot, 1 - client);
    const srcPort = table.port(slot, client);
    const dstPort = table.port(slot, 1 - client);
    const protocol = table.transport(slot);
    const community = communityId({ protocol, src, dst, srcPort, dstPort }, this.seed);
    const domain = domainOf(c);

    out.begin();
    this.event(action, view, now);
    out.raw(protocol === TCP ? Part.networkTcp : Part.networkUdp);
    if (c.protocol) this.name(Part.protocol, c.protocol);
    out.raw(isIpv4(src[0], src[1], src[2]) ? Part.ipv4Community : Part.ipv6Community);
    out.ascii(community);
    this.name(Part.direction, directionOf(isPrivate(...src), isPrivate(...dst)));
    if (c.vlan >= 0) this.name(Part.vlan, String(c.vlan), Part.brace);
    out.raw(Part.source);
    this.endpoint(view, client, src, srcPort);
    out.raw(Part.destination);
    this.endpoint(view, 1 - client, dst, dstPort);
    if (domain) this.text(Part.domain, domain.name);
    out.raw(Part.braceComma);
    if (c.protocol !== undefined && c.protocol !== 'ssh') this.tls(c);
    if (c.ssh) {
      out.raw(Part.ssh);
      out.utf8(JSON.stringify(c.ssh));
      out.raw(Part.comma);
    }
    out.raw(this.observer);
    out.raw(Part.flowId);
    this.flowId(community, table.firstSeen[slot]!);
    this.waybill(view);
    if (domain && domain.from !== 'sni') this.text(Part.domainSource, domain.from);
    if (c.dnsSeen !== undefined) out.raw(c.dnsSeen ? Part.dnsSeen : Part.dnsNotSeen);
    out.raw(Part.lineEnd);
    return out.take();
  }

  /** As `flowId` has it. */
  private flowId(community: string, firstSeen: number): void {
    const { out } = this;
    out.urlSafe(community, ...FLOW_ID_PART);
    out.raw(Part.dot);
    out.base36(Math.floor(firstSeen));
  }

  private event(action: string, view: FlowView, now: number): void {
    const { out } = this;
    const first = view.table.firstSeen[view.slot]!;
    const last = view.table.lastSeen[view.slot]!;
    out.raw(Part.timestamp);
    out.time(now);
    out.raw(Part.action);
    out.ascii(action);
    out.raw(Part.start);
    out.time(first);
    out.raw(Part.end);
    out.time(last);
    out.raw(Part.duration);
    out.number(Math.round((last - first) * 1000));
  }

  private endpoint(view: FlowView, side: number, address: IpWords, port: number): void {
    const { out } = this;
    const d = view.slot * 2 + side;
    out.ip(...address);
    out.raw(Part.port);
    out.number(port);
    out.raw(Part.bytes);
    out.number(view.table.bytes[d]!);
    out.raw(Part.packets);
    out.number(view.table.packets[d]!);
  }

  private tls(c: Conversation): void {
    const { out } = this;
    const { clientFacts: client, serverFacts: server } = c;
    out.raw(Part.tls);
    if (server) {
      out.raw(answerJson(server));
      out.raw(Part.comma);
    }
    out.raw(c.established ? Part.established : Part.notEstablished);
    if (c.resumed !== undefined) out.raw(c.resumed ? Part.resumed : Part.notResumed);
    if (client) this.client(client);
    if (server || c.certificateSha256 !== undefined) this.server(server, c);
    out.raw(Part.braceComma);
  }

  private client(client: ClientFacts): void {
    const { out } = this;
    const { offer, inFull } = client;
    out.raw(Part.client);
    if (client.serverName !== undefined) {
      this.text(Part.serverName, client.serverName.text);
      out.raw(Part.comma);
    }
    this.name(Part.ja3, client.ja3);
    if (inFull) this.name(Part.ja3String, inFull.ja3String);
    out.raw(Part.comma);
    out.raw(offerJson(offer));
    if (inFull) this.list(Part.supportedCiphers, inFull.ciphers.map(cipherSuiteName));
    out.raw(Part.brace);
  }

  private server(server: ServerFacts | undefined, c: Conversation): void {
    const { out } = this;
    const { certificateFacts: certificate, certificateSha256: sha256 } = c;
    out.raw(Part.server);
    if (server) this.name(Part.ja3s, server.ja3s);
    if (certificate) {
      if (server) out.raw(Part.comma);
      out.raw(certificateJson(certificate));
      if (c.certificateNameMatches !== undefined) {
        out.raw(c.certificateNameMatches ? Part.nameMatches : Part.nameDiffers);
      }
    }
    if (sha256 !== undefined) {
      if (server || certificate) out.raw(Part.comma);
      this.name(Part.hash, sha256, Part.brace);
    }
    out.raw(Part.brace);
  }

  /** `waybill.*` from `schema` to `end_reason`. */
  private waybill(view: FlowView): void {
    const { out } = this;
    const { conversation: c, anomalies, missedBytes, endReason } = view;
    out.raw(Part.schema);
    if (c.via) this.text(Part.via, c.via);
    if (c.viaTarget) this.text(Part.viaTarget, c.viaTarget);
    if (c.tunnels !== 0) this.list(Part.tunnel, tunnelNames(c.tunnels));
    if (anomalies !== 0) {
      out.raw(Part.anomalies);
      out.raw(anomaliesJson(anomalies));
    }
    out.raw(view.exact ? Part.exact : Part.notExact);
    out.raw(this.tsSource);
    if (c.firstBytesAt > 0) {
      out.raw(Part.firstBytesAt);
      out.time(c.firstBytesAt);
      out.raw(Part.quote);
    }
    if (c.bursts.length > 0)
      this.list(
        Part.bursts,
        [...c.bursts].sort((a, b) => b - a),
      );
    if (missedBytes > 0) {
      out.raw(Part.missedBytes);
      out.number(missedBytes);
    }
    if (endReason) this.name(Part.endReason, endReason);
  }

  /** A key, up to the opening quote of its value, and a value that needs no escaping. */
  private name(key: Uint8Array, value: string, after?: Uint8Array): void {
    this.out.raw(key);
    this.out.ascii(value);
    this.out.raw(Part.quote);
    if (after) this.out.raw(after);
  }

  /** A key and any text. */
  private text(key: Uint8Array, value: string): void {
    this.out.raw(key);
    this.out.string(value);
  }

  /** A key and a list of names or numbers. */
  private list(key: Uint8Array, values: readonly (string | number)[]): void {
    this.out.raw(key);
    this.out.ascii(JSON.stringify(values));
  }
}

/** What never changes, in the order of the record. A value that is a string begins behind its quote. */
const Part = {
  timestamp: bytes('{"@timestamp":"'),
  action: bytes('","event":{"kind":"event","category":["network"],"dataset":"waybill.flow","action":"'),
  start: bytes('","start":"'),
  end: bytes('","end":"'),
  duration: bytes('","duration":'),
  networkTcp: bytes('},"network":{"transport":"tcp"'),
  networkUdp: bytes('},"network":{"transport":"udp"'),
  protocol: bytes(',"protocol":"'),
  ipv4Community: bytes(',"type":"ipv4","community_id":"'),
  ipv6Community: bytes(',"type":"ipv6","community_id":"'),
  direction: bytes('","direction":"'),
  vlan: bytes(',"vlan":{"id":"'),
  source: bytes('},"source":{"ip":"'),
  destination: bytes('},"destination":{"ip":"'),
  port: bytes('","port":'),
  bytes: bytes(',"bytes":'),
  packets: bytes(',"packets":'),
  domain: bytes(',"domain":'),
  tls: bytes('"tls":{'),
  established: bytes('"established":true'),
  notEstablished: bytes('"established":false'),
  resumed: bytes(',"resumed":true'),
  notResumed: bytes(',"resumed":false'),
  client: bytes(',"client":{'),
  serverName: bytes('"server_name":'),
  ja3: bytes('"ja3":"'),
  ja3String: bytes(',"ja3_string":"'),
  supportedCiphers: bytes(',"supported_ciphers":'),
  server: bytes(',"server":{'),
  ja3s: bytes('"ja3s":"'),
  nameMatches: bytes(',"name_matches":true'),
  nameDiffers: bytes(',"name_matches":false'),
  hash: bytes('"hash":{"sha256":"'),
  ssh: bytes('"ssh":'),
  flowId: bytes('"waybill":{"flow_id":"'),
  schema: bytes('","schema":1'),
  via: bytes(',"via":'),
  viaTarget: bytes(',"via_target":'),
  tunnel: bytes(',"tunnel":'),
  anomalies: bytes(',"anomalies":'),
  exact: bytes(',"bytes_exact":true'),
  notExact: bytes(',"bytes_exact":false'),
  firstBytesAt: bytes(',"first_bytes_at":"'),
  bursts: bytes(',"upstream_bursts":'),
  missedBytes: bytes(',"missed_bytes":'),
  endReason: bytes(',"end_reason":"'),
  domainSource: bytes(',"domain_source":'),
  dnsSeen: bytes(',"dns_seen":true'),
  dnsNotSeen: bytes(',"dns_seen":false'),
  lineEnd: bytes('}}\n'),
  dot: bytes('.'),
  quote: bytes('"'),
  brace: bytes('}'),
  braceComma: bytes('},'),
  comma: bytes(','),
} as const;

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}
