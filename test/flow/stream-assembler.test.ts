import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Doubt, StreamAssembler } from '../../sensor/flow/stream-assembler.ts';

/** A segment of a stream: bytes [from, to) of it, or others in their place. */
interface Piece {
  readonly from: number;
  readonly data: Uint8Array;
  readonly doubt?: Doubt;
}

/** An assembler and what it has delivered, as one string of bytes. */
class Assembled {
  readonly assembler = new StreamAssembler();
  private readonly origin: number;
  private readonly chunks: Uint8Array[] = [];

  constructor(origin = 0) {
    this.origin = origin;
    this.assembler.startAt(origin);
  }

  push({ from, data, doubt = 0 }: Piece): this {
    // Somewhere in a larger buffer that is spoiled afterwards, as frames are.
    const buffer = new Uint8Array(data.length + 9).fill(0xee);
    buffer.set(data, 4);
    this.assembler.push((this.origin + from) | 0, buffer, 4, 4 + data.length, doubt, this.deliver);
    buffer.fill(0xee);
    return this;
  }

  ack(position: number): this {
    this.assembler.acknowledged((this.origin + position) | 0, this.deliver);
    return this;
  }

  passOver(): boolean {
    return this.assembler.passOver(this.deliver);
  }

  finish(): this {
    this.assembler.finish(this.deliver);
    return this;
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  private readonly deliver = (bytes: Uint8Array, start: number, end: number): void => {
    this.chunks.push(bytes.slice(start, end));
  };
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const piece = (from: number, text: string, doubt?: Doubt): Piece => ({
  from,
  data: bytes(text),
  ...(doubt && { doubt }),
});

/** Any initial sequence number, often one that wraps within the stream. */
const origin = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -150, max: 0 }));

/** A stream, and segments in any order that cover it: a partition, and slices that come once more. */
const stream = fc
  .record({
    data: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    cuts: fc.array(fc.nat(300), { maxLength: 12 }),
    repeats: fc.array(fc.tuple(fc.nat(300), fc.nat(300)), { maxLength: 8 }),
    shuffle: fc.infiniteStream(fc.nat(1_000)),
    origin,
  })
  .map(({ data, cuts, repeats, shuffle, origin: from }) => {
    const ends = [...new Set([...cuts.map((cut) => cut % data.length), 0])].sort((a, b) => a - b);
    const partition = ends.map((start, i) => [start, ends[i + 1] ?? data.length] as const);
    const again = repeats.map(([a, b]) => [a % data.length, a % data.length, b % data.length].sort((x, y) => x - y));
    const slices = [...partition, ...again.map((three) => [three[0]!, three[2]! + 1] as const)];
    const pieces = slices
      .map(([start, end]): Piece => ({ from: start, data: data.slice(start, end) }))
      .map((each) => ({ each, rank: shuffle.next().value! }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ each }) => each);
    return { data, pieces, origin: from, text: Buffer.from(data).toString('latin1') };
  });

/** The same bytes or others in their place: every value is changed where the mask says so. */
function forged(of: Piece, mask: number, doubt?: Doubt): Piece {
  return {
    ...of,
    data: of.data.map((value, i) => (((mask >> (i % 8)) & 1) === 1 ? value ^ 0x5a : value)),
    ...(doubt && { doubt }),
  };
}

