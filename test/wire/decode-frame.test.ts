import { describe, expect, it } from 'vitest';
import { LAYER_CAP } from '../../sensor/wire/decode-frame.ts';
import { linkTypeName } from '../../sensor/wire/link-types.ts';
import { SYN } from '../../sensor/wire/segment.ts';
import { TestDecoder } from '../build/decode.ts';
import {
  be16,
  be32,
  concat,
  DST6,
  emptyExtension,
  ethernet,
  fragmentHeader,
  fragmentIpv4,
  hex,
  ip,
  SRC6,
  tcp,
  udp,
} from '../build/frames.ts';
import {
  controlWord,
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
} from '../build/tunnels.ts';

const T4 = tcp({ payload: 'hello' });
const T6 = tcp({ src: SRC6, dst: DST6, payload: 'hello' });
const FLOW4 = 'tcp 192.0.2.10:50000 > 198.51.100.20:443';
const FLOW6 = 'tcp 2001:db8::10:50000 > 2001:db8:1::20:443';
const E4 = ethernet(T4);
const outer = { src: '10.1.1.1', dst: '10.2.2.2' };
const over = (dstPort: number, payload: Uint8Array): Uint8Array => ethernet(udp({ ...outer, dstPort, payload }));
const inGre = (payload: Uint8Array): Uint8Array => ethernet(ip({ ...outer, protocol: 47, payload }));
const flowOf = (frame: Uint8Array, linkType = 1) => new TestDecoder().decode(frame, linkType).flow;

describe('a segment', () => {
  it('carries what TCP and IPv4 say', () => {
    const test = new TestDecoder();
    const frame = ethernet(tcp({ payload: 'hello', seq: 0xfffffff0, ack: 7, flags: SYN, ttl: 9 }), { vlans: [5, 77] });
    expect(test.decode(frame, 1, frame.length, 123)).toEqual({
      verdict: 'segment',
      flow: FLOW4,
      payload: 'hello',
      tunnels: [],
    });
    expect(test.out).toMatchObject({ seq: 0xfffffff0, ack: 7, flags: SYN, ttl: 9, ipVersion: 4, tsMicros: 123 });
    expect(test.out).toMatchObject({ vlan: 77, payloadLength: 5, fragmented: false });
  });

  it('carries what UDP and IPv6 say', () => {
    const test = new TestDecoder();
    const decoded = test.decode(ethernet(udp({ src: SRC6, dst: DST6, payload: 'hi' })));
    expect(decoded).toMatchObject({ flow: 'udp 2001:db8::10:50000 > 2001:db8:1::20:443', payload: 'hi' });
    expect(test.out).toMatchObject({ ipVersion: 6, seq: 0, flags: 0, vlan: -1, payloadLength: 2 });
  });

  it('keeps nothing of the frame before it', () => {
    const test = new TestDecoder();
    test.decode(ethernet(udp({ ...outer, dstPort: 4789, payload: vxlan(E4) }), { vlans: [9] }));
    for (const packet of fragmentIpv4(T4, 16)) test.decode(ethernet(packet));
    expect(test.out.fragmented).toBe(true);
    test.decode(E4);
    expect(test.out).toMatchObject({ vlan: -1, tunnels: 0, fragmented: false });
  });

  it('ends where the IP header says, not where padding does', () => {
    const padded = concat(ethernet(tcp({ payload: 'hi' })), new Uint8Array(20).fill(0xaa));
    expect(new TestDecoder().decode(padded).payload).toBe('hi');
    const padded6 = concat(ethernet(T6), new Uint8Array(3));
    expect(new TestDecoder().decode(padded6).payload).toBe('hello');
  });

  it('takes the captured length where the IP length is 0, as before segmentation offload', () => {
    const frame = Uint8Array.from(E4);
    frame.set([0, 0], 16);
    expect(new TestDecoder().decode(frame).payload).toBe('hello');
    const frame6 = Uint8Array.from(ethernet(T6));
    frame6.set([0, 0], 18);
    expect(new TestDecoder().decode(frame6).payload).toBe('hello');
  });

  it('tells how much payload there was on the wire when the snap length cut it', () => {
    const test = new TestDecoder();
    const frame = ethernet(tcp({ payload: 'x'.repeat(1000) }));
    expect(test.decode(frame.subarray(0, 64), 1, frame.length).payload).toBe('x'.repeat(10));
    expect(test.out.payloadLength).toBe(1000);
    test.decode(frame.subarray(0, 54), 1, frame.length);
    expect(test.out).toMatchObject({ payloadStart: 54, payloadEnd: 54, payloadLength: 1000 });
  });

  it('is whole although the capture says that less was on the wire', () => {
    expect(new TestDecoder().decode(E4, 1, 20).payload).toBe('hello');
  });

  it('is found although the snap length cut the TCP options', () => {
    const frame = ethernet(tcp({ tcpOptions: new Uint8Array(12), payload: 'abc' }));
    const test = new TestDecoder();
    expect(test.decode(frame.subarray(0, 58), 1, frame.length)).toMatchObject({ verdict: 'segment', payload: '' });
    expect(test.out.payloadLength).toBe(3);
  });

  it('is found behind IPv4 options and IPv6 extension headers', () => {
    expect(flowOf(ethernet(tcp({ options: hex('94040000 0101'), payload: 'a' })))).toBe(FLOW4);
    const extensions = [0, 60, 43, 60, 135].map(emptyExtension);
    expect(flowOf(ethernet(tcp({ src: SRC6, dst: DST6, extensions })))).toBe(FLOW6);
    const authentication = { type: 51, rest: hex('04 0000 00000001 00000001 000000000000000000000000') };
    expect(flowOf(ethernet(tcp({ src: SRC6, dst: DST6, extensions: [authentication] })))).toBe(FLOW6);
  });

  it('in an atomic fragment is whole at once', () => {
    const test = new TestDecoder();
    const atomic = [fragmentHeader(0, false)];
    expect(test.decode(ethernet(tcp({ src: SRC6, dst: DST6, extensions: atomic }))).flow).toBe(FLOW6);
    expect(test.out.fragmented).toBe(false);
  });

  it('is in no VLAN when its tag is for priority alone', () => {
    const test = new TestDecoder();
    test.decode(ethernet(T4, { vlans: [0] }));
    expect(test.out.vlan).toBe(-1);
    test.decode(ethernet(T4, { vlans: [7, 0] }));
    expect(test.out.vlan).toBe(7);
  });
});

