import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checksumState, onesComplementSum, verifyChecksum } from '../../sensor/wire/checksum.ts';
import { TestDecoder } from '../build/decode.ts';
import {
  addressBytes,
  be32,
  concat,
  DST,
  DST6,
  ethernet,
  internetChecksum,
  SRC,
  SRC6,
  type TcpOptions,
  tcp,
  udp,
} from '../build/frames.ts';

const payload = fc.uint8Array({ maxLength: 200 });
const addresses = fc.constantFrom({ src: SRC, dst: DST }, { src: SRC6, dst: DST6 });

function stateOf(packet: Uint8Array, captured = packet.length): string {
  const test = new TestDecoder();
  const frame = ethernet(packet);
  test.decode(frame.subarray(0, 14 + captured), 1, frame.length);
  return checksumState(test.out);
}

describe('checksumState', () => {
  it('finds the checksums of any TCP segment and UDP datagram right', () => {
    fc.assert(
      fc.property(payload, addresses, fc.boolean(), (bytes, ends, isTcp) => {
        expect(stateOf((isTcp ? tcp : udp)({ ...ends, payload: bytes }))).toBe('right');
      }),
    );
  });

  it('finds every single flipped bit of header and payload wrong', () => {
    fc.assert(
      fc.property(payload, addresses, fc.nat(), fc.nat(7), (bytes, ends, position, bit) => {
        const packet = tcp({ ...ends, payload: bytes });
        const transport = ends.src === SRC ? 20 : 40;
        const at = transport + (position % (packet.length - transport));
        fc.pre(at !== transport + 12); // the header length: the segment is another one then
        packet[at] = packet[at]! ^ (1 << bit);
        expect(stateOf(packet)).toBe('wrong');
      }),
    );
  });

  it('finds an IPv4 header checksum wrong, unless it is 0 as offload leaves it', () => {
    const packet = tcp({ payload: 'a' });
    packet[8] = packet[8]! ^ 1;
    expect(stateOf(packet)).toBe('wrong');
    packet.set([0, 0], 10);
    expect(stateOf(packet)).toBe('right');
  });

  it.each([
    ['IPv4', { src: SRC, dst: DST }],
    ['IPv6', { src: SRC6, dst: DST6 }],
  ])('knows a pseudo-header sum of %s for what checksum offload leaves behind', (_name, ends) => {
    const options: TcpOptions = { ...ends, payload: 'offloaded' };
    const length = 20 + 'offloaded'.length;
    const pseudo = concat(addressBytes(ends.src), addressBytes(ends.dst), be32(length), be32(6));
    const partial = ~internetChecksum(pseudo) & 0xffff;
    expect(stateOf(tcp({ ...options, checksum: partial }))).toBe('offloaded');
    expect(stateOf(tcp({ ...options, checksum: partial ^ 1 }))).toBe('wrong');
  });

  it('does not judge what was cut, nor UDP over IPv4 without a checksum', () => {
    const packet = tcp({ payload: 'x'.repeat(100) });
    expect(stateOf(packet, packet.length - 1)).toBe('unknown');
    expect(stateOf(tcp({ tcpOptions: new Uint8Array(8) }), 44)).toBe('unknown');
    expect(stateOf(udp({ payload: 'x', checksum: 0 }))).toBe('unknown');
    expect(stateOf(udp({ src: SRC6, dst: DST6, payload: 'x', checksum: 0 }))).toBe('wrong');
  });

  it('does not judge packets that a routing header sends elsewhere', () => {
    const routed = { type: 43, rest: concat([0, 0, 1], new Uint8Array(4)) };
    expect(stateOf(tcp({ src: SRC6, dst: DST6, checksum: 1, extensions: [routed] }))).toBe('unknown');
  });
});

describe('verifyChecksum', () => {
  it('marks the segment that a receiver would have dropped', () => {
    const test = new TestDecoder();
    test.decode(ethernet(tcp({ payload: 'fake', checksum: 0x1234 })));
    expect(verifyChecksum(test.out)).toBe(false);
    expect(test.out.badChecksum).toBe(true);
    test.decode(ethernet(tcp({ payload: 'real' })));
    expect(test.out.badChecksum).toBe(false);
    expect(verifyChecksum(test.out)).toBe(true);
  });
});

describe('onesComplementSum', () => {
  it('is the complement of the checksum, for any bytes and any start', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(3), (bytes, skip) => {
        const padded = concat(new Uint8Array(skip).fill(9), bytes, [9]);
        expect(~onesComplementSum(padded, skip, skip + bytes.length, 0) & 0xffff).toBe(internetChecksum(bytes));
      }),
    );
  });
});
