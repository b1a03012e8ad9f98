/**
 * Kernel filter profiles: pcap-filter(7) expressions that leave bulk payload out before it is copied.
 *
 * A filter sees one packet and remembers nothing, so a profile drops only what shows itself to be bulk, and everything
 * else passes: other protocols, tunnels, fragments, IPv6 extension headers.
 *
 *     full        everything
 *     client      bulk that servers send is left out; what clients send stays, so upstream bytes stay exact
 *     handshake   bulk of both sides is left out; one segment in each 256 KiB of sequence space stays, and every
 *                 acknowledgement, so that upstream bytes are known while the flow runs and at its end
 */
export const PROFILES = ['full', 'client', 'handshake'] as const;

export type Profile = (typeof PROFILES)[number];

/**
 * A segment with this much payload or more may be bulk: below the segment size of common paths (1,220 bytes is the least
 * for IPv6), above the remainder that a two-segment ClientHello leaves and above every alert, ticket and request.
 */
const BULK_BYTES = 1_200;

/** UDP: an Initial fills 1,200 bytes and has the long header, which passes by form; bulk is a path's largest datagram. */
const BULK_DATAGRAM_BYTES = 1_000;

/**
 * A bulk segment passes when it starts in the first SAMPLE_BYTES of a SAMPLE_PERIOD of sequence space. With segments up
 * to SAMPLE_BYTES long that is one in each period; the tracker then knows the volume to within one period.
 */
const SAMPLE_PERIOD = 1 << 18;
const SAMPLE_BYTES = 1_460;

/** How pcap-filter writes one transport header in one IP version; in IPv6 right behind the fixed header only. */
interface Header {
  /** The packet has this header, in whole. */
  readonly present: string;
  /** `size` bytes at `at`, a number or an expression, from the start of the header. */
  readonly field: (at: number | string, size?: number) => string;
  /** Bytes of header and payload. */
  readonly length: string;
}

const LENGTH4 = '(ip[2:2] - ((ip[0] & 0xf) << 2))';

const TCP4: Header = {
  present: 'ip proto 6 and ip[6:2] & 0x1fff = 0',
  field: (at, size = 1) => `tcp[${at}:${size}]`,
  length: LENGTH4,
};
const UDP4: Header = {
  present: 'ip proto 17 and ip[6:2] & 0x1fff = 0',
  field: (at, size = 1) => `udp[${at}:${size}]`,
  length: LENGTH4,
};
const TCP6: Header = {
  present: 'ip6[6] = 6',
  field: (at, size = 1) => `ip6[${at} + 40:${size}]`,
  length: 'ip6[4:2]',
};
const UDP6: Header = { ...TCP6, present: 'ip6[6] = 17' };

/** True for a segment that is payload of a connection under way. `who`: whose payload is meant. */
function bulkSegment(tcp: Header, who: 'server' | 'either'): string {
  const headerBytes = `((${tcp.field(12)} & 0xf0) >> 2)`;
  const start = tcp.field(headerBytes, 2);
  return all([
    tcp.present,
    `${tcp.field(13)} & 7 = 0`, // no SYN, FIN or RST
    `${tcp.length} - ${headerBytes} >= ${BULK_BYTES}`,
    // Change cipher spec, alert or handshake record at its start (RFC 8446 §5.1), whatever the minor version.
    `${start} != 0x1403 and ${start} != 0x1503 and ${start} != 0x1603`,
    // SSH key exchange: packet length below 64 KiB, padding length, SSH_MSG_KEXINIT (RFC 4253 §6, §7.1).
    `not (${start} = 0 and ${tcp.field(`${headerBytes} + 5`)} = 20)`,
    ...(who === 'server' ? [fromServer(tcp)] : [`${tcp.field(4, 4)} & ${SAMPLE_PERIOD - 1} >= ${SAMPLE_BYTES}`]),
  ]);
}

/**
 * True for a large datagram from a server that is no part of a handshake. Datagrams have no sequence numbers, so what
 * clients send stays: QUIC upstream bytes are counted, not estimated.
 */
function bulkDatagram(udp: Header): string {
  return all([
    udp.present,
    fromServer(udp),
    `${udp.field(0, 2)} != 53`,
    `${udp.field(4, 2)} >= ${BULK_DATAGRAM_BYTES}`,
    `${udp.field(8)} & 0x80 = 0`, // QUIC long header (RFC 9000 §17.2)
    `not (${udp.field(8, 2)} >= 0x14fe and ${udp.field(8, 2)} <= 0x16fe)`, // DTLS records before application data
  ]);
}

/** The side with the lower port is taken for the server. */
const fromServer = (header: Header): string => `${header.field(0, 2)} < ${header.field(2, 2)}`;

const all = (terms: readonly string[]): string => terms.map((term) => `(${term})`).join(' and ');

/** True for the IPv4 or IPv6 packets that `profile` leaves out; undefined when it leaves out none. */
export function bulkExpression(profile: Profile, family: 'ip' | 'ip6'): string | undefined {
  if (profile === 'full') return undefined;
  const who = profile === 'client' ? 'server' : 'either';
  const [tcp, udp] = family === 'ip' ? [TCP4, UDP4] : [TCP6, UDP6];
  return `(${bulkSegment(tcp, who)}) or (${bulkDatagram(udp)})`;
}
