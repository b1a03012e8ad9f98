import { parseMicros } from '../../../sensor/base/timestamp.ts';
import type { TlsFields } from '../../../sensor/record/flow-record.ts';
import { PLAIN_BYTES } from '../../../sensor/record/plain-bytes.ts';
import type { ForeignFlow } from './flow-builder.ts';

/** One line of a Zeek log as field → text or JSON value; `_path` tells which log. */
export type ZeekRow = ReadonlyMap<string, unknown>;

/** Reads the lines of a Zeek TSV log: its header says separator and fields (Zeek documentation, "Log Formats"). */
export class ZeekTsv {
  private separator = '\t';
  private empty = '(empty)';
  private unset = '-';
  private path = '';
  private fields: readonly string[] = [];

  /** A row, or undefined for header and comment lines and rows that do not fit the header. */
  line(text: string): ZeekRow | undefined {
    if (text.startsWith('#')) {
      this.header(text);
      return undefined;
    }
    const values = text.split(this.separator);
    if (this.fields.length === 0 || values.length !== this.fields.length) return undefined;
    const row = new Map<string, unknown>([['_path', this.path]]);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value !== this.unset && value !== this.empty) row.set(this.fields[i]!, value);
    }
    return row;
  }

  /** A space stands after `#separator`, which says what stands after the others. */
  private header(line: string): void {
    if (line.startsWith('#separator ')) {
      const escaped = line.slice('#separator '.length);
      this.separator = escaped.replace(/\\x([0-9a-f]{2})/gi, (_, h: string) =>
        String.fromCharCode(Number.parseInt(h, 16)),
      );
      return;
    }
    const end = line.indexOf(this.separator);
    const [name, rest] = end < 0 ? [line, ''] : [line.slice(0, end), line.slice(end + this.separator.length)];
    if (name === '#empty_field') this.empty = rest;
    else if (name === '#unset_field') this.unset = rest;
    else if (name === '#path') this.path = rest;
    else if (name === '#fields') this.fields = rest.split(this.separator);
  }
}

/** A JSON object as a row of Zeek's ssl, quic or conn log; undefined when it looks like none. Some stores write id_orig_h. */
export function zeekJson(value: Readonly<Record<string, unknown>>): ZeekRow | undefined {
  if (typeof value['uid'] !== 'string' || !('id.orig_h' in value || 'id_orig_h' in value)) return undefined;
  return new Map(
    Object.entries(value).map(([field, of]) => [field.startsWith('id_') ? `id.${field.slice(3)}` : field, of]),
  );
}

/** Which log a row is of, by its path or by the fields that only that log has. */
export function zeekPath(row: ZeekRow): 'ssl' | 'conn' | 'quic' | 'other' {
  const path = row.get('_path');
  if (path === 'ssl' || path === 'conn' || path === 'quic') return path;
  if (row.has('conn_state')) return 'conn';
  return row.has('server_name') || row.has('cipher') || row.has('established') ? 'ssl' : 'other';
}

const text = (row: ZeekRow, field: string): string | undefined => {
  const value = row.get(field);
  return typeof value === 'string' && value !== '' ? value : undefined;
};
const number = (row: ZeekRow, field: string): number | undefined => {
  const value = row.get(field);
  if (typeof value !== 'number' && (typeof value !== 'string' || value.trim() === '')) return undefined;
  return Number.isFinite(Number(value)) ? Number(value) : undefined;
};
/** Milliseconds, of a time that in seconds would lie beyond the year 5138. */
const MILLIS_FROM = 1e11;

/** Microseconds: seconds since 1970 as Zeek's TSV has them, or what its JSON may have instead: milliseconds, RFC 3339. */
function startMicros(row: ZeekRow): number | undefined {
  const iso = parseMicros(text(row, 'ts') ?? '');
  if (iso !== undefined) return iso;
  const ts = number(row, 'ts');
  return ts === undefined ? undefined : Math.round(ts * (ts >= MILLIS_FROM ? 1e3 : 1e6));
}

const flag = (row: ZeekRow, field: string): boolean | undefined => {
  const value = row.get(field);
  return value === true || value === 'T' ? true : value === false || value === 'F' ? false : undefined;
};

/** TLSv13 → 1.3, SSLv3 → ssl3, DTLSv12 → 1.2. */
function version(zeek: string | undefined): Pick<TlsFields, 'version' | 'version_protocol'> {
  const match = /^(D?TLS|SSL)v(\d)(\d?)$/.exec(zeek ?? '');
  if (!match) return {};
  if (match[1] === 'SSL') return { version: `ssl${match[2]}`, version_protocol: 'ssl' };
  const protocol = match[1] === 'DTLS' ? 'dtls' : 'tls';
  return { version: `${match[2]}.${match[3] === '' ? '0' : match[3]}`, version_protocol: protocol };
}

