import { parseMicros } from '../base/timestamp.ts';
import type { FlowRecord } from './flow-record.ts';

/**
 * A flow record as Zeek's JSON logs have it: an `ssl` line when the handshake is complete, a `conn` line at the end, both
 * with one `uid`. Field names are those of Zeek's base scripts (ssl/main.zeek, conn/main.zeek); `ja3`, `ja3s` and `ja4`
 * those of the common packages. `_path` names the log, as Zeek's JSON streaming does.
 */
export function zeekLines(record: FlowRecord): Record<string, unknown>[] {
  if (record.event.action === 'flow_open') return record.tls ? [sslLine(record)] : [];
  return record.event.action === 'flow_end' ? [connLine(record)] : [];
}

const seconds = (text: string): number => (parseMicros(text) ?? 0) / 1e6;

function common(record: FlowRecord): Record<string, unknown> {
  return {
    ts: seconds(record.event.start),
    uid: `C${record.waybill.flow_id.replace(/[^A-Za-z0-9]/g, '')}`,
    'id.orig_h': record.source.ip,
    'id.orig_p': record.source.port,
    'id.resp_h': record.destination.ip,
    'id.resp_p': record.destination.port,
  };
}

function sslLine(record: FlowRecord): Record<string, unknown> {
  const tls = record.tls!;
  const { client, server } = tls;
  return {
    _path: 'ssl',
    ...common(record),
    version: tls.version === undefined ? undefined : zeekVersion(tls.version, tls.version_protocol),
    cipher: tls.cipher,
    server_name: client?.server_name,
    resumed: tls.resumed ?? false,
    next_protocol: tls.next_protocol,
    established: tls.established,
    subject: server?.subject,
    issuer: server?.issuer,
    cert_chain_fps: server?.hash ? [server.hash.sha256] : undefined,
    'san.dns': server?.x509?.alternative_names,
    ja3: client?.ja3,
    ja3s: server?.ja3s,
    ja4: client?.ja4,
    community_id: record.network.community_id,
  };
}

function connLine(record: FlowRecord): Record<string, unknown> {
  return {
    _path: 'conn',
    ...common(record),
    proto: record.network.transport,
    service: serviceOf(record.network.protocol),
    duration: record.event.duration / 1e9,
    orig_bytes: record.source.bytes,
    resp_bytes: record.destination.bytes,
    conn_state: connState(record),
    missed_bytes: record.waybill.missed_bytes ?? 0,
    orig_pkts: record.source.packets,
    resp_pkts: record.destination.packets,
    vlan: record.network.vlan ? Number(record.network.vlan.id) : undefined,
    community_id: record.network.community_id,
  };
}

const serviceOf = (protocol: FlowRecord['network']['protocol']): string | undefined =>
  protocol === 'quic' ? 'quic,ssl' : protocol === 'ssh' ? 'ssh' : protocol === undefined ? undefined : 'ssl';

/** TLSv13, TLSv12, SSLv3, DTLSv12 as ssl/consts.zeek prints them. */
function zeekVersion(version: string, protocol: string | undefined): string {
  if (version.startsWith('ssl')) return `SSLv${version.slice(3)}`;
  return `${protocol === 'dtls' ? 'DTLSv' : 'TLSv'}${version.replace('.', '')}`;
}

/** Zeek's conn_state, as far as a record tells: normal end, reset, still open when last seen. */
function connState(record: FlowRecord): string {
  if (record.waybill.end_reason === 'fin') return 'SF';
  if (record.waybill.end_reason === 'reset') return 'RSTO';
  return record.destination.packets === 0 ? 'S0' : 'S1';
}
