/**
 * The flow record: what the sensor says about one conversation, encrypted unless `network.protocol` is absent, and all that
 * enrich knows of the wire.
 * Names are ECS (elastic/ecs 9.x) where ECS has one; `waybill.*` and `tls.client.ja4` are ours. On the wire between the
 * programs it is this object as one JSON line. A flow has one `waybill.flow_id`; its records carry growing counters.
 */
export interface FlowRecord {
  /** RFC 3339 UTC with microseconds: when this record was true (capture time). */
  '@timestamp': string;
  event: {
    kind: 'event';
    category: readonly ['network'];
    dataset: 'waybill.flow';
    action: 'flow_open' | 'flow_update' | 'flow_end';
    /** First and last packet seen, RFC 3339 with microseconds. */
    start: string;
    end: string;
    /** Nanoseconds (ECS). */
    duration: number;
  };
  network: {
    transport: 'tcp' | 'udp';
    /** Absent: a TCP connection in plain text, recorded for the bytes it sent (`waybill sensor --plain-bytes`). */
    protocol?: 'tls' | 'quic' | 'dtls' | 'ssh';
    type: 'ipv4' | 'ipv6';
    community_id: string;
    direction: 'egress' | 'ingress' | 'internal' | 'external' | 'unknown';
    vlan?: { id: string };
  };
  /** The client: who sent the ClientHello, else who opened the connection. */
  source: Endpoint;
  destination: Endpoint & {
    /** Server name without trailing dot, lower case: SNI, else CONNECT/SOCKS name, else the DNS name seen for the address. */
    domain?: string;
  };
  tls?: TlsFields;
  /** Software of the two version lines; HASSH of what client and server offer (salesforce/hassh). */
  ssh?: { client?: string; server?: string; hassh?: string; hassh_server?: string };
  observer: { name: string; type: 'sensor'; ingress?: { interface: { name: string } } };
  waybill: {
    flow_id: string;
    schema: 1;
    /**
     * Prelude that the TLS came after, or what carries it: connect, socks4, socks5, proxy, smtp, imap, pop3, ftp, nntp, sieve,
     * irc, ldap, xmpp, http, amqp, vnc, postgresql, mysql, mssql, rdp, openvpn, turn, capwap; gquic: QUIC before it had TLS.
     */
    via?: string;
    /** Destination that the prelude (or a gquic hello) named, host:port. */
    via_target?: string;
    /** Encapsulations, outermost first. */
    tunnel?: string[];
    anomalies?: string[];
    /** False when packets were missing and source.bytes was taken from sequence numbers alone. */
    bytes_exact: boolean;
    /** Absent: the kernel stamped the packets. `arrival`: the capture program did, up to some milliseconds later. */
    ts_source?: 'arrival';
    /** When the client's first payload byte after the handshake was seen, RFC 3339. */
    first_bytes_at?: string;
    /** Sizes in bytes of the largest upstream bursts between server replies, modal size first; at most 8. */
    upstream_bursts?: number[];
    /** Acknowledged but never captured, bytes of both directions. */
    missed_bytes?: number;
    /** Why the flow ended: fin, reset, idle, over-flows, capture-end. */
    end_reason?: string;
    /** Where destination.domain came from when not the SNI: connect, socks, dns. */
    domain_source?: string;
    /**
     * Whether the client had looked up the server name of its hello before the flow began. Absent when the sensor does not
     * see the client's DNS, or the flow names no server.
     */
    dns_seen?: boolean;
  };
}

export interface Endpoint {
  ip: string;
  port: number;
  /** Payload bytes this side sent in the conversation (TCP or UDP payload, TLS overhead included). */
  bytes: number;
  packets: number;
}

export interface TlsFields {
  /** Negotiated version as ECS prints it: "1.3", "1.2"; drafts and SSL as "1.3-draft23", "ssl3". */
  version?: string;
  version_protocol?: 'tls' | 'ssl' | 'dtls';
  /** IANA name of the selected cipher suite, or "0x1301" when the registry has none. */
  cipher?: string;
  /** ALPN that the server chose, when visible. */
  next_protocol?: string;
  /** Application data, or (TLS <= 1.2) Finished of both sides, was seen. */
  established: boolean;
  /** Session id or ticket accepted (TLS <= 1.2), or pre_shared_key chosen (TLS 1.3). */
  resumed?: boolean;
  client?: {
    server_name?: string;
    ja3?: string;
    ja3_string?: string;
    ja4?: string;
    /** 'outer' = encrypted_client_hello present: the name may be an outer one; 'grease' when the bytes show it. */
    ech?: 'outer' | 'grease' | 'esni';
    /** ALPN offered, in order. */
    alpn?: string[];
    /** Highest version offered, as `version`. */
    version?: string;
    supported_ciphers?: string[];
  };
  server?: {
    ja3s?: string;
    subject?: string;
    issuer?: string;
    not_before?: string;
    not_after?: string;
    hash?: { sha256: string };
    x509?: { alternative_names?: string[]; serial_number?: string; public_key_algorithm?: string };
    self_signed?: boolean;
    /** False when the certificate names do not cover the SNI. */
    name_matches?: boolean;
  };
}