describe('encapsulations', () => {
  const cases: readonly (readonly [string, Uint8Array, string, readonly string[]])[] = [
    ['802.1Q', ethernet(T4, { vlans: [5] }), FLOW4, []],
    ['802.1ad', ethernet(T6, { vlans: [5, 6], tpid: 0x88a8 }), FLOW6, []],
    ['old QinQ', ethernet(T4, { vlans: [1, 2, 3], tpid: 0x9100 }), FLOW4, []],
    ['802.1BR E-TAG', ethernet(concat(hex('000100020000 0800'), T4), { type: 0x893f }), FLOW4, []],
    ['VN-tag', ethernet(concat(hex('00010002 86dd'), T6), { type: 0x8926 }), FLOW6, []],
    ['Cisco MetaData', ethernet(concat(hex('0101 0001 0007 0800'), T4), { type: 0x8909 }), FLOW4, []],
    ['802.1ah', ethernet(concat(hex('00000007'), E4), { type: 0x88e7 }), FLOW4, []],
    ['802.3 with SNAP', ethernet(snap(T4), { type: 8 + T4.length }), FLOW4, []],
    ['MPLS', ethernet(mpls(T4, [16, 17, 18]), { type: 0x8847 }), FLOW4, ['mpls']],
    ['MPLS with IPv6', ethernet(mpls(T6), { type: 0x8848 }), FLOW6, ['mpls']],
    ['a pseudowire', ethernet(mpls(controlWord(E4)), { type: 0x8847 }), FLOW4, ['mpls']],
    ['a pseudowire without control word', ethernet(mpls(E4), { type: 0x8847 }), FLOW4, ['mpls']],
    ['PPPoE', ethernet(pppoe(ppp(T4)), { type: 0x8864 }), FLOW4, ['pppoe']],
    ['PPPoE with short PPP', ethernet(pppoe(ppp(T6, { short: true })), { type: 0x8864 }), FLOW6, ['pppoe']],
    ['NSH', ethernet(nsh(T4, 1), { type: 0x894f }), FLOW4, []],
    ['GRE', inGre(gre(T4)), FLOW4, ['gre']],
    ['GRE with all fields', inGre(gre(T6, { checksum: true, key: true, sequence: true })), FLOW6, ['gre']],
    ['GRE with Ethernet', inGre(gre(E4, { type: 0x6558 })), FLOW4, ['gre']],
    ['GRE with MPLS', inGre(gre(mpls(T4), { type: 0x8847 })), FLOW4, ['gre', 'mpls']],
    ['GRE with a group tag', inGre(gre(concat(hex('0800 0101 0001 0007'), T4), { type: 0x8909 })), FLOW4, ['gre']],
    ['PPTP', inGre(pptp(T4)), FLOW4, ['gre']],
    ['WCCP', inGre(gre(T4, { type: 0x883e })), FLOW4, ['gre']],
    ['WCCP version 2', inGre(gre(concat(hex('00000000'), T4), { type: 0x883e })), FLOW4, ['gre']],
    ['ERSPAN I', inGre(erspan(E4, 1)), FLOW4, ['gre', 'erspan']],
    ['ERSPAN II', inGre(erspan(E4, 2)), FLOW4, ['gre', 'erspan']],
    ['ERSPAN III', inGre(erspan(E4, 3)), FLOW4, ['gre', 'erspan']],
    ['GRE in UDP', over(4754, gre(T4)), FLOW4, ['gre']],
    ['VXLAN', over(4789, vxlan(E4)), FLOW4, ['vxlan']],
    ['VXLAN on the old port', over(8472, vxlan(ethernet(T6))), FLOW6, ['vxlan']],
    ['VXLAN with reserved bits', over(4789, concat(hex('ffabcdef00000701'), E4)), FLOW4, ['vxlan']],
    ['VXLAN-GPE', over(4790, vxlanGpe(T4, 1)), FLOW4, ['vxlan']],
    ['VXLAN-GPE with NSH', over(4790, vxlanGpe(nsh(E4, 3), 4)), FLOW4, ['vxlan']],
    ['Geneve', over(6081, geneve(E4)), FLOW4, ['geneve']],
    ['Geneve with options', over(6081, geneve(T6, 0x86dd, new Uint8Array(8))), FLOW6, ['geneve']],
    ['L2TP', over(1701, concat(hex('0002 0001 0002'), ppp(T4, { hdlc: true }))), FLOW4, ['l2tp']],
    [
      'L2TP with all fields',
      over(1701, withLength(concat(hex('4a02 0000 0001 0002 0000 0000 0002 0000'), ppp(T6)), 2, 16 + ppp(T6).length)),
      FLOW6,
      ['l2tp'],
    ],
    ['TZSP', over(37008, concat(hex('0100 0001 01'), E4)), FLOW4, ['tzsp']],
    ['TZSP with tags', over(37008, concat(hex('0101 0001 00 0a01c8 290201020001'), E4)), FLOW4, ['tzsp']],
    ['EtherIP', ethernet(ip({ ...outer, protocol: 97, payload: concat(hex('3000'), E4) })), FLOW4, []],
    ['MPLS in UDP', over(6635, mpls(T4)), FLOW4, ['mpls']],
    ['GTP-U', over(2152, gtpu(T4)), FLOW4, ['gtpu']],
    ['GTP-U with extensions', over(2152, gtpu(T6, true)), FLOW6, ['gtpu']],
    ['IP in IP', ethernet(ipInIp(T4, outer)), FLOW4, ['ipip']],
    ['6in4', ethernet(ipInIp(T6, outer)), FLOW6, ['ipip']],
    ['4in6', ethernet(ipInIp(T4, { src: SRC6, dst: DST6 })), FLOW4, ['ipip']],
    [
      'VXLAN in GRE in VLAN',
      ethernet(
        ip({
          ...outer,
          protocol: 47,
          payload: gre(udp({ ...outer, dstPort: 4789, payload: vxlan(ethernet(T4, { vlans: [9] })) })),
        }),
        { vlans: [3] },
      ),
      FLOW4,
      ['gre', 'vxlan'],
    ],
  ];
  it.each(cases)('of kind %s are taken off', (_name, frame, flow, tunnels) => {
    expect(new TestDecoder().decode(frame)).toEqual({ verdict: 'segment', flow, payload: 'hello', tunnels });
  });

  it.each([false, true])('of kind Teredo are taken off (origin indication: %s)', (origin) => {
    const inside = tcp({ src: '2001:0:4136:e378:8000:63bf:3fff:fdd2', dst: DST6, payload: 'hello' });
    const decoded = new TestDecoder().decode(over(3544, teredo(inside, origin)));
    expect(decoded).toMatchObject({ flow: 'tcp 2001:0:4136:e378:8000:63bf:3fff:fdd2:50000 > 2001:db8:1::20:443' });
    expect(decoded.tunnels).toEqual(['teredo']);
  });

  it.each([
    ['VXLAN without a network id', 4789, concat(hex('0000000000000100'), E4)],
    ['GTP-U with an extension of length 0', 2152, concat(hex('34ff 0030 00001234 00000085 00000000'), T4)],
    ['GTP-U that is longer than its datagram', 2152, concat(hex('30ff 00ff 00001234'), T4)],
    ['Geneve of version 1', 6081, concat(hex('40006558 00000100'), E4)],
    ['Geneve with an unknown type', 6081, concat(hex('00001234 00000100'), E4)],
    ['Teredo between foreign addresses', 3544, T6],
    ['L2TP of version 3', 1701, concat(hex('0003 0001 0002'), ppp(T4))],
    ['an L2TP control message', 1701, concat(hex('c802 0014 0001 0000 0000 0000'), ppp(T4))],
    ['L2TP that is longer than its datagram', 1701, concat(hex('4002 ffff 0001 0002'), ppp(T4))],
    ['L2TP with padding beyond its end', 1701, concat(hex('0202 0001 0002 ffff'), ppp(T4))],
    ['TZSP that carries nothing known', 37008, concat(hex('0100 0077 01'), E4)],
    ['TZSP without an end of its tags', 37008, hex('0100 0001 00 00 00 00')],
    ['MPLS with IPv6 that does not fill it', 6635, concat(mpls(T6), [0])],
  ])('are not seen in what is almost %s', (_name, dstPort, payload) => {
    const decoded = new TestDecoder().decode(ethernet(udp({ dstPort, payload })));
    expect(decoded).toMatchObject({ flow: `udp 192.0.2.10:50000 > 198.51.100.20:${dstPort}`, tunnels: [] });
  });

  it('are not seen in UDP that only shares their port', () => {
    for (const dstPort of [2152, 3544, 4754, 4789, 4790, 6081, 6635, 8472]) {
      for (const payload of [
        '',
        'hello',
        '\x08'.repeat(200),
        '\xc0\0\0\0\x01'.repeat(40),
        '\0'.repeat(64),
        'E'.repeat(99),
      ]) {
        const decoded = new TestDecoder().decode(ethernet(udp({ dstPort, payload })));
        expect(decoded).toEqual({
          verdict: 'segment',
          flow: `udp 192.0.2.10:50000 > 198.51.100.20:${dstPort}`,
          payload,
          tunnels: [],
        });
      }
    }
  });

  it('with a broken packet inside stay UDP', () => {
    const broken = Uint8Array.from(T4);
    broken[10] = broken[10]! ^ 0x40; // header checksum
    const decoded = new TestDecoder().decode(over(4789, vxlan(ethernet(broken))));
    expect(decoded).toMatchObject({ flow: 'udp 10.1.1.1:50000 > 10.2.2.2:4789', tunnels: [] });
  });

  it('are given up beyond the layer cap', () => {
    let packet = T4;
    for (let i = 0; i < LAYER_CAP; i++) packet = ipInIp(packet, outer);
    expect(new TestDecoder().decode(ethernet(packet)).verdict).toBe('over-nesting');
    let few = T4;
    for (let i = 0; i < 8; i++) few = ipInIp(few, outer);
    expect(flowOf(ethernet(few))).toBe(FLOW4);
  });
});

