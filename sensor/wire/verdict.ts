/** What became of a frame. A closed list: the names are metric labels. */
export const Verdict = {
  /** A TCP segment or UDP datagram is in `out`. */
  segment: 0,
  /** No IP in it: control protocols, unknown EtherTypes. */
  notIp: 1,
  arp: 2,
  icmp: 3,
  /** IP with another protocol than TCP and UDP: ESP, SCTP, OSPF, … */
  otherProtocol: 4,
  /** A fragment that waits for the rest of its datagram. */
  fragmentHeld: 5,
  /** A fragment that was thrown away: its datagram has too many, or is too long. */
  fragmentOverCap: 6,
  /** The snap length cut the frame inside its headers. */
  truncated: 7,
  /** A length field that contradicts the bytes around it. */
  badLength: 8,
  /** A version or a fixed field that its protocol does not allow. */
  badHeader: 9,
  /** More layers than LAYER_CAP. */
  overNesting: 10,
  /** A link type that is not decoded: `linkTypeName` says which. */
  unsupportedLink: 11,
  /** An encrypted 802.11 data frame. */
  wifiEncrypted: 12,
  /** Several frames aggregated in one 802.11 frame (A-MSDU). */
  wifiAggregated: 13,
} as const;

export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Names by number, for counters. */
export const VERDICT_NAMES: readonly string[] = [
  'segment',
  'not-ip',
  'arp',
  'icmp',
  'other-protocol',
  'fragment-held',
  'fragment-over-cap',
  'truncated',
  'bad-length',
  'bad-header',
  'over-nesting',
  'unsupported-link',
  'wifi-encrypted',
  'wifi-aggregated',
];
