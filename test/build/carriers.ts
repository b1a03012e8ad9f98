/** Ways in which a packet may be captured: link layers, tunnels and fragments around it. */
import { concat, DST6, emptyExtension, ethernet, fragmentIpv4, fragmentIpv6, hex, ip, SRC6, udp } from './frames.ts';
import type { FrameOptions } from './tcp-connection.ts';
import {
  erspan,
  geneve,
  gre,
  gtpu,
  ipInIp,
  mpls,
  nsh,
  ppp,
  pppoe,
  pptp,
  snap,
  teredo,
  vxlan,
  vxlanGpe,
} from './tunnels.ts';

export interface Way {
  readonly name: string;
  readonly options: FrameOptions;
  /** Ethernet unless said otherwise. */
  readonly linkType?: number;
  /** What records say of it. */
  readonly vlan?: string;
  readonly tunnel?: readonly string[];
}

const V6 = { client: SRC6, server: DST6 };
const OUTER6 = { src: '2001:db8:f::1', dst: '2001:db8:f::2' };
const OUTER = { src: '203.0.113.1', dst: '203.0.113.2' };
/** The length field of 802.3; what is longer has a type in its place. */
const lengthOrJumbo = (bytes: number): number => (bytes <= 1_500 ? bytes : 0x8870);
const inIp = (protocol: number, payload: Uint8Array): Uint8Array => ip({ ...OUTER, protocol, payload });
const inUdp = (dstPort: number, payload: Uint8Array): Uint8Array =>
  udp({ ...OUTER, srcPort: 40_000, dstPort, payload });

const nvgre = (packet: Uint8Array): Uint8Array => gre(ethernet(packet), { type: 0x6558, key: true });

let identification = 0;
/** Identifications that no datagram of the test has had: fragments of two must not meet. */
const nextId = (): number => identification++ & 0xffff;

/** 802.11 data from a station, and its LLC. */
const WIFI = '0801 0000 020000000001 020000000002 020000000003 0000 aaaa03 000000 0800';
/** Link types by what they put in front of a packet. */
const LINKS: readonly (readonly [name: string, linkType: number, head: string, options?: FrameOptions])[] = [
  ['NULL', 0, '02000000'],
  ['LOOP', 108, '0000001e', V6],
  ['RAW', 101, ''],
  ['IPV4', 228, ''],
  ['IPV6', 229, '', V6],
  ['PPP', 9, 'ff03 0021'],
  ['PPP with direction', 204, '01 ff03 0057', V6],
  ['Cisco HDLC', 104, '0f00 0800'],
  ['frame relay', 107, '1841 03 cc'],
  ['ATM', 100, 'aaaa03 000000 86dd', V6],
  ['SLL', 113, '0000 0001 0006 020000000001 0000 0800'],
  ['SLL2', 276, '86dd 0000 00000002 0001 00 06 020000000001 0000', V6],
  ['802.11', 105, WIFI],
  ['radiotap', 127, `0000 0800 00000000 ${WIFI}`],
  ['PPI', 192, `00000800 69000000 ${WIFI}`],
  ['PKTAP', 258, '0c000000 01000000 0c000000', V6],
];

export const PLAIN: Way = { name: 'Ethernet and IPv4', options: {} };