describe('link types', () => {
  const sll = (type: number): Uint8Array => concat(hex('0000 0001 0006 020000000001 0000'), be16(type));
  const sll2 = (type: number): Uint8Array => concat(be16(type), hex('0000 00000002 0001 00 06 020000000001 0000'));
  const wifi = hex('0801 0000 020000000001 020000000002 020000000003 0000');
  const qos = hex('8801 0000 020000000001 020000000002 020000000003 0000 0000');
  const bridged = hex('0803 0000 020000000001 020000000002 020000000003 0000 020000000004');
  const nflog = (order: 'little' | 'big', packet: Uint8Array): Uint8Array => {
    const u16 = (v: number): Uint8Array => (order === 'big' ? be16(v) : Uint8Array.of(v & 255, v >> 8));
    return concat(hex('02 00 0000'), u16(5), u16(10), hex('00 000000'), u16(4 + packet.length), u16(9), packet);
  };
  const cases: readonly (readonly [string, number, Uint8Array, string])[] = [
    ['NULL, little-endian', 0, concat(hex('02000000'), T4), FLOW4],
    ['NULL, big-endian', 0, concat(hex('0000001e'), T6), FLOW6],
    ['NULL of Windows', 0, concat(hex('17000000'), T6), FLOW6],
    ['LOOP', 108, concat(hex('00000018'), T6), FLOW6],
    ['RAW', 101, T4, FLOW4],
    ['RAW of BSD', 12, T6, FLOW6],
    ['RAW of OpenBSD', 14, T4, FLOW4],
    ['IPV4', 228, T4, FLOW4],
    ['IPV6', 229, T6, FLOW6],
    ['PPP', 9, ppp(T4, { hdlc: true }), FLOW4],
    ['PPP without address', 9, ppp(T6), FLOW6],
    ['PPP in HDLC', 50, ppp(T4, { hdlc: true }), FLOW4],
    ['Cisco HDLC in PPP_HDLC', 50, concat(hex('0f00 0800'), T4), FLOW4],
    ['PPP_ETHER', 51, pppoe(ppp(T4)), FLOW4],
    ['Cisco HDLC', 104, concat(hex('0f00 86dd'), T6), FLOW6],
    ['frame relay', 107, concat(hex('1841 03 cc'), T4), FLOW4],
    ['frame relay, four address bytes', 107, concat(hex('18404041 03 8e'), T6), FLOW6],
    ['frame relay with SNAP', 107, concat(hex('1841 03 00 80 000000 0800'), T4), FLOW4],
    ['frame relay of Cisco', 107, concat(hex('1841 0800'), T4), FLOW4],
    ['ATM with LLC', 100, snap(T4), FLOW4],
    ['ATM without LLC', 100, T6, FLOW6],
    ['ATM with bridged Ethernet', 100, concat(hex('aaaa03 0080c2 0007 0000'), E4), FLOW4],
    ['ATM with PPP', 100, concat(hex('fefe03cf'), ppp(T4)), FLOW4],
    ['PPP with direction', 204, concat([1], ppp(T4, { hdlc: true })), FLOW4],
    ['Cisco HDLC with direction', 205, concat(hex('00 0f00 0800'), T4), FLOW4],
    ['frame relay with direction', 206, concat(hex('01 1841 03 cc'), T4), FLOW4],
    ['netANALYZER', 240, concat(hex('00000000'), E4), FLOW4],
    ['PKTAP of Ethernet', 258, concat(hex('14000000 01000000 01000000 0000000000000000'), E4), FLOW4],
    ['PKTAP of a loopback', 258, concat(hex('10000000 01000000 00000000 00000000 02000000'), T4), FLOW4],
    ['PPI of 802.11', 192, concat(hex('00000800 69000000'), wifi, snap(T4)), FLOW4],
    ['PPI of Ethernet with a field', 192, concat(hex('00001000 01000000 0300040000000000'), E4), FLOW4],
    ['Prism', 119, concat(hex('44000000 90000000'), new Uint8Array(136), wifi, snap(T4)), FLOW4],
    ['AVS in Prism', 119, concat(hex('80211001 00000040'), new Uint8Array(56), wifi, snap(T4)), FLOW4],
    ['AVS', 163, concat(hex('80211001 00000040'), new Uint8Array(56), wifi, snap(T4)), FLOW4],
    ['SLL', 113, concat(sll(0x0800), T4), FLOW4],
    ['SLL with VLAN', 113, concat(sll(0x8100), hex('0005 86dd'), T6), FLOW6],
    ['SLL with LLC', 113, concat(sll(4), snap(T4)), FLOW4],
    ['SLL2', 276, concat(sll2(0x86dd), T6), FLOW6],
    ['NFLOG, little-endian', 239, nflog('little', T4), FLOW4],
    ['NFLOG, big-endian', 239, nflog('big', T4), FLOW4],
    ['802.11', 105, concat(wifi, snap(T4)), FLOW4],
    ['802.11 QoS', 105, concat(qos, snap(T6)), FLOW6],
    ['802.11 with HT control', 105, concat([0x88, 0x81], qos.subarray(2), hex('00000000'), snap(T6)), FLOW6],
    ['802.11 between stations', 105, concat(bridged, snap(T4)), FLOW4],
    ['radiotap', 127, concat(hex('0000 0900 02000000 10'), wifi, snap(T4), hex('00000000')), FLOW4],
    [
      'radiotap with padding',
      127,
      concat(hex('0000 1900 03000080 00000000 00000000 0000000000000000 20'), qos, hex('0000'), snap(T4)),
      FLOW4,
    ],
  ];
  it.each(cases)('%s (%i) is read', (_name, linkType, frame, flow) => {
    expect(new TestDecoder().decode(frame, linkType)).toMatchObject({ verdict: 'segment', flow, payload: 'hello' });
  });

  it.each([
    ['encrypted 802.11', 105, hex('0841 0000 020000000001 020000000002 020000000003 0000 00000000'), 'wifi-encrypted'],
    ['aggregated 802.11', 105, hex('8801 0000 020000000001 020000000002 020000000003 0000 8000'), 'wifi-aggregated'],
    ['an 802.11 beacon', 105, hex('8000 0000 020000000001 020000000002 020000000003 0000'), 'not-ip'],
    ['NFLOG with an attribute of length 0', 239, concat(hex('02000000 0000 0900'), T4), 'not-ip'],
    ['frame relay that ends behind its pad', 107, hex('18404041 03 00'), 'bad-length'],
    ['radiotap longer than its frame', 127, concat(hex('0000 ff00 02000000 10'), wifi, snap(T4)), 'bad-length'],
    ['PKTAP without a packet', 258, concat(hex('0c000000 00000000 01000000'), E4), 'unsupported-link'],
    ['PKTAP in PKTAP', 258, concat(hex('0c000000 01000000 02010000'), E4), 'unsupported-link'],
    ['PPI that is longer than its frame', 192, concat(hex('0000ffff 01000000'), E4), 'unsupported-link'],
    ['USB', 249, E4, 'unsupported-link'],
    ['a link type nobody knows', 9999, E4, 'unsupported-link'],
  ])('%s (%i) is refused by name', (_name, linkType, frame, verdict) => {
    expect(new TestDecoder().decode(frame, linkType)).toEqual({ verdict });
  });

  it('have names for messages', () => {
    expect(linkTypeName(249)).toBe('USBPCAP');
    expect(linkTypeName(162)).toBe('USER15');
    expect(linkTypeName(9999)).toBe('link type 9999');
  });
});

