import type { FlowRecord } from '../../sensor/record/flow-record.ts';

/** A TLS 1.2 flow of which everything is known: every field of the record, the alternatives apart. */
export const FULL_RECORD: FlowRecord = {
  '@timestamp': '2024-05-14T12:00:07.250000Z',
  event: {
    kind: 'event',
    category: ['network'],
    dataset: 'waybill.flow',
    action: 'flow_end',
    start: '2024-05-14T12:00:00.123456Z',
    end: '2024-05-14T12:00:07.250000Z',
    duration: 7_126_544_000,
  },
  network: {
    transport: 'tcp',
    protocol: 'tls',
    type: 'ipv4',
    community_id: '1:wCb3OG7yAFWelaUydu0D+125CLM=',
    direction: 'egress',
    vlan: { id: '12' },
  },
  source: { ip: '10.1.2.3', port: 50_123, bytes: 104_857, packets: 90 },
  destination: { ip: '198.51.100.20', port: 443, bytes: 5_120, packets: 41, domain: 'files.example' },
  tls: {
    version: '1.2',
    version_protocol: 'tls',
    cipher: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    next_protocol: 'h2',
    established: true,
    resumed: false,
    client: {
      server_name: 'files.example',
      ja3: '0123456789abcdef0123456789abcdef',
      ja3_string: '771,49199,0-10-11,29,0',
      ja4: 't12d030500_0123456789ab_cdef01234567',
      ech: 'grease',
      alpn: ['h2', 'http/1.1'],
      version: '1.2',
      supported_ciphers: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
    },
    server: {
      ja3s: 'fedcba9876543210fedcba9876543210',
      subject: 'CN=files.example',
      issuer: 'CN=Example CA, O=Example',
      not_before: '2024-05-01T00:00:00Z',
      not_after: '2025-05-01T00:00:00Z',
      hash: { sha256: 'ab'.repeat(32) },
      x509: {
        alternative_names: ['files.example', '*.files.example'],
        serial_number: '01AB',
        public_key_algorithm: 'RSA',
      },
      self_signed: false,
      name_matches: true,
    },
  },
  observer: { name: 'probe-1', type: 'sensor', ingress: { interface: { name: 'eth0' } } },
  waybill: {
    flow_id: 'wCb3OG7yAFWelaUy.h2kx9q2c00',
    schema: 1,
    bytes_exact: false,
    first_bytes_at: '2024-05-14T12:00:00.400000Z',
    missed_bytes: 17,
    end_reason: 'fin',
    dns_seen: true,
  },
};

/** The same flow as QUIC. */
export const QUIC_RECORD: FlowRecord = {
  ...FULL_RECORD,
  network: { ...FULL_RECORD.network, transport: 'udp', protocol: 'quic' },
  tls: { ...FULL_RECORD.tls!, version: '1.3' },
};

/** An SSH flow between the same ends. */
export const SSH_RECORD: FlowRecord = (() => {
  const { tls: _, ...rest } = FULL_RECORD;
  return {
    ...rest,
    network: { ...rest.network, protocol: 'ssh' },
    ssh: { client: 'OpenSSH_9.6', server: 'OpenSSH_9.2', hassh: '0a'.repeat(16), hassh_server: '0b'.repeat(16) },
  };
})();

export const withAction = (record: FlowRecord, action: FlowRecord['event']['action']): FlowRecord => ({
  ...record,
  event: { ...record.event, action },
});
