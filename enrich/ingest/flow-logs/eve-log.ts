import { parseMicros } from '../../../sensor/base/timestamp.ts';
import { FRAME_OVERHEAD } from '../../../sensor/record/eve.ts';
import type { TlsFields } from '../../../sensor/record/flow-record.ts';
import { PLAIN_BYTES } from '../../../sensor/record/plain-bytes.ts';
import type { ForeignFlow } from './flow-builder.ts';

type Json = Readonly<Record<string, unknown>>;

const object = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const count = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;

/** `app_proto` of encrypted flows: theirs is no plain one, though the event of its handshake be missing. */
const ENCRYPTED = new Set(['tls', 'quic', 'ssh']);

export const isEve = (value: Json): boolean => typeof value['event_type'] === 'string' && 'flow_id' in value;

/** What the events of one flow share. */
export function eveId(value: Json): string | undefined {
  const id = value['flow_id'];
  return typeof id === 'number' ? String(id) : text(id);
}

/**
 * One flow of a Suricata `tls`, `quic` or `ssh` event and the `flow` event of the same flow_id. Without the former it is not
 * encrypted as far as Suricata saw, and a flow when it is TCP and sent enough to count beside others.
 */
export function eveFlow(handshake: Json | undefined, flow: Json | undefined): ForeignFlow | undefined {
  const any = flow ?? handshake;
  if (!any) return undefined;
  const counters = object(flow?.['flow']);
  const start = parseMicros(text(counters?.['start']) ?? text(any['timestamp']) ?? '');
  const [from, to] = [text(any['src_ip']), text(any['dest_ip'])];
  if (start === undefined || from === undefined || to === undefined) return undefined;
  const end = parseMicros(text(counters?.['end']) ?? '') ?? start;
  const protocol = text(flow?.['app_proto']) ?? text(handshake?.['event_type']);
  const side = (ip: string, port: unknown, direction: 'toserver' | 'toclient') => {
    const packets = count(counters?.[`pkts_${direction}`]);
    const bytes = Math.max(0, count(counters?.[`bytes_${direction}`]) - packets * FRAME_OVERHEAD);
    return { ip, port: count(port), bytes, packets };
  };
  const source = side(from, any['src_port'], 'toserver');
  const isTcp = text(any['proto'])?.toUpperCase() !== 'UDP';
  const plain = !handshake && isTcp && !ENCRYPTED.has(protocol ?? '') && source.bytes >= PLAIN_BYTES;
  if (!handshake && !plain) return undefined;
  return {
    id: eveId(any) ?? '',
    start,
    end: Math.max(start, end),
    transport: isTcp ? 'tcp' : 'udp',
    ...(plain ? {} : { protocol: protocol === 'quic' || protocol === 'ssh' ? protocol : 'tls' }),
    source,
    destination: side(to, any['dest_port'], 'toclient'),
    ...(handshake === undefined || protocol === 'ssh' ? {} : { tls: tlsOf(handshake) }),
    exact: false,
    observer: 'suricata',
  };
}

function tlsOf(event: Json): TlsFields {
  const tls = object(event['tls']) ?? object(event['quic']) ?? {};
  const sni = text(tls['sni']);
  const ja3 = text(object(tls['ja3'])?.['hash']);
  const ja3s = text(object(tls['ja3s'])?.['hash']);
  const ja4 = text(tls['ja4']);
  const [, ssl, version] = /^(SSL|TLS) ?v?(\d(?:\.\d)?)$/i.exec(text(tls['version']) ?? '') ?? [];
  const [subject, issuer] = [text(tls['subject']), text(tls['issuerdn'])];
  const [from, to] = [text(tls['notbefore']), text(tls['notafter'])];
  return {
    ...(version ? versionOf(ssl!, version) : {}),
    established: true,
    ...(tls['session_resumed'] === true ? { resumed: true } : {}),
    client: { ...(sni ? { server_name: sni } : {}), ...(ja3 ? { ja3 } : {}), ...(ja4 ? { ja4 } : {}) },
    server: {
      ...(ja3s ? { ja3s } : {}),
      ...(subject ? { subject } : {}),
      ...(issuer ? { issuer } : {}),
      ...(from ? { not_before: from.endsWith('Z') ? from : `${from}Z` } : {}),
      ...(to ? { not_after: to.endsWith('Z') ? to : `${to}Z` } : {}),
    },
  };
}

/** SSLv3 → ssl3, TLSv1 → 1.0, TLS 1.2 → 1.2. */
function versionOf(protocol: string, version: string): Pick<TlsFields, 'version' | 'version_protocol'> {
  if (protocol.toUpperCase() === 'SSL') return { version: `ssl${version}`, version_protocol: 'ssl' };
  return { version: version.includes('.') ? version : `${version}.0`, version_protocol: 'tls' };
}