/** `frame` with a 16-bit length written at `at`. */
function withLength(frame: Uint8Array, at: number, length: number): Uint8Array {
  const copy = Uint8Array.from(frame);
  copy.set(be16(length), at);
  return copy;
}

describe('what holds no segment', () => {
  it.each([
    ['ARP', ethernet(new Uint8Array(28), { type: 0x0806 }), 'arp'],
    ['LLDP', ethernet(new Uint8Array(28), { type: 0x88cc }), 'not-ip'],
    ['spanning tree', ethernet(hex('424203 0000'), { type: 5 }), 'not-ip'],
    ['PPPoE discovery', ethernet(hex('1109 0000 0000'), { type: 0x8864 }), 'not-ip'],
    ['ICMP', ethernet(ip({ protocol: 1, payload: hex('0800 0000') })), 'icmp'],
    ['ICMPv6', ethernet(ip({ src: SRC6, dst: DST6, protocol: 58, payload: hex('8000 0000') })), 'icmp'],
    ['ESP', ethernet(ip({ protocol: 50, payload: new Uint8Array(40) })), 'other-protocol'],
    ['no next header', ethernet(ip({ src: SRC6, dst: DST6, protocol: 59, payload: hex('00') })), 'other-protocol'],
    ['IPv4 with version 5', ethernet(concat([0x55], T4.subarray(1)), { type: 0x0800 }), 'bad-header'],
    ['IPv4 with a header of 16 bytes', ethernet(concat([0x44], T4.subarray(1)), { type: 0x0800 }), 'bad-header'],
    [
      'IPv4 longer than its frame',
      ethernet(ip({ protocol: 6, payload: new Uint8Array(30), length: 51 })),
      'bad-length',
    ],
    [
      'IPv4 with options longer than itself',
      ethernet(concat([0x4f], ip({ protocol: 1, payload: hex('0800') }).subarray(1)), { type: 0x0800 }),
      'bad-length',
    ],
    ['IPv4 one byte longer than its frame', withLength(E4, 16, T4.length + 1), 'bad-length'],
    ['IPv6 one byte longer than its frame', withLength(ethernet(T6), 18, T6.length - 39), 'bad-length'],
    [
      'IPv4 shorter than its header',
      ethernet(ip({ protocol: 6, payload: new Uint8Array(30), length: 19 })),
      'bad-length',
    ],
    [
      'IPv6 longer than its frame',
      ethernet(ip({ src: SRC6, dst: DST6, protocol: 6, payload: hex('00'), length: 2 })),
      'bad-length',
    ],
    ['half a TCP header', ethernet(ip({ protocol: 6, payload: new Uint8Array(10) })), 'bad-length'],
    [
      'TCP with a header of 16 bytes',
      ethernet(ip({ protocol: 6, payload: concat(new Uint8Array(12), [0x40], new Uint8Array(7)) })),
      'bad-length',
    ],
    [
      'TCP with a header longer than the packet',
      ethernet(ip({ protocol: 6, payload: concat(new Uint8Array(12), [0xf0], new Uint8Array(7)) })),
      'bad-length',
    ],
    ['UDP of 7 bytes', ethernet(ip({ protocol: 17, payload: hex('0001 0002 0007 0000') })), 'bad-length'],
    ['UDP longer than its packet', ethernet(ip({ protocol: 17, payload: hex('0001 0002 0009 0000') })), 'bad-length'],
    ['half an Ethernet header', E4.subarray(0, 7), 'bad-length'],
    ['GRE with source routing', inGre(concat(hex('4000 0800 00000000'), T4)), 'bad-header'],
    ['GRE version 2', inGre(concat(hex('0002 0800'), T4)), 'bad-header'],
    [
      'an extension header longer than its packet',
      ethernet(
        ip({
          src: SRC6,
          dst: DST6,
          protocol: 58,
          payload: hex('8000'),
          extensions: [{ type: 60, rest: hex('01 0104 00000000') }],
        }),
      ),
      'bad-length',
    ],
    [
      'an endless MPLS stack',
      ethernet(concat(...new Array<Uint8Array>(40).fill(be32(0x00010040))), { type: 0x8847 }),
      'bad-length',
    ],
  ])('%s is counted as what it is', (_name, frame, verdict) => {
    expect(new TestDecoder().decode(frame)).toEqual({ verdict });
  });

  it('says truncated when the snap length cut the headers', () => {
    const frame = ethernet(tcp({ payload: 'x'.repeat(100) }));
    for (let length = 0; length < 54; length++) {
      expect(new TestDecoder().decode(frame.subarray(0, length), 1, frame.length)).toEqual({ verdict: 'truncated' });
    }
  });
});
