/** p01: any bytes, whole frames with something wrong first of all: no throw, and nothing read outside the frame. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checksumState } from '../../sensor/wire/checksum.ts';
import { FrameDecoder } from '../../sensor/wire/decode-frame.ts';
import { LinkType } from '../../sensor/wire/link-types.ts';
import { Segment } from '../../sensor/wire/segment.ts';
import { VERDICT_NAMES, Verdict } from '../../sensor/wire/verdict.ts';
import { concat, DST6, emptyExtension, ethernet, fragmentIpv4, ip, SRC6, tcp, udp } from '../build/frames.ts';
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
  vxlan,
  vxlanGpe,
} from '../build/tunnels.ts';

const outer = { src: '10.1.1.1', dst: '10.2.2.2' };
const over = (dstPort: number, payload: Uint8Array): Uint8Array => udp({ ...outer, dstPort, payload });
const inGre = (payload: Uint8Array): Uint8Array => ip({ ...outer, protocol: 47, payload });

/** Packets to packets, and frames to frames: each wraps what it is given once more. */
const WRAP_PACKET: readonly ((packet: Uint8Array) => Uint8Array)[] = [
  (packet) => ipInIp(packet, outer),
  (packet) => inGre(gre(packet, { key: true, sequence: true })),
  (packet) => inGre(pptp(packet)),
  (packet) => inGre(erspan(ethernet(packet), 1)),
  (packet) => inGre(erspan(ethernet(packet, { vlans: [7] }), 2)),
  (packet) => inGre(erspan(ethernet(packet), 3)),
  (packet) => over(4789, vxlan(ethernet(packet))),
  (packet) => over(4790, vxlanGpe(nsh(packet, packet[0]! >> 4 === 6 ? 2 : 1), 4)),
  (packet) => over(6081, geneve(ethernet(packet), 0x6558, new Uint8Array(4))),
  (packet) => over(2152, gtpu(packet, true)),
  (packet) => over(4754, gre(packet)),
  (packet) => over(6635, mpls(packet)),
];
const WRAP_FRAME: readonly ((packet: Uint8Array) => Uint8Array)[] = [
  (packet) => ethernet(packet),
  (packet) => ethernet(packet, { vlans: [1, 2] }),
  (packet) => ethernet(snap(packet), { type: 8 + packet.length }),
  (packet) => ethernet(mpls(packet, [1, 2]), { type: 0x8847 }),
  (packet) => ethernet(mpls(controlWord(ethernet(packet))), { type: 0x8847 }),
  (packet) => ethernet(pppoe(ppp(packet)), { type: 0x8864 }),
];
const INNERMOST: readonly Uint8Array[] = [
  tcp({ payload: 'payload', tcpOptions: new Uint8Array(8) }),
  udp({ payload: 'payload' }),
  tcp({ src: SRC6, dst: DST6, payload: 'payload', extensions: [emptyExtension(0), emptyExtension(60)] }),
  fragmentIpv4(tcp({ payload: 'payload' }), 16)[0]!,
];

const nested = fc
  .tuple(
    fc.constantFrom(...INNERMOST),
    fc.array(fc.constantFrom(...WRAP_PACKET), { maxLength: 4 }),
    fc.constantFrom(...WRAP_FRAME),
  )
  .map(([packet, wraps, link]) => link(wraps.reduce((inside, wrap) => wrap(inside), packet)));
const byte = fc.oneof(fc.constantFrom(0, 1, 4, 5, 0x3f, 0x40, 0x45, 0x60, 0x7f, 0x80, 0xff), fc.nat(255));
const MARGIN = 32;
/** What lies around the frame, and a decoder that only ever sees frames between such bytes. */
const SURROUNDINGS = [0x45, 0x00, 0x06, 0x81].map((fill) => ({ fill, decoder: new FrameDecoder() }));

/** Decodes a frame that lies between other bytes, and checks what no frame may bring about. */
function decodeBetween(
  { fill, decoder }: (typeof SURROUNDINGS)[number],
  frame: Uint8Array,
  wireLength: number,
  linkType: number,
) {
  const around = concat(new Uint8Array(MARGIN).fill(fill), frame, new Uint8Array(MARGIN).fill(fill));
  const end = MARGIN + frame.length;
  const out = new Segment();
  const verdict = decoder.decode(around, MARGIN, end, 1, wireLength, linkType, out);
  const name = VERDICT_NAMES[verdict];
  expect(name).toBeDefined();
  if (verdict !== Verdict.segment) return name;
  const [low, high] = out.fragmented ? [0, out.bytes.length] : [MARGIN, end];
  expect(out.transportStart).toBeGreaterThanOrEqual(low);
  expect(out.payloadStart).toBeGreaterThanOrEqual(out.transportStart + 8);
  expect(out.payloadEnd).toBeGreaterThanOrEqual(out.payloadStart);
  expect(out.payloadEnd).toBeLessThanOrEqual(high);
  expect(out.payloadLength).toBeGreaterThanOrEqual(out.payloadEnd - out.payloadStart);
  return JSON.stringify({ ...out, bytes: undefined, checksum: checksumState(out) });
}

/** The bytes around a frame belong to other packets: whatever they are, the result is the same. */
function decodeAnywhere(frame: Uint8Array, wireLength: number, linkType: number): void {
  const [first, ...others] = SURROUNDINGS.map((around) => decodeBetween(around, frame, wireLength, linkType));
  for (const other of others) expect(other).toBe(first);
}

describe('the frame decoder', () => {
  it('finds the segment in any nesting of encapsulations', () => {
    fc.assert(
      fc.property(nested, (frame) => {
        const verdict = new FrameDecoder().decode(frame, 0, frame.length, 1, frame.length, 1, new Segment());
        expect(['segment', 'fragment-held']).toContain(VERDICT_NAMES[verdict]);
      }),
      { numRuns: 500 },
    );
  });

  it('never leaves its frame, whichever bytes of a valid nested frame are damaged or cut', () => {
    const damage = fc.array(fc.tuple(fc.nat(), byte), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(nested, damage, fc.nat(), fc.boolean(), (frame, changes, cut, snapped) => {
        const broken = Uint8Array.from(frame);
        for (const [at, value] of changes) broken[at % broken.length] = value;
        const kept = snapped ? broken.subarray(0, cut % (broken.length + 1)) : broken;
        decodeAnywhere(kept, broken.length, 1);
      }),
      { numRuns: 2000 },
    );
  });

  it('never leaves its frame, whatever the bytes and the link type', () => {
    const linkType = fc.constantFrom(...Object.values(LinkType), 258);
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 120 }), linkType, fc.nat(200), (bytes, link, wireLength) => {
        decodeAnywhere(Uint8Array.from(bytes), wireLength, link);
      }),
      { numRuns: 2000 },
    );
  });

  it('says the same of a frame whatever came before it', () => {
    const used = new FrameDecoder();
    fc.assert(
      fc.property(nested, nested, (first, second) => {
        const [a, b] = [new Segment(), new Segment()];
        used.decode(first, 0, first.length, 1, first.length, 1, a);
        const there = used.decode(second, 0, second.length, 1, second.length, 1, a);
        const fresh = new FrameDecoder().decode(second, 0, second.length, 1, second.length, 1, b);
        expect(there).toBe(fresh);
        if (fresh === Verdict.segment) expect(a).toEqual(b);
      }),
      { numRuns: 500 },
    );
  }, 30_000);
});
