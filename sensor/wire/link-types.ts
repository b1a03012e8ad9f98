/** Link types (tcpdump.org/linktypes.html): those that are decoded, and the names of others that people meet. */

/** LINKTYPE_ values that are decoded. */
export const LinkType = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  /** LINKTYPE_RAW is 101; 12 and 14 are what BSDs wrote for it. */
  rawBsd: 12,
  rawOpenBsd: 14,
  pppHdlc: 50,
  pppEther: 51,
  /** RFC 1483, now RFC 2684. */
  atm: 100,
  raw: 101,
  ciscoHdlc: 104,
  wifi: 105,
  frameRelay: 107,
  loop: 108,
  linuxCooked: 113,
  wifiPrism: 119,
  wifiRadiotap: 127,
  wifiAvs: 163,
  ppi: 192,
  pppWithDirection: 204,
  ciscoHdlcWithDirection: 205,
  frameRelayWithDirection: 206,
  ipv4: 228,
  ipv6: 229,
  nflog: 239,
  netAnalyzer: 240,
  pktap: 258,
  linuxCooked2: 276,
} as const;

/** Link types that people meet and that are refused by name. */
const UNDECODED: ReadonlyMap<number, string> = new Map([
  [6, 'IEEE802_5'],
  [8, 'SLIP'],
  [10, 'FDDI'],
  [109, 'ENC'],
  [117, 'PFLOG'],
  [120, 'AIRONET'],
  [123, 'SUNATM'],
  [143, 'DOCSIS'],
  [177, 'LINUX_LAPD'],
  [187, 'BLUETOOTH_HCI_H4'],
  [189, 'USB_LINUX'],
  [195, 'IEEE802_15_4_WITHFCS'],
  [197, 'ERF'],
  [201, 'BLUETOOTH_HCI_H4_WITH_PHDR'],
  [220, 'USB_LINUX_MMAPPED'],
  [224, 'FC_2'],
  [226, 'IPNET'],
  [227, 'CAN_SOCKETCAN'],
  [230, 'IEEE802_15_4_NOFCS'],
  [247, 'INFINIBAND'],
  [248, 'SCTP'],
  [249, 'USBPCAP'],
  [251, 'BLUETOOTH_LE_LL'],
  [252, 'WIRESHARK_UPPER_PDU'],
  [253, 'NETLINK'],
  [256, 'BLUETOOTH_LE_LL_WITH_PHDR'],
  [265, 'ISO_14443'],
  [271, 'VSOCK'],
  [273, 'ETHERNET_MPACKET'],
]);

/** First and last of the types that everybody may use for what they like. */
const USER = { first: 147, last: 162 } as const;

/** A name for messages: "USBPCAP", "USER0", or "link type 999". */
export function linkTypeName(linkType: number): string {
  if (linkType >= USER.first && linkType <= USER.last) return `USER${linkType - USER.first}`;
  return UNDECODED.get(linkType) ?? `link type ${linkType}`;
}
