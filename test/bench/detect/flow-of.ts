/** The sensor's records of one conversation. */
import { formatMicros } from '../../../sensor/base/timestamp.ts';
import { communityIdOfText } from '../../../sensor/record/community-id.ts';
import type { FlowRecord } from '../../../sensor/record/flow-record.ts';
import type { Random } from '../random.ts';
import { hexOf, lognormal, numberOf } from './chance.ts';
import { HELLOS, type Hello } from './programs.ts';

/** What a program says to a server. */
export interface Conversation {
  readonly name?: string;
  /** Of a server without a name. */
  readonly ip?: string;
  readonly port?: number;
  readonly transport?: 'tcp' | 'udp';
  readonly protocol?: 'tls' | 'quic' | 'ssh';
  /** Payload bytes by direction. */
  readonly sent: number;
  readonly received: number;
  /** Duration; by default as long as the bytes take at some megabytes a second. */
  readonly seconds?: number;
  /** TLS library, when it is not the program's own. */
  readonly hello?: Hello;
  /** Bytes that the client sends between two answers. */
  readonly chunk?: number;
  readonly selfSigned?: boolean;
}

interface Seen extends Conversation {
  readonly id: string;
  readonly at: number;
  readonly source: { readonly ip: string; readonly port: number };
  readonly destination: { readonly ip: string; readonly port: number };
  readonly server: { readonly ip: string; readonly port: number };
  readonly proxied: boolean;
  readonly named: boolean;
  readonly hello: Hello;
  readonly lossy: boolean;
}

/**
 * As the sensor reports (sensor/flow/flow-reports.ts): an update when so many bytes have been sent and at every twofold, and
 * a minute after the record before. The opening of flows that have no update is left out: it says no more than their end.
 */
const FIRST_VOLUME_STEP = 262_144;
const STEP_FACTOR = 2;
const UPDATE_SECONDS = 60;
const MEGABYTE = 1e6;

/** A public address that belongs to a name; busy names have some. */
export function placeAddress(name: string, random: Random): string {
  const n = numberOf('place', name, random.below(2));
  return `${[23, 34, 52, 104, 142, 151, 185, 203][n & 7]}.${(n >>> 8) & 255}.${(n >>> 16) & 255}.${1 + ((n >>> 24) % 250)}`;
}

/** By time: the opening and growing counters of long ones, then the end. */
export function flowRecords(
  random: Random,
  what: Seen,
): { readonly list: readonly { readonly record: FlowRecord; readonly end: number }[]; readonly end: number } {
  const rate = lognormal(random, 3 * MEGABYTE, 0.7);
  const seconds = what.seconds ?? Math.max(0.3, (what.sent + what.received) / rate + lognormal(random, 1.5, 1));
  const end = what.at + Math.round(seconds * 1e6);
  // What is lost of a TCP conversation leaves a gap in its sequence numbers, and is counted; a lost datagram is not.
  const lostShare = what.lossy ? random.below(40) / 100 : 0;
  const base = {
    ...what,
    lostShare,
    sent: what.transport === 'udp' ? Math.round(what.sent * (1 - lostShare)) : what.sent,
  };
  const old = what.protocol === undefined && numberOf('version', what.name ?? '') % 4 === 0;
  const looked = what.named && !what.proxied ? { dns_seen: !random.chance(0.04) } : {};
  const moments = updatesOf(base.sent, seconds);
  const shares = moments.length === 0 ? [1] : [0, ...moments, 1];
  const list = shares.map((share, i) => {
    const until = what.at + Math.round(seconds * 1e6 * share);
    const action = i === shares.length - 1 ? 'flow_end' : i === 0 ? 'flow_open' : 'flow_update';
    return { record: recordOf(base, { share, until, action, old, looked }), end: until };
  });
  return { list, end };
}

/** Shares of an even conversation at which the sensor writes an update. */
function updatesOf(sent: number, seconds: number): number[] {
  const shares: number[] = [];
  let last = 0;
  let volume = FIRST_VOLUME_STEP;
  for (;;) {
    const next = Math.min(volume / sent, last + UPDATE_SECONDS / seconds);
    if (next >= 1) return shares;
    shares.push(next);
    last = next;
    // Half a byte for the division.
    while (volume <= next * sent + 0.5) volume *= STEP_FACTOR;
  }
}

