import { createHash } from 'node:crypto';
import { isPrivate, parseIp } from '../../../sensor/base/ip.ts';
import { isHostname } from '../../../sensor/base/text.ts';
import { formatMicros } from '../../../sensor/base/timestamp.ts';
import { communityIdOfText } from '../../../sensor/record/community-id.ts';
import type { FlowRecord, TlsFields } from '../../../sensor/record/flow-record.ts';

/** What another sensor's logs say of one connection. Times in microseconds since 1970 UTC. */
export interface ForeignFlow {
  /** The other sensor's own id. */
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly transport: 'tcp' | 'udp';
  /** Absent: a connection in plain text that sent `PLAIN_BYTES`. */
  readonly protocol?: 'tls' | 'quic' | 'dtls' | 'ssh';
  readonly source: Side;
  readonly destination: Side;
  readonly tls?: TlsFields;
  readonly missedBytes?: number;
  /** The byte counts are of payload and complete. */
  readonly exact: boolean;
  readonly observer: string;
}

interface Side {
  readonly ip: string;
  readonly port: number;
  readonly bytes: number;
  readonly packets: number;
}

/** Times outside of 1970 to 9999 are no capture times. */
const LAST_MICROS = 253_402_300_799_000_000;

const isTime = (micros: number): boolean => micros >= 0 && micros <= LAST_MICROS;

const isSide = ({ port, bytes, packets }: Side): boolean =>
  port <= 65_535 && [port, bytes, packets].every((n) => Number.isSafeInteger(n) && n >= 0);

const IP_PROTOCOL = { tcp: 6, udp: 17 } as const;

/** A flow record of another sensor's flow; undefined when an address is none, or a time or count is out of range. */
export function flowRecordOf(flow: ForeignFlow): FlowRecord | undefined {
  const [src, dst] = [parseIp(flow.source.ip), parseIp(flow.destination.ip)];
  if (!src || !dst || !isTime(flow.start) || !isTime(flow.end)) return undefined;
  if (!isSide(flow.source) || !isSide(flow.destination)) return undefined;
  const community = communityIdOfText(
    IP_PROTOCOL[flow.transport],
    [flow.source.ip, flow.source.port],
    [flow.destination.ip, flow.destination.port],
  );
  const name = flow.tls?.client?.server_name?.toLowerCase().replace(/\.$/, '');
  const fromPrivate = isPrivate(...src);
  const direction = fromPrivate
    ? isPrivate(...dst)
      ? 'internal'
      : 'egress'
    : isPrivate(...dst)
      ? 'ingress'
      : 'external';
  const id = createHash('sha256').update(`${flow.observer}|${flow.id}|${flow.start}`).digest('base64url').slice(0, 16);
  return {
    '@timestamp': formatMicros(flow.end),
    event: {
      kind: 'event',
      category: ['network'],
      dataset: 'waybill.flow',
      action: 'flow_end',
      start: formatMicros(flow.start),
      end: formatMicros(flow.end),
      duration: Math.max(0, flow.end - flow.start) * 1000,
    },
    network: {
      transport: flow.transport,
      ...(flow.protocol ? { protocol: flow.protocol } : {}),
      type: flow.source.ip.includes(':') ? 'ipv6' : 'ipv4',
      community_id: community ?? '',
      direction,
    },
    source: flow.source,
    destination: { ...flow.destination, ...(name && isHostname(name) ? { domain: name } : {}) },
    ...(flow.tls ? { tls: flow.tls } : {}),
    observer: { name: flow.observer, type: 'sensor' },
    waybill: {
      flow_id: `${id}.${Math.floor(flow.start).toString(36)}`,
      schema: 1,
      bytes_exact: flow.exact,
      ...(flow.missedBytes ? { missed_bytes: flow.missedBytes } : {}),
    },
  };
}
