import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyChecksum } from '../../sensor/wire/checksum.ts';
import { CELL_BYTES } from '../../sensor/wire/fragment-arena.ts';
import { DATAGRAM_CAP, FRAGMENT_AGE_MICROS, FRAGMENT_BYTES_CAP, PIECE_CAP } from '../../sensor/wire/fragments.ts';
import { TestDecoder } from '../build/decode.ts';
import { concat, DST6, ethernet, fragmentIpv4, fragmentIpv6, ip, ipv4, SRC6, tcp, udp } from '../build/frames.ts';
import { gre } from '../build/tunnels.ts';

const TEXT = Array.from({ length: 120 }, (_, i) => `word ${i} `).join('');
const WHOLE4 = tcp({ payload: TEXT });
const WHOLE6 = tcp({ src: SRC6, dst: DST6, payload: TEXT });
const FLOW4 = 'tcp 192.0.2.10:50000 > 198.51.100.20:443';

/** One UDP fragment with payload of its own. */
const piece = (id: number, offset: number, more: boolean, bytes: Uint8Array): Uint8Array =>
  ethernet(ipv4({ protocol: 17, id, offset, more, payload: bytes }));

describe('fragments', () => {
  it.each([
    ['IPv4', fragmentIpv4(WHOLE4, 104)],
    ['IPv6', fragmentIpv6(WHOLE6, 104)],
  ])('of %s give the whole segment in any order, with duplicates', (_name, fragments) => {
    const order = fc.shuffledSubarray(fragments, { minLength: fragments.length });
    const repeats = fc.array(fc.nat(fragments.length - 1), { maxLength: 5 });
    fc.assert(
      fc.property(order, repeats, (shuffled, twice) => {
        const test = new TestDecoder();
        const sequence = [...twice.map((i) => fragments[i]!), ...shuffled];
        const decoded = sequence.map((packet) => test.decode(ethernet(packet)));
        const whole = decoded.filter(({ verdict }) => verdict === 'segment');
        expect(whole.map(({ payload }) => payload)).toEqual([TEXT]);
        expect(decoded.every(({ verdict }) => verdict === 'segment' || verdict === 'fragment-held')).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('give a segment that can be verified, and says that it was fragmented', () => {
    const test = new TestDecoder();
    for (const packet of fragmentIpv4(WHOLE4, 200)) test.decode(ethernet(packet));
    expect(test.out).toMatchObject({ fragmented: true, fragmentConflict: false, payloadLength: TEXT.length });
    expect(verifyChecksum(test.out)).toBe(true);
  });

  it('of one datagram are kept apart from those of another by address, id, protocol and VLAN', () => {
    const [first, last] = fragmentIpv4(udp({ payload: TEXT }), 800) as [Uint8Array, Uint8Array];
    const [, otherId] = fragmentIpv4(udp({ payload: TEXT }), 800, 8) as [Uint8Array, Uint8Array];
    const [, otherHost] = fragmentIpv4(udp({ payload: TEXT, src: '192.0.2.11' }), 800) as [Uint8Array, Uint8Array];
    const test = new TestDecoder();
    const verdicts = [
      ethernet(first),
      ethernet(otherId),
      ethernet(otherHost),
      ethernet(last, { vlans: [5] }),
      ethernet(last),
    ].map((frame) => test.decode(frame).verdict);
    expect(verdicts).toEqual([...new Array(4).fill('fragment-held'), 'segment']);
  });

  it('of a tunnel packet are put together, then the tunnel is taken off', () => {
    const outer = ip({ src: '10.1.1.1', dst: '10.2.2.2', protocol: 47, payload: gre(WHOLE4) });
    const test = new TestDecoder();
    const decoded = fragmentIpv4(outer, 496).map((packet) => test.decode(ethernet(packet)));
    expect(decoded.at(-1)).toMatchObject({ flow: FLOW4, payload: TEXT, tunnels: ['gre'] });
  });

  it('that were fragmented twice are put together twice', () => {
    const inner = fragmentIpv4(WHOLE4, 496);
    const test = new TestDecoder();
    const decoded = inner.flatMap((packet, i) =>
      fragmentIpv4(ip({ src: '10.1.1.1', dst: '10.2.2.2', protocol: 4, payload: packet }), 200, i).map((frame) =>
        test.decode(ethernet(frame)),
      ),
    );
    expect(decoded.at(-1)).toMatchObject({ flow: FLOW4, payload: TEXT });
  });

  it('that overlap keep the bytes that came first, and say when others differed', () => {
    const header = udp({ payload: 'A'.repeat(24) }).subarray(20);
    const test = new TestDecoder();
    test.decode(piece(1, 0, true, header.subarray(0, 24)));
    test.decode(piece(1, 8, true, new Uint8Array(16).fill(0x42)));
    const decoded = test.decode(piece(1, 24, false, header.subarray(24)));
    expect(decoded.payload).toBe('A'.repeat(24));
    expect(test.out.fragmentConflict).toBe(true);
  });

  it('that overlap with the same bytes are no conflict', () => {
    const body = udp({ payload: TEXT }).subarray(20);
    const test = new TestDecoder();
    test.decode(piece(1, 64, true, body.subarray(64, 128)));
    test.decode(piece(1, 0, true, body.subarray(0, 96)));
    const decoded = test.decode(piece(1, 40, false, body.subarray(40)));
    expect(decoded.payload).toBe(TEXT);
    expect(test.out.fragmentConflict).toBe(false);
  });

  it('larger than a cell fill the space on both sides of one that came before', () => {
    const text = Array.from({ length: 3000 }, (_, i) => `${i} `)
      .join('')
      .slice(0, 12_000);
    const body = udp({ payload: text }).subarray(20);
    const test = new TestDecoder();
    test.decode(piece(1, 6000, true, body.subarray(6000, 6008)));
    test.decode(piece(1, 0, true, body.subarray(0, 11_000)));
    expect(test.decode(piece(1, 11_000, false, body.subarray(11_000))).payload).toBe(text);
    expect(test.out.fragmentConflict).toBe(false);
  });

  it('agree with a slow model of first-comes-first-kept, whatever overlaps', () => {
    const body = udp({ payload: 'x'.repeat(72) }).subarray(20);
    const part = fc.record({ from: fc.nat(9), count: fc.integer({ min: 1, max: 6 }), fill: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const model = new Array<number | undefined>(body.length);
        const put = (offset: number, bytes: Uint8Array): void => {
          for (const [i, byte] of bytes.entries()) model[offset + i] ??= byte;
        };
        const test = new TestDecoder();
        test.decode(piece(1, 0, true, body.subarray(0, 8)));
        put(0, body.subarray(0, 8));
        for (const { from, count, fill } of parts) {
          const bytes = new Uint8Array(Math.min(count * 8, body.length - from * 8)).fill(fill);
          test.decode(piece(1, from * 8, true, bytes));
          put(from * 8, bytes);
        }
        let decoded = test.decode(piece(1, 72, false, body.subarray(72)));
        put(72, body.subarray(72));
        for (let at = 8; decoded.verdict !== 'segment' && at < 72; at += 8) {
          decoded = test.decode(piece(1, at, true, body.subarray(at, at + 8)));
          put(at, body.subarray(at, at + 8));
        }
        expect(decoded.payload).toBe(String.fromCharCode(...model.slice(8).map((byte) => byte ?? -1)));
      }),
      { numRuns: 300 },
    );
  });
});

describe('fragments that are refused', () => {
  it.each([
    ['end beyond 65,535 bytes', piece(1, 65_528, false, new Uint8Array(16)), 'bad-length'],
    ['are no multiple of eight', piece(1, 0, true, new Uint8Array(9)), 'bad-length'],
    ['are empty', piece(1, 8, true, new Uint8Array(0)), 'bad-length'],
  ])('%s', (_name, frame, verdict) => {
    expect(new TestDecoder().decode(frame)).toEqual({ verdict });
  });

  it('were cut by the snap length', () => {
    const frame = piece(1, 0, true, new Uint8Array(80));
    expect(new TestDecoder().decode(frame.subarray(0, 60), 1, frame.length)).toEqual({ verdict: 'truncated' });
  });

  it('lie behind the end that the last fragment stated', () => {
    const test = new TestDecoder();
    test.decode(piece(1, 8, false, new Uint8Array(8)));
    expect(test.decode(piece(1, 16, true, new Uint8Array(8))).verdict).toBe('bad-length');
    expect(test.decoder.fragments.size).toBe(0);
  });

  it('are too many for one datagram', () => {
    const test = new TestDecoder();
    const verdicts = Array.from(
      { length: PIECE_CAP + 1 },
      (_, i) => test.decode(piece(1, i * 16, true, new Uint8Array(8))).verdict,
    );
    expect(verdicts.at(-1)).toBe('fragment-over-cap');
    expect(test.decoder.fragments).toMatchObject({ size: 0, bytes: 0 });
  });
});

describe('the fragment table', () => {
  it('gives up datagrams whose rest does not come', () => {
    const test = new TestDecoder();
    const frame = (id: number) => piece(id, 0, true, new Uint8Array(8));
    test.decode(frame(1), 1, undefined, 1);
    test.decode(frame(2), 1, undefined, FRAGMENT_AGE_MICROS + 2);
    expect(test.decoder.fragments).toMatchObject({ size: 1, bytes: CELL_BYTES, expired: 1 });
  });

  it('gives up all of them when the clock of the capture jumps back', () => {
    const test = new TestDecoder();
    test.decode(piece(1, 0, true, new Uint8Array(8)), 1, undefined, 10 * FRAGMENT_AGE_MICROS);
    test.decode(piece(2, 0, true, new Uint8Array(8)), 1, undefined, 1);
    expect(test.decoder.fragments).toMatchObject({ size: 1, expired: 1 });
  });

  it('never holds more datagrams than its cap, and gives up the oldest', () => {
    const test = new TestDecoder();
    const source = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
    const frame = (i: number, offset: number, more: boolean): Uint8Array =>
      ethernet(ipv4({ src: source(i), protocol: 17, offset, more, payload: new Uint8Array(8) }));
    for (let i = 0; i < DATAGRAM_CAP + 100; i++) test.decode(frame(i, 0, true));
    expect(test.decoder.fragments).toMatchObject({
      size: DATAGRAM_CAP,
      bytes: DATAGRAM_CAP * CELL_BYTES,
      evicted: 100,
    });
  });

  it('never holds more bytes than its cap', () => {
    const test = new TestDecoder();
    for (let id = 0; id < 300; id++) {
      test.decode(piece(id, 0, true, new Uint8Array(60_000)));
      expect(test.decoder.fragments.bytes).toBeLessThanOrEqual(FRAGMENT_BYTES_CAP);
    }
    const each = Math.ceil(60_000 / CELL_BYTES) * CELL_BYTES;
    expect(test.decoder.fragments.size).toBe(Math.floor(FRAGMENT_BYTES_CAP / each));
  });

  it('keeps a datagram whole while it gives up others for it', () => {
    const test = new TestDecoder();
    const body = udp({ payload: TEXT }).subarray(20);
    test.decode(piece(9_999, 0, true, body.subarray(0, 8)));
    for (let id = 0; id < 275; id++) test.decode(piece(id, 0, true, new Uint8Array(61_440)));
    expect(test.decode(piece(9_999, 8, false, body.subarray(8))).verdict).toBe('fragment-held');
    test.decode(piece(10_000, 0, true, body.subarray(0, 8)));
    expect(test.decode(piece(10_000, 8, false, body.subarray(8))).payload).toBe(TEXT);
  });

  it('keeps nothing of the frames it was given', () => {
    const test = new TestDecoder();
    const [first, last] = fragmentIpv4(udp({ payload: TEXT }), 800).map((packet) => concat(ethernet(packet)));
    test.decode(first!);
    first!.fill(0);
    expect(test.decode(last!).payload).toBe(TEXT);
  });
});