describe('segments of one stream', () => {
  it('give the same bytes in the same order however they are cut, shuffled, repeated and overlapped', () => {
    fc.assert(
      fc.property(stream, ({ pieces, origin: from, text }) => {
        const a = new Assembled(from);
        for (const each of pieces) a.push(each);
        expect(a.text).toBe(text);
        const { overlapDiffers, doubtfulReplaced, gap, overCap, empty } = a.assembler;
        expect({ overlapDiffers, doubtfulReplaced, gap, overCap, empty }).toEqual({
          overlapDiffers: false,
          doubtfulReplaced: false,
          gap: false,
          overCap: 0,
          empty: true,
        });
      }),
      { numRuns: 2_000 },
    );
  });

  it('are flagged exactly when two copies of a byte differ, whichever of them won', () => {
    const changes = fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(stream, changes, ({ pieces, origin: from, data }, masks) => {
        const sent = [...pieces];
        for (const [at, mask] of masks) sent[at % sent.length] = forged(sent[at % sent.length]!, mask);
        const copies = Array.from(data, () => new Set<number>());
        for (const each of sent) for (const [i, value] of each.data.entries()) copies[each.from + i]!.add(value);
        const a = new Assembled(from);
        for (const each of sent) a.push(each);
        expect(a.text).toHaveLength(data.length);
        for (const [i, value] of bytes(a.text).entries()) expect(copies[i]!.has(value)).toBe(true);
        expect(a.assembler.overlapDiffers).toBe(copies.some((values) => values.size > 1));
      }),
      { numRuns: 2_000 },
    );
  });

  it('are delivered from the first copy that was in order', () => {
    const a = new Assembled().push(piece(0, 'good')).push(piece(0, 'evil')).push(piece(2, 'iller'));
    expect(a.text).toBe('gooder'.slice(0, 4).concat('ler'));
    expect(a.assembler.overlapDiffers).toBe(true);
  });

  it('are compared up to 16 KiB back, wherever the segments end', () => {
    const a = new Assembled();
    const block = new Uint8Array(1_000).fill(1);
    for (let i = 0; i < 40; i++) a.push({ from: i * 1_000, data: block });
    a.push({ from: 40_000, data: bytes('tail') });
    for (let i = 0; i < 40; i++) a.push({ from: i * 1_000, data: block });
    expect(a.assembler.overlapDiffers).toBe(false);
    a.push({ from: 16_000, data: bytes('x') });
    expect(a.assembler.overlapDiffers).toBe(true);
  });

  it('that stand before the first byte are flagged, but not a keep-alive', () => {
    const keepAlive = new Assembled().push(piece(-1, '\0')).push(piece(0, 'true'));
    expect(keepAlive.assembler.overlapDiffers).toBe(false);
    const forgery = new Assembled().push(piece(-900, 'fake')).push(piece(0, 'true'));
    expect(forgery.text).toBe('true');
    expect(forgery.assembler.overlapDiffers).toBe(true);
  });

  it('begin with the first one seen when the SYN was not', () => {
    const got: string[] = [];
    const assembler = new StreamAssembler();
    const deliver = (from: Uint8Array, start: number, end: number) =>
      void got.push(Buffer.from(from.subarray(start, end)).toString());
    assembler.push(500, bytes('mid'), 0, 3, 0, deliver);
    assembler.push(503, bytes('way'), 0, 3, 0, deliver);
    expect(got.join('')).toBe('midway');
  });
});

describe('doubtful segments', () => {
  const fakes = fc.array(
    fc.record({
      at: fc.nat(30),
      of: fc.nat(30),
      mask: fc.integer({ min: 1, max: 255 }),
      doubt: fc.constantFrom(1 as const, 2 as const),
    }),
    { minLength: 1, maxLength: 6 },
  );

  it('never win against true ones, in any order, with acknowledgements of what the peer has', () => {
    fc.assert(
      fc.property(stream, fakes, ({ pieces, origin: from, text, data }, forgeries) => {
        const sent: Piece[] = [...pieces];
        for (const { at, of, mask, doubt } of forgeries) {
          sent.splice(at % (sent.length + 1), 0, forged(pieces[of % pieces.length]!, mask | 1, doubt));
        }
        const a = new Assembled(from);
        const has = new Uint8Array(data.length + 1);
        for (const each of sent) {
          a.push(each);
          if (each.doubt === undefined) has.fill(1, each.from, each.from + each.data.length);
          a.ack(has.indexOf(0));
        }
        a.finish();
        expect(a.text).toBe(text);
        expect(a.assembler.doubtfulReplaced).toBe(true);
        expect(a.assembler.doubtConfirmed).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are taken once the peer acknowledges them', () => {
    const a = new Assembled().push(piece(0, 'off', 1)).push(piece(3, 'load', 1));
    expect(a.text).toBe('');
    expect(a.ack(2).text).toBe('');
    expect(a.ack(3).text).toBe('off');
    expect(a.ack(7).text).toBe('offload');
    expect(a.assembler.doubtConfirmed).toBe(true);
  });

  it('are taken at the end, when nothing spoke against them', () => {
    const a = new Assembled()
      .push(piece(3, 'load', 1))
      .push(piece(0, 'off', 1))
      .finish();
    expect(a.text).toBe('offload');
  });

  it('win against those in more doubt at their place, whichever came first', () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ] as const) {
      const both = [piece(0, '\0\0', 2), piece(0, 'hi', 1)];
      const a = new Assembled();
      for (const i of order) a.push(both[i]!);
      expect(a.ack(2).text).toBe('hi');
    }
  });

  it('that differ from what was delivered are flagged, though they change nothing', () => {
    const a = new Assembled().push(piece(0, 'true')).push(piece(0, 'fake', 1));
    expect(a.text).toBe('true');
    expect(a.assembler.doubtfulReplaced).toBe(true);
    expect(new Assembled().push(piece(0, 'true')).push(piece(0, 'true', 1)).assembler.doubtfulReplaced).toBe(false);
  });
});

