import type { FlowRecord } from './flow-record.ts';

/** Bytes of Ethernet, IPv4 and TCP headers without options. */
export const FRAME_OVERHEAD = 54;

/**
 * A flow record as Suricata's EVE log has it: a `tls`, `quic` or `ssh` event when the handshake is complete, a `flow` event at
 * the end. Names follow eve-json-format.rst. Suricata counts whole frames in `flow.bytes_toserver`, Waybill counts payload: so
 * FRAME_OVERHEAD is added for each packet.
 */
export function eveLines(record: FlowRecord): Record<string, unknown>[] {
  if (record.event.action === 'flow_open') return record.network.protocol === undefined ? [] : [handshakeEvent(record)];
  return record.event.action === 'flow_end' ? [flowEvent(record)] : [];
}

function common(record: FlowRecord, type: string, at: string): Record<string, unknown> {
  return {
    timestamp: at.replace('Z', '+0000'),
    flow_id: flowNumber(record.waybill.flow_id),
    in_iface: record.observer.ingress?.interface.name,
    event_type: type,
    vlan: record.network.vlan ? [Number(record.network.vlan.id)] : undefined,
    src_ip: record.source.ip,
    src_port: record.source.port,
    dest_ip: record.destination.ip,
    dest_port: record.destination.port,
    proto: record.network.transport.toUpperCase(),
    community_id: record.network.community_id,
  };
}

function handshakeEvent(record: FlowRecord): Record<string, unknown> {
  const { tls, ssh } = record;
  const at = record['@timestamp'];
  if (ssh) {
    return {
      ...common(record, 'ssh', at),
      ssh: {
        client: { software_version: ssh.client, hassh: { hash: ssh.hassh } },
        server: { software_version: ssh.server },
      },
    };
  }
  const client = tls?.client;
  const server = tls?.server;
  const ja3 = client?.ja3 ? { hash: client.ja3, string: client.ja3_string } : undefined;
  if (record.network.protocol === 'quic') {
    return { ...common(record, 'quic', at), quic: { sni: client?.server_name, ja3, ja4: client?.ja4 } };
  }
  return {
    ...common(record, 'tls', at),
    tls: {
      subject: server?.subject,
      issuerdn: server?.issuer,
      serial: server?.x509?.serial_number,
      notbefore: server?.not_before,
      notafter: server?.not_after,
      subjectaltname: server?.x509?.alternative_names,
      sni: client?.server_name,
      version: tls?.version === undefined ? 'UNDETERMINED' : `TLS ${tls.version}`,
      session_resumed: tls?.resumed === true ? true : undefined,
      ja3,
      ja3s: server?.ja3s ? { hash: server.ja3s } : undefined,
      ja4: client?.ja4,
      client_alpns: client?.alpn,
      server_alpns: tls?.next_protocol ? [tls.next_protocol] : undefined,
    },
  };
}

function flowEvent(record: FlowRecord): Record<string, unknown> {
  const { start, end, duration } = record.event;
  const reason = record.waybill.end_reason;
  return {
    ...common(record, 'flow', end),
    app_proto: record.network.protocol,
    flow: {
      pkts_toserver: record.source.packets,
      pkts_toclient: record.destination.packets,
      bytes_toserver: record.source.bytes + record.source.packets * FRAME_OVERHEAD,
      bytes_toclient: record.destination.bytes + record.destination.packets * FRAME_OVERHEAD,
      start: start.replace('Z', '+0000'),
      end: end.replace('Z', '+0000'),
      age: Math.round(duration / 1e9),
      state: reason === 'fin' || reason === 'reset' ? 'closed' : record.tls?.established ? 'established' : 'new',
      reason: reason === 'capture-end' ? 'shutdown' : reason === 'over-flows' ? 'forced' : 'timeout',
    },
  };
}

/** EVE flow ids are numbers: 48 bits of ours, exact in JSON. */
function flowNumber(id: string): number {
  const [, start = '0'] = id.split('.');
  let hash = 2_166_136_261;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 16_777_619);
  return (hash >>> 0) * 65_536 + (Number.parseInt(start, 36) % 65_536);
}
