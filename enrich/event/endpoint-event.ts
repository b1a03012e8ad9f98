/**
 * One thing that happened on a host, whatever feed said so. Adapters (enrich/ingest) make these; nothing downstream knows
 * a vendor. Text is as the feed gave it, control characters included: it is escaped where it leaves.
 */
export type EndpointEvent =
  | ProcessStart
  | ProcessEnd
  | ConnectionEvent
  | FileEvent
  | DnsQuery
  | ImageLoad
  | HostAddress
  | FeedGap;

/** How far `at` can be trusted: the event's own clock; the log's clock; zone-corrected; or when we received it. */
export type TimeQuality = 'exact' | 'log' | 'offset-corrected' | 'received';

interface Base {
  /** Stable id for de-duplication: vendor event id, or a hash of the normalised record. */
  readonly id: string;
  /** Adapter name: sysmon, security, elastic-defend, mde, crowdstrike-fdr, sentinelone, carbon-black, cortex-xdr, limacharlie, fireeye-hx, tanium, cybereason, sophos, asim, cef, leef, ocsf, osquery, wazuh, ecs. */
  readonly feed: string;
  /** Microseconds since 1970 UTC. */
  readonly at: number;
  readonly timeQuality: TimeQuality;
  readonly host: HostRef;
}

export interface HostRef {
  /** Stable key of the machine in this feed: vendor agent id, else the lower-cased short host name. */
  readonly id: string;
  /** As the feed wrote it. */
  readonly name?: string;
  readonly ips?: readonly string[];
}

export interface UserRef {
  /** `domain\name` as the feed wrote it, without the domain in `name` when they come apart. */
  readonly name?: string;
  readonly domain?: string;
  /** SID. */
  readonly id?: string;
}

export type SignatureStatus = 'valid' | 'invalid' | 'unsigned' | 'unknown';

/** What is known of a process; every field but the key may be missing and is filled in by later events. */
export interface ProcessRef {
  /**
   * Unique key of this process instance on its host, without braces, lower case: vendor GUID/entity id, else
   * `pid:<pid>@<start µs>`, else `pid:<pid>` with `entityKind: 'pid-only'`.
   */
  readonly entityId: string;
  readonly entityKind: 'vendor' | 'pid-start' | 'pid-only' | 'none';
  readonly pid?: number;
  /** Start, microseconds since 1970 UTC. */
  readonly startedAt?: number;
  /** Full path as the feed wrote it. */
  readonly image?: string;
  readonly originalName?: string;
  readonly product?: string;
  readonly company?: string;
  readonly description?: string;
  readonly commandLine?: string;
  readonly currentDirectory?: string;
  readonly hashes?: {
    readonly md5?: string;
    readonly sha1?: string;
    readonly sha256?: string;
    readonly imphash?: string;
  };
  readonly signer?: string;
  readonly signatureStatus?: SignatureStatus;
  readonly user?: UserRef;
  readonly logonId?: string;
  readonly integrity?: string;
  readonly parent?: ParentRef;
}

export interface ParentRef {
  readonly entityId?: string;
  readonly pid?: number;
  readonly image?: string;
  readonly commandLine?: string;
}

export interface ProcessStart extends Base {
  readonly kind: 'process_start';
  readonly process: ProcessRef;
}

export interface ProcessEnd extends Base {
  readonly kind: 'process_end';
  readonly process: ProcessRef;
}

/** One end's view of a connection. `source` is who initiated it (FEEDS.md 11.6). */
export interface ConnectionEvent extends Base {
  readonly kind: 'connection';
  readonly process: ProcessRef;
  readonly direction: 'egress' | 'ingress' | 'unknown';
  readonly transport: 'tcp' | 'udp' | 'other';
  /** Canonical text (IPv4-mapped folded, IPv6 compressed, no zone); port 0 = unknown. */
  readonly source: { readonly ip: string; readonly port: number };
  readonly destination: { readonly ip: string; readonly port: number };
  readonly outcome?: 'ok' | 'failed' | 'attempt';
  /** Name the feed gave for the remote end, when it is no reverse look-up. */
  readonly remoteName?: string;
  /** Which moment of the connection is reported; absent means its opening. `at` of an `end` is when it closed. */
  readonly phase?: 'open' | 'end';
  /** Payload bytes of the whole connection by direction, from feeds that count them (an `end` of Elastic Defend). */
  readonly bytes?: { readonly sent: number; readonly received: number };
  /** Aggregated row: process talked to this remote during [at, until] `count` times. */
  readonly aggregate?: { readonly until: number; readonly count: number };
}

export interface FileEvent extends Base {
  readonly kind: 'file_write' | 'file_read' | 'file_delete';
  readonly process: ProcessRef;
  /**
   * `stream`: a named stream was written (a download mark, or data hidden beside a file); context, not a write of the file.
   * `open`: a handle for reading was given out. `permissions`: only who may touch the file was changed.
   */
  readonly op: 'create' | 'modify' | 'rename' | 'delete' | 'read' | 'stream' | 'open' | 'permissions';
  readonly path: string;
  readonly oldPath?: string;
  /** Bytes. */
  readonly size?: number;
  /** From content (magic or vendor), IANA-like: application/zip, application/x-7z-compressed, … */
  readonly mimeType?: string;
  readonly entropy?: number;
  /** URL or zone mark of a downloaded file. */
  readonly origin?: string;
}

export interface DnsQuery extends Base {
  readonly kind: 'dns_query';
  readonly process: ProcessRef;
  readonly name: string;
  /** Addresses answered, canonical text. */
  readonly answers: readonly string[];
}

export interface ImageLoad extends Base {
  readonly kind: 'image_load';
  readonly process: ProcessRef;
  readonly path: string;
  readonly signer?: string;
  readonly signatureStatus?: SignatureStatus;
}

/** The feed's own word that a host had these addresses. */
export interface HostAddress extends Base {
  readonly kind: 'host_address';
  readonly ips: readonly string[];
}

/** The feed says that it lost events. */
export interface FeedGap extends Base {
  readonly kind: 'feed_gap';
  readonly reason: string;
}