describe('where a stream begins', () => {
  const FAR = 50_000_000;

  it.each([FAR, -FAR, 2 ** 31 - 10])(
    'is where the peer acknowledges payload, %i bytes from a forged SYN',
    (distance) => {
      const a = new Assembled().push(piece(distance + 5, 'world')).push(piece(distance, 'hello'));
      expect(a.text).toBe('');
      expect(a.ack(distance + 10).text).toBe('helloworld');
      expect(a.assembler.restarted).toBe(true);
    },
  );

  it('is at the far payload when nothing else ever came', () => {
    expect(new Assembled().push(piece(FAR, 'hello')).finish().text).toBe('hello');
  });

  it('is where the SYN said for payload that fits, whatever was forged far away', () => {
    const a = new Assembled().push(piece(FAR, 'fake')).push(piece(-FAR, 'fake')).push(piece(0, 'true')).ack(4);
    expect(a.text).toBe('true');
    expect(a.push(piece(4, ' too')).finish().text).toBe('true too');
    expect(a.assembler.restarted).toBe(false);
  });
});

describe('a hole', () => {
  const behind = (count: number): Assembled => {
    const a = new Assembled().push(piece(0, 'ab'));
    for (let i = 0; i < count; i++) a.push(piece(10 + i, `${i % 10}`));
    return a;
  };

  it('is waited for while few segments are behind it, and given up once the peer has had many', () => {
    expect(behind(7).assembler.isStuck(17)).toBe(false);
    expect(behind(8).assembler.isStuck(10)).toBe(false);
    expect(behind(8).assembler.isStuck(18)).toBe(true);
  });

  it('is passed over on demand, and said so', () => {
    const a = behind(3);
    expect(a.passOver()).toBe(true);
    expect(a.text).toBe('ab012');
    expect(a.assembler.gap).toBe(true);
    expect(a.passOver()).toBe(false);
  });

  it('is no reason to compare bytes on its two sides with each other', () => {
    const a = behind(1);
    a.passOver();
    a.push(piece(0, 'ab')).push(piece(10, '0'));
    expect(a.assembler.overlapDiffers).toBe(false);
  });
});

describe('what waits', () => {
  it('is bounded for one direction, whether in large segments or in one-byte ones', () => {
    for (const size of [1, 1_400, 60_000]) {
      const memory = { held: 0, cap: 1 << 30 };
      const assembler = new StreamAssembler(memory);
      assembler.startAt(0);
      const data = new Uint8Array(size);
      for (let i = 1; i < 3_000; i++) assembler.push(i * size, data, 0, size, 0, () => {});
      expect(assembler.overCap).toBeGreaterThan(0);
      expect(memory.held).toBeLessThanOrEqual(400_000);
      assembler.reset();
      expect(memory.held).toBe(0);
    }
  });

  it('is bounded for all directions together, and what is let go makes room', () => {
    const memory = { held: 0, cap: 5_000 };
    const [first, second] = [new StreamAssembler(memory), new StreamAssembler(memory)];
    const data = new Uint8Array(2_000);
    for (const each of [first, second]) {
      each.startAt(0);
      for (let i = 1; i < 4; i++) each.push(i * 2_000, data, 0, 2_000, 0, () => {});
    }
    expect([first.overCap, second.overCap]).toEqual([1, 3]);
    first.release();
    second.push(2_000, data, 0, 2_000, 0, () => {});
    expect(second.overCap).toBe(3);
    expect(memory.held).toBeLessThan(2_500);
  });

  it('takes a hello of 1,200 one-byte segments in reverse', () => {
    const text = 'h'.repeat(1_199).concat('!');
    const a = new Assembled();
    for (let i = text.length - 1; i >= 0; i--) a.push(piece(i, text[i]!));
    expect(a.text).toBe(text);
  });
});
