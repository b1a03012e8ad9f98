/** Ways in which a packet may be captured: link layers, tunnels and fragments around it. */
import { DST6, emptyExtension, ethernet, fragmentIpv4, fragmentIpv6, ip, SRC6, udp } from './frames.ts';
import type { FrameOptions } from './tcp-connection.ts';
import { geneve, gre, gtpu, ipInIp, mpls, ppp, pppoe, vxlan } from './tunnels.ts';

export interface Way {
  readonly name: string;
  readonly options: FrameOptions;
  /** What records say of it. */
  readonly vlan?: string;
  readonly tunnel?: readonly string[];
}

const V6 = { client: SRC6, server: DST6 };
const OUTER = { src: '203.0.113.1', dst: '203.0.113.2' };
const inUdp = (dstPort: number, payload: Uint8Array): Uint8Array =>
  udp({ ...OUTER, srcPort: 40_000, dstPort, payload });

let identification = 0;
/** Identifications that no datagram of the test has had: fragments of two must not meet. */
const nextId = (): number => identification++ & 0xffff;

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
    options: { carrier: (packet) => [ethernet(ip({ ...OUTER, protocol: 47, payload: gre(packet, { key: true }) }))] },
    tunnel: ['gre'],
  },
  {
    name: 'GRE over a VLAN',
    options: {
      ...V6,
      carrier: (packet) => [ethernet(ip({ ...OUTER, protocol: 47, payload: gre(packet) }), { vlans: [80] })],
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