const communityOf = ({ transport, source, destination }: Seen): string =>
  communityIdOfText(transport === 'udp' ? 17 : 6, [source.ip, source.port], [destination.ip, destination.port]) ?? '';

interface Counted extends Seen {
  /** Share of its bytes that the capture does not have. */
  readonly lostShare: number;
}

interface Moment {
  readonly share: number;
  readonly until: number;
  readonly action: FlowRecord['event']['action'];
  readonly old: boolean;
  readonly looked: { readonly dns_seen?: boolean };
}

function recordOf(what: Counted, { share, until, action, old, looked }: Moment): FlowRecord {
  const sent = Math.round(600 + (what.sent - 600 > 0 ? (what.sent - 600) * share : 0));
  const received = Math.round(3_000 + Math.max(0, what.received - 3_000) * share);
  const protocol = what.protocol ?? 'tls';
  const shownName = what.named ? what.name : undefined;
  // A conversation in SSH names nobody; the sensor knows the look-up.
  const from = protocol === 'ssh' && shownName !== undefined ? { domain_source: 'dns' } : {};
  const via = what.proxied
    ? {
        via: 'connect',
        via_target: `${what.named && what.name !== undefined ? what.name : what.server.ip}:${what.server.port}`,
      }
    : {};
  const bursts =
    what.chunk !== undefined && sent > what.chunk
      ? { upstream_bursts: [what.chunk, what.chunk, what.chunk - 4_096] }
      : {};
  return {
    '@timestamp': formatMicros(until),
    event: {
      kind: 'event',
      category: ['network'],
      dataset: 'waybill.flow',
      action,
      start: formatMicros(what.at),
      end: formatMicros(until),
      duration: (until - what.at) * 1000,
    },
    network: {
      transport: what.transport ?? 'tcp',
      protocol,
      type: 'ipv4',
      community_id: communityOf(what),
      direction: 'egress',
    },
    source: { ...what.source, bytes: sent, packets: 8 + Math.round(sent / 1_300) },
    destination: {
      ...what.destination,
      bytes: received,
      packets: 8 + Math.round(received / 1_300),
      ...(shownName === undefined ? {} : { domain: shownName }),
    },
    ...(protocol === 'ssh'
      ? {
          ssh: {
            client: what.hello === 'openssl' ? 'SSH-2.0-WinSCP_release_6.5.3' : 'SSH-2.0-OpenSSH_for_Windows_9.5',
            server: 'SSH-2.0-OpenSSH_9.6',
          },
        }
      : { tls: tlsOf(what, shownName, old) }),
    observer: { name: 'gate', type: 'sensor' },
    waybill: {
      flow_id: what.id,
      schema: 1,
      bytes_exact: !what.lossy,
      ...(what.lossy ? { missed_bytes: what.transport === 'udp' ? 0 : Math.round(sent * what.lostShare) } : {}),
      ...via,
      ...bursts,
      ...(action === 'flow_end' ? { end_reason: 'fin' } : {}),
      ...(protocol === 'ssh' ? from : looked),
    },
  };
}

function tlsOf(what: Seen, name: string | undefined, old: boolean): NonNullable<FlowRecord['tls']> {
  const quic = what.protocol === 'quic';
  const version = old || what.selfSigned ? '1.2' : '1.3';
  const ja4 = `${quic ? 'q' : 't'}${version === '1.2' ? '12' : '13'}${name === undefined ? 'i' : 'd'}${HELLOS[what.hello]}`;
  const client = {
    ...(name === undefined ? {} : { server_name: name }),
    ja3: hexOf(32, 'ja3', ja4),
    ja4,
    alpn: ['h2', 'http/1.1'],
    version: '1.3',
  };
  const shown =
    version === '1.2'
      ? {
          server: {
            subject: `CN=${what.name ?? what.server.ip}`,
            issuer: what.selfSigned ? `CN=${what.name ?? what.server.ip}` : 'C=US, O=Sealed Trust CA',
            self_signed: what.selfSigned === true,
            name_matches: true,
          },
        }
      : {};
  return {
    version,
    version_protocol: 'tls',
    cipher: version === '1.2' ? 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256' : 'TLS_AES_128_GCM_SHA256',
    established: true,
    client,
    ...shown,
  };
}