/** Services of conn.log that are encrypted: their connection is no plain one, though the row of its handshake be missing. */
const ENCRYPTED = /ssl|tls|quic|ssh/;

/**
 * One flow of an ssl (or quic) row and the conn row of the same uid. A connection without a handshake row is not encrypted as
 * far as Zeek saw, unless it is SSH, of which conn.log says enough; it is a flow when it sent enough to count beside others.
 */
export function zeekFlow(ssl: ZeekRow | undefined, conn: ZeekRow | undefined): ForeignFlow | undefined {
  const any = ssl ?? conn;
  if (!any) return undefined;
  const micros = startMicros(conn ?? any);
  const [orig, resp] = [text(any, 'id.orig_h'), text(any, 'id.resp_h')];
  if (micros === undefined || orig === undefined || resp === undefined) return undefined;
  const service = text(conn ?? any, 'service') ?? '';
  const udp = text(conn ?? any, 'proto') === 'udp' || service.includes('quic');
  const isQuic = service.includes('quic') || zeekPath(any) === 'quic';
  const ssh = !ssl && service.split(',').includes('ssh');
  const plain = !ssl && !udp && !ENCRYPTED.test(service) && (number(any, 'orig_bytes') ?? 0) >= PLAIN_BYTES;
  if (!ssl && !ssh && !plain) return undefined;
  const missed = conn ? number(conn, 'missed_bytes') : undefined;
  return {
    id: text(any, 'uid') ?? '',
    start: micros,
    end: micros + Math.round((conn ? (number(conn, 'duration') ?? 0) : 0) * 1e6),
    transport: udp ? 'udp' : 'tcp',
    ...(plain ? {} : { protocol: ssh ? 'ssh' : udp ? (isQuic ? 'quic' : 'dtls') : 'tls' }),
    source: {
      ip: orig,
      port: number(any, 'id.orig_p') ?? 0,
      bytes: conn ? (number(conn, 'orig_bytes') ?? 0) : 0,
      packets: conn ? (number(conn, 'orig_pkts') ?? 0) : 0,
    },
    destination: {
      ip: resp,
      port: number(any, 'id.resp_p') ?? 0,
      bytes: conn ? (number(conn, 'resp_bytes') ?? 0) : 0,
      packets: conn ? (number(conn, 'resp_pkts') ?? 0) : 0,
    },
    ...(ssl ? { tls: tlsOf(ssl) } : {}),
    ...(missed ? { missedBytes: missed } : {}),
    exact: conn !== undefined && !missed,
    observer: 'zeek',
  };
}

function tlsOf(ssl: ZeekRow): TlsFields {
  const [sni, ja3, ja4, ja3s] = [text(ssl, 'server_name'), text(ssl, 'ja3'), text(ssl, 'ja4'), text(ssl, 'ja3s')];
  const [subject, issuer, cipher, next] = [
    text(ssl, 'subject'),
    text(ssl, 'issuer'),
    text(ssl, 'cipher'),
    text(ssl, 'next_protocol'),
  ];
  const resumed = flag(ssl, 'resumed');
  const sha256 = leafDigest(ssl.get('cert_chain_fps'));
  return {
    ...version(text(ssl, 'version')),
    ...(cipher ? { cipher } : {}),
    ...(next ? { next_protocol: next } : {}),
    established: flag(ssl, 'established') ?? false,
    ...(resumed === undefined ? {} : { resumed }),
    client: { ...(sni ? { server_name: sni } : {}), ...(ja3 ? { ja3 } : {}), ...(ja4 ? { ja4 } : {}) },
    server: {
      ...(ja3s ? { ja3s } : {}),
      ...(subject ? { subject } : {}),
      ...(issuer ? { issuer } : {}),
      ...(sha256 ? { hash: { sha256 } } : {}),
    },
  };
}

/** The leaf's fingerprint, the first of the chain: a list in JSON, comma-separated in TSV. SHA-256 unless a site chose another. */
function leafDigest(fingerprints: unknown): string | undefined {
  const first = Array.isArray(fingerprints) ? fingerprints[0] : fingerprints;
  const digest = typeof first === 'string' ? first.slice(0, 65).split(',', 1)[0] : undefined;
  return digest !== undefined && /^[0-9a-f]{64}$/i.test(digest) ? digest.toLowerCase() : undefined;
}
