/**
 * Kernel filter profiles: pcap-filter(7) expressions that leave bulk payload out before it is copied.
 *
 * A filter sees one packet and remembers nothing, so a profile drops only what shows itself to be bulk, and everything
 * else passes: other protocols, tunnels, fragments, IPv4 options, IPv6 extension headers.
 *
 *     full        everything
 *     client      bulk that servers send is left out; what clients send stays, so upstream bytes stay exact
 *     handshake   bulk of both sides is left out; one segment in each 256 KiB of sequence space stays, and every
 *                 acknowledgement, so that upstream bytes are known while the flow runs and at its end
 *
 * Offsets are constants wherever they can be. A filter is translated and charged to the socket, and kernels before 6.8
 * allow it 20 KiB by default (net.core.optmem_max): about 480 instructions; beyond, tcpdump filters after every packet was copied.
 */
import type { Place } from './filter-place.ts';

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

/**
 * Middle segments of a certificate chain have no mark of their own, but a certificate is names in ASCII and DER between
 * keys and signatures, and what is encrypted is noise. So a segment passes that has both: WINDOW_WORDS words in a row
 * without a byte above 127 at one of these offsets from the start of the frame, and a word with one. Noise has such a
 * window with a probability of 12 × 2^-12 = 0.3 %; plain text has no high byte.
 *
 * The windows begin behind the longest headers and end within the shortest bulk segment, whatever its headers.
 */
const WINDOWS = Array.from({ length: 12 }, (_, i) => 124 + 96 * i);
const WINDOW_WORDS = 3;
const HIGH_BITS = '0x80808080';

/** One IP version at one place: how to tell it, and the field `at` bytes into its TCP or UDP header. */
interface Family {
  readonly carries: (protocol: number) => string;
  readonly field: (at: number | string, size?: number) => string;
  /** Bytes of transport header and payload, plus a constant. */
  readonly length: string;
  readonly lengthExcess: number;
}

function families(place: Place): readonly Family[] {
  const { v4, v6 } = place;
  return [
    {
      // Without options, so that what follows stands at constant offsets; whole, because a fragment says nothing.
      carries: (protocol) =>
        `${place.isV4} and ${v4(0)} = 0x45 and ${v4(9)} = ${protocol} and ${v4(6, 2)} & 0x3fff = 0`,
      field: (at, size) => v4(plus(at, 20), size),
      length: v4(2, 2),
      lengthExcess: 20,
    },
    {
      carries: (protocol) => `${place.isV6} and ${v6(6)} = ${protocol}`,
      field: (at, size) => v6(plus(at, 40), size),
      length: v6(4, 2),
      lengthExcess: 0,
    },
  ];
}

const plus = (at: number | string, n: number): number | string => (typeof at === 'number' ? at + n : `${at} + ${n}`);

/** True for a segment that is payload of a connection under way. `who`: whose payload is meant. */
function bulkSegment(tcp: Family, who: 'server' | 'either'): string {
  const headerBytes = `((${tcp.field(12)} & 0xf0) >> 2)`;
  const start = tcp.field(headerBytes, 2);
  return all([
    tcp.carries(6),
    `${tcp.length} - ${headerBytes} >= ${BULK_BYTES + tcp.lengthExcess}`,
    `${tcp.field(13)} & 7 = 0`, // no SYN, FIN or RST
    who === 'server' ? fromServer(tcp) : `${tcp.field(4, 4)} & ${SAMPLE_PERIOD - 1} >= ${SAMPLE_BYTES}`,
    // Change cipher spec, alert or handshake record at its start (RFC 8446 §5.1), whatever the minor version.
    `${start} != 0x1403 and ${start} != 0x1503 and ${start} != 0x1603`,
    // SSH key exchange: packet length below 64 KiB, padding length, SSH_MSG_KEXINIT (RFC 4253 §6, §7.1).
    `not (${start} = 0 and ${tcp.field(`${headerBytes} + 5`)} = 20)`,
  ]);
}

/**
 * True for a large datagram from a server that is no part of a handshake. Datagrams have no sequence numbers, so what
 * clients send stays: QUIC upstream bytes are counted, not estimated.
 */
function bulkDatagram(udp: Family): string {
  return all([
    udp.carries(17),
    fromServer(udp),
    `${udp.field(0, 2)} != 53`,
    `${udp.field(4, 2)} >= ${BULK_DATAGRAM_BYTES}`,
    `${udp.field(8)} & 0x80 = 0`, // QUIC long header (RFC 9000 §17.2)
    `not (${udp.field(8, 2)} >= 0x14fe and ${udp.field(8, 2)} <= 0x16fe)`, // DTLS records before application data
  ]);
}

/** The side with the lower port is taken for the server. */
const fromServer = (header: Family): string => `${header.field(0, 2)} < ${header.field(2, 2)}`;

const all = (terms: readonly string[]): string => terms.map((term) => `(${term})`).join(' and ');
const any = (terms: readonly string[]): string => terms.map((term) => `(${term})`).join(' or ');

/** True for what at this place is a segment that may be bulk; `looksCertified` has the last word. */
export const bulkSegments = (profile: Exclude<Profile, 'full'>, place: Place): string =>
  any(families(place).map((tcp) => bulkSegment(tcp, profile === 'client' ? 'server' : 'either')));

/** True for what at this place is a bulk datagram. */
export const bulkDatagrams = (place: Place): string => any(families(place).map(bulkDatagram));

/** True for a frame of a bulk segment's length that looks like part of a certificate chain. */
export function looksCertified(): string {
  const word = (at: number): string => `link[${at}:4] & ${HIGH_BITS}`;
  const text = (at: number): string => all(Array.from({ length: WINDOW_WORDS }, (_, i) => `${word(at + 4 * i)} = 0`));
  return `(${any(WINDOWS.map((at) => `${word(at)} != 0`))}) and (${any(WINDOWS.map(text))})`;
}