export const WAYS: readonly Way[] = [
  PLAIN,
  { name: 'IPv6', options: V6 },
  {
    name: 'IPv6 with extension headers',
    options: { ...V6, extensions: [emptyExtension(0), emptyExtension(43), emptyExtension(60)] },
  },
  { name: 'a VLAN', options: { carrier: (packet) => [ethernet(packet, { vlans: [12] })] }, vlan: '12' },
  {
    name: 'two VLANs',
    options: { carrier: (packet) => [ethernet(packet, { vlans: [7, 300], tpid: 0x88a8 })] },
    vlan: '300',
  },
  {
    name: 'VXLAN',
    options: { carrier: (packet) => [ethernet(inUdp(4789, vxlan(ethernet(packet), 9)))] },
    tunnel: ['vxlan'],
  },
  {
    name: 'Geneve',
    options: { ...V6, carrier: (packet) => [ethernet(inUdp(6081, geneve(ethernet(packet))))] },
    tunnel: ['geneve'],
  },
  {
    name: 'GRE',
    options: { carrier: (packet) => [ethernet(inIp(47, gre(packet, { key: true })))] },
    tunnel: ['gre'],
  },
  {
    name: 'GRE over a VLAN',
    options: {
      ...V6,
      carrier: (packet) => [ethernet(inIp(47, gre(packet)), { vlans: [80] })],
    },
    vlan: '80',
    tunnel: ['gre'],
  },
  { name: 'IP in IP', options: { carrier: (packet) => [ethernet(ipInIp(packet, OUTER))] }, tunnel: ['ipip'] },
  { name: 'GTP-U', options: { carrier: (packet) => [ethernet(inUdp(2152, gtpu(packet, true)))] }, tunnel: ['gtpu'] },
  {
    name: 'MPLS',
    options: { carrier: (packet) => [ethernet(mpls(packet, [16, 17]), { type: 0x8847 })] },
    tunnel: ['mpls'],
  },
  {
    name: 'PPPoE',
    options: { ...V6, carrier: (packet) => [ethernet(pppoe(ppp(packet)), { type: 0x8864 })] },
    tunnel: ['pppoe'],
  },
  ...([1, 2, 3] as const).map(
    (version): Way => ({
      name: `ERSPAN of type ${version}`,
      options: { carrier: (packet) => [ethernet(inIp(47, erspan(ethernet(packet), version)))] },
      tunnel: ['gre', 'erspan'],
    }),
  ),
  { name: 'NVGRE', options: { carrier: (packet) => [ethernet(inIp(47, nvgre(packet)))] }, tunnel: ['gre'] },
  { name: 'PPTP', options: { ...V6, carrier: (packet) => [ethernet(inIp(47, pptp(packet)))] }, tunnel: ['gre'] },
  { name: '6in4', options: { ...V6, carrier: (packet) => [ethernet(ipInIp(packet, OUTER))] }, tunnel: ['ipip'] },
  { name: '4in6', options: { carrier: (packet) => [ethernet(ipInIp(packet, OUTER6))] }, tunnel: ['ipip'] },
  {
    name: 'Teredo',
    options: {
      client: '2001:0:c633:6401::1',
      server: DST6,
      carrier: (packet) => [ethernet(inUdp(3544, teredo(packet, true)))],
    },
    tunnel: ['teredo'],
  },
  {
    name: 'L2TP',
    options: { carrier: (packet) => [ethernet(inUdp(1701, concat(hex('0002 0001 0002'), ppp(packet))))] },
    tunnel: ['l2tp'],
  },
  {
    name: 'TZSP',
    options: { carrier: (packet) => [ethernet(inUdp(37_008, concat(hex('0100 0001 01'), ethernet(packet))))] },
    tunnel: ['tzsp'],
  },
  { name: 'EtherIP', options: { carrier: (packet) => [ethernet(inIp(97, concat(hex('3000'), ethernet(packet))))] } },
  {
    name: 'VXLAN-GPE with a service header',
    options: { carrier: (packet) => [ethernet(inUdp(4790, vxlanGpe(nsh(ethernet(packet), 3), 4)))] },
    tunnel: ['vxlan'],
  },
  {
    name: 'VXLAN in GRE in MPLS in two VLANs',
    options: {
      carrier: (packet) => {
        const inner = inIp(47, gre(inUdp(4789, vxlan(ethernet(packet)))));
        return [ethernet(mpls(inner, [16]), { vlans: [5, 6], type: 0x8847 })];
      },
    },
    vlan: '6',
    tunnel: ['gre', 'vxlan', 'mpls'],
  },
  {
    name: 'fragments of VXLAN',
    options: {
      carrier: (packet) =>
        fragmentIpv4(inUdp(4789, vxlan(ethernet(packet))), 400, nextId()).map((part) => ethernet(part)),
    },
    tunnel: ['vxlan'],
  },
  {
    name: '802.3 with SNAP',
    options: { carrier: (packet) => [ethernet(snap(packet), { type: lengthOrJumbo(8 + packet.length) })] },
  },
  {
    name: 'frames with a trailer',
    options: { carrier: (packet) => [concat(ethernet(packet), hex('deadbeef 16030100'))] },
  },
  ...LINKS.map(
    ([name, linkType, head, options = {}]): Way => ({
      name,
      linkType,
      options: { ...options, carrier: (packet) => [concat(hex(head), packet)] },
    }),
  ),
  {
    name: 'IPv4 fragments',
    options: { carrier: (packet) => fragmentIpv4(packet, 256, nextId()).map((part) => ethernet(part)) },
  },
  {
    name: 'IPv6 fragments, last first',
    options: {
      ...V6,
      carrier: (packet) =>
        fragmentIpv6(packet, 128, nextId())
          .map((part) => ethernet(part))
          .reverse(),
    },
  },
];

/** How `observe` is told. */
export const linkOf = ({ linkType }: Way): { linkType?: number } => (linkType === undefined ? {} : { linkType });
