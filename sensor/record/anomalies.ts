/**
 * Oddities that a flow record names in `waybill.anomalies`. The order is the bit order and may only be appended to.
 * The page docs lists are generated from this table.
 */
export const ANOMALIES = [
  ['out_of_order', 'Handshake segments arrived out of order.'],
  [
    'overlap_differs',
    'Two copies of the same stream bytes differ, or some stand before the first one; the first in-order copy was used.',
  ],
  ['doubtful_replaced', 'A segment with a bad checksum or foreign time-to-live lost to another one at its place.'],
  [
    'bad_checksum',
    'Handshake segments had a wrong TCP checksum and were acknowledged all the same (offload at the capture point).',
  ],
  ['gap', 'The peer acknowledged handshake bytes that the capture does not have.'],
  ['truncated', 'The snap length cut handshake bytes off.'],
  ['over_cap', 'More handshake segments were held than the cap allows; some were dropped.'],
  ['midstream', 'The capture began after the handshake: names and fingerprints were not seen.'],
  ['one_sided', 'Only one direction of the conversation was captured.'],
  ['hello_incomplete', 'The ClientHello never became complete: nothing is published from it.'],
  ['hello_malformed', 'The ClientHello is not well-formed: no fingerprint is published.'],
  ['server_hello_malformed', 'The ServerHello is not well-formed.'],
  ['certificate_malformed', 'The server certificate could not be read.'],
  ['sslv2_hello', 'The client sent an SSLv2-format hello, which has no JA3 or JA4.'],
  ['hello_retry', 'The server asked for a second ClientHello; fingerprints are of the first.'],
  ['no_sni', 'The ClientHello names no server.'],
  ['sni_not_hostname', 'The server name is no host name (address, control characters, invalid labels).'],
  ['sni_many', 'The ClientHello carries more than one server name.'],
  ['ech_outer', 'Encrypted ClientHello: the visible name may be an outer one.'],
  ['certificate_name_mismatch', 'The certificate does not cover the server name asked for.'],
  ['certificate_self_signed', 'Subject and issuer of the server certificate are the same.'],
  ['via_name_differs', 'The name in the prelude (CONNECT, SOCKS, PROXY) is not the server name in the hello.'],
  ['data_after_reset', 'Payload went on after a TCP reset: the reset was forged or late.'],
  ['missed_bytes', 'Payload was acknowledged that the capture does not have: loss at the span port or the sensor.'],
  ['duplicate_packets', 'Packets were captured more than once; counters count them once.'],
  ['not_established', 'No application data followed the handshake.'],
  ['server_is_initiator', 'The TLS client is not the side that opened the TCP connection.'],
  ['quic_retry', 'The QUIC server sent a Retry; keys were derived again.'],
  ['quic_version_negotiated', 'The QUIC client changed version on the server’s demand.'],
  ['handshake_over_limit', 'The handshake was longer than its cap and was not read to the end.'],
] as const satisfies readonly (readonly [string, string])[];

export type Anomaly = (typeof ANOMALIES)[number][0];

const BITS = new Map<Anomaly, number>(ANOMALIES.map(([name], bit) => [name, 2 ** bit]));

/** The anomaly's bit; sets are numbers below 2^31. */
export const anomalyBit = (name: Anomaly): number => BITS.get(name)!;

const BY_BIT = ANOMALIES.map(([name], bit) => ({ name, bit: 2 ** bit }));

export function anomalyNames(set: number): Anomaly[] {
  return BY_BIT.filter(({ bit }) => (set & bit) !== 0).map(({ name }) => name);
}
